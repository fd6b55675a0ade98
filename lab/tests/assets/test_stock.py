from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.assets import AssetRef, Cache, Catalogue
from lab.assets import stock as module
from lab.assets.progress import ignore_progress
from lab.assets.stock import list_assets, prune_assets, verify_assets
from lab.tests.assets_fakes import catalogue


@pytest.fixture
def pins(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path)


@pytest.fixture
def cache(tmp_path: Path, pins: Catalogue) -> Cache:
    """Holds alpha and beta as pinned, and alpha of a checkout."""
    cache = Cache(tmp_path / "cache")
    local = pins.of_checkout("alpha", tmp_path, version="0.0.0-gabc", content="c0")
    for pin in (pins.pin(AssetRef("alpha")), pins.pin(AssetRef("beta")), local):
        with cache.working("w", subject="w", progress=ignore_progress) as area:
            (area / "made").write_text(f"program {pin.version}")
            cache.publish(pin, "build", area / "made", origin="here", seconds=1)
    return cache


def names(cache: Cache) -> list[tuple[str, str]]:
    return [(e.name, e.version) for e in cache.entries()]


def test_stock_is_everything_with_its_size(cache: Cache, pins: Catalogue) -> None:
    found = list_assets(cache, pins)

    assert [(s.entry.name, s.entry.version, s.size, s.current) for s in found] == [
        ("alpha", "0.0.0-gabc", 18, False),
        ("alpha", "1.2.3", 13, True),
        ("beta", "1.2.3", 13, True),
    ]
    assert all(s.wrong == "" and s.used_by == () for s in found)


def test_an_empty_cache_has_no_stock(tmp_path: Path, pins: Catalogue) -> None:
    cache = Cache(tmp_path / "none")

    assert list_assets(cache, pins) == []
    assert prune_assets(cache, pins, everything=True).removed == ()


def test_verify_finds_what_sizes_do_not_show(cache: Cache, pins: Catalogue) -> None:
    entry = cache.find(pins.pin(AssetRef("beta")))
    assert entry is not None
    entry.path.write_text("PROGRAM 1.2.3")

    assert [s.wrong for s in list_assets(cache, pins)] == ["", "", ""]
    assert [s.entry.name for s in verify_assets(cache, pins) if s.wrong] == ["beta"]


def test_prune_frees_what_no_pin_asks_for(cache: Cache, pins: Catalogue) -> None:
    done = prune_assets(cache, pins)

    assert [s.entry.version for s in done.removed] == ["0.0.0-gabc"]
    assert done.freed == 18
    assert names(cache) == [("alpha", "1.2.3"), ("beta", "1.2.3")]


def test_prune_frees_damage(cache: Cache, pins: Catalogue) -> None:
    entry = cache.find(pins.pin(AssetRef("beta")))
    assert entry is not None
    entry.path.write_text("cut")
    prune_assets(cache, pins)

    assert names(cache) == [("alpha", "1.2.3")]


def test_prune_by_name_by_age_and_all(cache: Cache, pins: Catalogue) -> None:
    for entry in cache.entries():
        os.utime(entry.directory / "meta.json", (1, 1) if entry.name == "beta" else None)

    assert [s.entry.name for s in prune_assets(cache, pins, names=["beta"], dry_run=True).removed] == ["beta"]
    assert [s.entry.name for s in prune_assets(cache, pins, unused_for=3600).removed] == ["beta"]
    assert len(prune_assets(cache, pins, everything=True).removed) == 2
    assert names(cache) == []


def test_a_rehearsal_removes_nothing(cache: Cache, pins: Catalogue) -> None:
    before = names(cache)

    assert len(prune_assets(cache, pins, everything=True, dry_run=True).removed) == 3
    assert names(cache) == before


def test_what_a_process_runs_is_kept(cache: Cache, pins: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = cache.find(pins.pin(AssetRef("beta")))
    assert entry is not None
    monkeypatch.setattr(module, "find_users", lambda cache: {entry.directory: ["beta (pid 7)"]})
    done = prune_assets(cache, pins, everything=True)

    assert [(s.entry.name, s.used_by) for s in done.in_use] == [("beta", ("beta (pid 7)",))]
    assert names(cache) == [("beta", "1.2.3")]


def test_a_process_uses_what_it_runs_and_what_it_was_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Process:
        def __init__(self, exe: str | None, *cmdline: str) -> None:
            self.info = {"exe": exe, "cmdline": [*cmdline] or None, "pid": 7, "name": "kwok"}

    kwok, stages = tmp_path / "assets" / "kwok" / "0.8.0-a-build", tmp_path / "assets" / "kwok-stages" / "0.8.0-b-build"
    processes = [Process(f"{kwok}/kwok", "kwok", f"--config={stages}/kwok-stages/pod/fast.yaml"), Process("/bin/sh"), Process(None)]
    monkeypatch.setattr("psutil.process_iter", lambda attrs: processes)

    assert module.find_users(Cache(tmp_path)) == {kwok: ["kwok (pid 7)"], stages: ["kwok (pid 7)"]}


def test_of_a_checkout_the_newest_builds_are_kept(tmp_path: Path, pins: Catalogue) -> None:
    cache = Cache(tmp_path / "cache")
    for n in range(5):
        pin = pins.of_checkout("alpha", tmp_path, version=f"0.0.{n}", content=f"c{n}")
        with cache.working("w", subject="w", progress=ignore_progress) as area:
            (area / "made").write_text("x")
            cache.publish(pin, "build", area / "made", origin="/src", seconds=1)
    module.remove_old_builds(cache, "alpha", "/src")

    assert names(cache) == [("alpha", "0.0.2"), ("alpha", "0.0.3"), ("alpha", "0.0.4")]


def test_work_that_was_killed_is_freed_and_work_in_progress_is_not(cache: Cache, pins: Catalogue) -> None:
    left = cache.root / "work" / "killed"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x" * 100)
    with cache.working("busy", subject="busy", progress=ignore_progress) as area:
        (area / "half").write_text("mine")
        done = prune_assets(cache, pins)
        assert (area / "half").exists()

    assert done.freed == 118
    assert not left.exists()
