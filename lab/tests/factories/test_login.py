from __future__ import annotations

from pathlib import Path

import paramiko

from lab.factories.login import ensure_key, write_known_hosts


def test_a_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "id_ed25519"
    public = ensure_key(file)

    assert ensure_key(file) == public
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"ssh-ed25519 {paramiko.PKey.from_path(file).get_base64()}" == public


def test_known_hosts_are_what_paramiko_reads(tmp_path: Path) -> None:
    key = ensure_key(tmp_path / "key")
    write_known_hosts(tmp_path / "known", {"10.0.0.1": key})

    assert "10.0.0.1" in paramiko.HostKeys(str(tmp_path / "known"))
