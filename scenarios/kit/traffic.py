"""Writers and readers that go on while something of Karmada is changed, and the law that must hold afterwards.

    nothing lost         what was acknowledged is there, as it was acknowledged last
    nothing resurrected  what was acknowledged as deleted is gone, and was never seen again by a watch
    nothing twice        each template has one Work a member, each of these Works its object there, and no object there is without one

A write that is refused or unanswered is tried again until it is acknowledged, so the outcome of every one is known; for how long it took
is the figure. Templates are ConfigMaps with one policy for all: small, so that it is the control plane that is tested.
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
"""Seconds between two writes, or two reads: some ten a second."""
TIMEOUT = 5.0
AWAY = (ApiException, HTTPError)


@dataclass
class Outages:
    """How long one kind of request was not answered: from the beginning of the first that failed to the next success."""

    longest: float = 0.0
    count: int = 0
    said: str = ""
    done: int = 0
    _since: float | None = None

    def failed(self, error: Exception, began: float) -> None:
        if self._since is None:
            self._since = began
            self.count += 1
        self.said = f"{error.status} {error.reason}" if isinstance(error, ApiException) else type(error).__name__

    def succeeded(self) -> None:
        self.done += 1
        if self._since is not None:
            self.longest = max(self.longest, time.monotonic() - self._since)
            self._since = None


@dataclass
class Traffic:
    """What writers and readers of one namespace did and saw."""

    karmada: Karmada
    namespace: str
    writes: Outages = field(default_factory=Outages)
    reads: Outages = field(default_factory=Outages)
    clusters: Outages = field(default_factory=Outages)
    """Reads of the aggregated API."""
    policies: Outages = field(default_factory=Outages)
    """Writes of a policy that are not to be kept: they go through the admission webhooks, those of ConfigMaps do not."""
    there: dict[str, str] = field(default_factory=dict)
    """What was acknowledged last of each template that is to be there."""
    deleted: set[str] = field(default_factory=set)
    resurrected: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def members(self) -> list[CoreV1Api]:
        """The API of each member."""
        return [CoreV1Api(member.client()) for member in self.karmada.members]

    # -- what goes on ------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Create, change and delete templates, names never used twice, until it is over."""
        core, chance, number = CoreV1Api(self.karmada.client()), random.Random(7), 0
        while not self.over.is_set():
            number += 1
            what = chance.choice(["create", "create", "change", "delete"]) if self.there else "create"
            name = f"t-{number}" if what == "create" else chance.choice(sorted(self.there))
            if what == "delete" and not self.arrived(name):
                what = "change"
            if what == "delete":
                self.insist(partial(delete, core, self.namespace, name))
                del self.there[name]
                self.deleted.add(name)
            else:
                self.insist(partial(create if what == "create" else update, core, self.namespace, name, str(number)))
                self.there[name] = str(number)
            SYSTEM.sleep(PAUSE)

    def arrived(self, name: str) -> bool:
        """Tell whether a template is on every member.

        One that is deleted while it is on its way there can leave a Work behind, for ever, and the object on that member: the binding is
        gone before its controller has seen the Work that it has just made (Karmada 1.18.2, seen by this very law on a busy computer, with
        nothing else changed). That is another promise than those of the changes that are tested here.
        """
        try:
            for core in self.members:
                core.read_namespaced_config_map(name, self.namespace, _request_timeout=TIMEOUT)
        except AWAY:
            return False
        return True

    def insist(self, act: Callable[[], object]) -> None:
        """Do a write until it is acknowledged."""
        while True:
            began = time.monotonic()
            try:
                act()
            except AWAY as error:
                self.writes.failed(error, began)
                if self.over.is_set():
                    raise
                SYSTEM.sleep(PAUSE)
            else:
                self.writes.succeeded()
                return

    def read(self, act: Callable[[], object], outages: Outages) -> None:
        """Ask again and again until it is over."""
        while not self.over.is_set():
            began = time.monotonic()
            try:
                act()
            except AWAY as error:
                outages.failed(error, began)
            else:
                outages.succeeded()
            SYSTEM.sleep(PAUSE)

    def watch(self) -> None:
        """Watch the templates: one that was seen to go and is seen again was resurrected, since no name is used twice."""
        core, seen_to_go = CoreV1Api(self.karmada.client()), set[str]()
        while not self.over.is_set():
            with suppress(*AWAY):
                for event in Watch().stream(
                    core.list_namespaced_config_map, self.namespace, label_selector=SELECTOR, timeout_seconds=5, _request_timeout=10
                ):
                    name = event["object"].metadata.name
                    if event["type"] == "DELETED":
                        seen_to_go.add(name)
                    elif name in seen_to_go:
                        self.resurrected.append(f"{event['type']} {name}")
                    if self.over.is_set():
                        break
            SYSTEM.sleep(PAUSE)

    def guarded(self, act: Callable[..., None], *args: Any) -> threading.Thread:
        """Start a thread whose own errors are kept."""

        def run() -> None:
            try:
                act(*args)
            except BaseException as error:  # noqa: BLE001 (told by `judge`)
                self.errors.append(error)

        thread = threading.Thread(target=run, daemon=True, name=act.__name__)
        thread.start()
        return thread

    # -- the law -----------------------------------------------------------------------------------------------------

    def judge(self, *, within: float = 90.0) -> None:
        """Return when the law holds; AssertionError or NotReady says which part does not."""
        assert not self.errors, self.errors
        assert self.writes.done > 20, f"only {self.writes.done} writes were acknowledged: this proves little"
        found = templates(CoreV1Api(self.karmada.client()), self.namespace)
        assert {name: value for name, value in self.there.items() if found.get(name) != value} == {}, "acknowledged writes are lost"
        assert sorted(found.keys() & self.deleted) == [], "what was deleted is there again"
        assert sorted(found.keys() - self.there.keys()) == [], "templates that nobody wrote"
        assert self.resurrected == [], "a watch saw what was deleted before"

        for member in self.karmada.members:

            def one_to_one(member: Any = member) -> None:
                """each template has one Work for the member, and each Work its object there"""
                works = works_of(self.karmada, self.namespace, member.name)
                amiss = sorted((Counter(works) - Counter(self.there.keys())) | (Counter(self.there.keys()) - Counter(works)))
                assert not amiss, f"Works of {member.name}: of these templates there are too many or too few: {', '.join(amiss)}"
                objects = templates(CoreV1Api(member.client()), self.namespace)
                assert objects == self.there, f"objects of {member.name}: {sorted(objects.items() ^ self.there.items())}"

            eventually(one_to_one, within=within)

    def until_written(self, more: int, *, within: float = 60.0) -> None:
        """Return when so many more writes were acknowledged."""
        before = self.writes.done

        def acknowledged() -> None:
            """writes are acknowledged"""
            assert self.writes.done >= before + more, f"{self.writes.done - before} of {more}; last: {self.writes.said or 'no error'}"

        eventually(acknowledged, within=within)

    def figures(self) -> dict[str, float | int | str]:
        """Return what is reported of it."""
        return {
            "writes_acknowledged": self.writes.done,
            "longest_failed_write_seconds": round(self.writes.longest, 2),
            "longest_failed_read_seconds": round(self.reads.longest, 2),
            "longest_failed_read_of_clusters_seconds": round(self.clusters.longest, 2),
            "longest_failed_write_of_policies_seconds": round(self.policies.longest, 2),
            "failed_writes_were_told": self.writes.said,
        }


