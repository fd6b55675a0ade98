"""Faults: how a member is lost. Each is prepared before the applications are set up, and struck at T0.

apiserver   its kube-apiserver is killed (SIGKILL); its other programs run on and find nobody to talk to
member      every program of it is killed, as when its data centre has no power
link        nothing passes any more between Karmada and it: a TCP proxy holds everything back
taint       a person taints it NoExecute; it is as healthy as before
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from deployers.karmada import Karmada
from deployers.members import CLUSTERS
from lab.errors import UsageError
from lab.kubeconfig import access
from lab.proxy import Proxy
from lab.supervisor.client import Supervisor
from lab.wait import NotYet, until
from perf.applications import TAINT
from perf.shapes import LOST, SURVIVOR

MANAGER = "karmada/karmada-controller-manager"


@dataclass(frozen=True)
class Fault:
    """One way to lose the first member. `answers` tells whether its API server still does afterwards."""

    kind: str
    answers: bool
    prepare: Callable[[Karmada, ExitStack], Callable[[], None]]
    """Returns what strikes. What has to be undone goes on the stack."""


def parse_fault(words: str) -> Fault:
    """Return a fault by KIND or KIND:MEMBER. UsageError for a kind or member that is not there, or one whose loss moves nothing."""
    kind, _, member = words.partition(":")
    if kind not in FAULTS:
        raise UsageError(f"there is no fault {kind!r}", remedy=f"one of: {', '.join(FAULTS)}")
    if member and member not in {LOST, SURVIVOR}:
        raise UsageError(f"the lab of a trial has no member {member!r}", where=f"--fault {words}", remedy=f"{kind}:{LOST}")
    if member == SURVIVOR:
        raise UsageError(f"nothing runs on {SURVIVOR}: its loss would move nothing", where=f"--fault {words}", remedy=f"{kind}:{LOST}")
    return FAULTS[kind]


def check_fault(fault: Fault, mode: str) -> None:
    """UsageError for a fault that would not be felt by members joined this way."""
    if fault.kind == "link" and mode == "pull":
        raise UsageError(
            "Karmada asks nothing of a pull member: that its link is cut would go unnoticed",
            where="--fault link --mode pull",
            remedy="--fault member, which ends its agent too, or --mode push",
        )


def prepare_apiserver_kill(karmada: Karmada, _stack: ExitStack) -> Callable[[], None]:
    return lambda: Supervisor(karmada.run.path).stop(f"{LOST}/kube-apiserver", kill=True)


def prepare_member_kill(karmada: Karmada, _stack: ExitStack) -> Callable[[], None]:
    supervisor = Supervisor(karmada.run.path)

    def strike() -> None:
        status = supervisor.status()
        assert status is not None
        own = [name for name in status.programs if name.startswith(f"{LOST}/")]
        for name in sorted(own, key=lambda name: not name.endswith("/kube-apiserver")):
            supervisor.stop(name, kill=True)

    return strike


def prepare_link_cut(karmada: Karmada, stack: ExitStack) -> Callable[[], None]:
    """Put a proxy between Karmada and the member. The controllers are restarted: they would keep the connections they have."""
    proxy = Proxy(urlsplit(access(karmada.lab.member(LOST).kubeconfig).server).port or 443)
    stack.callback(proxy.close)
    karmada.api.patch(f"{CLUSTERS}/{LOST}", {"spec": {"apiEndpoint": f"https://127.0.0.1:{proxy.port}"}})
    supervisor = Supervisor(karmada.run.path)
    pid = supervisor.restart(MANAGER).pid

    def leads() -> None:
        lease = karmada.api.get("/apis/coordination.k8s.io/v1/namespaces/karmada-system/leases/karmada-controller-manager")
        state = supervisor.state(MANAGER)
        if state.pid != pid or not state.runs or not lease["spec"].get("holderIdentity"):
            raise NotYet("it does not lead yet")

    until(leads, what="karmada-controller-manager leads again", within=60.0)
    return proxy.cut


def prepare_taint(karmada: Karmada, _stack: ExitStack) -> Callable[[], None]:
    def strike() -> None:
        path = f"{CLUSTERS}/{LOST}"
        taints = karmada.api.get(path)["spec"].get("taints") or []
        karmada.api.patch(path, {"spec": {"taints": [*taints, {"key": TAINT, "effect": "NoExecute"}]}})

    return strike


FAULTS = {
    "apiserver": Fault("apiserver", answers=False, prepare=prepare_apiserver_kill),
    "member": Fault("member", answers=False, prepare=prepare_member_kill),
    "link": Fault("link", answers=True, prepare=prepare_link_cut),
    "taint": Fault("taint", answers=True, prepare=prepare_taint),
}
