"""Images are pulled by digest from a registry, and built here when the registry does not answer or lacks the image.

No official registry is asked: a real one (crane's, of go-containerregistry) runs on loopback in its stead, and what it has by upstream's
names are images that were made here. So what is proven is the way, not that upstream's own images work.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployers.pods.images import upstream
from deployers.release import make_supply
from deployers.spec import KarmadaSpec
from lab import component
from lab.assets import Cache
from lab.component import Component, Health
from lab.errors import ProvisionError
from lab.images import Image, make_archive, missing_software, official
from lab.images.official import ImageLock
from lab.images.pull import make_lock, pull_images
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.run import Run
from lab.spec import LabSpec
from lab.supervisor.client import Supervisor

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("official-images")]
SPEC = KarmadaSpec()
WEBHOOK, SCHEDULER = (upstream(name, SPEC, SPEC.release) for name in ("karmada-webhook", "karmada-scheduler"))


@dataclass(frozen=True)
class PushableRegistry:
    """A running registry, and a client that pushes to it."""

    address: str
    crane: Path
    machine: Machine

    def push(self, image: Image, name: str) -> None:
        """Build an image and push it to the registry under upstream's name."""
        paths = {str(ref): path for ref, path in make_supply().resolve(missing_software([image])).items()}
        made = make_archive([image], paths)
        self.machine.run([str(self.crane), "push", str(made.path), f"{self.address}/{name.partition('/')[2]}"], within=120.0)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushableRegistry]:
    (crane,) = make_supply().resolve(["crane"]).values()
    asked = {"lab": LabSpec(members=()).model_dump(mode="json"), "karmada": None}
    run = Run.create("registry", asked, root=tmp_path_factory.mktemp("runs"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = Component(
        "registry/crane",
        crane,
        {"address": f"127.0.0.1:{port}", "disk": str(run.folder("data", "blobs"))},
        args=("registry", "serve"),
        ready=(Health(f"http://127.0.0.1:{port}/v2/"),),
    )
    supervisor = Supervisor(run.path)
    try:
        with supervisor.hold("registry"):
            component.start(serve, run)
            yield PushableRegistry(f"127.0.0.1:{port}", crane, Local(run.path))
    finally:
        supervisor.shutdown()
        run.remove()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """Yield a private cache and lock; builds use the assets of the usual cache."""
    monkeypatch.setattr(official, "LOCK", tmp_path / "official.toml")
    return Cache(tmp_path / "cache")


def test_what_a_registry_has_is_pulled_by_digest_and_is_what_nodes_get(registry: PushableRegistry, cache: Cache) -> None:
    registry.push(WEBHOOK, WEBHOOK.official)
    lock, absent = make_lock([WEBHOOK, SCHEDULER], registry=registry.address)
    assert list(lock.digests) == [WEBHOOK.official]
    assert list(absent) == [SCHEDULER.official]
    lock.write()

    assert pull_images([WEBHOOK, SCHEDULER], registry=registry.address, cache=cache) == {}

    (there,) = make_archive([WEBHOOK], {}, cache=cache).images
    assert there.digest == lock.digests[WEBHOOK.official]
    assert pull_images([WEBHOOK], registry="127.0.0.1:9", cache=cache) == {}, "what is here needs no registry again"


def test_another_image_by_that_name_is_refused(registry: PushableRegistry, cache: Cache) -> None:
    registry.push(WEBHOOK, WEBHOOK.official)
    lock, _ = make_lock([WEBHOOK], registry=registry.address)
    lock.write()
    registry.push(SCHEDULER, WEBHOOK.official)  # somebody has published it anew

    pull_images([WEBHOOK], registry=registry.address, cache=cache)  # by its digest the old one is still there
    ImageLock({WEBHOOK.official: "sha256:" + "0" * 64}).write()
    with pytest.raises(ProvisionError, match="not the image") as refused:
        pull_images([WEBHOOK], registry=registry.address, cache=cache)
    assert "0" * 64 in str(refused.value)
    assert "lab images lock" in (refused.value.remedy or "")


@pytest.mark.parametrize("away", [True, False], ids=["no-registry", "no-such-image"])
def test_what_cannot_be_pulled_is_made_here(registry: PushableRegistry, cache: Cache, away: bool) -> None:
    ImageLock({SCHEDULER.official: "sha256:" + "1" * 64}).write()
    reasons = pull_images([SCHEDULER], registry="127.0.0.1:9" if away else f"{registry.address}/elsewhere", cache=cache)

    assert ("does not answer" if away else "has no") in reasons[SCHEDULER.official]
    paths = {str(ref): path for ref, path in make_supply().resolve(missing_software([SCHEDULER])).items()}
    (made,) = make_archive([SCHEDULER], paths, cache=cache).images
    assert made.name == SCHEDULER.name
