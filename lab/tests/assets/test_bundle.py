from __future__ import annotations

import contextlib
import gzip
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.assets.bundle import Bundle, write_bundle
from lab.assets.cache import Cache, CacheEntry
from lab.assets.pins import Catalogue, Pin
from lab.assets.progress import AssetProgress, ignore_progress
from lab.assets.refs import AssetRef
from lab.assets.sources import AssetRequest
from lab.errors import LabError, ProvisionError, UsageError
from lab.tests.assets_fakes import PROGRAMS, catalogue


@pytest.fixture
def pins(tmp_path: Path) -> list[Pin]:
    known: Catalogue = catalogue(tmp_path)
    return [known.pin(AssetRef(name)) for name in ("alpha", "beta", "shapes")]


@pytest.fixture
def entries(tmp_path: Path, pins: list[Pin]) -> list[CacheEntry]:
    cache = Cache(tmp_path / "connected")
    made = []
    for pin in pins:
        with cache.working("w", subject="w", progress=ignore_progress) as area:
            thing = area / "made"
            if pin.kind == "tree":
                (thing / "deep").mkdir(parents=True)
                (thing / "deep" / "b.yaml").write_text("b: 2")
                (thing / "a.yaml").write_text("a: 1")
            else:
                thing.write_bytes(PROGRAMS[pin.name])
            made.append(cache.publish(pin, "build", thing, origin="there", seconds=1))
    return made


@pytest.fixture
def bundle(tmp_path: Path, entries: list[CacheEntry]) -> Bundle:
    return write_bundle(entries, tmp_path / "lab.tar.gz", arch="amd64")


@pytest.fixture
def errand(tmp_path: Path) -> AssetRequest:
    return AssetRequest(Cache(tmp_path / "offline"))


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None], facts: Callable[[dict[str, Any]], object] = lambda d: None) -> None:
    """The bundle at `path` with members changed (None drops one) and its manifest changed by `facts`."""
    out = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
        for member in old:
            stream = old.extractfile(member)
            assert stream is not None
            data = stream.read()
            if member.name == "manifest.json":
                said = json.loads(data)
                facts(said)
                data = json.dumps(said).encode()
            changed = change(member.name, data)
            if changed is not None:
                member.size = len(changed)
                new.addfile(member, io.BytesIO(changed))
    path.write_bytes(out.getvalue())


def test_a_round_trip_gives_the_same_things(bundle: Bundle, pins: list[Pin], entries: list[CacheEntry], errand: AssetRequest) -> None:
    Bundle.open(bundle.path).bring(pins, errand)

    assert errand.refusals == {}
    for pin, entry in zip(pins, entries, strict=True):
        found = errand.cache.find(pin, ("bundle",))
        assert found is not None
        assert found.files == entry.files
        assert found.wrong_content() == ""
        assert found.origin == "bundle lab.tar.gz: build there"


def test_only_what_is_wanted_is_unpacked(bundle: Bundle, pins: list[Pin], errand: AssetRequest) -> None:
    bundle.bring(pins[:1], errand)

    assert [errand.cache.find(pin) is not None for pin in pins] == [True, False, False]


def test_the_manifest_is_read_alone(bundle: Bundle) -> None:
    opened = Bundle.open(bundle.path)

    assert opened == bundle
    assert [t.name for t in opened.things] == ["alpha", "beta", "shapes"]
    assert opened.size == sum(len(PROGRAMS[n]) for n in ("alpha", "beta")) + 8


def test_what_is_not_inside_is_refused_all_at_once(bundle: Bundle, pins: list[Pin], errand: AssetRequest, tmp_path: Path) -> None:
    known = catalogue(tmp_path)
    delta, old = known.pin(AssetRef("delta")), known.pin(AssetRef("alpha", "1.1.0"))
    other = replace(pins[0], module_sum="h1:other")
    foreign = replace(pins[0], name="zeta", arch="arm64")
    bundle.bring([delta, old, other, foreign], errand)

    assert {p: whys[0] for p, whys in errand.refusals.items()} == {
        delta: "bundle: it is not inside",
        old: "bundle: it holds alpha 1.2.3",
        other: "bundle: it holds alpha 1.2.3 for other pins than this version's",
        foreign: "bundle: it is for amd64 computers",
    }


