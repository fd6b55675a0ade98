"""The programs of a default control plane: read them in golden/by_binary.txt; a change of a flag shows there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from deployers.by_binary.components import components, uses
from deployers.plane.layout import Layout, etcds_asked
from deployers.spec import COMPONENTS, KarmadaSpec
from deployers.tests.transcripts import CHANGED, added_lines
from lab.component import Component

GOLDEN = Path(__file__).parents[1] / "golden" / "by_binary.txt"
MEMBERS = [{"name": "member1"}, {"name": "member2", "mode": "pull"}]


def programs(**table: Any) -> dict[str, Component]:
    spec = KarmadaSpec.model_validate({"members": MEMBERS, **table})
    layout = Layout(
        pki=Path("/run/pki/karmada"),
        data=Path("/run/data/karmada"),
        ports={use: 20_001 + number for number, use in enumerate(uses(spec, etcds_asked(spec)))},
        etcds=tuple(etcds_asked(spec)),
        software={name: Path("/software") / name for name in (*COMPONENTS, "kube-apiserver", "haproxy")},
        members={member.name: Path(f"/run/kubeconfig/{member.name}.yaml") for member in spec.members},
        audit={"audit-log-path": "/run/logs/karmada/audit.jsonl"},
    )
    return {part.name.removeprefix("karmada/"): part for part in components(spec, layout)}


def transcript(parts: dict[str, Component]) -> str:
    lines = []
    for name, part in parts.items():
        lines += [f"# {name}", f"#   needs {', '.join(part.needs)}; serves when {', '.join(health.url for health in part.ready)}"]
        lines += [part.argv[0], *(f"  {word}" for word in part.argv[1:]), ""]
    return "\n".join(lines)


def test_programs_are_those_of_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    everything = {"addons": {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True}}
    plain = programs()
    golden(GOLDEN, transcript(plain) + "# ---- with all addons: what is more ----\n\n" + transcript(more(programs(**everything), plain)))


def test_a_changed_flag_changes_the_transcript() -> None:
    before, after = transcript(programs()), transcript(programs(**CHANGED))

    assert added_lines(before, after) == ["--cluster-failure-threshold=77s"]


def test_instances_of_the_api_server_stand_behind_the_balancer_and_everybody_calls_them_there() -> None:
    parts = programs(by_binary={"external_name": "karmada.example.test"}, components={"karmada-apiserver": {"replicas": 2}})
    one, two = parts["karmada-apiserver"], parts["karmada-apiserver-2"]

    assert {flag for flag in one.flags if one.flags[flag] != two.flags[flag]} == {"secure-port", "audit-log-path"}
    assert two.flags["audit-log-path"] == "/run/logs/karmada/audit-2.jsonl"
    assert parts["haproxy"].needs == ("karmada/identity", "karmada/karmada-apiserver")
    for name in ("karmada-webhook", "karmada-aggregated-apiserver", "karmada-controller-manager", "kube-controller-manager"):
        assert parts[name].needs[0] == "karmada/haproxy", name


def test_servers_that_karmada_apiserver_calls_differ_in_their_ports_and_are_called_at_the_balancers() -> None:
    two = {"replicas": 2}
    spec = {
        "by_binary": {"external_name": "karmada.example.test"},
        "components": {"karmada-webhook": two, "karmada-aggregated-apiserver": two},
    }
    parts = programs(**spec)
    for name, own in (("karmada-webhook", {"metrics-bind-address", "health-probe-bind-address"}), ("karmada-aggregated-apiserver", set())):
        one, other = parts[name], parts[f"{name}-2"]
        assert {flag for flag in one.flags if one.flags[flag] != other.flags[flag]} == {"secure-port", *own}
        assert one.ports["https"] != other.ports["https"] != parts["haproxy"].ports[name]


def more(parts: dict[str, Component], than: dict[str, Component]) -> dict[str, Component]:
    return {name: part for name, part in parts.items() if name not in than or set(part.flags) != set(than[name].flags)}


def test_every_port_is_used_by_one_program_and_every_listener_is_on_loopback() -> None:
    for table in (
        {},
        {"etcd": {"members": 3}, "addons": {"search": True, "metrics_adapter": True, "estimators": True, "descheduler": True}},
    ):
        parts = programs(**table)
        taken = [port for part in parts.values() for port in part.ports.values()]

        spec = KarmadaSpec.model_validate({"members": MEMBERS, **table})
        assert len(taken) == len(set(taken)) == len(uses(spec, etcds_asked(spec)))
        for part in parts.values():
            for flag, value in part.flags.items():
                if flag.endswith("bind-address") or flag.startswith("listen-"):
                    assert "127.0.0.1" in str(value), (part.name, flag)


def test_stops_come_in_reverse_of_who_calls_whom() -> None:
    parts = programs(addons={"search": True})

    assert parts["karmada-apiserver"].needs == ("karmada/etcd",)
    for name, part in parts.items():
        if name not in {"etcd", "karmada-apiserver"}:
            assert part.needs[0] == "karmada/karmada-apiserver", name


def test_three_etcds_know_each_other_and_the_apiserver_knows_all() -> None:
    parts = programs(etcd={"members": 3})

    initial = str(parts["etcd-2"].flags["initial-cluster"])
    assert [each.partition("=")[0] for each in initial.split(",")] == ["etcd", "etcd-2", "etcd-3"]
    assert initial == parts["etcd"].flags["initial-cluster"]
    assert len(str(parts["karmada-apiserver"].flags["etcd-servers"]).split(",")) == 3
    assert parts["karmada-apiserver"].needs == ("karmada/etcd", "karmada/etcd-2", "karmada/etcd-3")


def test_an_external_etcd_is_used_and_not_started() -> None:
    external = {"servers": ["https://10.0.0.1:2379", "https://10.0.0.2:2379"], "ca": "/a", "cert": "/b", "key": "/c", "prefix": "/x"}
    parts = programs(etcd={"external": external}, addons={"search": True})

    assert "etcd" not in parts
    for name in ("karmada-apiserver", "karmada-aggregated-apiserver", "karmada-search"):
        flags = parts[name].flags
        assert flags["etcd-servers"] == "https://10.0.0.1:2379,https://10.0.0.2:2379"
        assert (flags["etcd-cafile"], flags["etcd-certfile"], flags["etcd-keyfile"], flags["etcd-prefix"]) == ("/a", "/b", "/c", "/x")


def test_profile_then_spec_are_laid_over_the_defaults() -> None:
    scheduler = {
        "flags": {"kube-api-qps": "100"},
        "feature_gates": {"AllBeta": False, "PriorityBasedScheduling": True},
        "env": {"GOGC": "400"},
    }
    part = programs(profile="e2e", components={"karmada-scheduler": scheduler})["karmada-scheduler"]

    assert part.flags["feature-gates"] == "AllAlpha=true,AllBeta=false,PriorityBasedScheduling=true"
    assert part.flags["kube-api-qps"] == "100"
    assert part.env == {"GOGC": "400"}


def test_a_flag_is_dropped() -> None:
    part = programs(components={"etcd": {"without": ["unsafe-no-fsync"]}})["etcd"]

    assert not [word for word in part.argv if "fsync" in word]


def test_replicas_differ_in_nothing_but_ports() -> None:
    parts = programs(components={"karmada-scheduler": {"replicas": 2, "flags": {"v": "4"}}})

    first, second = parts["karmada-scheduler"], parts["karmada-scheduler-2"]
    assert {flag for flag in first.flags if first.flags[flag] != second.flags[flag]} == {
        "metrics-bind-address",
        "health-probe-bind-address",
    }
    assert second.flags["v"] == "4"


def test_every_component_of_the_spec_can_be_changed() -> None:
    addons = {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True}
    changed = {name: {"flags": {"v": "7"}, "env": {"A": "b"}} for name in COMPONENTS}
    parts = programs(addons=addons, components=changed)

    assert {part.kind for part in parts.values()} == set(COMPONENTS)
    for part in parts.values():
        assert part.flags["v"] == "7"
        assert part.env == {"A": "b"}
