"""An etcd in a pod is asked in its pod, with what its own flags and volumes say."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from deployers.etcd import pod as etcd_pods
from deployers.etcd.pod import PodEtcdClient, etcd_of
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.host_fakes import Host, deployment, pod
from lab.assets import AssetRef, Supply
from lab.cluster import Cluster
from lab.errors import CommandFailed, ProvisionError
from lab.machines.scripted import Scripted
from lab.pki import Authority

ARGV = ["/usr/local/bin/etcd", "--name", "etcd0", "--cert-file=/pki/server/tls.crt", "--key-file=/pki/server/tls.key"]
ARGV += ["--trusted-ca-file", "/pki/server/ca.crt", "--client-cert-auth=true"]
MEMBER = {"ID": 10, "name": "etcd0", "clientURLs": ["https://etcd-client.karmada-system.svc:2379"]}
STATUS = {"header": {"revision": 7}, "leader": 10, "version": "3.6.5", "dbSize": 20480, "raftIndex": 9, "raftAppliedIndex": 9}


def a_host(certificate: bytes, *, running: bool = True) -> Host:
    there = pod("etcd")
    there["spec"] = {
        "containers": [{"name": "etcd", "command": ARGV, "volumeMounts": [{"name": "certs", "mountPath": "/pki/server"}]}],
        "volumes": [{"name": "certs", "secret": {"secretName": "etcd-cert"}}],
    }
    if not running:
        there["status"]["phase"] = "Pending"
    secret = {"metadata": {"name": "etcd-cert"}, "data": {"tls.crt": b64encode(certificate).decode()}}
    return Host(deployment("etcd", ARGV, kind="StatefulSet"), pods=[there], secrets=[secret])


def an_etcd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Scripted) -> Any:
    ca = Authority.ensure(tmp_path, "ca", common_name="ca")
    host = a_host(ca.issue("server", common_name="etcd").cert.read_bytes())
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))
    monkeypatch.setattr(Supply, "resolve", lambda self, refs: {ref: Path("/kubectl") for ref in map(as_ref, refs)})
    karmada = a_karmada(tmp_path, {"deployer": "by_yaml"})
    karmada.lab.__dict__["machine"] = machine
    return etcd_of(karmada)


def as_ref(ref: AssetRef | str) -> AssetRef:
    return AssetRef.parse(ref) if isinstance(ref, str) else ref


def answers(args: tuple[str, ...]) -> str:
    said = {"member": {"members": [MEMBER]}, "endpoint": [{"Status": STATUS}], "alarm": {}}
    return json.dumps(said.get(args[args.index("etcdctl") + 1], {}))


def test_its_health_is_asked_in_its_pod_by_its_own_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Scripted({("/kubectl",): answers})
    made = an_etcd(tmp_path, monkeypatch, machine)
    seen = made.health()

    assert isinstance(made, PodEtcdClient)
    assert (seen.leader, seen.revision, seen.problems) == ("etcd0", 7, [])
    args = machine.done[0].args
    assert args[args.index("exec") + 1 : args.index("--")] == ("etcd-0", "--container", "etcd")
    assert {"--cacert=/pki/server/ca.crt", "--cert=/pki/server/tls.crt", "--endpoints=https://127.0.0.1:2379"} <= set(args)


@pytest.mark.parametrize(
    ("listens", "asked"),
    [
        ("https://0.0.0.0:2379", "https://127.0.0.1:2379"),
        ("https://$(POD_IP):2379,http://127.0.0.1:2379", "http://127.0.0.1:2379"),
        ("", "https://127.0.0.1:2379"),
    ],
)
def test_it_is_asked_on_its_own_loopback_interface(listens: str, asked: str) -> None:
    assert etcd_pods.loopback_address(listens) == asked


def test_room_is_made_in_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Scripted({("/kubectl",): answers})
    an_etcd(tmp_path, monkeypatch, machine).defragment()

    asked = [done.args[done.args.index("etcdctl") + 1] for done in machine.done]
    assert asked.index("compact") < asked.index("defrag")


def test_a_pod_that_does_not_run_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = a_host(b"", running=False)
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))

    with pytest.raises(ProvisionError, match="no pod of"):
        etcd_of(a_karmada(tmp_path, {"deployer": "by_chart"}))


def test_without_a_quorum_each_pods_reason_and_the_way_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(args: tuple[str, ...]) -> str:
        raise CommandFailed(args, status=1, output="context deadline exceeded")

    made = an_etcd(tmp_path, monkeypatch, Scripted({("/kubectl",): refuse}))
    with pytest.raises(ProvisionError, match="quorum") as caught:
        made.members()
    assert "etcd-0: its node None is gone" in str(caught.value.detail)
    assert "restore" in str(caught.value.remedy)
