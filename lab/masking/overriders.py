"""Where Karmada's own objects carry a part of a Secret: overriders, patches, statuses, and the objects that audit logs quote.

A policy's rules stand in the policy, in kubectl's last-applied annotation, and in two annotations of every Work. The policy's selectors and
the Work's manifests name the objects that they change. Without either, the object may be a Secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]
DATA = frozenset({"data", "stringData"})


def targets_secret(value: Json) -> bool | None:
    """Tell whether what a policy, Work or binding is about may be a Secret; None for every other object."""
    spec = value.get("spec")
    if not isinstance(spec, Mapping):
        return None
    if "overrideRules" in spec or "overriders" in spec:
        return may_be_secret(spec.get("resourceSelectors"))
    if isinstance(workload := spec.get("workload"), Mapping) and "manifests" in workload:
        return may_be_secret(workload["manifests"])
    if isinstance(resource := spec.get("resource"), Mapping) and "kind" in resource:
        return may_be_secret([resource])
    return None


def may_be_secret(items: Any) -> bool:
    """Tell whether one of these may be a Secret, by its kind. No items are all kinds."""
    if not isinstance(items, Iterable) or isinstance(items, str | Mapping) or not (listed := list(items)):
        return True
    return any(not isinstance(item, Mapping) or item.get("kind") in {"Secret", "SecretList", "List", "*", "", None} for item in listed)


def changes_data(value: Json) -> bool:
    """Tell whether an operation of a patch or a plaintext overrider is on a Secret's data, if it is on a Secret."""
    return ("op" in value or "operator" in value) and is_in_data(value.get("path"))


def is_in_data(path: Any) -> bool:
    """Tell whether a JSON pointer points to a Secret's data, or to something in it."""
    return isinstance(path, str) and path.strip().strip("/").partition("/")[0].partition("~1")[0] in DATA


def replaces_all(value: Json) -> bool:
    """Tell whether an operation puts something in the place of a whole object."""
    return ("op" in value or "operator" in value) and str(value.get("path", "-")).strip() in {"", "/"}


def is_about_secrets(value: Json) -> bool:
    """Tell whether an audit event is about Secrets: the objects that it quotes need not say their kind."""
    return isinstance(ref := value.get("objectRef"), Mapping) and ref.get("resource") == "secrets"


def is_status_of_secret(value: Json) -> bool:
    """Tell whether this is the status of a Secret's manifest in a Work: an interpreter may have put anything into it."""
    return isinstance(of := value.get("identifier"), Mapping) and of.get("kind") == "Secret"
