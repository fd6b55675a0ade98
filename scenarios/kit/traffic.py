"""Continuous writes and reads while Karmada is changed, and the invariants that must hold afterwards.

    nothing lost         every template has its last acknowledged value
    nothing resurrected  a template with an acknowledged deletion is gone, and no watch has seen it again
    nothing twice        each template has one Work per member, each Work has its object there, and there are no other objects

A write that is refused or unanswered is retried until it is acknowledged, so the outcome of every write is known; the measurement is
how long that took. Templates are small ConfigMaps with one policy for all, so that the load is on the control plane.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from kubernetes.client import ApiException, CoreV1Api, CustomObjectsApi
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from deployers.karmada import Karmada
from lab.wait import SYSTEM
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import POLICY, duplicate_on

LABEL = {"traffic": "yes"}
SELECTOR = "traffic=yes"
PAUSE = 0.1
"""Seconds between two writes or two reads: about ten per second."""
TIMEOUT = 5.0
AWAY = (ApiException, HTTPError)


@dataclass
class Outages:
    """Outages of one kind of request, each from the start of the first failed request to the next success."""

    longest: float = 0.0
    count: int = 0
    last_error: str = ""
    done: int = 0
    _since: float | None = None

    def failed(self, error: Exception, began: float) -> None:
        if self._since is None:
            self._since = began
            self.count += 1
        self.last_error = f"{error.status} {error.reason}" if isinstance(error, ApiException) else type(error).__name__

    def succeeded(self) -> None:
        self.done += 1
        if self._since is not None:
            self.longest = max(self.longest, time.monotonic() - self._since)
            self._since = None


@dataclass
class Traffic:
    """The writers and readers of one namespace, and what they recorded."""

    karmada: Karmada
    namespace: str
    writes: Outages = field(default_factory=Outages)
    reads: Outages = field(default_factory=Outages)
    clusters: Outages = field(default_factory=Outages)
    """Reads of the aggregated API."""
    policies: Outages = field(default_factory=Outages)
    """Dry-run writes of a policy: they pass the admission webhooks; writes of ConfigMaps do not."""
    expected: dict[str, str] = field(default_factory=dict)
    """The last acknowledged value of each template that must exist."""
    deleted: set[str] = field(default_factory=set)
    resurrected: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def members(self) -> list[CoreV1Api]:
        """The API of each member."""
        return [CoreV1Api(member.client()) for member in self.karmada.members]

    # -- load ------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Create, update and delete templates until stopped. Never use a name twice."""
        core, chance, number = CoreV1Api(self.karmada.client()), random.Random(7), 0
        while not self.stopped.is_set():
            number += 1
            what = chance.choice(["create", "create", "change", "delete"]) if self.expected else "create"
            name = f"t-{number}" if what == "create" else chance.choice(sorted(self.expected))
            if what == "delete" and not self.is_on_all_members(name):
                what = "change"
            if what == "delete":
                self.retry(partial(delete, core, self.namespace, name))
                del self.expected[name]
                self.deleted.add(name)
            else:
                self.retry(partial(create if what == "create" else update, core, self.namespace, name, str(number)))
                self.expected[name] = str(number)
            SYSTEM.sleep(PAUSE)

    def is_on_all_members(self, name: str) -> bool:
        """Return whether a template is on every member.

        A template that is deleted during its propagation can leave a Work and the object on that member for ever: the binding is deleted
        before its controller has seen the Work that it has just created (Karmada 1.18.2, found by these invariants on a busy computer
        with nothing else changed). That fault is independent of the changes that are tested here.
        """
        try:
            for core in self.members:
                core.read_namespaced_config_map(name, self.namespace, _request_timeout=TIMEOUT)
        except AWAY:
            return False
        return True

    def retry(self, act: Callable[[], object]) -> None:
        """Repeat a write until it is acknowledged."""
        while True:
            began = time.monotonic()
            try:
                act()
            except AWAY as error:
                self.writes.failed(error, began)
                if self.stopped.is_set():
                    raise
                SYSTEM.sleep(PAUSE)
            else:
                self.writes.succeeded()
                return

    def read(self, act: Callable[[], object], outages: Outages) -> None:
        """Repeat a read until stopped."""
        while not self.stopped.is_set():
            began = time.monotonic()
            try:
                act()
            except AWAY as error:
                outages.failed(error, began)
            else:
                outages.succeeded()
            SYSTEM.sleep(PAUSE)

    def watch(self) -> None:
        """Watch the templates. One that appears after its deletion was resurrected, since no name is used twice."""
        core, deleted = CoreV1Api(self.karmada.client()), set[str]()
        while not self.stopped.is_set():
            with suppress(*AWAY):
                for event in Watch().stream(
                    core.list_namespaced_config_map, self.namespace, label_selector=SELECTOR, timeout_seconds=5, _request_timeout=10
                ):
                    name = event["object"].metadata.name
                    if event["type"] == "DELETED":
                        deleted.add(name)
                    elif name in deleted:
                        self.resurrected.append(f"{event['type']} {name}")
                    if self.stopped.is_set():
                        break
            SYSTEM.sleep(PAUSE)

    def start_thread(self, act: Callable[..., None], *args: Any) -> threading.Thread:
        """Start a thread and keep its exception."""

        def run() -> None:
            try:
                act(*args)
            except BaseException as error:  # noqa: BLE001 (raised by `check`)
                self.errors.append(error)

        thread = threading.Thread(target=run, daemon=True, name=act.__name__)
        thread.start()
        return thread

    # -- invariants -----------------------------------------------------------------------------------------------------

    def check(self, *, within: float = 240.0) -> None:
        """Wait until the invariants hold. AssertionError or NotReady names the one that does not.

        Controllers that failed while their API server was away try again ever later, and a busy computer adds to that: 11 of 71 objects
        were still on their way after 90 s.
        """
        assert not self.errors, self.errors
        assert self.writes.done > 20, f"only {self.writes.done} writes were acknowledged: this proves little"
        found = read_templates(CoreV1Api(self.karmada.client()), self.namespace)
        assert {name: value for name, value in self.expected.items() if found.get(name) != value} == {}, "acknowledged writes are lost"
        assert sorted(found.keys() & self.deleted) == [], "what was deleted is there again"
        assert sorted(found.keys() - self.expected.keys()) == [], "templates that were never written"
        assert self.resurrected == [], "a watch saw what was deleted before"

        for member in self.karmada.members:

            def one_to_one(member: Any = member) -> None:
                """each template has one Work for the member, and each Work its object there"""
                works = works_of(self.karmada, self.namespace, member.name)
                amiss = sorted((Counter(works) - Counter(self.expected.keys())) | (Counter(self.expected.keys()) - Counter(works)))
                assert not amiss, f"Works of {member.name}: too many or too few Works for the templates {', '.join(amiss)}"
                objects = read_templates(CoreV1Api(member.client()), self.namespace)
                assert objects == self.expected, f"objects of {member.name}: {sorted(objects.items() ^ self.expected.items())}"

            eventually(one_to_one, within=within)

    def until_written(self, more: int, *, within: float = 60.0) -> None:
        """Wait until `more` further writes are acknowledged."""
        before = self.writes.done

        def acknowledged() -> None:
            """writes are acknowledged"""
            assert self.writes.done >= before + more, f"{self.writes.done - before} of {more}; last: {self.writes.last_error or 'no error'}"

        eventually(acknowledged, within=within)

    def figures(self) -> dict[str, float | int | str]:
        """Return the measurements, by name."""
        return {
            "writes_acknowledged": self.writes.done,
            "longest_failed_write_seconds": round(self.writes.longest, 2),
            "longest_failed_read_seconds": round(self.reads.longest, 2),
            "longest_failed_read_of_clusters_seconds": round(self.clusters.longest, 2),
            "longest_failed_write_of_policies_seconds": round(self.policies.longest, 2),
            "last_failed_write": self.writes.last_error,
        }


