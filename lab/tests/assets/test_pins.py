from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from lab.assets.pins import PINS_FILE, Catalogue, detect_arch
from lab.assets.refs import AssetRef
from lab.errors import NotPossible, UsageError
from lab.tests.assets_fakes import catalogue, pins_toml


@pytest.fixture
def own() -> Catalogue:
    return Catalogue.load(arch="amd64")


def test_the_lab_pins_what_a_lab_is_made_of(own: Catalogue) -> None:
    kubernetes = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet", "kubeadm", "kube-proxy", "kubemark"]
    expected = dict.fromkeys(kubernetes, "1.35.4")
    expected |= dict.fromkeys(["etcd", "etcdctl", "etcdutl"], "3.6.5")
    expected |= {"kwok": "0.8.0", "kwok-stages": "0.8.0", "kind": "0.32.0", "helm": "3.22.0"}
    expected |= {
        "kind-files": "0.32.0",
        "coredns": "1.13.1",
        "cfssl": "1.6.5",
        "cfssljson": "1.6.5",
        "actionlint": "1.7.12",
        "crane": "0.22.1",
    }
    expected |= {"runner-scale-set-charts": "0.27.7-0.20260522100713-9bb16ae49d0c", "kubevirt-schemas": "1.6.0", "versitygw": "1.8.0"}

    assert {name: own.versions(name)[0] for name in own.names()} == expected


def test_clusters_can_differ_in_version(own: Catalogue) -> None:
    assert own.pin(AssetRef("kubelet", "1.34.4")).key != own.pin(AssetRef("kubelet", "1.35.4")).key


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_every_pin_can_be_checked(arch: str) -> None:
    for pin in Catalogue.load(arch=arch):
        assert re.fullmatch(r"h1:[0-9A-Za-z+/]{43}=", pin.module_sum), pin
        assert pin.kind == "tree" or pin.says, pin
        if pin.download is not None:
            assert pin.download.url.startswith("https://"), pin
            assert (pin.download.sha256 is None) != (pin.download.checksum is None), pin
            assert pin.download.sha256 is None or re.fullmatch("[0-9a-f]{64}", pin.download.sha256), pin
        assert pin.download or pin.no_download or pin.kind == "tree", pin


def test_placeholders_are_filled_in(own: Catalogue) -> None:
    pin = own.pin(AssetRef("kube-apiserver", "1.35.4"))

    assert pin.download is not None
    assert pin.download.url == "https://dl.k8s.io/release/v1.35.4/bin/linux/amd64/kube-apiserver"
    assert pin.download.checksum == pin.download.url + ".sha256"
    assert "k8s.io/component-base/version.gitMinor=35" in pin.stamp
    assert pin.siblings is not None
    assert pin.siblings.version == "v0.35.4"


def test_a_ref_without_version_means_the_first_pinned(tmp_path: Path) -> None:
    assert catalogue(tmp_path).pin(AssetRef("alpha")).version == "1.2.3"


def test_an_unknown_name_is_refused_with_a_near_one(own: Catalogue) -> None:
    with pytest.raises(UsageError) as caught:
        own.pin(AssetRef.parse("kube-apisever@1.35.4"))

    assert "kube-apiserver" in (caught.value.remedy or "")


def test_an_unpinned_version_is_refused_with_the_pinned_and_the_nearest(own: Catalogue) -> None:
    with pytest.raises(UsageError) as caught:
        own.pin(AssetRef.parse("kubectl@1.34.9"))

    assert "1.35.4, 1.34.4" in (caught.value.where or "")
    assert "kubectl@1.34.4" in (caught.value.remedy or "")


def test_a_key_follows_what_is_pinned(tmp_path: Path) -> None:
    data = tomllib.loads(pins_toml(tmp_path))
    before = Catalogue({"a": data}, "amd64").pin(AssetRef("alpha"))
    data["tools"]["versions"][0]["sums"]["example.org/tools"] = "h1:changed"
    after = Catalogue({"a": data}, "amd64").pin(AssetRef("alpha"))

    assert before.key != after.key


def test_a_thing_is_pinned_once(tmp_path: Path) -> None:
    data = tomllib.loads(pins_toml(tmp_path))

    with pytest.raises(UsageError, match="pinned twice"):
        Catalogue({"a": data, "b": data}, "amd64")


@pytest.mark.parametrize("key", ["versions", "things", "cold", "says"])
def test_a_missing_key_names_the_file_and_the_product(tmp_path: Path, key: str) -> None:
    data = tomllib.loads(pins_toml(tmp_path))
    del data["tools"][key]

    with pytest.raises(UsageError) as caught:
        Catalogue({"pins.toml": data}, "amd64")
    assert caught.value.where == "pins.toml [tools]"
    assert key in caught.value.what


def test_another_schema_is_refused() -> None:
    with pytest.raises(UsageError, match="schema 2"):
        Catalogue({"a": {"schema": 2}}, "amd64")


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("schema = ")

    with pytest.raises(UsageError) as caught:
        Catalogue.load(tmp_path / "bad.toml", arch="amd64")
    assert caught.value.where == str(tmp_path / "bad.toml")


def test_a_checkout_is_stamped_with_its_own_version(tmp_path: Path) -> None:
    pin = catalogue(tmp_path).of_checkout("alpha", tmp_path, version="1.2.3-4-gabc-dirty", content="c0")

    assert pin.stamp == ("example.org/tools/version.gitVersion=v1.2.3-4-gabc-dirty",)
    assert pin.download is None
    assert pin.ref == AssetRef("alpha", str(tmp_path))


def test_an_architecture_without_assets_is_not_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(NotPossible):
        detect_arch()


def test_the_file_says_where_each_checksum_comes_from() -> None:
    assert {v["published"] for p, t in tomllib.loads(PINS_FILE.read_text()).items() if p != "schema" for v in t["versions"]} == {
        "pinned",
        "beside",
        "module",
    }
