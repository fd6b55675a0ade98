"""Official images are pulled by digest, once."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import httpx
import pytest

from lab.assets import Cache
from lab.errors import ProvisionError
from lab.images import make_archive, official
from lab.images.image import Image
from lab.images.official import ImageLock
from lab.images.pull import make_lock, pull_images
from lab.tests.registry_fakes import IMAGE, INDEX, LAYER, MANIFEST, NAME, Served, sha

REPOSITORY = "/v2/karmada/karmada-webhook"


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
