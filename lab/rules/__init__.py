"""The rules of a LabSpec: for each field what its value must be beyond its type, or why any value of its type is right.

`RULES` and `ANY_VALUE` together name every field of the spec's models; a test walks the models and fails where one is left out.
What only one provider cannot carry is that provider's `check_spec`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from lab.preflight import Rules
from lab.rules import cluster, machines, node
from lab.spec import ClusterSpec, LabSpec, MemberSpec, Nodes, Placed, Workers

RULES: Rules = {
    (LabSpec, "host"): cluster.host_errors,
    (LabSpec, "members"): cluster.member_errors,
    (ClusterSpec, "name"): cluster.name_errors,
    (ClusterSpec, "nodes"): cluster.node_name_errors,
    (ClusterSpec, "workers"): cluster.worker_errors,
    (ClusterSpec, "flags"): cluster.flag_errors,
    (ClusterSpec, "env"): cluster.env_errors,
    (ClusterSpec, "files"): cluster.file_errors,
    (Placed, "zone"): node.zone_errors,
    (Placed, "region"): node.zone_errors,
    (Placed, "labels"): node.label_errors,
    (Nodes, "cpu"): node.cpu_errors,
    (Nodes, "memory"): node.memory_errors,
    (Nodes, "pods"): node.pods_errors,
    **machines.RULES,
}
ANY_VALUE: Mapping[tuple[type[BaseModel], str], str] = {
    (LabSpec, "provider"): "lab.providers.provider refuses a name that it does not know",
    (LabSpec, "kubernetes"): "its type checks the form; deployers.up.preflight.version_errors checks that it is pinned",
    (ClusterSpec, "kubeconfig"): "lab.existing.preflight opens the file and asks the cluster",
    (ClusterSpec, "context"): "lab.existing.preflight looks for it in the file",
    (ClusterSpec, "kubernetes"): "its type checks the form; deployers.up.preflight.version_errors checks that it is pinned",
    (ClusterSpec, "control_planes"): "its type bounds it; providers refuse three where they cannot make them",
    (MemberSpec, "mode"): "each of its three values means something",
    (Nodes, "count"): "its type bounds it to 10,000; the provider compares the sum with this computer's memory",
    (Nodes, "name"): "its type checks the form; the rule of `nodes` compares the names",
    (Workers, "count"): "its type bounds it to 15; the rule of `workers` bounds the sum",
    **machines.ANY_VALUE,
}
