"""Exchange certificates and keys in all of a control plane in pods while it serves, and start again who reads them once only."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from cryptography import x509

from deployers.backup.restore_pods import wait_settled
from deployers.etcd.members import has_pods
from deployers.etcd.pod import PodEtcdClient
from deployers.karmada import Karmada
from deployers.members.registry import READY_WITHIN, wait_member_ready
from deployers.plane.flags import join_values
from deployers.plane.pending_operation import PendingOperation
from deployers.pods import workloads
from deployers.pods.held_keys import Exchange, certificates_in, fingerprint
from deployers.pods.issued import API_SERVER, ETCD
from deployers.pods.key_places import (
    KeyPlace,
    exchange_in_objects,
    file_places,
    host_places,
    member_places,
    pulling_members,
)
from deployers.pods.keys import read_mounted
from deployers.pods.restart import look_at_secrets, mounts_any, restart_workload, restart_workloads
from deployers.pods.signer import APART, template_of
from deployers.pods.workloads import HostWorkload
from lab.api import Api
from lab.cluster import Cluster, Lab, merge_kubeconfigs
from lab.component import parse_flags

RELOADS = frozenset({ETCD, API_SERVER})
"""Components that read certificates again when their files change."""
AUTHORITIES_READ_ONCE = {API_SERVER: ("etcd-cafile",), ETCD: ("trusted-ca-file", "peer-trusted-ca-file")}
"""Of these, the flags with authorities that they read at their start alone."""
Chosen = Callable[[HostWorkload], bool]


@dataclass(frozen=True)
class KeyExchange:
    """One exchange in progress. What has to start again is recorded before anything is written, so that an interrupted one goes on."""

    karmada: Karmada
    exchange: Exchange
    change: PendingOperation

    @property
    def host(self) -> Api:
        return self.karmada.lab.host.api

    def write(self, *, restarts: Chosen | None = None) -> None:
        """Exchange in Secrets of the host cluster and of members, and note which workloads and agents are to start again.

        `restarts` chooses among the workloads that mount a changed Secret; by default those that do not reload.
        """
        changes = list_changes(host_places(self.karmada), self.exchange)
        secrets = [place.name for place, _ in changes]
        chosen = [each.name for each in workloads.workloads(self.host) if mounts_any(each, secrets) and (restarts or reads_once)(each)]
        members = {each.name: list_changes(member_places(each), self.exchange) for each in pulling_members(self.karmada)}
        agents = [name for name, found in members.items() if found]
        self.note(workloads=chosen, agents=agents)
        for place, values in [*changes, *(each for found in members.values() for each in found)]:
            place.write(values)
        look_at_secrets(self.host)

    def note(self, **names: Collection[str]) -> None:
        """Add names to those that are noted already."""
        self.change.note(**{key: sorted({*self.change.facts.get(key, []), *found}) for key, found in names.items()})

    def restart(self) -> None:
        """Restart the noted workloads, one after the other, then the agents; forget them when all serve."""
        wanted = set(self.change.facts.get("workloads", []))
        restart_workloads(self.host, lambda each: each.name in wanted)
        for name in self.change.facts.get("agents", []):
            restart_agent(self.karmada, self.karmada.lab.member(name))
        self.change.note(workloads=[], agents=[])

    def write_files(self) -> None:
        """Exchange in the run's own files, so that commands and users have what is served, and trust it."""
        for place, values in list_changes(file_places(self.karmada), self.exchange):
            place.write(values)
        merge_kubeconfigs(self.karmada.run, [*self.karmada.lab.clusters, self.karmada.cluster])

    def write_objects(self) -> None:
        """Exchange in what karmada-apiserver's objects trust."""
        exchange_in_objects(reopen(self.karmada).api, self.exchange)


def list_changes(places: list[KeyPlace], exchange: Exchange) -> list[tuple[KeyPlace, dict[str, bytes]]]:
    """Return the places that change, and what in each."""
    kept = ((place, {key: value for key, value in place.read().items() if key not in APART}) for place in places)
    return [(place, after) for place, values in kept if (after := exchange.changed(values))]


def reads_once(workload: HostWorkload) -> bool:
    """Return whether a workload has to start again to use another certificate."""
    return workload.component not in RELOADS


def trusts_once(host: Api, exchange: Exchange) -> Chosen:
    """Return which workloads have to start again to trust other authorities: all but those that see them change."""

    def chosen(workload: HostWorkload) -> bool:
        flags = AUTHORITIES_READ_ONCE.get(workload.component)
        if flags is None:
            return True
        read = [each for flag in flags for each in authorities_of(host, workload, flag)]
        return any(fingerprint(each) in exchange.certificates for each in read)

    return chosen


def authorities_of(host: Api, workload: HostWorkload, flag: str) -> list[x509.Certificate]:
    """Return the certificates in the file of a workload's flag."""
    path = join_values(parse_flags(workload.argv).get(flag))
    return certificates_in(read_mounted(host, template_of(workload), path)) if path else []


def restart_agent(karmada: Karmada, member: Cluster) -> None:
    """Restart what of Karmada's runs on a member, and return when Karmada calls the member Ready."""
    for each in workloads.workloads(member.api):
        restart_workload(member.api, each)
    wait_member_ready(reopen(karmada), member.name, within=READY_WITHIN)


def reopen(karmada: Karmada) -> Karmada:
    """Return the control plane with its kubeconfig read again."""
    return replace(karmada, lab=Lab(karmada.run, karmada.lab.spec))


def settle(karmada: Karmada) -> None:
    """Return when all of Karmada serves, its etcd too."""
    if has_pods(karmada):
        PodEtcdClient.of(karmada).until_well()
    wait_settled(reopen(karmada))
