"""Official images: what is pulled is what the lock names, or it is refused, or it is made here."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from lab.assets import Cache
from lab.assets.pins import detect_arch
from lab.assets.progress import AssetProgress
from lab.errors import ProvisionError, UsageError
from lab.images import missing_software, node, official
from lab.images.image import Image, ImageFile
from lab.images.official import ImageLock
from lab.images.pull import pull_images
from lab.tests.registry_fakes import IMAGE, INDEX, LAYER, MANIFEST, NAME, OTHERS, SERVED, Served, sha


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.setattr(official, "LOCK", tmp_path / "official.toml")
    monkeypatch.setenv("KARMADA_LAB_CACHE", str(tmp_path / "cache"))
    ImageLock({NAME: sha(INDEX)}).write()
    return Cache(tmp_path / "cache")


def test_assets_are_those_of_images_that_were_not_pulled(cache: Cache) -> None:
    made = Image("docker.io/karmada/other:v1", (ImageFile("/bin/x", asset="karmada-search@1.18.2"),))
    assert missing_software([IMAGE, made]) == ["karmada-webhook@1.18.2", "karmada-search@1.18.2"]

    pull_images([IMAGE], cache=cache, client=Served().client())

    assert missing_software([IMAGE, made]) == ["karmada-search@1.18.2"]


def test_what_only_kubeadm_can_name_is_not_asked_for() -> None:
    assert official.list_official_names(node.list_contents("1.35.4")) == [
        f"registry.k8s.io/{name}:v1.35.4" for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
    ]


@pytest.mark.parametrize("thing", [f"manifests/{sha(INDEX)}", f"manifests/{sha(MANIFEST)}", f"blobs/{sha(LAYER)}"])
def test_what_is_not_of_its_digest_is_refused_and_nothing_of_it_stays(cache: Cache, thing: str) -> None:
    with pytest.raises(ProvisionError, match="expected sha256"):
        pull_images([IMAGE], cache=cache, client=Served({**SERVED, thing: b"{}"}).client())
    assert official.list_pulled(cache) == []


@pytest.mark.parametrize(
    ("served", "says"),
    [
        (Served({}), "has no manifests/v1.18.2"),
        (Served(answer=lambda: httpx.Response(429)), "answers 429"),
        (Served({**SERVED, f"manifests/{sha(INDEX)}": json.dumps({"manifests": OTHERS}).encode()}), "something else"),
    ],
)
def test_an_image_that_cannot_be_pulled_is_built_with_the_reason(cache: Cache, served: Served, says: str) -> None:
    told: list[AssetProgress] = []
    if "else" in says:  # an index without this processor, under the digest that the lock has
        content = served.things[f"manifests/{sha(INDEX)}"]
        served.things[f"manifests/{sha(content)}"] = content
        ImageLock({NAME: sha(content)}).write()
        says = f"no image for linux/{detect_arch()}"
    reasons = pull_images([IMAGE], cache=cache, client=served.client(), progress=told.append)
    assert says in reasons[NAME]
    assert "made here" in told[-1].note
    assert missing_software([IMAGE]) == ["karmada-webhook@1.18.2"]


@pytest.mark.parametrize("text", ['[digests]\n"nginx" = "sha256:00"\n', f'[digests]\n"{NAME}" = "latest"\n', "[digests\n"])
def test_a_lock_that_says_no_digest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    with pytest.raises(UsageError):
        ImageLock.read(tmp_path / "lock")
