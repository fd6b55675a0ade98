"""karmada-agent of a pull member, as a process of the lab.

karmadactl register makes a Deployment for it. On a hollow member such a pod turns Ready without running, which proves
nothing, so in a lab of processes that Deployment has no replicas and the same program runs here, with the credentials
that register put on the member. Where Karmada runs on machines, the agent of a member that is on one, or that was joined by a
login to a host of it, runs there.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from deployers.members.registry import RunningKarmada
from deployers.names import CLUSTER_NAMESPACE, NAMESPACE
from deployers.spec import profiles
from lab import component
from lab.cluster import Cluster
from lab.component import Component, Flags, Health
from lab.machines.placement import Placement, place_run
from lab.place_component import place_component
from lab.ports import ports_of
from lab.programs import find_program_owner

AGENT_MACHINES = "agent-machines"
"""The kind of the records of machines that agents run on besides those of the lab file: hosts through which members were joined."""


def agent_name(member: str) -> str:
    """Return the program name of a member's agent."""
    return f"{member}/karmada-agent"


def agent_kubeconfig(karmada: RunningKarmada, member: str) -> Path:
    """Return the path of the agent's kubeconfig for Karmada (0600)."""
    return karmada.run.path / "data" / member / "karmada-agent" / "karmada-kubeconfig.yaml"


def agent_component(
    karmada: RunningKarmada, member: Cluster, *, flags: Flags | None = None, env: Mapping[str, str] | None = None
) -> Component:
    """Return the agent of a member as a program: the flags that register gives its pod, then the profile's, then `flags` and `env`.

    The flags are those of the Deployment that register makes (karmada pkg/karmadactl/register/register.go,
    makeKarmadaAgentDeployment), with addresses of this computer. It becomes healthy only after
    it has registered the member; it then writes the member's status and lease.
    """
    ports, place = ports_of(karmada.run, f"{member.name}.karmada-agent", ("health", "metrics")), find_agent_place(karmada, member.name)
    agent = Component(
        name=agent_name(member.name),
        kind="karmada-agent",
        binary=karmada.release.binary("karmada-agent"),
        flags={
            "karmada-kubeconfig": str(agent_kubeconfig(karmada, member.name)),
            "kubeconfig": str(member.kubeconfig),
            "cluster-name": member.name,
            "cluster-api-endpoint": member.api.server,
            "cluster-namespace": CLUSTER_NAMESPACE,
            "cluster-status-update-frequency": "10s",
            "controllers": "*",
            "leader-elect-resource-namespace": NAMESPACE,
            "health-probe-bind-address": f"{place.address}:{ports['health']}",
            "metrics-bind-address": f"{place.address}:{ports['metrics']}",
            "v": "2",
        },
        ready=(Health(f"http://{place.address}:{ports['health']}/healthz"),),
        ports=ports,
    )
    return place_component(agent.changed(flags={**profile_flags(karmada), **(flags or {})}, env=env), place)


def find_agent_place(karmada: RunningKarmada, member: str) -> Placement:
    """Return the machine that the agent of a member runs on; it may be this computer.

    From another machine Karmada is reached only where it runs on machines itself: elsewhere it listens on this computer's loopback.
    """
    asked = karmada.run.asked
    if not ((asked.get("karmada") or {}).get("by_binary") or {}).get("machines"):
        return place_run(karmada.run, "")
    placed = {each["name"]: each.get("machine", "") for each in asked["lab"].get("members", [])}
    joined = (karmada.run.recorded(AGENT_MACHINES, member) or {}).get("machine", "")
    return place_run(karmada.run, joined or placed.get(member, ""))


def bring_agent(karmada: RunningKarmada, member: Cluster) -> None:
    """Copy the agent's program and kubeconfigs to the machine that it runs on."""
    place = find_agent_place(karmada, member.name)
    place.bring([karmada.release.binary("karmada-agent")])
    place.push([member.kubeconfig, agent_kubeconfig(karmada, member.name)])


def profile_flags(karmada: RunningKarmada) -> Flags:
    """Return the flags that the control plane's profile has for agents: agent and controllers need the same feature gates."""
    asked = karmada.run.asked.get("karmada") or {}
    return profiles()[asked.get("profile", "default")].get("karmada-agent", {})


def agent_runs(karmada: RunningKarmada, member: str) -> bool:
    """Return whether the agent of a member runs as a process of this lab."""
    name = agent_name(member)
    state = find_program_owner(karmada.run, name).programs().get(name)
    return state is not None and state.runs


def stop_agent(karmada: RunningKarmada, member: str) -> None:
    """Stop the agent of a member and delete its kubeconfig; do nothing where it is not a process of this lab."""
    component.remove(agent_name(member), karmada.run)  # a no-op where the agent is a pod or was never started
    if not (place := find_agent_place(karmada, member)).is_local:
        place.delete(agent_kubeconfig(karmada, member).parent)
    shutil.rmtree(agent_kubeconfig(karmada, member).parent, ignore_errors=True)
