from __future__ import annotations

import pytest

from deployers.deployer import DEPLOYERS, get_deployer
from deployers.options import CARRIED, IN_PART, OPTIONS, complete, options_of, refusals, row, verdict
from deployers.spec import KarmadaSpec

EVERYTHING = {
    "kubernetes": "1.34.4",
    "profile": "e2e",
    "etcd": {"members": 3},
    "certificates": {"ca": {"cert": "/a", "key": "/b"}, "hosts": ["karmada.example.org"], "days": 30},
    "load_balancer": "10.0.0.1:6443",
    "registry": "registry.example.org:5000/karmada",
    "components": {
        "karmada-scheduler": {
            "replicas": 2,
            "flags": {"v": "4"},
            "feature_gates": {"X": True},
            "env": {"A": "b"},
            "without": ["logging-format"],
        }
    },
    "addons": {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True},
    "members": [{"name": "member1"}, {"name": "member2", "mode": "pull"}],
}


def test_every_option_of_a_spec_has_a_row() -> None:
    spec = KarmadaSpec.model_validate(EVERYTHING)

    assert {row(option) for option in options_of(spec)} == set(OPTIONS) - {"etcd.external", "etcd.storage"}
    assert options_of(KarmadaSpec()) == []


def test_the_tables_of_all_deployers_are_whole() -> None:
    for name in DEPLOYERS:
        complete(get_deployer(name).options)


def test_an_unsupported_option_is_refused_with_the_reason_of_the_table() -> None:
    support = complete({**dict.fromkeys(OPTIONS, ""), "registry": "no images", "components.karmada-scheduler.env": "no place for it"})
    spec = KarmadaSpec.model_validate(EVERYTHING)

    assert refusals(spec, support) == ["registry: no images", "components.karmada-scheduler.env: no place for it"]
    assert verdict("registry", support) == "refused: no images"
    assert verdict("components.*.env", support) == "carried but for karmada-scheduler (no place for it)"
    assert verdict("profile", support) == "carried"


@pytest.mark.parametrize(("support", "option"), [({}, "load_balancer"), ({**dict.fromkeys(OPTIONS, ""), "replicas": ""}, "replicas")])
def test_a_table_that_lacks_an_option_or_has_an_unknown_one_is_refused(support: dict[str, str], option: str) -> None:
    with pytest.raises(ValueError, match=option):
        complete(support)


def test_a_partly_supported_option_is_marked_and_not_refused_as_a_whole() -> None:
    spec = KarmadaSpec.model_validate({"components": {"etcd": {"flags": {"log-level": "warn"}}}})
    support = {"components.*.flags": CARRIED, "components.etcd.flags": f"{IN_PART}--log-level"}

    assert refusals(spec, support) == []
    assert verdict("components.*.flags", support) == "carried but for etcd (in part: --log-level)"


@pytest.mark.parametrize("name", [name for name in DEPLOYERS if name != "by_karmadactl"])
def test_what_one_path_alone_has_is_refused_on_the_others(name: str) -> None:
    spec = KarmadaSpec.model_validate({"by_karmadactl": {"config_file": True}})
    (said,) = refusals(spec, get_deployer(name).options)

    assert said.startswith("by_karmadactl.config_file: ")
    assert 'deployer = "by_karmadactl"' in said
