"""Rules for names, addresses, registries and servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.tests.preflight_fakes import paths, problems

REGISTRIES = [
    "a..b/c",
    "r.example:99999/x",
    "https://r.example",
    "r.example/",
    "r.example/UPPER",
    "r.example//x",
    "",
    "r.example/a b",
    "/x",
]


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("karmada.example.test", True),
        ("k", True),
        ("xn--bcher-kva.example", True),
        ("10.0.0.1", False),
        ("*.example.test", False),
        ("karmada.example.test.", False),
        ("Karmada.example.test", False),
        ("a..b", False),
        ("a-.b", False),
        ("1.2.3", False),
        (f"{'a' * 64}.b", False),
        *((name, False) for name in ("https://a.b", "a.b:443", "bücher.example", "a_b.c", "", "::1", "[::1]", " a.b", "a.b\n", "a.b/c")),
    ],
)
def test_an_external_name_is_one_dns_name(name: str, *, right: bool) -> None:
    assert paths({"by_binary": {"external_name": name}}) == ([] if right else ["karmada.by_binary.external_name"])


@pytest.mark.parametrize(
    "host", ["a..b", "a.b:443", "*.", "*", "*.*.a", "1.2.3", "a-.b", "1.2.3.4.5", "fe80::1::2", "https://a", "", "ä.b"]
)
def test_hosts_that_no_certificate_can_name(host: str) -> None:
    assert paths({"certificates": {"hosts": [host]}}) == ["karmada.certificates.hosts[0]"]


def test_hosts_that_certificates_name() -> None:
    assert paths({"certificates": {"hosts": ["a.example", "*.b.example", "10.0.0.1", "fe80::1", "UPPER.example"]}}) == []


@pytest.mark.parametrize(
    "value", ["a.example:0", "a.example:70000", "a.example", ":443", "a..b:1", "::1:443", "[::1]", "[x]:1", "a.b:x", "ä:1"]
)
def test_load_balancers_that_are_no_host_and_port(value: str) -> None:
    assert paths({"load_balancer": value}) == ["karmada.load_balancer"]


@pytest.mark.parametrize("value", ["a.example:443", "A.example:1", "10.0.0.1:65535", "[fe80::1]:443"])
def test_load_balancers(value: str) -> None:
    assert paths({"load_balancer": value}) == []


@pytest.mark.parametrize("value", REGISTRIES)
def test_registries_that_no_image_can_be_in(value: str) -> None:
    assert "karmada.registry" in paths({"registry": value})


@pytest.mark.parametrize(
    "value", ["r.example", "r.example:5000", "r.example/a/b", "localhost:5000", "10.0.0.1:5000/x", "r.example/a--b__c.d"]
)
def test_registries(value: str) -> None:
    assert not [problem for problem in problems({"registry": value, "deployer": "by_chart"}) if "registry" in problem.path]


def test_servers_of_an_external_etcd(tmp_path: Path) -> None:
    servers = [
        "http://a.example:2379",
        "a.example:2379",
        "https://a.example:2379/",
        "https://a,b:1",
        "https://10.0.0.1:0",
        "https://:2379",
        "https://u@a.example:2379",
        "https://a.example:2379?x",
        "https://a.example:99999",
    ]
    external = {"servers": [*servers, "https://a.example:2379"], "ca": str(tmp_path), "cert": str(tmp_path), "key": str(tmp_path)}
    found = paths({"etcd": {"external": external}})
    assert [path for path in found if "servers" in path] == [f"karmada.etcd.external.servers[{number}]" for number in range(len(servers))]
