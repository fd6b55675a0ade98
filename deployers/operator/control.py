"""The operator's loop: stand for election, watch objects, reconcile them, renew the promise to running operations.

An own loop on `lab.api` and not kopf: kopf's high-level handlers are edge-triggered and keep their state in annotations, its peering is no
election, and of its low-level half only the watch would be used. `Api.watch` is one already, without an event loop beside the threads that
deployers use.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field

from deployers.operator.api import GROUP, VERSION
from deployers.operator.election import EVERY, Election
from deployers.operator.kube import PLURAL, DeploymentStore, Deposed
from deployers.operator.reconcile import Reconciler
from deployers.operator.recorder import Recorder
from deployers.operator.webhook import Webhook
from deployers.operator.work_queue import WorkQueue
from lab.api import Api
from lab.errors import LabError, NotPossible, NotReady
from lab.hints import command
from lab.terminal.text import say
from lab.wait import SYSTEM, NotYet, until

RESYNC = 300.0
"""Seconds after which all objects are listed again: a watch may have missed one."""
THREADS = 4
"""Objects that are looked at at once. Operations have slots of their own."""
AFTER_ERROR = 5.0


@dataclass
class Leadership:
    """The time in which this operator leads: its queue, its threads, its operations."""

    api: Api
    election: Election
    cluster: str
    namespaces: Sequence[str] = ()
    workers: int = 2
    queue: WorkQueue = field(default_factory=WorkQueue)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        store = DeploymentStore(self.api, self.leads)
        slots = threading.Semaphore(self.workers)
        self.reconciler = Reconciler(
            store, Recorder(self.api), self.cluster, wake=lambda key, after: self.queue.add(key, after=after), slots=slots
        )

    def leads(self) -> bool:
        """Return whether writes are allowed: this session has not ended and the Lease is ours."""
        return not self.ended.is_set() and self.election.leads()

    def start(self) -> None:
        """Start to watch and to reconcile."""
        paths = [f"/apis/{GROUP}/{VERSION}/namespaces/{each}/{PLURAL}" for each in self.namespaces] or [f"/apis/{GROUP}/{VERSION}/{PLURAL}"]
        for path in paths:
            threading.Thread(target=self.watch, args=(path,), name=f"watch {path}", daemon=True).start()
        for number in range(THREADS):
            threading.Thread(target=self.work, name=f"reconcile {number}", daemon=True).start()

    def watch(self, path: str) -> None:
        """Put every object that changes into the queue, and all of them when they are listed again."""
        while not self.ended.is_set():
            try:
                for _, item in self.api.watch(path, within=RESYNC):
                    if self.ended.is_set():
                        return
                    self.queue.add((item["metadata"]["namespace"], item["metadata"]["name"]))
            except LabError as error:
                say(f"watching failed: {error.what}; again in {AFTER_ERROR:g} s")
                self.ended.wait(AFTER_ERROR)

    def work(self) -> None:
        """Reconcile objects until the session ends. An error of one object delays this one only."""
        while not self.ended.is_set():
            key = self.queue.take(1.0)
            if key is None:
                continue
            try:
                self.reconciler.reconcile(key)
            except Deposed:
                self.queue.add(key, after=AFTER_ERROR)
            except LabError as error:
                say(f"{key[0]}/{key[1]}: {error.what}; again in {AFTER_ERROR:g} s")
                self.queue.add(key, after=AFTER_ERROR)
            except Exception:  # noqa: BLE001 (a bug with one object must not end the operator)
                say(f"{key[0]}/{key[1]}: {traceback.format_exc()}")
                self.queue.add(key, after=12 * AFTER_ERROR)
            finally:
                self.queue.done(key)

    def end(self, *, kill: bool) -> None:
        """End the session: no write follows. Operations end at their next border, or at once."""
        self.ended.set()
        self.reconciler.stop_all(kill=kill)


@dataclass
class Operator:
    """The operator of one cluster."""

    api: Api
    lease_namespace: str
    namespaces: Sequence[str] = ()
    workers: int = 2
    webhook: Webhook | None = None

    def run(self) -> None:
        """Act while this operator leads, else wait. Ends by an interrupt only; NotPossible when the cluster does not have the API."""
        cluster = self.require_api()
        election = Election(self.api, self.lease_namespace)
        session: Leadership | None = None
        if self.webhook:
            self.webhook.start()
        try:
            while True:
                leads = election.attempt()
                if leads and session is None:
                    say(f"{election.identity} leads")
                    session = Leadership(self.api, election, cluster, self.namespaces, self.workers)
                    session.start()
                    self.care_for_webhook()
                elif session and not leads:
                    say(f"{election.identity} leads no more: its operations are ended")
                    session.end(kill=True)
                    session = None
                elif session:
                    session.reconciler.promise_all()
                    self.care_for_webhook()
                SYSTEM.sleep(EVERY)
        finally:
            if session:
                session.end(kill=False)
                self.unregister_webhook()
                wait_operations(session)
            election.release()

    def care_for_webhook(self) -> None:
        """Renew the webhook's certificate when it is due, and register the webhook where it is not."""
        if self.webhook is None:
            return
        self.webhook.renew_if_due()
        try:
            if self.webhook.register(self.api):
                say(f"the API server asks {self.webhook.url} about changes of objects")
        except LabError as error:
            say(f"registering the webhook failed: {error.what}")

    def unregister_webhook(self) -> None:
        """Take the webhook's registration away; without the right to, say so: no server answers reviews from now on."""
        try:
            if self.webhook:
                self.webhook.unregister(self.api)
        except LabError as error:
            say(f"the webhook stays registered: {error.what}")

    def require_api(self) -> str:
        """Return the UID of the cluster. NotPossible when it does not have the kinds of the operator."""
        if self.api.find(f"/apis/{GROUP}/{VERSION}") is None:
            raise NotPossible(
                f"the cluster has no API {GROUP}/{VERSION}",
                where=self.api.server,
                remedy=f"{command('operator', 'crds')} | kubectl apply --server-side -f -",
            )
        return str(self.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])


def wait_operations(session: Leadership, *, within: float = 30.0) -> None:
    """Wait until operations that were interrupted have ended, and kill those that have not."""

    def ended() -> None:
        session.reconciler.promise_all()
        if running := session.reconciler.running():
            raise NotYet(f"{running} operations run")

    try:
        until(ended, what="operations end", within=within)
    except NotReady:
        session.reconciler.stop_all(kill=True)
