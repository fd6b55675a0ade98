"""The status of a KarmadaDeployment: what was acted on, what runs, who works on it. Conditions follow the Kubernetes conventions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deployers.operator.api import ApiModel, list_by_name

SHOWN_MEMBERS = 100
"""Members in a status, those that are not Ready first: a status of a thousand members would not fit."""


class Condition(ApiModel):
    """One aspect of the object's state."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    """One CamelCase word, for programs."""
    message: str
    """A sentence, for people."""
    last_transition_time: str = Field(json_schema_extra={"format": "date-time"})
    """When `status` changed last."""
    observed_generation: int
    """The generation of the spec that this is about."""


class OperationProgress(ApiModel):
    """The operation that runs, or the last one that did."""

    operation: str
    """Install, Join, Unjoin, Change, Upgrade, Renew or Remove."""
    text: str
    """Passed steps of all steps: 31/49."""
    done: int
    total: int
    failed: int = 0
    current: tuple[str, ...] = ()
    """Steps that run now, at most eight."""
    since: str = Field(json_schema_extra={"format": "date-time"})


class MemberState(ApiModel):
    """One member that is not Ready, or the first of those that are."""

    name: str
    state: Literal["Joining", "Ready", "NotReady", "Leaving", "Failed"]
    reason: str | None = None
    message: str | None = None


class MemberCounts(ApiModel):
    """How many members are wanted, registered and Ready."""

    text: str
    """Ready members of wanted ones: 2/3."""
    desired: int
    joined: int
    ready: int


class ComponentCounts(ApiModel):
    """How many programs or workloads are wanted, and how many run."""

    desired: int
    ready: int


class UpgradeState(ApiModel):
    """A release that takes the place of another one."""

    before: str
    wanted: str
    done: tuple[str, ...] = ()
    next: str = ""


class KarmadaDeploymentStatus(ApiModel):
    """What the operator observed and did."""

    observed_generation: int | None = None
    """The generation of the spec that was acted on last."""
    lab: str | None = None
    """The name of the lab that this Karmada is in the operator's state directory: `lab status --lab NAME` shows it there."""
    plane: str | None = None
    """The fingerprint of Karmada's certificate authority. Backups name it."""
    release: str | None = None
    """The release that runs."""
    kubernetes_version: str | None = None
    """The Kubernetes version of its API server."""
    endpoint: str | None = None
    """The URL of karmada-apiserver for users."""
    kubeconfig_secret_ref: dict[str, str] | None = None
    """The Secret with the administrator's kubeconfig, in the key `kubeconfig`."""
    progress: OperationProgress | None = None
    upgrade: UpgradeState | None = None
    components: ComponentCounts | None = None
    members: MemberCounts | None = None
    member_statuses: tuple[MemberState, ...] = list_by_name("Members, those that are not Ready first.", most=SHOWN_MEMBERS)
    certificates_expire: str | None = Field(default=None, json_schema_extra={"format": "date-time"})
    """When the first certificate ends."""
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
