"""Faults: how a member is lost. Each is prepared before the applications are set up, and injected at T0.

apiserver   its kube-apiserver is killed (SIGKILL); its other programs run on without an API server
member      all its programs are killed, as when its data centre loses power
link        no traffic passes between Karmada and it: a TCP proxy holds everything back
taint       it is tainted NoExecute by hand; it stays healthy
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from deployers.karmada import Karmada
from deployers.members.registry import CLUSTERS
from lab.errors import UsageError
from lab.kube_access import read_access
from lab.proxy import Proxy
from lab.supervisor.client import Supervisor
from lab.wait import NotYet, until
from perf.applications import TAINT
from perf.shapes import LOST, SURVIVOR

MANAGER = "karmada/karmada-controller-manager"


@dataclass(frozen=True)
class Fault:
    """One way to lose the first member. `answers`: its API server still answers afterwards."""

    kind: str
    answers: bool
    prepare: Callable[[Karmada, ExitStack], Callable[[], None]]
    """Return the function that injects the fault. Cleanup goes on the stack."""


def parse_fault(text: str) -> Fault:
    """Return a fault by KIND or KIND:MEMBER. Raise UsageError for an unknown kind or member, or a member without workloads to move."""
    kind, _, member = text.partition(":")
    if kind not in FAULTS:
        raise UsageError(f"unknown fault {kind!r}", remedy=f"one of: {', '.join(FAULTS)}")
    if member and member not in {LOST, SURVIVOR}:
        raise UsageError(f"the lab of a trial has no member {member!r}", where=f"--fault {text}", remedy=f"{kind}:{LOST}")
    if member == SURVIVOR:
        raise UsageError(f"nothing runs on {SURVIVOR}: its loss would move nothing", where=f"--fault {text}", remedy=f"{kind}:{LOST}")
    return FAULTS[kind]


def check_fault(fault: Fault, mode: str) -> None:
    """Raise UsageError for a fault without effect on members joined in this mode."""
    if fault.kind == "link" and mode == "pull":
        raise UsageError(
            "Karmada sends no requests to a pull member: cutting the link would have no effect",
            where="--fault link --mode pull",
            remedy="--fault member, which ends its agent too, or --mode push",
        )


def prepare_apiserver_kill(karmada: Karmada, _stack: ExitStack) -> Callable[[], None]:
    return lambda: Supervisor(karmada.run.path).stop(f"{LOST}/kube-apiserver", kill=True)


def prepare_member_kill(karmada: Karmada, _stack: ExitStack) -> Callable[[], None]:
    supervisor = Supervisor(karmada.run.path)

    def inject() -> None:
        status = supervisor.status()
        assert status is not None
        own = [name for name in status.programs if name.startswith(f"{LOST}/")]
        for name in sorted(own, key=lambda name: not name.endswith("/kube-apiserver")):
            supervisor.stop(name, kill=True)

    return inject


def prepare_link_cut(karmada: Karmada, stack: ExitStack) -> Callable[[], None]:
    """Put a proxy between Karmada and the member. Restart the controllers, which would keep their open connections."""
    proxy = Proxy(urlsplit(read_access(karmada.lab.member(LOST).kubeconfig).server).port or 443)
    stack.callback(proxy.close)
    karmada.api.patch(f"{CLUSTERS}/{LOST}", {"spec": {"apiEndpoint": f"https://127.0.0.1:{proxy.port}"}})
    supervisor = Supervisor(karmada.run.path)
    pid = supervisor.restart(MANAGER).pid

    def leads() -> None:
        lease = karmada.api.get("/apis/coordination.k8s.io/v1/namespaces/karmada-system/leases/karmada-controller-manager")
        state = supervisor.state(MANAGER)
        if state.pid != pid or not state.runs or not lease["spec"].get("holderIdentity"):
            raise NotYet("it has not acquired the lease yet")

    until(leads, what="karmada-controller-manager is the leader again", within=60.0)
    return proxy.cut


def prepare_taint(karmada: Karmada, _stack: ExitStack) -> Callable[[], None]:
    def inject() -> None:
        path = f"{CLUSTERS}/{LOST}"
        taints = karmada.api.get(path)["spec"].get("taints") or []
        karmada.api.patch(path, {"spec": {"taints": [*taints, {"key": TAINT, "effect": "NoExecute"}]}})

    return inject


FAULTS = {
    "apiserver": Fault("apiserver", answers=False, prepare=prepare_apiserver_kill),
    "member": Fault("member", answers=False, prepare=prepare_member_kill),
    "link": Fault("link", answers=True, prepare=prepare_link_cut),
    "taint": Fault("taint", answers=True, prepare=prepare_taint),
}
