from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from deployers import images
from deployers.images import Image, all_there, flat, moved, needed, tag_of
from deployers.loading import image_steps
from deployers.tests.control_plane_fakes import a_karmada
from lab.cluster import Cluster
from lab.errors import ProvisionError
from lab.run import Run
from lab.steps import Step, StepFailed, execute


def test_images_have_upstreams_names_and_only_what_is_asked_for_is_needed(tmp_path: Path) -> None:
    found = images.by_component(needed(a_karmada(tmp_path, {"addons": {"search": True}}), moved))

    assert found["karmada-apiserver"] == Image(
        "karmada-apiserver", "registry.k8s.io/kube-apiserver:v1.35.4", "kube-apiserver@1.35.4", ("host",)
    )
    assert found["karmada-search"].name == "docker.io/karmada/karmada-search:v1.18.2"
    assert found["etcd"].asset == "etcd"
    assert not {"karmada-agent", "karmada-descheduler"} & found.keys()


def test_an_external_etcd_needs_no_image_and_pull_members_need_the_agents(tmp_path: Path) -> None:
    external = {"servers": ["https://etcd:2379"], "ca": "/a", "cert": "/b", "key": "/c"}
    found = images.by_component(
        needed(
            a_karmada(tmp_path, {"etcd": {"external": external}, "members": [{"name": "member1", "mode": "pull"}]}),
            flat,
            "karmada-operator",
        )
    )

    assert "etcd" not in found
    assert found["karmada-agent"].clusters == ("member1",)
    assert found["karmada-operator"].clusters == ("host",)


@pytest.mark.parametrize(
    ("naming", "name", "moved_to"),
    [
        (flat, "docker.io/karmada/karmada-webhook:v1", "r.example.org:5000/p/karmada-webhook:v1"),
        (moved, "docker.io/karmada/karmada-webhook:v1", "r.example.org:5000/p/karmada/karmada-webhook:v1"),
        (moved, "registry.k8s.io/etcd:3.6.6-0", "r.example.org:5000/p/etcd:3.6.6-0"),
    ],
)
def test_a_registry_takes_the_place_of_upstreams(naming: images.Naming, name: str, moved_to: str) -> None:
    assert naming(name, "r.example.org:5000/p") == moved_to
    assert naming(name, None) == name


def test_a_checkouts_version_makes_a_tag() -> None:
    assert tag_of("1.19.0-alpha.1+dirty") == "v1.19.0-alpha.1-dirty"


def test_an_image_that_is_missing_is_named_before_anything_is_installed() -> None:
    wanted = [Image("a", "docker.io/karmada/a:v1", "a@1", ("host",)), Image("b", "docker.io/karmada/b:v1", "b@1", ("host",))]

    all_there(wanted, ["karmada/a:v1", "docker.io/karmada/b:v1"], where="archive.tar")
    with pytest.raises(ProvisionError, match=r"1 images that Karmada needs are not there: docker.io/karmada/b:v1"):
        all_there(wanted, ["karmada/a:v1"], where="archive.tar")


class Shelf:
    """A store that keeps what it was asked."""

    def __init__(self, *, without: str = "") -> None:
        self.without = without
        self.loaded: dict[str, list[str]] = {}
        self.inside: dict[Path, list[str]] = {}

    def archive(self, images: Mapping[str, Path]) -> Path:
        path = Path("/archives") / str(hash(tuple(sorted(images))))
        self.inside[path] = [name for name in images if not self.without or self.without not in name]
        return path

    def names(self, archive: Path) -> list[str]:
        return self.inside[archive]

    def load(self, run: Run, cluster: Cluster, archive: Path) -> None:
        self.loaded[cluster.name] = self.inside[archive]


def test_each_cluster_gets_what_its_pods_ask_for(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path, {"members": [{"name": "member1", "mode": "pull"}]})
    found = needed(karmada, moved)
    shelf = Shelf()
    steps = image_steps(karmada, found, {image.asset: Path("/bin") / image.component for image in found}, shelf)

    execute([*steps, Step("host", lambda: None), Step("member1", lambda: None)], karmada.run)

    assert shelf.loaded["member1"] == ["docker.io/karmada/karmada-agent:v1.18.2"]
    assert len(shelf.loaded["host"]) == 7
    assert [step.needs for step in steps] == [(), ("karmada/images", "host"), ("karmada/images", "member1")]


def test_nothing_is_loaded_when_one_is_missing(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path)
    found = needed(karmada, moved)
    shelf = Shelf(without="webhook")
    steps = image_steps(karmada, found, {image.asset: Path("/bin") / image.component for image in found}, shelf)

    with pytest.raises(StepFailed, match="karmada-webhook"):
        execute([*steps, Step("host", lambda: None)], karmada.run)

    assert not shelf.loaded
