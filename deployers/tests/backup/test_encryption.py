"""An encrypted archive is read by each of its recipients, and by nobody else; every fault is said before anything is used of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from deployers.backup.archive import UnusableBackup
from deployers.backup.encryption import Recipients, decrypt, is_encrypted, list_recipient_types, write_identity
from lab.errors import NotPossible, UsageError

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """Return an encrypted file; its identities are `mine` and `ssh`."""
    ssh = Ed25519PrivateKey.generate()
    (tmp_path / "ssh").write_bytes(ssh.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    (tmp_path / "ssh").chmod(0o600)
    public = ssh.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    plain = tmp_path / "plain"
    plain.write_bytes(CONTENT)
    Recipients.parse([write_identity(tmp_path / "mine"), public]).encrypt(plain, tmp_path / "sealed")
    return tmp_path / "sealed"


@pytest.mark.parametrize("identity", ["mine", "ssh"])
def test_each_recipient_reads_it(identity: str, sealed: Path, tmp_path: Path) -> None:
    decrypt(sealed, tmp_path / "out", tmp_path / identity)

    assert (tmp_path / "out").read_bytes() == CONTENT
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    assert is_encrypted(sealed)
    assert not is_encrypted(tmp_path / "plain")
    assert sorted(list_recipient_types(sealed)) == ["X25519", "ssh-ed25519"]


def test_another_identity_does_not(sealed: Path, tmp_path: Path) -> None:
    write_identity(tmp_path / "other")

    with pytest.raises(UnusableBackup, match="another key"):
        decrypt(sealed, tmp_path / "out", tmp_path / "other")


def test_without_an_identity_it_is_a_usage_error(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="encrypted"):
        decrypt(sealed, tmp_path / "out", None)


@pytest.mark.parametrize("at", [30, 300, 70_000, 130_000])
def test_one_that_is_cut_or_changed_is_damaged(at: int, sealed: Path, tmp_path: Path) -> None:
    whole = sealed.read_bytes()
    for content in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
        sealed.write_bytes(content)
        with pytest.raises(UnusableBackup):
            decrypt(sealed, tmp_path / "out", tmp_path / "mine")


def test_an_identity_that_others_may_read_is_refused(sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").chmod(0o644)

    with pytest.raises(UsageError, match="0644"):
        decrypt(sealed, tmp_path / "out", tmp_path / "mine")


@pytest.mark.parametrize("content", ["", "# nothing\n", "AGE-SECRET-KEY-1QQ\n", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "\xff"])
def test_a_file_without_an_identity_is_refused_and_not_quoted(content: str, sealed: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(UsageError) as refused:
        decrypt(sealed, tmp_path / "out", path)
    assert "1QQ" not in str(refused.value)


def test_recipients_come_from_a_file_too(tmp_path: Path) -> None:
    first, second = (write_identity(tmp_path / name) for name in ("a", "b"))
    path = tmp_path / "recipients"
    path.write_text(f"# ours\n{first}\n\n{second}\n")

    assert len(Recipients.parse([str(path)]).keys) == 2


def test_an_identity_is_no_recipient_and_is_not_shown(tmp_path: Path) -> None:
    write_identity(tmp_path / "mine")
    secret = (tmp_path / "mine").read_text().splitlines()[1]

    for given in (secret, str(tmp_path / "mine")):
        with pytest.raises(UsageError) as refused:
            Recipients.parse([given])
        assert secret not in str(refused.value)


@pytest.mark.parametrize("given", ["age1nonsense", "ssh-ed25519 AAAA", "/none", ""])
def test_what_is_no_recipient_is_a_usage_error(given: str) -> None:
    with pytest.raises(UsageError):
        Recipients.parse([given])


def test_an_identity_is_never_overwritten(tmp_path: Path) -> None:
    write_identity(tmp_path / "mine")

    with pytest.raises(UsageError, match="exists"):
        write_identity(tmp_path / "mine")


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    recipients = Recipients.parse([write_identity(tmp_path / "mine")])

    with pytest.raises(NotPossible):
        recipients.encrypt(tmp_path / "none", tmp_path / "sealed")
