"""Two installations that are the same are described the same."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from deployers.checks import description
from deployers.plane.certificates import make
from deployers.spec import KarmadaSpec
from deployers.tests.host_fakes import Host
from lab.pki import Authority
from lab.run import Run


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("tls-cert-file", "/run/pki/karmada/x.crt", "FILE"),
        ("kubeconfig", "/etc/karmada/config/karmada.config", "FILE"),
        ("secure-port", "23456", "PORT"),
        ("bind-address", "127.0.0.1", "ADDRESS"),
        ("metrics-bind-address", "10.1.2.3:8080", "ADDRESS"),
        ("metrics-bind-address", "$(POD_IP):8080", "ADDRESS"),
        ("etcd-servers", "https://127.0.0.1:2379", "https://ADDRESS"),
        ("initial-cluster", "etcd=https://127.0.0.1:2380", "etcd=https://ADDRESS"),
        ("etcd-prefix", "/registry/karmada", "/registry/karmada"),
        ("service-account-issuer", "https://kubernetes.default.svc.cluster.local", "https://kubernetes.default.svc.cluster.local"),
        ("feature-gates", "AllAlpha=true", "AllAlpha=true"),
        ("service-cluster-ip-range", "10.96.0.0/12", "10.96.0.0/12"),
        ("v", "4", "4"),
        ("runtime-config", "", ""),
        ("kube-api-qps", "40", "40"),
    ],
)
def test_only_what_differs_between_like_labs_is_taken_out(flag: str, value: str, said: str) -> None:
    assert description.normalise(flag, value) == said


def test_flags_of_lists_and_instances() -> None:
    programs = {
        "karmada/karmada-scheduler": ["/a/karmada-scheduler", "--metrics-bind-address=127.0.0.1:1", "--v=4"],
        "karmada/karmada-scheduler-2": ["/a/karmada-scheduler", "--metrics-bind-address=127.0.0.1:2", "--v=4"],
        "karmada/karmada-apiserver": ["/a/kube-apiserver", "--etcd-servers=https://127.0.0.1:1,https://127.0.0.1:2"],
    }

    assert description.components(programs) == {
        "karmada-apiserver": {"replicas": 1, "flags": {"etcd-servers": "https://ADDRESS,https://ADDRESS"}},
        "karmada-scheduler": {"replicas": 2, "flags": {"metrics-bind-address": "ADDRESS", "v": "4"}},
    }


def test_a_value_may_be_a_word_of_its_own() -> None:
    assert description.flags(["etcd", "--name", "etcd-0", "--client-cert-auth", "--data-dir=/x"]) == {
        "client-cert-auth": "true",
        "data-dir": "FILE",
        "name": "etcd-0",
    }


def test_certificates_of_two_labs_are_described_the_same(tmp_path: Path) -> None:
    described = []
    for name in ("one", "two"):
        folder = tmp_path / name
        make(folder, KarmadaSpec(), server="https://127.0.0.1:5443", kubeconfig=folder / "kubeconfig")
        described.append(description.certificates(folder))

    assert described[0] == described[1]
    assert described[0]["etcd-server"]["issuer"] == "etcd-ca"
    assert described[0]["karmada-scheduler-client"] == {
        "subject": "system:karmada:karmada-scheduler",
        "organisations": ["system:masters"],
        "issuer": "karmada",
        "hosts": [],
        "days": 365,
    }


def test_a_resource_differs_by_its_schema_and_not_by_the_webhooks_address() -> None:
    def crd(url: str, kind: str) -> dict[str, object]:
        version = {"name": "v1", "storage": True, "schema": {"type": kind}}
        conversion = {"strategy": "Webhook", "webhook": {"clientConfig": {"url": url}}}
        return {"spec": {"group": "g", "names": {}, "scope": "Cluster", "versions": [version], "conversion": conversion}}

    assert description.resource(crd("https://a:1", "x")) == description.resource(crd("https://b:2", "x"))
    assert description.resource(crd("https://a:1", "x")) != description.resource(crd("https://a:1", "y"))


def test_the_address_of_a_node_in_a_certificate_is_taken_out(tmp_path: Path) -> None:
    spec = KarmadaSpec.model_validate({"certificates": {"hosts": ["172.18.0.2", "karmada.example.org"]}})
    make(tmp_path, spec, server="https://x", kubeconfig=tmp_path / "kubeconfig")

    hosts = description.certificates(tmp_path)["karmada-apiserver"]["hosts"]
    assert {"ADDRESS", "127.0.0.1", "karmada.example.org"} <= set(hosts)
    assert "172.18.0.2" not in hosts


def test_descriptions_of_the_latest_labs_are_kept(tmp_path: Path, plane: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "KEPT", 3)
    for number in range(5):
        plane(f"lab{number}").remove()
        os.utime(description.kept_path(f"lab{number}", tmp_path), (number, number))
    plane("last").remove()

    assert sorted(path.stem for path in (tmp_path / ".descriptions").iterdir()) == ["lab3", "lab4", "last"]
    assert (tmp_path / ".descriptions").stat().st_mode & 0o777 == 0o700


def test_certificates_in_secrets_are_described_once_under_the_name_of_a_file(tmp_path: Path) -> None:
    ca = Authority.ensure(tmp_path, "ca", common_name="karmada")
    leaf = ca.issue("karmada", common_name="system:admin")

    def encoded(path: Path) -> str:
        return b64encode(path.read_bytes()).decode()

    secrets = [
        {
            "metadata": {"name": "karmada-cert"},
            "data": {"ca.crt": encoded(ca.cert), "karmada.crt": encoded(leaf.cert), "karmada.key": "eA=="},
        },
        {"metadata": {"name": "karmada-webhook-cert"}, "data": {"tls.crt": encoded(leaf.cert), "ca.crt": encoded(ca.cert)}},
        {"metadata": {"name": "empty"}},
    ]

    described = description.secret_certificates(Host(secrets=secrets).api())

    assert sorted(described) == ["ca", "karmada"]
    assert described["karmada"]["subject"] == "system:admin"
