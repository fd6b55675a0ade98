"""A control plane in pods as upstream's chart makes its keys: one Secret for most, one leaf everywhere, no key of the front proxy's CA."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from deployers.pods.key_places import TRUSTING
from deployers.tests.host_fakes import SYSTEM, Host, deployment
from lab.pki import Authority, write_kubeconfig

Json = dict[str, Any]
PKI = "/pki"
SECRETS = f"/api/v1/namespaces/{SYSTEM}/secrets"


def mounting(item: Json, *secrets: str) -> Json:
    """Return a workload that mounts Secrets, the first at /pki."""
    template = item["spec"]["template"]["spec"]
    template["volumes"] = [{"name": name, "secret": {"secretName": name}} for name in secrets]
    places = [PKI, *(f"/{name}" for name in secrets[1:])]
    template["containers"][0]["volumeMounts"] = [{"name": name, "mountPath": at} for name, at in zip(secrets, places, strict=True)]
    item["metadata"]["annotations"] = {}
    return item


def secret(name: str, values: dict[str, bytes], kind: str = "Opaque") -> Json:
    """Return a Secret."""
    return {"metadata": {"name": name}, "type": kind, "data": {key: b64encode(value).decode() for key, value in values.items()}}


def chart_host(folder: Path) -> Host:
    """Return the host cluster of such a control plane; `folder` has its keys, and of a member's authority."""
    ca, front, member = (Authority.ensure(folder, name, common_name=name) for name in ("ca", "front", "member"))
    leaf = ca.issue("karmada", common_name="system:admin", hosts=["*.karmada-system.svc"])
    proxy = front.issue("proxy", common_name="front-proxy-client")
    other = member.issue("other", common_name="admin")
    config = write_kubeconfig(folder / "config", context="karmada", server="https://x:1", ca=ca.cert, client=leaf).read_bytes()
    foreign = write_kubeconfig(folder / "foreign", context="member1", server="https://m:1", ca=member.cert, client=other).read_bytes()
    files = {"server-ca.crt": ca.cert, "server-ca.key": ca.key_file, "karmada.crt": leaf.cert, "karmada.key": leaf.key}
    files |= {"front-proxy-ca.crt": front.cert, "front-proxy-client.crt": proxy.cert, "front-proxy-client.key": proxy.key}
    values = {name: file.read_bytes() for name, file in files.items()}
    (folder / "front.key").unlink()
    api_server = ["kube-apiserver", f"--client-ca-file={PKI}/server-ca.crt", f"--etcd-cafile={PKI}/server-ca.crt"]
    api_server += [f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt", f"--service-account-signing-key-file={PKI}/karmada.key"]
    signer = ["kube-controller-manager", f"--cluster-signing-cert-file={PKI}/server-ca.crt"]
    signer += [f"--cluster-signing-key-file={PKI}/server-ca.key", f"--service-account-private-key-file={PKI}/karmada.key"]
    host = Host(
        mounting(deployment("karmada-apiserver", api_server), "karmada-cert"),
        mounting(deployment("kube-controller-manager", signer), "karmada-cert", "karmada-kubeconfig"),
        mounting(deployment("karmada-webhook", ["karmada-webhook"]), "karmada-webhook-cert", "karmada-kubeconfig"),
        mounting(deployment("karmada-scheduler-estimator-member1", ["karmada-scheduler-estimator"]), "member1-kubeconfig"),
        mounting(deployment("etcd", ["etcd", f"--trusted-ca-file={PKI}/server-ca.crt"], kind="StatefulSet"), "karmada-cert"),
        secrets=[
            secret("karmada-cert", values),
            secret("karmada-webhook-cert", {"tls.crt": values["karmada.crt"], "tls.key": values["karmada.key"]}),
            secret("karmada-kubeconfig", {"kubeconfig": config}),
            secret("member1-kubeconfig", {"member1-kubeconfig": foreign}),
            secret("sh.helm.release.v1.karmada", {"release": values["karmada.crt"]}, kind="helm.sh/release.v1"),
        ],
    )
    host.lists |= {path: [] for path in (*TRUSTING, f"/api/v1/namespaces/{SYSTEM}/services") if path not in host.lists}
    bundle = b64encode(values["server-ca.crt"]).decode()
    host.lists[TRUSTING[0]] = [{"metadata": {"name": "mutating-config"}, "webhooks": [{"clientConfig": {"caBundle": bundle}}]}]
    return host


def values_of(host: Host, name: str) -> dict[str, bytes]:
    """Return the values of a Secret."""
    data = next(each["data"] for each in host.lists[SECRETS] if each["metadata"]["name"] == name)
    return {key: b64decode(value) for key, value in data.items()}


def argv_of(host: Host, name: str) -> list[str]:
    """Return the command of a Deployment."""
    item = next(each for each in host.lists[f"/apis/apps/v1/namespaces/{SYSTEM}/deployments"] if each["metadata"]["name"] == name)
    return list(item["spec"]["template"]["spec"]["containers"][0]["command"])
