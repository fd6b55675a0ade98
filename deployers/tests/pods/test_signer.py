"""kube-controller-manager signs with files of its own while two authorities are trusted, and with the former ones after."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.pods.issued import TrustedAuthority
from deployers.pods.signer import APART, delete_signer_files, put_signer_back, replace_signer, set_signer_apart
from deployers.tests.host_fakes import SYSTEM
from deployers.tests.pod_keys_fakes import argv_of, chart_host, values_of
from lab.errors import NotPossible
from lab.pki import Authority

NAME = "kube-controller-manager"


def test_there_and_back_twice(tmp_path: Path) -> None:
    host = chart_host(tmp_path / "keys")
    before, argv = values_of(host, "karmada-cert"), argv_of(host, NAME)
    for _ in range(2):
        set_signer_apart(host.api())
        set_signer_apart(host.api())
        assert values_of(host, "karmada-cert") == {
            **before,
            "signing.crt": before["server-ca.crt"],
            "signing.key": before["server-ca.key"],
        }
        assert {"--cluster-signing-cert-file=/pki/signing.crt", "--cluster-signing-key-file=/pki/signing.key"} <= set(argv_of(host, NAME))
        put_signer_back(host.api())
        put_signer_back(host.api())
        delete_signer_files(host.api())
        assert argv_of(host, NAME) == argv
        assert not APART & values_of(host, "karmada-cert").keys()


def test_a_successor_signs(tmp_path: Path) -> None:
    host = chart_host(tmp_path / "keys")
    made = Authority.ensure(tmp_path / "new", "ca", common_name="karmada-2")
    set_signer_apart(host.api())
    replace_signer(host.api(), TrustedAuthority("ca", made.certificate, made.key_file.read_bytes()))
    assert values_of(host, "karmada-cert")["signing.crt"] == made.cert.read_bytes()
    assert values_of(host, "karmada-cert")["signing.key"] == made.key_file.read_bytes()


def test_a_secret_that_is_mounted_in_parts_is_refused(tmp_path: Path) -> None:
    host = chart_host(tmp_path / "keys")
    for item in host.lists[f"/apis/apps/v1/namespaces/{SYSTEM}/deployments"]:
        item["spec"]["template"]["spec"]["volumes"][0]["secret"]["items"] = [{"key": "server-ca.crt", "path": "server-ca.crt"}]
    with pytest.raises(NotPossible, match="parts"):
        set_signer_apart(host.api())
    assert host.patched_paths == []
