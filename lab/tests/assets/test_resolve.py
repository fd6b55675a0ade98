from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.assets import AssetProgress, AssetRef, Cache, Catalogue, Supply
from lab.assets.sources import DownloadPatience
from lab.errors import NotPossible, ProvisionError, UsageError
from lab.tests.assets_fakes import GO_MOD, FakeGo, ReleaseServer, catalogue, release_files, serving

ALL = ("alpha", "beta", "gamma", "delta", "shapes")


@pytest.fixture
def go(tmp_path: Path, pins: Catalogue, monkeypatch: pytest.MonkeyPatch) -> FakeGo:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "none"))
    return FakeGo(tmp_path / "go", pins.pin(AssetRef("alpha")).module_sum)


@pytest.fixture
def pins(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path)


@pytest.fixture
def heard() -> list[AssetProgress]:
    return []


@pytest.fixture
def supply(tmp_path: Path, pins: Catalogue, go: FakeGo, heard: list[AssetProgress]) -> Callable[..., Supply]:
    def make(**how: object) -> Supply:
        how = {"cache": Cache(tmp_path / "cache"), "mirror": "http://127.0.0.1:9"} | how
        return Supply(catalogue=pins, run=go, progress=heard.append, patience=DownloadPatience(connect=1), **how)  # type: ignore[arg-type]

    return make


def test_auto_downloads_what_is_published_and_builds_the_rest(supply: Callable[..., Supply], go: FakeGo) -> None:
    server = ReleaseServer()
    server.files = release_files()
    with serving(server) as mirror:
        entries = supply(mirror=mirror).entries(ALL)

    assert {ref.name: entry.source for ref, entry in entries.items()} == {
        "alpha": "download",
        "beta": "download",
        "gamma": "download",
        "delta": "build",
        "shapes": "download",
    }
    assert go.verbs.count("build") == 1


def test_auto_builds_what_cannot_be_downloaded_and_says_why(supply: Callable[..., Supply], heard: list[AssetProgress]) -> None:
    entries = supply().entries(["alpha", "delta"])
    notes = {e.subject: e.note for e in heard if e.activity == "ready"}

    assert {e.source for e in entries.values()} == {"build"}
    assert notes["alpha 1.2.3"].startswith("from build; not download: connecting to 127.0.0.1:9 failed")
    assert notes["delta 1.2.3"] == "from build; not download: only as an image"


def test_a_second_time_nothing_is_asked(supply: Callable[..., Supply], go: FakeGo) -> None:
    first = supply().resolve(ALL)
    calls = len(go.calls)

    assert supply().resolve(ALL) == first
    assert len(go.calls) == calls


def test_a_damaged_entry_is_brought_again(supply: Callable[..., Supply]) -> None:
    path = supply().resolve(["alpha"])[AssetRef("alpha")]
    whole = path.read_text()
    path.write_text("cut")

    assert supply().resolve(["alpha"])[AssetRef("alpha")].read_text() == whole


def test_refs_come_back_as_they_were_given(supply: Callable[..., Supply]) -> None:
    assert set(supply().resolve(["alpha", AssetRef("alpha", "1.2.3")])) == {AssetRef("alpha"), AssetRef("alpha", "1.2.3")}


def test_one_source_is_one_source(supply: Callable[..., Supply], go: FakeGo) -> None:
    with pytest.raises(NotPossible) as caught:
        supply(source="download").resolve(["alpha", "delta"])

    assert "alpha@1.2.3\n    download: connecting to 127.0.0.1:9 failed" in (caught.value.detail or "")
    assert "delta@1.2.3\n    download: only as an image" in (caught.value.detail or "")
    assert go.calls == []