def test_a_bundle_that_is_cut_short_is_damaged(bundle: Bundle, pins: list[Pin], errand: AssetRequest) -> None:
    whole = bundle.path.read_bytes()
    for length in range(1, len(whole) * 9 // 10, max(1, len(whole) // 25)):  # the last tenth is padding: without it all is there
        bundle.path.write_bytes(whole[:length])
        with pytest.raises(LabError) as caught:
            Bundle.open(bundle.path).bring(pins, errand)
        assert caught.value.remedy
    assert all(entry.wrong_content() == "" for entry in errand.cache.entries())
    assert list((errand.cache.root / "work").glob("*")) == []


def test_a_bundle_with_a_flipped_byte_never_gives_a_wrong_thing(
    bundle: Bundle, pins: list[Pin], tmp_path: Path, entries: list[CacheEntry]
) -> None:
    whole = bundle.path.read_bytes()
    good = {e.name: e.files for e in entries}
    for at in range(12, len(whole), max(1, len(whole) // 40)):
        bundle.path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        errand = AssetRequest(Cache(tmp_path / f"offline-{at}"))
        with contextlib.suppress(LabError):
            Bundle.open(bundle.path).bring(pins, errand)
        assert all(e.files == good[e.name] and e.wrong_content() == "" for e in errand.cache.entries())


def test_a_changed_file_is_damage_that_names_it(bundle: Bundle, pins: list[Pin], errand: AssetRequest) -> None:
    rewritten(bundle.path, lambda name, data: data[::-1] if name.endswith("beta") else data)

    with pytest.raises(ProvisionError, match="beta has sha256"):
        Bundle.open(bundle.path).bring(pins, errand)
    assert errand.cache.find(pins[1]) is None


def test_a_file_that_the_manifest_names_and_is_not_there_is_damage(bundle: Bundle, pins: list[Pin], errand: AssetRequest) -> None:
    rewritten(bundle.path, lambda name, data: None if name.endswith("a.yaml") else data)

    with pytest.raises(ProvisionError, match=r"it lacks shapes/.*a\.yaml"):
        Bundle.open(bundle.path).bring(pins, errand)


def test_a_path_that_leads_out_is_damage(bundle: Bundle, pins: list[Pin], errand: AssetRequest, tmp_path: Path) -> None:
    def lead_out(said: dict[str, Any]) -> None:
        said["things"][2]["files"][0]["path"] = "../../../../out"

    rewritten(bundle.path, lambda name, data: data, lead_out)
    with pytest.raises(ProvisionError):
        Bundle.open(bundle.path).bring(pins, errand)
    assert not list(tmp_path.rglob("out"))


def test_a_foreign_archive_is_refused(bundle: Bundle) -> None:
    rewritten(bundle.path, lambda name, data: data, lambda said: said.update(project="other"))

    with pytest.raises(UsageError, match="bundle"):
        Bundle.open(bundle.path)


def test_another_schema_is_refused(bundle: Bundle) -> None:
    rewritten(bundle.path, lambda name, data: data, lambda said: said.update(schema=7))

    with pytest.raises(UsageError, match="schema 7"):
        Bundle.open(bundle.path)


@pytest.mark.parametrize("lost", ["things", "arch", "created"])
def test_a_manifest_that_lacks_a_key_is_damage(bundle: Bundle, lost: str) -> None:
    rewritten(bundle.path, lambda name, data: data, lambda said: said.pop(lost))

    with pytest.raises(ProvisionError, match=lost):
        Bundle.open(bundle.path)


@pytest.mark.parametrize("content", [b"", b"hello", gzip.compress(b"hello", mtime=0), b"PK\x03\x04"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)

    with pytest.raises(LabError) as caught:
        Bundle.open(tmp_path / "x")
    assert caught.value.where == str(tmp_path / "x")


def test_a_bundle_that_is_not_there_is_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such bundle"):
        Bundle.open(tmp_path / "none.tar.gz")


def test_a_damaged_entry_is_not_carried_on(entries: list[CacheEntry], tmp_path: Path) -> None:
    entries[0].path.chmod(0o644)
    entries[0].path.write_bytes(PROGRAMS["alpha"][::-1])

    with pytest.raises(ProvisionError, match=r"alpha 1\.2\.3"):
        write_bundle(entries, tmp_path / "lab.tar.gz", arch="amd64")
    assert not list(tmp_path.glob("lab.tar.gz*"))


def test_an_interrupted_write_leaves_the_old_bundle(bundle: Bundle, entries: list[CacheEntry]) -> None:
    before = bundle.path.read_bytes()

    def interrupt(event: AssetProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bundle(entries, bundle.path, arch="amd64", progress=interrupt)
    assert bundle.path.read_bytes() == before
    assert not list(bundle.path.parent.glob("*.part"))


def test_folders_of_the_cache_go_along_and_come_back_whole(tmp_path: Path, entries: list[CacheEntry], errand: AssetRequest) -> None:
    folder = tmp_path / "connected" / "debian" / "bookworm-1"
    folder.mkdir(parents=True)
    (folder / "root.tar").write_bytes(b"all files")
    made = write_bundle(entries, tmp_path / "lab.tar.gz", arch="amd64", folders=[folder])

    Bundle.open(made.path).bring_folders(errand.cache)
    brought = errand.cache.root / "debian" / "bookworm-1" / "root.tar"
    assert brought.read_bytes() == b"all files"
    brought.write_bytes(b"ours")
    Bundle.open(made.path).bring_folders(errand.cache)
    assert brought.read_bytes() == b"ours", "what is there is left alone"

    rewritten(made.path, lambda name, data: b"all flies" if name.endswith("root.tar") else data)
    with pytest.raises(ProvisionError, match="damaged"):
        Bundle.open(made.path).bring_folders(Cache(tmp_path / "third"))
    assert not (tmp_path / "third" / "debian").exists()
