"""Archives are loaded into nodes that lack their images."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.assets import Cache
from lab.cluster import Lab
from lab.errors import NotPossible
from lab.images import load_archive, make_archive, require_images
from lab.images.load import RECORD
from lab.machines.scripted import Scripted
from lab.run import Run
from lab.tests.images_fakes import TOOL, WEB, row


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    program = tmp_path / "web"
    program.write_bytes(b"program" * 1000)
    return {"web@1.0.0": program}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    run = Run.create("one", {"lab": {"members": [{"name": "member1"}]}, "karmada": None}, root=tmp_path)
    return Lab.open(run)


def engine(lab: Lab, listed: str) -> Scripted:
    node = "karmada-lab.one.member1-control-plane"
    lab.run.record(RECORD, "member1", {"containers": [node], "archives": "/kind/archives"})
    exec_ = ("docker", "exec", node, "ctr", "--namespace=k8s.io", "images")
    machine = Scripted({(*exec_, "list"): listed, (*exec_, "import"): ""})
    lab.__dict__["machine"] = machine
    return machine


def test_what_a_node_lacks_is_loaded_from_the_mounted_cache(lab: Lab, paths: dict[str, Path], cache: Cache) -> None:
    archive = make_archive([WEB, TOOL], paths, cache=cache)
    machine = engine(lab, "REF TYPE DIGEST\n" + row(WEB.name, archive.images[0].digest))

    assert load_archive(lab, lab.member("member1"), archive) == (TOOL.name,)
    assert f"import /kind/archives/{archive.key}/images.tar\n" in machine.transcript()


def test_a_node_that_has_all_is_left_alone_and_one_with_another_content_is_not(lab: Lab, paths: dict[str, Path], cache: Cache) -> None:
    archive = make_archive([WEB], paths, cache=cache)
    machine = engine(lab, row(WEB.name, archive.images[0].digest))
    assert load_archive(lab, lab.member("member1"), archive) == ()
    assert "import" not in machine.transcript()

    machine = engine(lab, row(WEB.name, "sha256:" + "0" * 64))
    assert load_archive(lab, lab.member("member1"), archive) == (WEB.name,)


def test_a_node_on_a_machine_is_brought_the_archive_and_does_not_keep_it(
    lab: Lab, paths: dict[str, Path], cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_archive([WEB], paths, cache=cache)
    lab.run.record(RECORD, "member1", {"containers": [], "machines": ["machine1"], "ctr": "/x/ctr", "folder": "/x/images"})
    machine = Scripted({("/x/ctr", "--namespace=k8s.io", "images"): "", ("rm",): ""})
    monkeypatch.setattr("lab.images.load.open_machine", lambda *_: machine)

    assert load_archive(lab, lab.member("member1"), archive) == (WEB.name,)
    there = f"/x/images/{archive.key}.tar"
    assert [done.args[-1] for done in machine.done if done.verb == "put" or done.args[-1] == there] == [there] * 3


def test_missing_images_are_named_before_anything_is_installed(lab: Lab) -> None:
    engine(lab, row(WEB.name, "sha256:" + "0" * 64))

    require_images(lab, lab.member("member1"), ["karmada/web:v1"])
    with pytest.raises(NotPossible, match="1 image") as refused:
        require_images(lab, lab.member("member1"), ["karmada/web:v1", "nginx"])
    assert refused.value.detail == "docker.io/library/nginx:latest"


def test_a_cluster_of_processes_has_no_nodes_to_load(lab: Lab) -> None:
    with pytest.raises(NotPossible, match="embedded"):
        require_images(lab, lab.member("member1"), ["nginx"])
