from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from deployers.deployer import ImageUse
from deployers.pods import image_steps as loading
from deployers.pods import images
from deployers.pods.image_steps import image_steps
from deployers.pods.images import drop_path, images_of, keep_path, tag_of
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from lab.cluster import Cluster, Lab
from lab.errors import NotPossible
from lab.images import Image
from lab.steps import Step, StepFailed, execute

PULL = [{"name": "member1", "mode": "pull"}]


def uses(naming: images.Naming, *others: str, **table: Any) -> dict[str, ImageUse]:
    return images.by_component(images_of(KarmadaSpec.model_validate(table), naming, *others, version="1.18.2"))


def test_images_have_upstreams_names_and_only_what_is_asked_for_is_needed() -> None:
    found = uses(keep_path, addons={"search": True})

    assert (found["karmada-apiserver"].repository, found["karmada-apiserver"].tag) == ("registry.k8s.io/kube-apiserver", "v1.35.4")
    assert found["karmada-search"].name == "docker.io/karmada/karmada-search:v1.18.2"
    assert not {"karmada-agent", "karmada-descheduler"} & found.keys()


def test_an_external_etcd_needs_no_image_and_pull_members_need_the_agents() -> None:
    external = {"servers": ["https://etcd:2379"], "ca": "/a", "cert": "/b", "key": "/c"}
    found = uses(drop_path, "karmada-operator", "karmada-webhook", etcd={"external": external}, members=PULL)

    assert "etcd" not in found
    assert found["karmada-agent"].clusters == ("member1",)
    assert found["karmada-operator"].clusters == ("host",)
    assert {"karmada-agent@1.18.2", "kube-apiserver@1.35.4"} <= set(images.software(KarmadaSpec.model_validate({"members": PULL})))


@pytest.mark.parametrize(
    ("naming", "name", "moved_to"),
    [
        (drop_path, "docker.io/karmada/karmada-webhook:v1", "r.example.org:5000/p/karmada-webhook:v1"),
        (keep_path, "docker.io/karmada/karmada-webhook:v1", "r.example.org:5000/p/karmada/karmada-webhook:v1"),
        (keep_path, "registry.k8s.io/etcd:3.6.6-0", "r.example.org:5000/p/etcd:3.6.6-0"),
    ],
)
def test_a_registry_takes_the_place_of_upstreams(naming: images.Naming, name: str, moved_to: str) -> None:
    assert naming(name, "r.example.org:5000/p") == moved_to
    assert naming(name, None) == name


def test_a_checkouts_version_makes_a_tag_and_its_programs_are_inside() -> None:
    spec = KarmadaSpec(release="/src/karmada")

    assert tag_of("1.19.0-alpha.1+dirty") == "v1.19.0-alpha.1-dirty"
    assert images.upstream("karmada-webhook", spec, "1.19.0").files[0].asset == "karmada-webhook@/src/karmada"


class Shelf:
    """What lab.images does, noted instead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, without: str = "nothing") -> None:
        self.without = without
        self.loaded: dict[str, list[str]] = {}
        for name in ("make_archive", "load_archive", "require_images"):
            monkeypatch.setattr(loading, name, getattr(self, name))

    def make_archive(self, images: Sequence[Image], software: Mapping[str, Path]) -> list[str]:
        return [image.name for image in images if self.without not in image.name]

    def load_archive(self, lab: Lab, cluster: Cluster, archive: list[str]) -> None:
        self.loaded[cluster.name] = archive

    def require_images(self, lab: Lab, cluster: Cluster, names: Iterable[str]) -> None:
        if missing := set(names) - set(self.loaded[cluster.name]):
            raise NotPossible(f"not on the nodes: {', '.join(missing)}")


def steps(tmp_path: Path) -> list[Step]:
    karmada = a_karmada(tmp_path, {"members": PULL})
    made = image_steps(karmada, images_of(karmada.spec, keep_path, version="1.18.2"), {})
    return [*made, Step("host", lambda: None), Step("member1", lambda: None)]


def test_each_cluster_gets_what_its_pods_ask_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(monkeypatch)
    made = steps(tmp_path)

    execute(made, a_karmada(tmp_path / "other").run)

    assert shelf.loaded["member1"] == ["docker.io/karmada/karmada-agent:v1.18.2"]
    assert len(shelf.loaded["host"]) == 7
    assert {step.name: step.needs for step in made[:3]} == {
        "karmada/images": (),
        "host/images": ("karmada/images", "host"),
        "member1/images": ("karmada/images", "member1"),
    }


def test_an_image_that_a_node_lacks_is_named_before_anything_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Shelf(monkeypatch, without="webhook")

    with pytest.raises(StepFailed, match=r"karmada-webhook:v1\.18\.2"):
        execute([*steps(tmp_path), Step("install", lambda: None, ("host/images",))], a_karmada(tmp_path / "other").run)
