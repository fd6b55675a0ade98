from __future__ import annotations

from pathlib import Path

from lab.factories.login import ensure_key
from lab.factories.namespace.seed import SSH_FOLDER, write_seed


def test_the_seed_holds_keys_and_the_names_of_all_machines(tmp_path: Path) -> None:
    authorized = ensure_key(tmp_path / "host_key")
    write_seed(tmp_path / "seed", "a", host_key=tmp_path / "host_key", authorized=authorized, addresses={"b": "10.0.0.2", "a": "10.0.0.1"})
    seed = tmp_path / "seed"

    assert (seed / "etc/hosts").read_text().splitlines()[2:] == ["10.0.0.1 a", "10.0.0.2 b"]
    assert (seed / "etc/hostname").read_text() == "a\n"
    assert (seed / SSH_FOLDER / "host_key").stat().st_mode & 0o777 == 0o600
    assert (seed / "etc").stat().st_mode & 0o777 == 0o755
