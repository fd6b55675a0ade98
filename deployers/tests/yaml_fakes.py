"""The workloads and Secrets of a release's artifacts/deploy, shaped as upstream's are and a fraction of their size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deployers.tests.control_plane_fakes import a_release, write

Json = dict[str, Any]
SYSTEM = "karmada-system"
ETCD = "https://etcd-client.karmada-system.svc.cluster.local:2379"
COMMANDS: dict[str, list[str]] = {
    "karmada-apiserver": ["kube-apiserver", f"--etcd-servers={ETCD}", "--secure-port=5443", "--runtime-config="],
    "kube-controller-manager": ["kube-controller-manager", "--leader-elect=true", "--v=4"],
    "karmada-aggregated-apiserver": ["/bin/karmada-aggregated-apiserver", f"--etcd-servers={ETCD}"],
    "karmada-webhook": ["/bin/karmada-webhook", "--feature-gates=AllAlpha=true,AllBeta=true", "--v=4"],
    "karmada-controller-manager": ["/bin/karmada-controller-manager", "--feature-gates=AllAlpha=true,AllBeta=true", "--v=4"],
    "karmada-scheduler": ["/bin/karmada-scheduler", "--enable-scheduler-estimator=true", "--v=4"],
    "karmada-descheduler": ["/bin/karmada-descheduler", "--v=4"],
    "karmada-search": ["/bin/karmada-search", f"--etcd-servers={ETCD}"],
    "karmada-metrics-adapter": ["/bin/karmada-metrics-adapter"],
}


def workload(name: str, command: list[str], *, kind: str = "Deployment") -> Json:
    env = [{"name": "KUBE_CACHE_MUTATION_DETECTOR", "value": "{{KUBE_CACHE_MUTATION_DETECTOR}}"}]
    container = {"name": name, "image": f"docker.io/karmada/{name}:latest", "command": command, "env": env}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": SYSTEM},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}},
    }


def secret(suffix: str, who: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"${{{who}}}-{suffix}", "namespace": SYSTEM}, "data": data}


def manifests_of_record(folder: Path) -> Path:
    """Write a release with all that by_yaml reads, and return artifacts/deploy of it."""
    deploy = a_release(folder) / "karmada-manifests/deploy"
    etcd = ["/usr/local/bin/etcd", "--name", "etcd0", "--client-cert-auth=true", "--data-dir=/var/lib/etcd"]
    write(
        deploy / "karmada-etcd.yaml", workload("etcd", etcd, kind="StatefulSet"), {"kind": "Service", "metadata": {"name": "etcd-client"}}
    )
    for name, command in COMMANDS.items():
        write(deploy / f"{name}.yaml", workload(name, command))
    member = "{{member_cluster_name}}"
    command = ["/bin/karmada-scheduler-estimator", f"--cluster-name={member}"]
    write(deploy / "karmada-scheduler-estimator.yaml", workload(f"karmada-scheduler-estimator-{member}", command))
    write(
        deploy / "karmada-cert-secret.yaml",
        secret("cert", "name", **{"ca.crt": "${ca_crt}", "tls.crt": "${tls_crt}", "tls.key": "${tls_key}"}),
    )
    config = "${ca_crt} ${client_crt} ${client_key}"
    write(deploy / "karmada-config-secret.yaml", secret("config", "component", **{"karmada.config": config}))
    write(deploy / "karmada-ca-cert-secret.yaml", secret("ca-cert", "component", **{"tls.crt": "${ca_crt}", "tls.key": "${ca_key}"}))
    pair = {"sa.pub": "${sa_pub}", "sa.key": "${sa_key}"}
    write(deploy / "karmada-key-pair-secret.yaml", secret("service-account-key-pair", "component", **pair))
    return deploy
