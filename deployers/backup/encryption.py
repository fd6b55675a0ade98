"""Encryption of archives to public keys, by age (https://age-encryption.org): their storage cannot read the authorities in them.

Recipients are age's own (age1…) and keys of OpenSSH (ssh-ed25519, ssh-rsa); an identity is the private half of one. An encrypted archive
is its archive as one age file: `age --decrypt -i FILE` gives it back without us. The library is pyrage, the Python face of age in Rust.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
from pyrage import ssh, x25519

from deployers.backup.archive import UnusableBackup, damaged_error
from deployers.backup.private_files import require_private
from lab.errors import NotPossible, UsageError
from lab.hints import command
from lab.run import write_private

SUFFIX = ".age"
HEAD = b"age-encryption.org/v1\n"
SECRET = "AGE-SECRET-KEY-"  # noqa: S105 (what one begins with)
STANZA = re.compile(rb"^-> (X25519|ssh-ed25519|ssh-rsa|scrypt|mlkem768x25519|piv-p256|tag|mlkem768p256tag)\b", re.MULTILINE)
"""A line of the head for each recipient; age adds others at random that mean nothing."""
LARGEST_HEAD = 1 << 16


@dataclass(frozen=True)
class Recipients:
    """The public keys that an archive is encrypted to; each of their identities decrypts it alone."""

    keys: tuple[Any, ...]

    @classmethod
    def parse(cls, given: Sequence[str]) -> Recipients:
        """Return recipients, each given as a key or as a file of keys, one a line. UsageError names one that is wrong."""
        lines = [line for text in given for line in read_lines(text)]
        return cls(tuple(parse_recipient(line) for line in lines))

    def encrypt(self, source: Path, target: Path) -> None:
        """Encrypt a file into another one. NotPossible when that cannot be written."""
        target.touch(mode=0o600)
        try:
            with source.open("rb") as plain, target.open("wb") as out:
                pyrage.encrypt_io(plain, out, list(self.keys))
        except (OSError, pyrage.EncryptError) as error:
            raise NotPossible(f"the backup cannot be encrypted: {error}", where=str(target)) from error


def read_lines(text: str) -> list[str]:
    """Return the keys that a word of the command line means: itself, or the lines of the file that it names."""
    if text.startswith(SECRET):
        raise UsageError("this is an identity, not a recipient: it must stay private", remedy="give its public key, age1…")
    if text.startswith(("age1", "ssh-")):
        return [text]
    path = Path(text).expanduser()
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"no recipient and no file of recipients: {text}", remedy="age1…, ssh-ed25519 …, or a file of them, one a line"
        ) from error
    found = [line for line in lines if line and not line.startswith("#")]
    if any(line.startswith(SECRET) for line in found):
        raise UsageError("this file holds an identity, not recipients", where=text, remedy="give a file of public keys, age1…")
    if not found:
        raise UsageError("this file holds no recipient", where=text, remedy="one a line: age1…, ssh-ed25519 …")
    return found


def parse_recipient(line: str) -> Any:
    """Return one recipient."""
    parsers: tuple[Callable[[str], Any], ...] = (x25519.Recipient.from_str, ssh.Recipient.from_str)
    for parse in parsers:
        with suppress(pyrage.RecipientError):
            return parse(line)
    made = command("backup", "keygen", "FILE")
    raise UsageError(f"invalid recipient {line[:24]}…", remedy=f"age1… (as {made} prints it), ssh-ed25519 … or ssh-rsa …")


def read_identities(path: Path) -> list[Any]:
    """Return the identities in a file: lines of age's, or one private key of OpenSSH. UsageError: none, or others may read the file."""
    require_private(path)
    content = path.read_bytes()
    try:
        if b"PRIVATE KEY-----" in content:
            return [ssh.Identity.from_buffer(content)]
        lines = [line.strip() for line in content.decode().splitlines()]
        found = [x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (pyrage.IdentityError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path.name} holds no identity that can be read", where=str(path), remedy="lines AGE-SECRET-KEY-1…, or an OpenSSH private key"
        ) from error
    if not found:
        raise UsageError(f"{path.name} holds no identity", where=str(path), remedy="lines AGE-SECRET-KEY-1…, or an OpenSSH private key")
    return found


def write_identity(path: Path) -> str:
    """Write a new identity into a file (0600) that is not there, and return its recipient."""
    if path.exists():
        raise UsageError("this file exists already", where=str(path), remedy="name a new file")
    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    write_private(path, f"# recipient: {recipient}\n{identity}\n".encode())
    return recipient


def is_encrypted(path: Path) -> bool:
    """Return whether a file is one of age's."""
    try:
        with path.open("rb") as file:
            return file.read(len(HEAD)) == HEAD
    except OSError:
        return False


def list_recipient_types(path: Path) -> list[str]:
    """Return the type of each recipient of an encrypted file; age does not say who they are."""
    with path.open("rb") as file:
        head = file.read(LARGEST_HEAD)
    return [match[1].decode() for match in STANZA.finditer(head.partition(b"\n--- ")[0])]


def decrypt(path: Path, target: Path, identity: Path | None) -> None:
    """Decrypt an archive into a file (0600). UsageError without an identity; UnusableBackup: another's, or damaged."""
    if identity is None:
        raise UsageError("this backup is encrypted", where=str(path), remedy="give the file of an identity: --identity FILE")
    identities = read_identities(identity)
    target.touch(mode=0o600)
    try:
        with path.open("rb") as source, target.open("wb") as out:
            pyrage.decrypt_io(source, out, identities)
    except pyrage.DecryptError as error:
        if "No matching keys" not in str(error):
            raise damaged_error(str(path), f"its encryption cannot be read ({error})") from error
        raise UnusableBackup(
            "this backup is encrypted to another key",
            where=f"{path}; identity: {identity}",
            remedy="give the identity of one of its recipients; nothing was changed",
        ) from error
    except OSError as error:
        if error.errno is not None:  # the disk's, not age's
            raise NotPossible(f"the backup cannot be decrypted: {error.strerror}", where=str(target)) from error
        raise damaged_error(str(path), f"it is cut short or has changed ({error})") from error
