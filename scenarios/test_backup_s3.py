"""Backups in a bucket of a real S3 server: stored whole or not at all, restored, encrypted, and every fault refused with its reason."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import CoreV1Api, V1ConfigMap, V1ObjectMeta
from minio import time as client_time

from deployers.backup import archive
from deployers.backup.archive import UnusableBackup
from deployers.backup.choose import ArchiveChoice, open_chosen, readable
from deployers.backup.destinations.open import open_destination
from deployers.backup.destinations.protocol import Destination
from deployers.backup.destinations.s3 import Bucket
from deployers.backup.destinations.s3_settings import parse_s3
from deployers.backup.encryption import write_identity
from deployers.backup.restore import restore
from deployers.backup.take import back_up, plane_of
from deployers.backup.verify import verify
from deployers.etcd.client import EtcdClient
from deployers.etcd.tools import Etcdutl
from deployers.karmada import Karmada
from lab import environment
from lab.errors import NotPossible, UsageError
from lab.steps import StepFailed
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.figures import report_figures
from scenarios.kit.s3_server import ACCESS_KEY, SECRET_KEY, S3Server, serve_s3
from scenarios.kit.waiting import eventually

pytestmark = [pytest.mark.thorough, pytest.mark.breaks]
MIB = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server of this module."""
    with serve_s3(tmp_path_factory.mktemp("runs")) as found:
        yield found


