"""The commands and the configuration file of karmadactl init: read them in golden/by_karmadactl.txt; a changed flag shows there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deployers.by_karmadactl import deployer as by_karmadactl
from deployers.by_karmadactl.deployer import InitInstallation
from deployers.deployer import get_deployer
from deployers.karmada import Karmada
from deployers.plane import external
from deployers.pods import installation as in_pods
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.host_fakes import Host, deployment
from deployers.tests.installer_fakes import EVERYTHING, spec_of
from deployers.up.bring_up import with_closing_steps
from lab.cluster import Cluster
from lab.errors import CommandFailed, ProvisionError
from lab.machines.machine import Completed
from lab.pki import Authority, write_kubeconfig
from lab.spec import LabSpec, parse
from lab.steps import Step, compute_waves
from lab.tests.assets_fakes import Anything
from lab.wait import NotYet


@pytest.fixture(autouse=True)
def balancers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "balancer_errors", lambda address: [])


def found(**table: Any) -> list[str]:
    lab = parse(LabSpec, {"members": [{"name": "member1"}]}, source="test")
    return get_deployer("by_karmadactl").check(spec_of(**table), lab)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"components": {"karmada-webhook": {"env": {"A": "b"}}}}, "components.karmada-webhook.env: karmadactl init has no word"),
        ({"components": {"karmada-webhook": {"without": ["v"]}}}, "components.karmada-webhook.without: karmadactl init can add flags"),
        ({"addons": {"search": True}, "components": {"karmada-search": {"flags": {"v": "4"}}}}, "components.karmada-search.flags"),
        ({"components": {"karmada-scheduler": {"replicas": 2}}}, "one pod of karmada-scheduler to a node"),
        ({"components": {"karmada-scheduler": {"flags": {"x": ["a", "b"]}}}}, "components.karmada-scheduler.flags.x: it has 2 values"),
        ({"components": {"karmada-scheduler": {"flags": {"x": "a, b"}}}}, "set by_karmadactl.config_file for it"),
        ({"components": {"karmada-scheduler": {"flags": {"a.b": "c"}}}}, "no dot in a flag's name"),
        (
            {"components": {"karmada-apiserver": {"flags": {"x": ""}}}, "by_karmadactl": {"config_file": True}},
            "leave by_karmadactl.config_file off for it",
        ),
        ({"load_balancer": "karmada.example.org:31443"}, "load_balancer: karmadactl init takes an IP address"),
        ({"load_balancer": "10.0.0.9:443"}, "a NodePort"),
        ({"addons": {"estimators": True}, "members": []}, "no members to estimate"),
        ({"members": [{"name": "member9"}]}, "the lab has no cluster 'member9'"),
    ],
)
def test_what_init_cannot_carry_is_refused_with_the_reason(table: dict[str, Any], said: str) -> None:
    assert said in "\n".join(found(**table))


def test_nothing_is_in_the_way_of_what_it_can() -> None:
    assert found() == []
    assert found(**{**EVERYTHING, "certificates": {"hosts": ["karmada.example.org"], "days": 30}}) == []
    assert found(by_karmadactl={"config_file": True}, components={"karmada-scheduler": {"flags": {"x": "a, b"}}}) == []


def test_members_join_beside_init_and_ready_means_everything(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path, {"deployer": "by_karmadactl", "addons": {"search": True, "estimators": True}})
    installing = get_deployer("by_karmadactl").install(karmada, Anything())
    made = {step.name: step for step in with_closing_steps(karmada, installing)}
    compute_waves([*made.values(), Step("host", lambda: None), Step("member1", lambda: None)])

    assert made["karmada/joinable"].needs == made["karmada/init"].needs == ("host/images",)
    assert {"karmada/init", "karmada/addons", "karmada/karmada-scheduler-estimator-member1"} == set(made["karmada/pods"].needs)
    assert set(made["karmada"].needs) == made.keys() - {"karmada", "karmada/description"}


@dataclass
class Told:
    """karmadactl, which does what a test says and keeps what it was told."""

    acts: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __call__(self, karmada: Karmada, *args: str, within: float = 0.0) -> Completed:
        self.calls.append(args[0])
        if act := self.acts.get(args[0]):
            act()
        return Completed(args, "", "", 0.0)


def installation(tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch, **acts: Any) -> tuple[InitInstallation, Told]:
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))
    karmadactl = Told(acts)
    monkeypatch.setattr(by_karmadactl, "karmadactl", karmadactl)
    monkeypatch.setattr(by_karmadactl, "crds_tarball", lambda crds: b"")
    monkeypatch.setattr(by_karmadactl, "remove_data", lambda lab, *paths: None)
    made = InitInstallation(a_karmada(tmp_path, {"deployer": "by_karmadactl"}), Anything())

    def init() -> None:
        theirs = made.places.data / "karmada-apiserver.config"
        theirs.parent.mkdir(parents=True)
        ca = Authority.ensure(tmp_path, "ca", common_name="ca")
        admin = ca.issue("admin", common_name="admin")
        write_kubeconfig(theirs, context="karmada", server="https://10.0.0.2:32443", ca=ca.cert, client=admin)

    karmadactl.acts.setdefault("init", init)
    return made, karmadactl


def test_init_is_run_once_and_its_kubeconfig_is_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    made, karmadactl = installation(tmp_path, host, monkeypatch)
    made.init()
    host.add(deployment("karmada-apiserver", ["kube-apiserver"]))
    made.init()

    assert karmadactl.calls == ["init"]
    assert made.karmada.kubeconfig.exists()
    assert in_pods.state(made.karmada) == "installed"


def test_a_recreated_host_cluster_gets_a_new_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, karmadactl = installation(tmp_path, Host(), monkeypatch)
    made.init()
    made.init()

    assert karmadactl.calls == ["init", "init"]


def test_what_was_cut_short_is_removed_before_init_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    made, karmadactl = installation(tmp_path, host, monkeypatch)
    in_pods.begin(made.karmada)
    host.add(deployment("etcd", ["etcd"], kind="StatefulSet"))
    karmadactl.acts["deinit"] = host.empty
    before = made.places.data / "karmada-apiserver.config"
    before.parent.mkdir(parents=True)
    before.write_text("of another authority")
    seen: list[bool] = []
    init = karmadactl.acts["init"]

    def looks_first() -> None:
        seen.append(before.exists())
        init()

    karmadactl.acts["init"] = looks_first

    made.init()

    assert karmadactl.calls == ["deinit", "init"]
    assert seen == [False], "who waits to join would take the kubeconfig of before"


def test_a_karmada_that_another_installed_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, karmadactl = installation(tmp_path, Host(deployment("karmada-apiserver", ["kube-apiserver"])), monkeypatch)

    with pytest.raises(ProvisionError, match="karmada-apiserver"):
        made.init()

    assert karmadactl.calls == []


def test_a_failed_init_shows_its_error_and_ends_the_wait_for_joining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise CommandFailed(["karmadactl", "init"], status=1, output="I1\nerror: no healthy node\n")

    made, _ = installation(tmp_path, Host(), monkeypatch, init=fails)

    with pytest.raises(ProvisionError, match="no healthy node"):
        made.progress.watched(made.init)()
    with pytest.raises(ProvisionError, match="before members could"):
        made.progress.check()


def test_joining_waits_until_init_has_emptied_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = installation(tmp_path, Host(), monkeypatch)

    with pytest.raises(NotYet, match="has not started"):
        made.progress.check()
    with pytest.raises(NotYet, match=r"karmada-apiserver\.config"):
        made.kubeconfig()