def test_without_go_and_network_the_error_lists_each_source(supply: Callable[..., Supply], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(NotPossible) as caught:
        supply().resolve(["alpha", "beta"])
    error = caught.value

    assert error.exit_code == 3
    assert "2 assets" in error.what
    assert "alpha@1.2.3, beta@1.2.3\n    download: connecting to 127.0.0.1:9 failed" in (error.detail or "")
    assert "build: no Go on PATH" in (error.detail or "")
    assert "--bundle" in (error.remedy or "")


def test_a_wrong_checksum_is_never_passed_over(supply: Callable[..., Supply], go: FakeGo) -> None:
    server = ReleaseServer()
    server.files = release_files()
    server.flip = {"/release.example/v1.2.3/amd64/alpha"}
    with serving(server) as mirror, pytest.raises(ProvisionError, match="checksum"):
        supply(mirror=mirror).resolve(["alpha"])

    assert go.calls == []


def test_what_is_damaged_is_called_so_and_brought_again(supply: Callable[..., Supply], heard: list[AssetProgress]) -> None:
    path = supply().resolve(["alpha"])[AssetRef("alpha")]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(NotPossible) as refused:
        supply(offline=True).resolve(["alpha"])
    assert "damaged" in str(refused.value)
    assert "not in the cache" not in str(refused.value)
    heard.clear()

    assert supply().resolve(["alpha"])[AssetRef("alpha")].read_bytes() == whole
    assert [event.subject for event in heard if "damaged" in event.note] == [f"alpha {path.parent.name.partition('-')[0]}"]


def test_offline_lists_all_missing_assets_without_a_request(supply: Callable[..., Supply], go: FakeGo) -> None:
    with pytest.raises(NotPossible) as caught:
        supply(offline=True).resolve(ALL)

    assert all(f"{name}@1.2.3" in (caught.value.detail or "") for name in ALL)
    assert str(caught.value.remedy).endswith("lab bundle FILE alpha@1.2.3 beta@1.2.3 gamma@1.2.3 delta@1.2.3 shapes@1.2.3")
    assert go.calls == []


def test_a_bundle_carries_a_lab_to_a_computer_without_network(supply: Callable[..., Supply], go: FakeGo, tmp_path: Path) -> None:
    packed = supply().pack(ALL, tmp_path / "lab.tar.gz")
    go.calls.clear()
    away = supply(offline=True, bundle=packed.path, cache=Cache(tmp_path / "away"))
    entries = away.entries(ALL)

    assert {e.source for e in entries.values()} == {"bundle"}
    assert go.calls == []
    assert away.resolve(ALL) == {ref: e.path for ref, e in entries.items()}


def test_a_bundle_that_lacks_some_names_them_and_keeps_the_rest(supply: Callable[..., Supply], tmp_path: Path) -> None:
    packed = supply().pack(["alpha"], tmp_path / "lab.tar.gz")
    away = supply(offline=True, bundle=packed.path, cache=Cache(tmp_path / "away"))
    with pytest.raises(NotPossible) as caught:
        away.resolve(["alpha", "beta", "shapes"])

    assert "beta@1.2.3, shapes@1.2.3\n    bundle: it is not inside" in (caught.value.detail or "")
    assert "alpha" not in (caught.value.detail or "")
    assert caught.value.where == str(packed.path)
    assert list(away.resolve(["alpha"])) == [AssetRef("alpha")]


def test_the_source_bundle_needs_one(supply: Callable[..., Supply]) -> None:
    with pytest.raises(UsageError, match="bundle"):
        supply(source="bundle").resolve(["alpha"])


def test_a_checkout_is_built_where_it_lies_and_only_when_it_changed(supply: Callable[..., Supply], go: FakeGo, tmp_path: Path) -> None:
    tree = tmp_path / "tools"
    (tree / "shapes").mkdir(parents=True)
    (tree / "go.mod").write_text(GO_MOD)
    (tree / "shapes" / "a.yaml").write_text("mine: 1")
    names = [f"alpha@{tree}", f"shapes@{tree}"]
    before = sorted(tree.rglob("*"))

    lab = supply()
    first = lab.resolve(names)
    assert go.verbs.count("build") == 1
    assert "-mod=mod" not in next(call for call in go.calls if call[1] == "build")
    assert lab.resolve(names) == first
    assert go.verbs.count("build") == 1
    assert sorted(tree.rglob("*")) == before
    (tree / "new.go").write_text("package x")
    second = lab.resolve(names)

    assert go.verbs.count("build") == 2
    assert not set(first.values()) & set(second.values())
    assert first[AssetRef.parse(names[1])].joinpath("a.yaml").read_text() == "mine: 1"


def test_two_resolvers_at_once_build_once(supply: Callable[..., Supply], go: FakeGo, heard: list[AssetProgress]) -> None:
    building, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        building.set()
        go_on.wait(5)

    go.during_build = wait
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(supply(source="build").resolve(["alpha", "beta"]))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert building.wait(5)
    go_on.set()
    for thread in threads:
        thread.join()

    assert len(results) == 3
    assert results[0] == results[1] == results[2]
    assert go.verbs.count("build") == 1


def test_an_interruption_anywhere_leaves_a_cache_that_works(
    supply: Callable[..., Supply], tmp_path: Path, heard: list[AssetProgress]
) -> None:
    events = len([supply(cache=Cache(tmp_path / "count")).resolve(ALL), *heard]) - 1
    for at in range(events):
        cache = Cache(tmp_path / f"cache-{at}")
        count = 0

        def interrupt(event: AssetProgress, at: int = at) -> None:
            nonlocal count
            if count == at:
                raise KeyboardInterrupt
            count += 1

        how = {**vars(supply(cache=cache)), "progress": interrupt}
        with pytest.raises(KeyboardInterrupt):
            Supply(**how).resolve(ALL)
        assert all(not entry.wrong_content() for entry in cache.entries())
        assert list((cache.root / "work").glob("*")) == []
        assert len(supply(cache=cache).resolve(ALL)) == len(ALL)


def test_looking_up_what_is_there_takes_no_time(supply: Callable[..., Supply]) -> None:
    lab = supply()
    lab.resolve(ALL)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        lab.resolve(ALL)
        took.append(time.perf_counter() - began)

    assert min(took) < 0.02


def test_names_are_looked_at_before_anything_is_done(supply: Callable[..., Supply], go: FakeGo) -> None:
    with pytest.raises(UsageError):
        supply().resolve(["alpha", "omega"])

    assert go.calls == []