@pytest.fixture(autouse=True)
def key(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the server's key in the environment."""
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def url(server: S3Server, request: pytest.FixtureRequest) -> str:
    """The destination of one test."""
    return server.url("".join(each if each.isalnum() else "-" for each in request.node.name.removeprefix("test_")))


def lab(karmada: Karmada, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `lab` against this lab, to its end."""
    env = {**environment.inherit_all(), "KARMADA_LAB_RUNS": str(karmada.run.path.parent)}
    argv = [sys.executable, "-m", "lab", *args, "--lab", karmada.run.id]
    return subprocess.run(argv, capture_output=True, text=True, env=env, check=False, timeout=300)


def names(karmada: Karmada, url: str) -> list[str]:
    """Return the names at a destination."""
    with open_destination(url, lambda: karmada) as found:
        return [each.name for each in found.list_archives()]


def list_pids(karmada: Karmada) -> dict[str, int | None]:
    """Return the pid of every program of the lab."""
    status = Supervisor(karmada.run.path).status()
    assert status
    return {name: state.pid for name, state in status.programs.items()}


def take_one(karmada: Karmada, url: str, *, keep: int | None = None) -> str:
    """Take a backup and return its name."""
    with open_destination(url, lambda: karmada) as found:
        return back_up(karmada, found, keep=keep).name


def test_a_restore_from_a_bucket_brings_back_what_was(
    karmada: Karmada, namespace: str, url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    maps = CoreV1Api(karmada.client())
    maps.create_namespaced_config_map(namespace, V1ConfigMap(metadata=V1ObjectMeta(name="kept"), data={"a": "b"}))
    recipient = write_identity(tmp_path / "mine")
    began = time.monotonic()
    taken = lab(karmada, "backup", "--to", url, "--encrypt-to", recipient, "-o", "json")
    stored = time.monotonic() - began
    assert taken.returncode == 0, taken.stderr
    (name,) = names(karmada, url)
    assert json.loads(taken.stdout)["path"].endswith(name)
    maps.delete_namespaced_config_map("kept", namespace)
    before = list_pids(karmada)

    write_identity(tmp_path / "other")
    (tmp_path / "open").write_bytes((tmp_path / "mine").read_bytes())
    (tmp_path / "open").chmod(0o644)
    for identity in (None, tmp_path / "other", tmp_path / "open"):
        with pytest.raises(UsageError):
            restore_from(karmada, ArchiveChoice(url=url, identity=identity), tmp_path)
        assert list_pids(karmada) == before, "nothing was touched"

    began = time.monotonic()
    done = lab(karmada, "restore", "--from", url, "--identity", str(tmp_path / "mine"))
    assert done.returncode == 0, done.stderr
    report_figures(request, backup_seconds=round(stored, 1), restore_seconds=round(time.monotonic() - began, 1))
    assert maps.read_namespaced_config_map("kept", namespace).data == {"a": "b"}
    faults.assert_recovered(karmada)
    texts = [path for path in karmada.run.path.rglob("*") if path.is_file() and path.stat().st_size < MIB]
    assert [path for path in texts if SECRET_KEY.encode() in path.read_bytes()] == [], "no secret is kept"


def restore_from(karmada: Karmada, choice: ArchiveChoice, scratch: Path) -> None:
    """Restore what was chosen, as `lab restore` does."""
    with (
        open_chosen(choice, scratch, lambda: karmada, plane=plane_of(karmada)) as (path, chosen),
        readable(path, scratch, choice.identity) as plain,
    ):
        restore(karmada, plain, chosen=chosen.args)


def test_the_oldest_go_and_the_newest_proven_stays_whatever_the_clock_says(
    karmada: Karmada, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = take_one(karmada, url), take_one(karmada, url)
    third = take_one(karmada, url, keep=2)
    assert names(karmada, url) == [third, second]
    assert first not in names(karmada, url)

    real = time.time
    monkeypatch.setattr("deployers.backup.take.time.time", lambda: real() - 3600)
    early = take_one(karmada, url, keep=1)
    assert names(karmada, url) == [early], "a clock that was set back does not delete the newest"


def test_a_backup_that_is_killed_while_it_uploads_leaves_nothing_that_is_seen(karmada: Karmada, server: S3Server, url: str) -> None:
    slow = url.replace(f":{server.port}&", f":{server.slow.port}&")
    env = {**environment.inherit_all(), "KARMADA_LAB_RUNS": str(karmada.run.path.parent)}
    argv = [sys.executable, "-m", "lab", "backup", "--to", slow, "--lab", karmada.run.id]
    server.slow.stall_after(100_000)
    child = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert server.slow.stalled.wait(300), "the upload began"
    child.send_signal(signal.SIGKILL)
    child.wait()
    server.slow.stall_after(None)
    assert names(karmada, url) == []

    name = take_one(karmada, url)

    assert names(karmada, url) == [name]


def count_unfinished(bucket: Bucket) -> int:
    """Return how many uploads of parts are unfinished."""
    return len(bucket.client._list_multipart_uploads(bucket.settings.bucket).uploads)  # noqa: SLF001 (no public verb asks)


UPLOAD = """
import os, sys
from dataclasses import replace
from pathlib import Path
from deployers.backup.destinations.s3 import Bucket
from deployers.backup.destinations.s3_settings import parse_s3
replace(Bucket.of(parse_s3(sys.argv[1])), part=5 << 20).put(Path(sys.argv[2]), sys.argv[3])
"""


def test_parts_of_an_upload_that_was_killed_are_deleted_by_the_next_backup(
    karmada: Karmada, server: S3Server, url: str, tmp_path: Path
) -> None:
    large, name = tmp_path / "large", f"karmada-{plane_of(karmada)[:8]}-20261124T205614Z-r344.tar.gz"
    large.write_bytes(os.urandom(24 * MIB))
    slow = url.replace(f":{server.port}&", f":{server.slow.port}&")
    server.slow.stall_after(8 * MIB)
    child = subprocess.Popen([sys.executable, "-c", UPLOAD, slow, str(large), name], env=environment.inherit_all())
    assert server.slow.stalled.wait(300), "the second part is under way"
    child.send_signal(signal.SIGKILL)
    child.wait()
    server.slow.stall_after(None)
    bucket = Bucket.of(parse_s3(url))

    def check_parts() -> None:
        """the server has an unfinished upload"""
        assert count_unfinished(bucket) == 1

    eventually(check_parts, within=10)
    assert names(karmada, url) == [], "an unfinished upload is not seen"

    new = take_one(karmada, url)

    assert count_unfinished(bucket) == 0
    assert names(karmada, url) == [new]
    replace(bucket, part=5 * MIB).put(large, name)
    bucket.get(name, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == large.read_bytes(), "an upload of parts is whole"


@pytest.mark.parametrize(
    ("fault", "noun"), [("away", "answer"), ("slow", "3 s"), ("key", "secret key"), ("bucket", "bucket"), ("clock", "clock")]
)
def test_a_server_that_does_not_take_a_backup_is_named(
    karmada: Karmada, server: S3Server, url: str, fault: str, noun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, before = take_one(karmada, url), list_pids(karmada)
    broken = url
    if fault == "away":
        broken = url.replace(f":{server.port}&", ":9&")
    elif fault == "slow":
        server.slow.stall_after(0)
        broken = url.replace(f":{server.port}&", f":{server.slow.port}&").replace("timeout=20s", "timeout=3s")
    elif fault == "key":
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    elif fault == "bucket":
        broken = url.replace("s3://backups/", "s3://gone/")
    else:
        real = client_time.utcnow
        monkeypatch.setattr(client_time, "utcnow", lambda: real() - dt.timedelta(hours=1))

    with open_destination(broken, lambda: karmada) as found:
        with pytest.raises(StepFailed, match=noun) as refused:
            back_up(karmada, found, keep=1)
        assert refused.value.exit_code == NotPossible.exit_code
        assert SECRET_KEY not in str(refused.value)
    with pytest.raises(NotPossible, match=noun):
        fetch_newest(karmada, broken, Path(karmada.run.folder("data", "scratch")))

    server.slow.stall_after(None)
    monkeypatch.undo()
    for variable, value in server.env.items():
        monkeypatch.setenv(variable, value)
    assert names(karmada, url) == [kept], "nothing was added and nothing deleted"
    assert list_pids(karmada) == before


def fetch_newest(karmada: Karmada, url: str, scratch: Path) -> None:
    """Fetch the newest backup of this plane, as a restore does first."""
    with open_chosen(ArchiveChoice(url=url), scratch, lambda: karmada, plane=plane_of(karmada)):
        pass


class NewerManifest(archive.Manifest):
    """A manifest as a later version of this project would write it."""

    def document(self) -> dict[str, Any]:
        return {**super().document(), "schema": archive.SCHEMA + 1}


def write_again(found: Destination, manifest: archive.Manifest, name: str, tmp_path: Path, utl: Etcdutl) -> None:
    """Put an archive of the same parts and another manifest in the place of one."""
    copy, parts, target = tmp_path / "copy", tmp_path / "parts", tmp_path / "changed"
    found.get(name, copy)
    verify(copy, parts, utl)
    archive.write_entries(target, manifest, {part: parts / part for part in archive.PARTS})
    found.put(target, name)


@pytest.mark.parametrize("fault", ["cut", "changed", "newer release", "newer schema"])
def test_an_archive_that_is_no_good_is_refused_before_anything_is_touched(karmada: Karmada, url: str, fault: str, tmp_path: Path) -> None:
    with open_destination(url, lambda: karmada) as found:
        taken = back_up(karmada, found)
        if fault == "newer release":
            newer = replace(taken.manifest, versions={**taken.manifest.versions, "karmada": "9.9.9"})
            write_again(found, newer, taken.name, tmp_path, EtcdClient.of(karmada).utl)
        elif fault == "newer schema":
            write_again(found, NewerManifest(**vars(taken.manifest)), taken.name, tmp_path, EtcdClient.of(karmada).utl)
        else:
            whole = tmp_path / "whole"
            found.get(taken.name, whole)
            content = whole.read_bytes()
            whole.write_bytes(content[: len(content) // 2] if fault == "cut" else content[:5000] + b"\0" * 64 + content[5064:])
            found.put(whole, taken.name)
    before = list_pids(karmada)

    with pytest.raises(UnusableBackup) as refused:
        restore_from(karmada, ArchiveChoice(taken.name, url), tmp_path)

    assert refused.value.exit_code == 2
    assert "s3://" in (refused.value.where or "")
    assert list_pids(karmada) == before


def test_a_key_that_the_server_does_not_know_is_named(karmada: Karmada, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"not-{ACCESS_KEY}")

    with pytest.raises(NotPossible, match="access key"):
        names(karmada, url)