def create(core: CoreV1Api, namespace: str, name: str, value: str) -> None:
    """Create a template; accept one that an unanswered request has created."""
    body: Any = {"metadata": {"name": name, "labels": LABEL}, "data": {"value": value}}
    try:
        core.create_namespaced_config_map(namespace, body, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status != 409:
            raise


def update(core: CoreV1Api, namespace: str, name: str, value: str) -> None:
    """Update a template."""
    core.patch_namespaced_config_map(name, namespace, {"data": {"value": value}}, _request_timeout=TIMEOUT)


def delete(core: CoreV1Api, namespace: str, name: str) -> None:
    """Delete a template; accept that an unanswered request has deleted it."""
    try:
        core.delete_namespaced_config_map(name, namespace, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status != 404:
            raise


def read_templates(core: CoreV1Api, namespace: str) -> dict[str, str]:
    """Return the values of the templates by name."""
    found: Any = core.list_namespaced_config_map(namespace, label_selector=SELECTOR, _request_timeout=TIMEOUT)
    return {item.metadata.name: item.data["value"] for item in found.items}


def works_of(karmada: Karmada, namespace: str, member: str) -> list[str]:
    """Return the template's name of every Work for a member, with duplicates."""
    items: Any = CustomObjectsApi(karmada.client()).list_namespaced_custom_object(
        "work.karmada.io", "v1alpha1", f"karmada-es-{member}", "works"
    )
    manifests = [manifest for item in items["items"] for manifest in item["spec"]["workload"]["manifests"]]
    ours = [each for each in manifests if each["kind"] == "ConfigMap" and each["metadata"].get("namespace") == namespace]
    return [each["metadata"]["name"] for each in ours if (each["metadata"].get("labels") or {}).get("traffic")]


@contextmanager
def traffic(karmada: Karmada, namespace: str) -> Iterator[Traffic]:
    """Write and read during the body. Call `Traffic.check` afterwards to check the invariants."""
    selector = {"apiVersion": "v1", "kind": "ConfigMap", "labelSelector": {"matchLabels": LABEL}}
    CustomObjectsApi(karmada.client()).create_namespaced_custom_object(
        *POLICY,
        namespace,
        "propagationpolicies",
        {
            "apiVersion": "/".join(POLICY),
            "kind": "PropagationPolicy",
            "metadata": {"name": "traffic"},
            "spec": {"resourceSelectors": [selector], "placement": duplicate_on(*(member.name for member in karmada.members))},
        },
    )
    made = Traffic(karmada, namespace)
    core, objects = CoreV1Api(karmada.client()), CustomObjectsApi(karmada.client())
    threads = [
        made.start_thread(made.write),
        made.start_thread(made.watch),
        made.start_thread(made.read, lambda: core.read_namespace(namespace, _request_timeout=TIMEOUT), made.reads),
        made.start_thread(
            made.read,
            lambda: objects.list_cluster_custom_object("cluster.karmada.io", "v1alpha1", "clusters", _request_timeout=TIMEOUT),
            made.clusters,
        ),
        made.start_thread(
            made.read,
            lambda: objects.patch_namespaced_custom_object(
                *POLICY, namespace, "propagationpolicies", "traffic", {"spec": {"priority": 1}}, dry_run="All", _request_timeout=TIMEOUT
            ),
            made.policies,
        ),
    ]
    try:
        yield made
    finally:
        made.stopped.set()
        for thread in threads:
            thread.join(30.0)
