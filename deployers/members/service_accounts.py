"""Karmada's accounts on a member, made ahead of whoever joins it.

karmadactl join, and a karmada-agent when it starts, make two service accounts with a token secret each and look for the
token once a second, never at once (karmada pkg/util/serviceaccount.go, WaitForServiceAccountSecretCreation): the first
look makes the secret, the second finds the token, so joining takes 4 s of waiting. Where accounts and secrets are there
already they are taken as they are, and it takes 2 s. What is made here is what upstream makes, to the name and label;
it may be made while the control plane is still starting.
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
    """Make on a member what is missing of `accounts`; what is there is left alone. It does not wait for the tokens.

    A namespace that is still being deleted, as just after `unjoin`, is waited for.
    """
    wait_terminated(api, CLUSTER_NAMESPACE, on=name)
    for manifest in accounts(name):
        try:
            api.create(manifest)
        except Refused as refused:
            if refused.status != 409:
                raise
