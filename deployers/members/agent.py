"""karmada-agent of a pull member, as a process of the lab.

karmadactl register makes a Deployment for it. On a hollow member such a pod turns Ready without running, which proves
nothing, so in a lab of processes that Deployment has no replicas and the same program runs here, with the credentials
that register put on the member.
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
from lab.ports import ports_of
from lab.programs import find_program_owner


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
    ports = ports_of(karmada.run, f"{member.name}.karmada-agent", ("health", "metrics"))
    return Component(
        name=agent_name(member.name),
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
            "health-probe-bind-address": f"127.0.0.1:{ports['health']}",
            "metrics-bind-address": f"127.0.0.1:{ports['metrics']}",
            "v": "2",
        },
        ready=(Health(f"http://127.0.0.1:{ports['health']}/healthz"),),
        ports=ports,
    ).changed(flags={**profile_flags(karmada), **(flags or {})}, env=env)


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
    shutil.rmtree(agent_kubeconfig(karmada, member).parent, ignore_errors=True)
