"""Snapshots and forks of a whole lab, while clients write to it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from kubernetes.client import ApiException, CoreV1Api, V1ConfigMap, V1Namespace, V1ObjectMeta
from urllib3.exceptions import HTTPError

from deployers.checks.conformance import conformance
from deployers.day2.snapshots.fork import fork_lab
from deployers.day2.snapshots.restore import restore_snapshot
from deployers.day2.snapshots.save import save_snapshot
from deployers.day2.snapshots.snapshot import Snapshot, delete_snapshot, list_names
from deployers.karmada import Karmada
from deployers.up.bring_up import Brought
from lab import environment
from lab.cluster import Cluster
from lab.supervisor.client import Supervisor
from lab.take_down import take_down
from lab.wait import SYSTEM
from scenarios.kit.extra_lab import as_it_is_now, extra_lab
from scenarios.kit.waiting import eventually

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.xdist_group("snapshots"),
    # Handles of clusters keep their connections until the process ends; that the garbage collector closes them is no leak.
    pytest.mark.filterwarnings("ignore:unclosed <(ssl.SSLSocket|socket.socket):ResourceWarning"),
]
DOCUMENT = {"host": {"name": "host"}, "members": [{"name": "member1"}], "karmada": {"members": [{"name": "member1"}]}}
KILLS = 5


@dataclass
class Writer:
    """Creates ConfigMaps in a cluster one after the other, and notes when each was sent and acknowledged."""

    cluster: Cluster
    sent: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        core, number = CoreV1Api(self.cluster.client()), 0
        while not self.stopped.is_set():
            number += 1
            name = f"w-{number}"
            self.sent[name] = time.monotonic()
            try:
                core.create_namespaced_config_map("default", make_config_map(name), _request_timeout=30)
            except (ApiException, HTTPError):
                continue
            self.acknowledged[name] = time.monotonic()


def make_config_map(name: str) -> V1ConfigMap:
    """Return an empty ConfigMap."""
    return V1ConfigMap(metadata=V1ObjectMeta(name=name))


def list_namespaces(cluster: Cluster) -> set[str]:
    """Return the names of a cluster's namespaces."""
    return {str(item.metadata.name) for item in CoreV1Api(cluster.client()).list_namespace().items if item.metadata}


@contextmanager
def writing(*clusters: Cluster) -> Iterator[list[Writer]]:
    """Write to clusters while the body runs."""
    writers = [Writer(cluster) for cluster in clusters]
    threads = [threading.Thread(target=writer.write) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        for writer in writers:
            writer.stopped.set()
        for thread in threads:
            thread.join()


def require_written(writers: list[Writer], *, since: float = 0.0) -> None:
    """every writer has its writes acknowledged"""
    for writer in writers:
        assert sum(at > since for at in writer.acknowledged.values()) > 10, writer.cluster.name


def names_in(cluster: Cluster) -> set[str]:
    """Return the ConfigMaps of the writer that a cluster has, read from etcd and from its API server's cache alike."""
    core = CoreV1Api(cluster.client())
    found = [
        {str(item.metadata.name) for item in core.list_namespaced_config_map("default", resource_version=version).items if item.metadata}
        for version in (None, "0")
    ]
    assert found[0] == found[1]
    return {name for name in found[0] if name.startswith("w-")}


@pytest.fixture(scope="module")
def now() -> Iterator[Karmada]:
    with extra_lab(DOCUMENT, name="snapshots") as karmada:
        yield karmada


@dataclass(frozen=True)
class Taken:
    """A snapshot that was taken under load: what its lab had acknowledged before, and what was sent only afterwards."""

    snapshot: Snapshot
    before: dict[str, set[str]]
    after: dict[str, set[str]]


@pytest.fixture(scope="module")
def taken(now: Karmada) -> Iterator[Taken]:
    clusters = (now.cluster, now.lab.member("member1"))
    with writing(*clusters) as writers:
        eventually(lambda: require_written(writers), within=60.0)
        began = time.monotonic()
        snapshot = save_snapshot(now.run, "under-load")
        ended = time.monotonic()
        eventually(lambda: require_written(writers, since=ended), within=60.0)
    try:
        yield Taken(
            snapshot,
            {writer.cluster.name: {name for name, at in writer.acknowledged.items() if at < began} for writer in writers},
            {writer.cluster.name: {name for name, at in writer.sent.items() if at > ended} for writer in writers},
        )
    finally:
        delete_snapshot("under-load")


def require_content(karmada: Karmada, taken: Taken) -> None:
    """Require that nothing acknowledged before the snapshot is missing, and nothing that was sent afterwards is there."""
    for cluster in (karmada.cluster, karmada.lab.member("member1")):
        there = names_in(cluster)
        assert taken.before[cluster.name] <= there
        assert not taken.after[cluster.name] & there


def test_a_lab_goes_back_to_its_snapshot_twice(now: Karmada, taken: Taken) -> None:
    for attempt in ("first", "second"):
        CoreV1Api(now.cluster.client()).create_namespace(V1Namespace(metadata=V1ObjectMeta(name=f"after-{attempt}")))
        done = restore_snapshot(now.run, taken.snapshot)
        done.brought.hold.release()

        karmada = as_it_is_now(now)
        require_content(karmada, taken)
        assert not {name for name in list_namespaces(karmada.cluster) if name.startswith("after-")}
    conformance(as_it_is_now(now)).demand()


def test_a_fork_has_the_content_and_is_a_lab_of_its_own(now: Karmada, taken: Taken) -> None:
    brought: Brought = fork_lab(taken.snapshot, f"{now.run.id}-fork")
    try:
        with brought.hold:
            assert brought.karmada
            require_content(brought.karmada, taken)
            conformance(brought.karmada).demand()
            CoreV1Api(brought.karmada.cluster.client()).create_namespace(V1Namespace(metadata=V1ObjectMeta(name="of-the-fork")))
            assert "of-the-fork" not in list_namespaces(now.cluster)
    finally:
        take_down(brought.lab.run)


def test_a_save_that_is_killed_leaves_no_snapshot_and_a_lab_that_writes(now: Karmada) -> None:
    chance = random.Random(11)
    core = CoreV1Api(now.cluster.client())
    for attempt in range(KILLS):
        argv = [sys.executable, "-m", "lab", "snapshot", "save", "killed", "--lab", now.run.id]
        child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment.inherit_all())
        SYSTEM.sleep(chance.uniform(0.3, 6.0))
        child.send_signal(signal.SIGKILL)
        killed = child.wait() == -signal.SIGKILL
        if "killed" in list_names():
            assert not killed or not (now.run.path.parent / ".snapshots" / "killed" / "work").exists()
            delete_snapshot("killed")
        eventually(partial(create, core, f"alive-{attempt}"), within=30.0)
        assert not [state for state in Supervisor(now.run.path).programs().values() if not state.runs]


def create(core: CoreV1Api, name: str) -> None:
    """Karmada writes"""
    core.create_namespaced_config_map("default", make_config_map(name), _request_timeout=5)
