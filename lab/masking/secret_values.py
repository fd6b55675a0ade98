"""What is secret in a run: the values of its Secrets, of overriders for them, and of the keys and tokens in its run directory.

`learn` asks every cluster of the run and remembers the answers in RUN/secrets.json (0600; it stays in the run directory): a value counts
when it is deleted meanwhile. `known` makes of that, and of the run's files, the index that `lab.masking.mask` masks by.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import json
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock, Timeout

from lab.api import Api, Refused
from lab.errors import LabError
from lab.masking import overriders
from lab.masking.encodings import Form
from lab.masking.known_values import KnownValues
from lab.masking.mask import secrets_in
from lab.masking.mask_text import SECRET_NAME
from lab.masking.secret_texts import BLOCK, LARGEST, NAMELIKE, forms_of, is_printable, list_leaves, parse_document
from lab.run import write_private

Json = Mapping[str, Any]
WITHIN = 4.0
"""Seconds that asking the clusters takes at most: they are asked side by side."""

AT_MOST = 8 << 20
"""Bytes of all values together: beyond, a Secret is a package, and what it holds is masked where it stands only."""

SECRETS = "/api/v1/secrets"
LISTED = (
    SECRETS,
    "/apis/policy.karmada.io/v1alpha1/overridepolicies",
    "/apis/policy.karmada.io/v1alpha1/clusteroverridepolicies",
)
"""Where values of Secrets come from. Works hold copies of them, and there may be very many."""

REMEMBERED = 64 << 20
"""Bytes of the file that remembers values."""

PUBLIC = {
    "kubernetes.io/service-account-token": frozenset({"ca.crt", "namespace"}),
    "bootstrap.kubernetes.io/token": frozenset(
        {"token-id", "description", "expiration", "auth-extra-groups", "usage-bootstrap-authentication", "usage-bootstrap-signing"}
    ),
}
"""Keys of Secrets, by their type, that are no secret."""


@dataclass
class SecretValues:
    """Values that are secret, and names that are not."""

    values: set[bytes] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def update(self, other: SecretValues) -> None:
        """Add what another one holds."""
        self.values |= other.values
        self.names |= other.names

    def add(self, value: bytes | str) -> None:
        """Add one value. What is public whole, as a certificate is, is passed over."""
        found = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        text = found.decode(errors="replace")
        if BLOCK.sub("", text).strip():
            self.values.add(found)

    def add_object(self, item: Json) -> None:
        """Add what an object of an API holds of Secrets, at any depth, and its name to the names."""
        metadata = item.get("metadata") or {}
        self.names.update(str(name) for key in ("name", "namespace") if (name := metadata.get(key)))
        public = PUBLIC.get(str(item.get("type")), frozenset())
        if public and isinstance(data := item.get("data"), Mapping):
            item = {**item, "kind": "Secret", "data": {key: value for key, value in data.items() if key not in public}}
        if item.get("kind") == "Secret" or overriders.targets_secret(item) is not False:
            for text in secrets_in(item):
                self.add_text(text)

    def add_text(self, text: str) -> None:
        """Add a text that stood where a secret stands: what it decodes to, if it is base64, else as it is."""
        with contextlib.suppress(binascii.Error, ValueError):
            decoded = base64.b64decode("".join(text.split()), validate=True)
            if decoded and (
                is_printable(decoded) or len(text) >= 24
            ):  # a word of eight letters is base64, too, of nothing that one could read
                self.add(decoded)
                if len(text) >= 16:
                    return
        self.add(text)

    def add_file(self, path: Path) -> None:
        """Add the keys, tokens and passwords of a file: a private key whole, of a document what a name tells."""
        try:
            text = read_regular(path, LARGEST)
        except (OSError, ValueError):
            return
        if "PRIVATE KEY-----" in text:
            self.add(text)
        elif (
            path.suffix in {".yaml", ".yml", ".json", ".conf", ".kubeconfig", ".toml", ""}
            and (document := parse_document(text)) is not None
        ):
            for found in secrets_in(document):
                self.add_text(found)
        elif path.suffix in {".token", ".csv"} or "token" in path.name:
            self.add(text.strip())

    def known(self) -> KnownValues:
        """Return the index of all forms of the values."""
        names = frozenset(self.names)
        forms: dict[Form, None] = {}
        total = 0
        for value in sorted(self.values, key=len):
            total += len(value)
            if total > AT_MOST:
                break
            forms.update(dict.fromkeys(forms_of(value, names)))
        return KnownValues(list(forms), names)


# -- of a run -------------------------------------------------------------------------------------------------------------


def learn_values(path: Path, *, within: float = WITHIN) -> KnownValues:
    """Return the index of secrets in a run directory, after asking its clusters. Never raises."""
    return ask_clusters(path, within=within).known()


def ask_clusters(path: Path, *, within: float = WITHIN) -> SecretValues:
    """Ask the clusters of a run for what is secret, remember it with what was known before, and return all of it.

    Never raises: a cluster that does not answer in time adds nothing, and what was known before counts.
    """
    asked = SecretValues()
    lock = threading.Lock()
    deadline = time.monotonic() + within

    def ask_cluster(kubeconfig: Path) -> None:
        for item in secret_objects(kubeconfig, deadline):
            found = SecretValues()
            found.add_object(item)
            with lock:
                asked.update(found)

    files = [file for file in sorted((path / "kubeconfig").glob("*.yaml")) if file.is_file()]
    threads = [threading.Thread(target=ask_cluster, args=(file,), daemon=True) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    with lock:
        return merge_remembered(path, asked)


def secret_objects(kubeconfig: Path, deadline: float) -> Iterator[Json]:
    """Yield the objects of one cluster that hold values of Secrets, until `deadline`."""
    with contextlib.suppress(LabError, OSError, httpx.HTTPError, ValueError, KeyError):
        api = Api.open(kubeconfig)
        api.http.timeout = httpx.Timeout(4.0, connect=2.0)
        try:
            for path in LISTED:
                more: str | None = ""
                while more is not None and time.monotonic() < deadline:
                    try:
                        listed = api.get(path, limit="500", **({"continue": more} if more else {}))
                    except Refused:
                        break
                    for item in listed.get("items") or []:
                        yield {"kind": "Secret", **item} if path == SECRETS else item
                    more = listed["metadata"].get("continue") or None
        finally:
            api.http.close()


def load_known(path: Path) -> KnownValues:
    """Return the index of known secrets of a run directory, without a request to its clusters."""
    return merge_remembered(path, SecretValues()).known()


def merge_remembered(path: Path, asked: SecretValues) -> SecretValues:
    """Return the values of `asked`, those remembered in the run directory and those in its files; remember new ones."""
    store = path / "secrets.json"
    with contextlib.suppress(LabError, OSError, Timeout), ExitStack() as stack:
        if asked.values or store.exists():
            stack.enter_context(FileLock(f"{store}.lock", timeout=5.0))
        before = read_store(store)
        if not (asked.values <= before.values and asked.names <= before.names):
            both = SecretValues(asked.values | before.values, asked.names | before.names)
            document = {"values": sorted(base64.b64encode(value).decode() for value in both.values), "names": sorted(both.names)}
            write_private(store, json.dumps(document).encode())
        asked = SecretValues(asked.values | before.values, asked.names | before.names)
    for file in list_key_files(path):
        asked.add_file(file)
    asked.names |= list_names(path)
    return asked


def read_store(store: Path) -> SecretValues:
    """Return the remembered values of a run directory; none when the file is missing or damaged."""
    try:
        document = json.loads(read_regular(store, REMEMBERED))
        return SecretValues({base64.b64decode(value) for value in document["values"]}, set(document["names"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return SecretValues()


def read_regular(path: Path, at_most: int) -> str:
    """Return the text of a regular file. OSError for a pipe or device, which have no end; ValueError for a file larger than `at_most`."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        content = file.read(at_most + 1)
    if len(content) > at_most:
        raise ValueError("too large")
    return content.decode(errors="replace")


def list_key_files(path: Path) -> Iterator[Path]:
    """Yield the files of a run directory that may hold keys and tokens, without the programs' own data, which may be large."""
    found = [file for folder in ("pki", "kubeconfig", "records") for file in (path / folder).rglob("*")]
    found += [file for depth in ("*/*", "*/*/*") for file in (path / "data").glob(f"{depth}.yaml")]
    yield from (file for file in sorted(found) if file.is_file() and not file.is_symlink())


def list_names(path: Path) -> set[str]:
    """Return the names in the run's request and those of its clusters: they are no secrets."""
    found = {file.stem for file in (path / "kubeconfig").glob("*.yaml")}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        head = json.loads(read_regular(path / "run.json", LARGEST))
        found |= {str(head["id"])} | {
            leaf for key, leaf in list_leaves(head["asked"]) if NAMELIKE.fullmatch(leaf) and not SECRET_NAME.fullmatch(key)
        }
    return found


def index_values(values: Iterable[str | bytes]) -> KnownValues:
    """Return the index of these values alone."""
    found = SecretValues()
    for value in values:
        found.add(value)
    return found.known()