def create(core: CoreV1Api, namespace: str, name: str, value: str) -> None:
    """Create a template; one that an unanswered request made is the same."""
    body: Any = {"metadata": {"name": name, "labels": LABEL}, "data": {"value": value}}
    try:
        core.create_namespaced_config_map(namespace, body, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status != 409:
            raise


def update(core: CoreV1Api, namespace: str, name: str, value: str) -> None:
    """Change a template."""
    core.patch_namespaced_config_map(name, namespace, {"data": {"value": value}}, _request_timeout=TIMEOUT)


def delete(core: CoreV1Api, namespace: str, name: str) -> None:
    """Delete a template; one that an unanswered request deleted is gone."""
    try:
        core.delete_namespaced_config_map(name, namespace, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status != 404:
            raise


def templates(core: CoreV1Api, namespace: str) -> dict[str, str]:
    """Return the value of each of our ConfigMaps by name."""
    found: Any = core.list_namespaced_config_map(namespace, label_selector=SELECTOR, _request_timeout=TIMEOUT)
    return {item.metadata.name: item.data["value"] for item in found.items}


def works_of(karmada: Karmada, namespace: str, member: str) -> list[str]:
    """Return the name of the template of every Work of ours for a member, as often as there is one."""
    items: Any = CustomObjectsApi(karmada.client()).list_namespaced_custom_object(
        "work.karmada.io", "v1alpha1", f"karmada-es-{member}", "works"
    )
    manifests = [manifest for item in items["items"] for manifest in item["spec"]["workload"]["manifests"]]
    ours = [each for each in manifests if each["kind"] == "ConfigMap" and each["metadata"].get("namespace") == namespace]
    return [each["metadata"]["name"] for each in ours if (each["metadata"].get("labels") or {}).get("traffic")]


@contextmanager
def traffic(karmada: Karmada, namespace: str) -> Iterator[Traffic]:
    """Write and read during the body; the law is for `Traffic.judge` to hold against it afterwards."""
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
        made.guarded(made.write),
        made.guarded(made.watch),
        made.guarded(made.read, lambda: core.read_namespace(namespace, _request_timeout=TIMEOUT), made.reads),
        made.guarded(
            made.read,
            lambda: objects.list_cluster_custom_object("cluster.karmada.io", "v1alpha1", "clusters", _request_timeout=TIMEOUT),
            made.clusters,
        ),
        made.guarded(
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
        made.over.set()
        for thread in threads:
            thread.join(30.0)
