"""A member's data goes to a small disk and back whole, and all of its links are cut and mended."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from lab.proxy import Proxy
from scenarios.kit.etcd_faults import Links, copy_tree


def test_what_is_copied_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for folder, files in ((source, ["member/wal/1", "member/snap/db"]), (target, ["member/wal/0", "filler"])):
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(file)

    copy_tree(source, target)

    assert sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()) == ["member/snap/db", "member/wal/1"]


class Cable:
    """A proxy as its cut sees it."""

    passing = True

    def cut(self) -> None:
        self.passing = False

    def restore(self) -> None:
        self.passing = True


@pytest.mark.parametrize("clients", [False, True])
def test_clients_are_cut_off_only_when_asked_for(*, clients: bool) -> None:
    peer, client = Cable(), Cable()
    links = Links(peers=[cast("Proxy", peer)], clients=[cast("Proxy", client)])

    links.cut(clients=clients)
    assert (peer.passing, client.passing) == (False, not clients)

    links.restore()
    assert (peer.passing, client.passing) == (True, True)
