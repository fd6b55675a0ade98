from __future__ import annotations

import pytest
from pydantic import ValidationError

from deployers.operator.api import RULES, SecretKeyReference, cel_rules
from deployers.operator.deployment import KarmadaDeploymentSpec
from deployers.tests.operator_fakes import full_binary, full_pods, small


def test_names_are_in_camel_case_outside() -> None:
    spec = KarmadaDeploymentSpec.model_validate(full_binary())

    assert spec.deletion_policy == "Retain"
    assert spec.model_dump(exclude_none=True)["memberPolicy"]["maxConcurrent"] == 3


@pytest.mark.parametrize("document", [full_binary(), full_pods(), small()])
def test_a_spec_is_written_as_it_was_read(document: dict[str, object]) -> None:
    spec = KarmadaDeploymentSpec.model_validate(document)

    assert KarmadaDeploymentSpec.model_validate(spec.model_dump(exclude_unset=True)) == spec
    assert spec.model_dump(exclude_unset=True, mode="json") == document


def test_an_unknown_field_and_a_reference_to_another_namespace_are_refused() -> None:
    with pytest.raises(ValidationError, match="namespace"):
        SecretKeyReference.model_validate({"name": "a", "key": "b", "namespace": "kube-system"})
    with pytest.raises(ValidationError, match="replica"):
        KarmadaDeploymentSpec.model_validate({**small(), "replica": 1})


def test_rules_have_a_message_each() -> None:
    assert cel_rules(("a", "b")) == {RULES: [{"rule": "a", "message": "b"}]}
