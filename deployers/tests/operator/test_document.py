from __future__ import annotations

from pathlib import Path

import pytest

from deployers.operator.document import SecretFiles, list_references, make_component, make_document
from deployers.spec import KarmadaSpec
from deployers.tests.operator_fakes import full_binary, full_pods, parse_spec, small
from lab.spec import LabSpec

FILES = SecretFiles(Path("/secrets"))


@pytest.mark.parametrize("example", [full_binary(), full_pods(), small()])
def test_the_document_is_a_valid_lab_file(example: dict[str, object]) -> None:
    document = make_document(parse_spec(example), FILES)

    assert KarmadaSpec.model_validate(document.pop("karmada")).release in {"1.17.2", "1.18.2"}
    assert LabSpec.model_validate(document).provider == "existing"


def test_references_name_the_field_the_secret_and_its_keys() -> None:
    found = {path: (secret.name, keys) for path, secret, keys in list_references(parse_spec(full_binary()))}

    assert found["spec.etcd.external.tlsSecretRef"] == ("etcd", ("ca.crt", "tls.crt", "tls.key"))
    assert found["spec.members[0].kubeconfigSecretRef"] == ("member1", ("kubeconfig",))
    assert found["spec.install.binary.machines[0].keySecretRef"] == ("ssh", ("ssh-privatekey",))
    assert len(found) == 5


def test_members_have_the_files_of_their_secrets() -> None:
    document = make_document(parse_spec(full_binary()), FILES)

    assert document["members"] == [{"name": "member1", "mode": "pull", "kubeconfig": "/secrets/member1/kubeconfig"}]
    assert document["karmada"]["members"] == [{"name": "member1", "mode": "pull"}]


def test_a_flag_that_is_given_twice_has_both_values() -> None:
    (component,) = parse_spec(full_binary()).components

    assert make_component(component)["flags"] == {"kube-api-qps": "100", "plugins": ["a", "b"]}


def test_what_the_spec_leaves_out_is_left_to_the_defaults() -> None:
    document = make_document(parse_spec(small()), FILES)

    assert "kubernetes" not in document["karmada"]
    assert "host" not in document
    assert KarmadaSpec.model_validate(document["karmada"]) == KarmadaSpec()
