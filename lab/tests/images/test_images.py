"""Images: what is in an archive, that the same images are the same bytes, and what is loaded into which node."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.assets import Cache
from lab.cluster import Lab
from lab.computer import Answer, Computer
from lab.errors import CommandFailed, NotPossible, UsageError
from lab.images import ArchiveStore, Image, ImageFile, full_name, load_archive, make_archive, missing_software, require_images
from lab.images.archive import read_names
from lab.images.kubernetes import list_kubeadm_images
from lab.images.load import RECORD
from lab.images.stock import find_archive, prune_images
from lab.machines.container import Container
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.run import Run

WEB = Image(
    "docker.io/karmada/web:v1", (ImageFile("/bin/web", asset="web@1.0.0"), ImageFile("/etc/web.conf", content=b"x=1\n")), ("/bin/web",)
)
TOOL = Image("docker.io/karmada/tool:v1", (ImageFile("/bin/web", asset="web@1.0.0"), ImageFile("/bin/sh", link="web")), env={"A": "b"})


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    program = tmp_path / "web"
    program.write_bytes(b"program" * 1000)
    return {"web@1.0.0": program}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def opened(path: Path) -> tuple[tarfile.TarFile, list[dict[str, Any]]]:
    tar = tarfile.open(path)  # noqa: SIM115 (the test closes it)
    member = tar.extractfile("manifest.json")
    assert member is not None
    return tar, json.load(member)


def test_an_archive_holds_what_the_image_says(paths: dict[str, Path], cache: Cache) -> None:
    tar, (manifest,) = opened(make_archive([WEB], paths, cache=cache).path)

    assert manifest["RepoTags"] == ["docker.io/karmada/web:v1"]
    config = json.load(tar.extractfile(manifest["Config"]))  # type: ignore[arg-type]
    assert config["config"]["Entrypoint"] == ["/bin/web"]
    assert config["config"]["Env"][0].startswith("PATH=")
    found = {}
    for path in manifest["Layers"]:
        with tarfile.open(fileobj=tar.extractfile(path)) as layer:
            for member in layer:
                found[member.name] = layer.extractfile(member).read() if member.isfile() else None  # type: ignore[union-attr]
    assert found == {"bin": None, "bin/web": b"program" * 1000, "etc": None, "etc/web.conf": b"x=1\n"}
    tar.close()


def test_layers_are_named_and_described_by_their_hashes(paths: dict[str, Path], cache: Cache) -> None:
    import hashlib

    archive = make_archive([WEB, TOOL], paths, cache=cache)
    tar, manifests = opened(archive.path)
    index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]

    assert [each["annotations"]["io.containerd.image.name"] for each in index["manifests"]] == [WEB.name, TOOL.name]
    assert [each["digest"] for each in index["manifests"]] == [image.digest for image in archive.images]
    for member in tar:
        if member.name.startswith("blobs/"):
            content = tar.extractfile(member).read()  # type: ignore[union-attr]
            assert member.name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    for manifest in manifests:
        config = json.load(tar.extractfile(manifest["Config"]))  # type: ignore[arg-type]
        assert [f"blobs/sha256/{each.removeprefix('sha256:')}" for each in config["rootfs"]["diff_ids"]] == manifest["Layers"]
    tar.close()


def test_images_share_the_layer_of_a_file_that_both_have(paths: dict[str, Path], cache: Cache) -> None:
    tar, (web, tool) = opened(make_archive([WEB, TOOL], paths, cache=cache).path)

    assert web["Layers"][0] == tool["Layers"][0]
    assert len([name for name in tar.getnames() if name == web["Layers"][0]]) == 1
    tar.close()


def test_the_same_images_are_the_same_bytes_and_written_once(paths: dict[str, Path], cache: Cache, tmp_path: Path) -> None:
    first, again = make_archive([WEB, TOOL], paths, cache=cache), make_archive([WEB, TOOL], paths, cache=cache)
    elsewhere = make_archive([WEB, TOOL], paths, cache=Cache(tmp_path / "other"))

    assert (first.path, first.created) == (again.path, again.created)
    assert elsewhere.path.read_bytes() == first.path.read_bytes()


def test_another_content_is_another_archive(paths: dict[str, Path], cache: Cache) -> None:
    first = make_archive([WEB], paths, cache=cache)
    paths["web@1.0.0"].write_bytes(b"another")

    second = make_archive([WEB], paths, cache=cache)
    assert second.key != first.key
    assert second.images[0].id != first.images[0].id
    assert {archive.key for archive in ArchiveStore(cache).archives()} == {first.key, second.key}


def test_a_directory_asset_becomes_a_directory(tmp_path: Path, cache: Cache) -> None:
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "one.yaml").write_text("a: 1\n")
    tar, (manifest,) = opened(make_archive([Image("localhost/x:1", (ImageFile("/crds", asset="tree"),))], {"tree": tree}, cache=cache).path)

    with tarfile.open(fileobj=tar.extractfile(manifest["Layers"][0])) as layer:
        assert layer.getnames() == ["crds", "crds/deep", "crds/deep/one.yaml"]
    tar.close()


def test_names_of_an_archive_can_be_read_back(paths: dict[str, Path], cache: Cache) -> None:
    with make_archive([WEB, TOOL], paths, cache=cache).path.open("rb") as file:
        assert read_names(file) == [WEB.name, TOOL.name]
    with pytest.raises(tarfile.TarError):
        read_names(io.BytesIO(b"no archive"))


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("karmada/web:v1", "docker.io/karmada/web:v1"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
    ],
)
def test_names_are_written_as_nodes_know_them(short: str, full: str) -> None:
    assert full_name(short) == full


@pytest.mark.parametrize("wrong", ["UPPER/x:1", "a b", "nginx@sha256:00", ""])
def test_what_names_no_image_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError):
        full_name(wrong)


def test_two_images_of_one_name_and_missing_assets_are_refused_before_anything_is_written(paths: dict[str, Path], cache: Cache) -> None:
    with pytest.raises(UsageError, match="web:v1"):
        make_archive([WEB, WEB], paths, cache=cache)
    with pytest.raises(UsageError, match=r"web@1\.0\.0"):
        make_archive([WEB], {}, cache=cache)
    assert not cache.root.exists()


def test_kubeadms_images_are_made_of_pinned_assets() -> None:
    names = ["kube-apiserver:v1.35.4", "kube-proxy:v1.35.4", "coredns/coredns:v1.13.1", "pause:3.10.1", "etcd:3.6.6-0"]
    images = list_kubeadm_images([f"registry.k8s.io/{name}" for name in names], "1.35.4")

    assert [image.name for image in images] == [f"registry.k8s.io/{name}" for name in names]
    assert {"kube-apiserver@1.35.4", "kube-proxy@1.35.4", "coredns@1.13.1", "etcd@3.6.5"} <= set(missing_software(images))
    with pytest.raises(NotPossible, match="novel"):
        list_kubeadm_images(["registry.k8s.io/novel:v1"], "1.35.4")


def test_a_foreign_archive_is_taken_in_and_found_by_the_beginning_of_its_key(paths: dict[str, Path], cache: Cache, tmp_path: Path) -> None:
    mine = make_archive([WEB], paths, cache=Cache(tmp_path / "other"))
    taken = find_archive(str(mine.path), cache=cache)

    assert taken.names == (WEB.name,)
    assert find_archive(taken.key[:6], cache=cache).path == taken.path
    with pytest.raises(UsageError, match="no archive begins"):
        find_archive("zzz", cache=cache)
    with pytest.raises(UsageError, match="not an archive"):
        find_archive(str(paths["web@1.0.0"]) + ".tar", cache=cache)


def test_pruning_leaves_what_nodes_are_made_of(paths: dict[str, Path], cache: Cache) -> None:
    archive = make_archive([WEB], paths, cache=cache)
    docker = Docker()

    rehearsed = prune_images(everything=True, dry_run=True, cache=cache, computer=docker)
    assert archive.path.exists()
    assert docker.removed == []
    assert rehearsed.freed == archive.size + 5

    pruned = prune_images(everything=True, cache=cache, computer=docker)
    assert pruned.removed == (f"{archive.key} (1 image)", "karmada-lab/node:v1-b")
    assert pruned.in_use == ("karmada-lab/node:v1-a",)
    assert docker.removed == ["karmada-lab/node:v1-b"]
    assert not archive.path.exists()


class Docker(Computer):
    """A Docker with two node images, one of which a node is made of."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    def ask(self, argv: Sequence[str], *, within: float = 5.0) -> Answer:
        if argv[1:3] == ["image", "rm"]:
            self.removed.append(argv[3])
        if argv[1:3] == ["image", "ls"]:
            rows = [{"Repository": "karmada-lab/node", "Tag": f"v1-{tag}", "ID": f"sha256:{tag * 64}"} for tag in "ab"]
            return Answer(0, "".join(json.dumps(row) + "\n" for row in rows))
        return Answer(0, "karmada-lab/node:v1-a\n" if argv[1] == "ps" else "5\n")


# -- loading ---------------------------------------------------------------------------------------------------------------------


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


def row(name: str, digest: str) -> str:
    return f"{name} application/vnd.oci.image.manifest.v1+json {digest} 7.0 MiB linux/amd64 -\n"


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


def test_a_container_of_no_lab_starts_no_programs() -> None:
    node = Container("n", Scripted({("docker", "exec", "--interactive", "--env", "A=b", "n", "cat"): "said"}))

    assert node.run(["cat"], input="x", env={"A": "b"}).stdout == "said"
    with pytest.raises(NotPossible):
        node.stop("x")


def test_a_command_that_docker_was_cut_off_from_says_so_and_one_that_only_failed_does_not() -> None:
    asked = ("docker", "version")
    for version, said in ((ScriptedFailure(1, "Cannot connect"), "Docker stopped answering"), ("20.10", "")):
        node = Container("n", Scripted({("docker", "exec"): ScriptedFailure(255, ""), asked: version}))
        with pytest.raises(CommandFailed) as failed:
            node.run(["ctr"])
        assert failed.value.output == said
