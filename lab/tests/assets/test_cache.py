from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lab.assets.cache import Cache, default_root, disk_full_error, translate_write_errors
from lab.assets.pins import Pin
from lab.assets.progress import ignore_progress
from lab.assets.refs import AssetRef
from lab.errors import NotPossible
from lab.tests.assets_fakes import catalogue


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def alpha(tmp_path: Path) -> Pin:
    return catalogue(tmp_path).pin(AssetRef("alpha"))


@pytest.fixture
def shapes(tmp_path: Path) -> Pin:
    return catalogue(tmp_path).pin(AssetRef("shapes"))


def put(cache: Cache, pin: Pin, content: str = "program") -> Path:
    with cache.working("test", subject="test", progress=ignore_progress) as area:
        made = area / "made"
        if pin.kind == "tree":
            (made / "deep").mkdir(parents=True)
            (made / "deep" / "a").write_text(content)
        else:
            made.write_text(content)
        return cache.publish(pin, "build", made, origin="here", seconds=1).path


def test_what_was_published_is_found(cache: Cache, alpha: Pin) -> None:
    path = put(cache, alpha)
    entry = cache.find(alpha)

    assert entry is not None
    assert entry.path == path
    assert path.name == "alpha"
    assert os.access(path, os.X_OK)
    assert entry.wrong_content() == ""


@pytest.mark.parametrize("how", ["truncated", "longer", "emptied", "another of its size"])
def test_what_was_written_to_since_is_damaged_and_not_found(cache: Cache, alpha: Pin, how: str) -> None:
    path = put(cache, alpha)
    content = {"truncated": "pro", "longer": "programs", "emptied": "", "another of its size": "pr0gram"}[how]
    path.write_text(content)
    later = path.stat().st_mtime + 60
    os.utime(path, (later, later))

    assert cache.find(alpha) is None
    assert str(path) in cache.damaged(alpha)
    assert cache.damaged(alpha, ("download",)) == ""


def test_what_was_only_touched_is_whole(cache: Cache, alpha: Pin) -> None:
    path = put(cache, alpha)
    os.utime(path, (path.stat().st_mtime + 60,) * 2)

    assert cache.find(alpha) is not None
    assert cache.damaged(alpha) == ""


def test_of_what_is_not_there_nothing_is_damaged(cache: Cache, alpha: Pin) -> None:
    assert cache.damaged(alpha) == ""


def test_an_empty_cache_has_nothing_and_is_not_created(cache: Cache, alpha: Pin) -> None:
    assert cache.find(alpha) is None
    assert not cache.root.exists()


def test_only_the_sources_that_are_asked_for_count(cache: Cache, alpha: Pin) -> None:
    put(cache, alpha)

    assert cache.find(alpha, ("download", "bundle")) is None
    assert cache.find(alpha, ("build",)) is not None


def test_a_truncated_entry_is_not_found_and_can_be_brought_again(cache: Cache, alpha: Pin) -> None:
    put(cache, alpha).write_text("prog")
    assert cache.find(alpha) is None

    put(cache, alpha)
    assert cache.find(alpha) is not None


def test_corruption_of_the_same_size_is_found_by_hashing(cache: Cache, alpha: Pin) -> None:
    put(cache, alpha).write_text("PROGRAM")
    entry = cache.find(alpha)

    assert entry is not None
    assert "sha256" in entry.wrong_content()


def test_a_tree_that_lost_a_file_is_not_found(cache: Cache, shapes: Pin) -> None:
    path = put(cache, shapes)
    assert cache.find(shapes) is not None

    (path / "deep" / "a").unlink()
    assert cache.find(shapes) is None


@pytest.mark.parametrize("meta", ["", "{", "[]", '{"schema": 99}', '{"schema": 1}'])
def test_an_entry_without_a_readable_meta_is_absent(cache: Cache, alpha: Pin, meta: str) -> None:
    (put(cache, alpha).parent / "meta.json").write_text(meta)

    assert cache.find(alpha) is None
    assert list(cache.entries()) == []


def test_work_that_is_interrupted_leaves_nothing(cache: Cache, alpha: Pin) -> None:
    def work() -> None:
        with cache.working("test", subject="test", progress=ignore_progress) as area:
            (area / "half").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()

    assert list((cache.root / "work").iterdir()) == []
    assert cache.find(alpha) is None


def test_work_that_was_killed_is_garbage_to_the_next(cache: Cache) -> None:
    left = cache.root / "work" / "test"
    left.mkdir(parents=True)
    (left / "half").write_text("half")

    with cache.working("test", subject="test", progress=ignore_progress) as area:
        assert list(area.iterdir()) == []


def test_alone_does_not_wait(cache: Cache) -> None:
    with cache.alone("test"), pytest.raises(NotPossible), cache.alone("test"):
        pass


def test_resolving_marks_as_used(cache: Cache, alpha: Pin) -> None:
    path = put(cache, alpha)
    os.utime(path.parent / "meta.json", (1, 1))

    found = cache.find(alpha)

    assert found is not None
    assert found.used > 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_names_the_remedy(tmp_path: Path, code: int) -> None:
    with pytest.raises(NotPossible) as caught, translate_write_errors(tmp_path):
        raise OSError(code, os.strerror(code))

    assert "lab assets prune" in (caught.value.remedy or "")
    assert caught.value.exit_code == 3


def test_a_full_disk_says_what_is_needed(tmp_path: Path) -> None:
    assert "3.0 GiB are needed" in disk_full_error(tmp_path, 3 * 2**30).what


def test_a_cache_that_cannot_be_written_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(NotPossible) as caught, translate_write_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", "/x")

    assert "KARMADA_LAB_CACHE" in (caught.value.remedy or "")


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), translate_write_errors(tmp_path):
        raise IsADirectoryError(errno.EISDIR, "x")


def test_the_cache_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KARMADA_LAB_CACHE", str(tmp_path))
    assert default_root() == tmp_path

    monkeypatch.delenv("KARMADA_LAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert default_root() == Path("/x/karmada-lab")
