"""Karmada's service accounts on a member, created before it is joined.

karmadactl join, and a karmada-agent when it starts, make two service accounts with a token secret each and look for the
token once a second, never at once (karmada pkg/util/serviceaccount.go, WaitForServiceAccountSecretCreation): the first
look makes the secret, the second finds the token, so joining takes 4 s of waiting. Existing accounts and
secrets are reused, and joining takes 2 s. Names and labels here are those of upstream; the accounts can be created while the control
plane is still starting.
"""

from __future__ import annotations

from deployers.members.registry import LABELS
from deployers.members.terminating import wait_terminated
from deployers.names import CLUSTER_NAMESPACE
from lab.api import Api, Json, Refused


def accounts(name: str) -> list[Json]:
    """Return the namespace, accounts and token secrets that a member registered as `name` gets."""
    manifests: list[Json] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": CLUSTER_NAMESPACE, "labels": LABELS}}]
    for account in ("karmada-impersonator", f"karmada-{name}"):
        place = {"name": account, "namespace": CLUSTER_NAMESPACE}
        manifests += [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**place, "labels": LABELS}},
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "kubernetes.io/service-account-token",
                "metadata": {**place, "annotations": {"kubernetes.io/service-account.name": account}},
            },
        ]
    return manifests


def ensure_accounts(api: Api, name: str) -> None:
    """Create the missing `accounts` on a member; do not wait for the tokens.

    Wait for a terminating namespace, as there is just after `unjoin`.
    """
    wait_terminated(api, CLUSTER_NAMESPACE, on=name)
    for manifest in accounts(name):
        try:
            api.create(manifest)
        except Refused as refused:
            if refused.status != 409:
                raise
