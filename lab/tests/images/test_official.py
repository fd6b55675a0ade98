"""Official images: what is pulled is what the lock names, or it is refused, or it is made here."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.assets import Cache
from lab.assets.pins import detect_arch
from lab.assets.progress import AssetProgress
from lab.assets.sources import DownloadPatience
from lab.errors import ProvisionError, UsageError
from lab.images import make_archive, missing_software, node, official
from lab.images.image import Image, ImageFile
from lab.images.official import ImageLock
from lab.images.pull import make_lock, pull_images
from lab.images.registry import Registry, Repository

NAME = "docker.io/karmada/karmada-webhook:v1.18.2"
IMAGE = Image("mirror.example/karmada-webhook:v1.18.2", (ImageFile("/bin/x", asset="karmada-webhook@1.18.2"),), official=NAME)
REPOSITORY = "/v2/karmada/karmada-webhook"


def sha(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def described(content: bytes, **more: Any) -> dict[str, Any]:
    return {"mediaType": "application/octet-stream", "digest": sha(content), "size": len(content), **more}


LAYER, CONFIG = b"a layer", b"{}"
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": described(CONFIG),
        "layers": [described(LAYER)],
    }
).encode()
OTHERS = [described(b"other", platform={"os": "linux", "architecture": "none"})]
INDEX = json.dumps({"manifests": [*OTHERS, described(MANIFEST, platform={"os": "linux", "architecture": detect_arch()})]}).encode()
SERVED = {
    "manifests/v1.18.2": INDEX,
    f"manifests/{sha(INDEX)}": INDEX,
    f"manifests/{sha(MANIFEST)}": MANIFEST,
    f"blobs/{sha(CONFIG)}": CONFIG,
    f"blobs/{sha(LAYER)}": LAYER,
}


class Served:
    """A registry with these things of one repository; with `token` only for who shows it."""

    def __init__(
        self, things: dict[str, bytes] | None = None, *, token: str = "", answer: Callable[[], httpx.Response] | None = None
    ) -> None:
        self.things, self.token, self.answer = things if things is not None else SERVED, token, answer
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.url.host}{request.url.path}")
        if self.answer:
            return self.answer()
        if request.url.path == "/token":
            assert request.url.params["scope"] == "repository:karmada/karmada-webhook:pull"
            return httpx.Response(200, json={"token": self.token})
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return httpx.Response(401, headers={"www-authenticate": 'Bearer realm="https://auth.example/token",service="s"'})
        content = self.things.get(request.url.path.rpartition("karmada-webhook/")[2])
        return httpx.Response(200, content=content) if content is not None else httpx.Response(404)

    def client(self) -> Registry:
        return Registry(patience=DownloadPatience(attempts=1), transport=httpx.MockTransport(self))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.setattr(official, "LOCK", tmp_path / "official.toml")
    monkeypatch.setenv("KARMADA_LAB_CACHE", str(tmp_path / "cache"))
    ImageLock({NAME: sha(INDEX)}).write()
    return Cache(tmp_path / "cache")


def test_what_the_lock_names_is_pulled_once_and_goes_into_archives_as_it_is(cache: Cache) -> None:
    served = Served()
    assert pull_images([IMAGE], cache=cache, client=served.client()) == {}
    assert pull_images([IMAGE], cache=cache, client=served.client()) == {}
    assert served.asked.count(f"registry-1.docker.io{REPOSITORY}/blobs/{sha(LAYER)}") == 1

    archive = make_archive([IMAGE], {}, cache=cache)
    assert [(each.name, each.digest) for each in archive.images] == [(IMAGE.name, sha(MANIFEST))]
    with tarfile.open(archive.path) as tar:
        named = json.load(tar.extractfile("index.json"))["manifests"]  # type: ignore[arg-type]
        layer = tar.extractfile(f"blobs/sha256/{sha(LAYER).partition(':')[2]}").read()  # type: ignore[union-attr]
    assert layer == LAYER
    assert named[0]["mediaType"] == json.loads(MANIFEST)["mediaType"]
    assert named[0]["annotations"]["io.containerd.image.name"] == IMAGE.name


def test_assets_are_those_of_images_that_were_not_pulled(cache: Cache) -> None:
    made = Image("docker.io/karmada/other:v1", (ImageFile("/bin/x", asset="karmada-search@1.18.2"),))
    assert missing_software([IMAGE, made]) == ["karmada-webhook@1.18.2", "karmada-search@1.18.2"]

    pull_images([IMAGE], cache=cache, client=Served().client())

    assert missing_software([IMAGE, made]) == ["karmada-search@1.18.2"]


def test_what_only_kubeadm_can_name_is_not_asked_for() -> None:
    assert official.list_official_names(node.list_contents("1.35.4")) == [
        f"registry.k8s.io/{name}:v1.35.4" for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
    ]


def test_an_unlocked_image_causes_no_request(cache: Cache) -> None:
    ImageLock().write()
    served = Served()
    assert pull_images([IMAGE], cache=cache, client=served.client()) == {}
    assert served.asked == []


def test_another_image_by_the_name_than_the_lock_says_is_refused(cache: Cache) -> None:
    ImageLock({NAME: sha(b"what was there before")}).write()
    with pytest.raises(ProvisionError, match="lock") as error:
        pull_images([IMAGE], cache=cache, client=Served().client())
    assert sha(INDEX) in str(error.value)
    assert sha(b"what was there before") in str(error.value)
    assert "lab images lock" in (error.value.remedy or "")


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


def test_a_registry_that_does_not_answer_is_asked_once(cache: Cache) -> None:
    def away() -> httpx.Response:
        raise httpx.ConnectError("refused")

    other = NAME.replace("webhook", "search")
    ImageLock({NAME: sha(INDEX), other: sha(INDEX)}).write()
    served = Served(answer=away)
    reasons = pull_images([IMAGE, Image(other, official=other)], cache=cache, client=served.client())
    assert len(served.asked) == 1
    assert all("does not answer" in why for why in reasons.values())


def test_a_token_is_had_where_a_registry_wants_one(cache: Cache) -> None:
    served = Served(token="abc")
    assert pull_images([IMAGE], cache=cache, client=served.client()) == {}
    assert served.asked.count("auth.example/token") == 1


def test_a_lock_is_what_a_registry_has_by_tag(cache: Cache) -> None:
    other = NAME.replace("v1.18.2", "v9")
    lock, absent = make_lock([IMAGE, Image(other, official=other)], client=Served().client())
    assert lock.digests == {NAME: sha(INDEX)}
    assert list(absent) == [other]
    lock.write()
    assert ImageLock.read() == lock
    assert cache is not None


@pytest.mark.parametrize("text", ['[digests]\n"nginx" = "sha256:00"\n', f'[digests]\n"{NAME}" = "latest"\n', "[digests\n"])
def test_a_lock_that_says_no_digest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    with pytest.raises(UsageError):
        ImageLock.read(tmp_path / "lock")


@pytest.mark.parametrize(
    ("registry", "place"),
    [
        (None, Repository("https://registry-1.docker.io", "karmada/karmada-webhook")),
        ("mirror.example/a/b", Repository("https://mirror.example", "a/b/karmada/karmada-webhook")),
        ("127.0.0.1:5000", Repository("http://127.0.0.1:5000", "karmada/karmada-webhook")),
        ("https://localhost:5000/", Repository("https://localhost:5000", "karmada/karmada-webhook")),
    ],
)
def test_where_an_image_is_asked_for(registry: str | None, place: Repository) -> None:
    assert Repository.of(NAME, registry) == place


def test_an_invalid_registry_address_is_an_error() -> None:
    with pytest.raises(UsageError, match="address"):
        Repository.of(NAME, "registry with blanks")
