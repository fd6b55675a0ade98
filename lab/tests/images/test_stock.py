"""Archives in the cache: found by their keys, pruned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.assets import Cache
from lab.computer import Answer, Computer
from lab.errors import UsageError
from lab.images import make_archive
from lab.images.stock import find_archive, prune_images
from lab.tests.images_fakes import WEB


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    program = tmp_path / "web"
    program.write_bytes(b"program" * 1000)
    return {"web@1.0.0": program}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_foreign_archive_is_taken_in_and_found_by_the_beginning_of_its_key(paths: dict[str, Path], cache: Cache, tmp_path: Path) -> None:
    mine = make_archive([WEB], paths, cache=Cache(tmp_path / "other"))
    taken = find_archive(str(mine.path), cache=cache)

    assert taken.names == (WEB.name,)
    assert find_archive(taken.key[:6], cache=cache).path == taken.path
    with pytest.raises(UsageError, match="no archive begins"):
        find_archive("zzz", cache=cache)
    with pytest.raises(UsageError, match="not an archive"):
        find_archive(str(paths["web@1.0.0"]) + ".tar", cache=cache)


def test_pruning_leaves_what_nodes_are_made_of(paths: dict[str, Path], cache: Cache) -> None:
    archive = make_archive([WEB], paths, cache=cache)
    docker = Docker()

    rehearsed = prune_images(everything=True, dry_run=True, cache=cache, computer=docker)
    assert archive.path.exists()
    assert docker.removed == []
    assert rehearsed.freed == archive.size + 5

    pruned = prune_images(everything=True, cache=cache, computer=docker)
    assert pruned.removed == (f"{archive.key} (1 image)", "karmada-lab/node:v1-b")
    assert pruned.in_use == ("karmada-lab/node:v1-a",)
    assert docker.removed == ["karmada-lab/node:v1-b"]
    assert not archive.path.exists()


class Docker(Computer):
    """A Docker with two node images, one of which a node is made of."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    def ask(self, argv: Sequence[str], *, within: float = 5.0) -> Answer:
        if argv[1:3] == ["image", "rm"]:
            self.removed.append(argv[3])
        if argv[1:3] == ["image", "ls"]:
            rows = [{"Repository": "karmada-lab/node", "Tag": f"v1-{tag}", "ID": f"sha256:{tag * 64}"} for tag in "ab"]
            return Answer(0, "".join(json.dumps(row) + "\n" for row in rows))
        return Answer(0, "karmada-lab/node:v1-a\n" if argv[1] == "ps" else "5\n")
