"""A key of [karmada] is understood or refused with the reason; none is passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.release import catalogue
from deployers.spec import MOVED, KarmadaSpec
from deployers.tests.addons_fakes import Json
from lab.errors import UsageError
from lab.spec import parse


@pytest.mark.parametrize(
    ("given", "others"),
    [
        ({"openkruise": "1.7.0"}, {"openkruise": "1.7.0"}),
        ({"openkruise": "v1.7.0", "search": True}, {"openkruise": "1.7.0"}),
        ({"openkruise": True}, {"openkruise": catalogue().versions("openkruise-crds")[0]}),
        ({"openkruise": False}, {}),
        ({}, {}),
    ],
)
def test_a_lab_file_names_addons_of_others_like_karmadas_own(given: Json, others: Json) -> None:
    spec = parse(KarmadaSpec, {"addons": given}, source="the lab file")

    assert spec.addons.others == others
    assert KarmadaSpec.model_validate(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"openkruse": True}, "unknown addon 'openkruse'; did you mean 'openkruise'?"),
        ({"serch": True}, "unknown key; did you mean 'search'?"),
        ({"openkruise": "newest"}, "should be a version"),
        ({"others": {"nothing": "1.0.0"}}, "unknown addon 'nothing'"),
    ],
)
def test_a_key_that_is_no_addon_is_refused(given: Json, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(KarmadaSpec, {"addons": given}, source="the lab file", prefix="karmada.")
    assert said in str(caught.value)


def spec(**table: Any) -> KarmadaSpec:
    return parse(KarmadaSpec, table, source="the lab file", prefix="karmada.")


def refused(**table: Any) -> str:
    with pytest.raises(UsageError) as caught:
        spec(**table)
    return str(caught.value)


def test_what_is_stored_is_read_back_as_the_same() -> None:
    wanted = spec(
        release="v1.17.1",
        profile="e2e",
        etcd={"members": 3},
        components={"karmada-scheduler": {"replicas": 2, "flags": {"kube-api-qps": "100"}, "without": ["v"]}},
        certificates={"ca": {"cert": "ca.crt", "key": "ca.key"}, "hosts": ["karmada.example.org", "10.0.0.1"]},
        members=[{"name": "member1", "mode": "pull"}],
    )

    assert KarmadaSpec.model_validate(wanted.model_dump(mode="json")) == wanted


def test_versions_and_paths_have_one_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert spec(release="v1.18.2").release == "1.18.2"
    assert spec(release="./karmada").release == f"{tmp_path}/karmada"
    assert spec(certificates={"ca": {"cert": "a", "key": "b"}}).certificates.ca.cert == tmp_path / "a"  # type: ignore[union-attr]


def test_unknown_key_names_the_near_one() -> None:
    assert "karmada.addons.estimator: unknown key; did you mean 'estimators'?" in refused(addons={"estimator": True})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"release": "latest"}, "is not a version"),
        ({"profile": "fast"}, "one of: default, e2e"),
        ({"etcd": {"members": 2}}, "karmada.etcd.members"),
        ({"etcd": {"members": 3, "external": {"servers": ["https://a:1"], "ca": "a", "cert": "b", "key": "c"}}}, "beside an external one"),
        ({"components": {"karmada-schedular": {}}}, "unknown component 'karmada-schedular'"),
        ({"components": {"karmada-search": {"flags": {"v": "4"}}}}, "would have no effect: addons.search is not on"),
        ({"components": {"etcd": {"replicas": 3}}}, "etcd.members"),
        ({"components": {"karmada-webhook": {"flags": {"feature-gates": "A=true"}, "feature_gates": {"B": True}}}}, "given twice"),
        ({"components": {"karmada-webhook": {"flags": {"v": "4"}, "without": ["v"]}}}, "both given and dropped"),
        ({"addons": {"descheduler": True}, "components": {"karmada-descheduler": {"feature_gates": {"A": True}}}}, "has no feature gates"),
        ({"members": [{"name": "a"}, {"name": "a"}]}, "named twice: a"),
        ({"certificates": {"days": 1}}, "certificates.days"),
    ],
)
def test_what_cannot_be_meant_is_refused(table: dict[str, Any], said: str) -> None:
    assert said in refused(**table)


def test_settings_of_an_external_etcd_would_have_no_effect() -> None:
    external = {"servers": ["https://10.0.0.1:2379"], "ca": "a", "cert": "b", "key": "c"}

    assert "etcd is external" in refused(etcd={"external": external}, components={"etcd": {"flags": {"log-level": "info"}}})


@pytest.mark.parametrize("key", MOVED)
def test_a_key_that_has_a_table_of_its_own_is_refused_with_the_place(key: str) -> None:
    assert f"{key} is not a key of this table: {MOVED[key]}" in refused(**{key: True})
