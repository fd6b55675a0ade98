"""What every kind of the API is made of: models in camelCase, references to Secrets of the same namespace, rules, lists by name."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

GROUP, VERSION = "deploy.karmada-lab.dev", "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
RULES = "x-kubernetes-validations"

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", max_length=253)]
"""The name of an object of Kubernetes."""
SecretKey = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
Duration = Annotated[str, StringConstraints(pattern=r"^([0-9]+(h|m|s))+$", max_length=32)]
"""A duration as Kubernetes writes it: 720h, 1h30m."""
Text = Annotated[str, StringConstraints(max_length=1024)]


class ApiModel(BaseModel):
    """A part of an object: camelCase outside, frozen, with its docstrings as descriptions. Fields that it does not know are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
    )


def cel_rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Return the schema extension of CEL rules: pairs of a rule and the message for who breaks it."""
    return {RULES: [{"rule": rule, "message": message} for rule, message in pairs]}


def list_by_name(description: str, *, most: int) -> Any:
    """Return the field of a list with one entry a name, of which each entry has its own managers (server-side apply)."""
    return Field(
        default=(),
        max_length=most,
        description=description,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )


class SecretReference(ApiModel):
    """A Secret of the object's namespace."""

    name: ObjectName
    """The name of the Secret."""


class SecretKeyReference(SecretReference):
    """One value of a Secret of the object's namespace."""

    key: SecretKey = "kubeconfig"
    """The key in the Secret's data."""
