"""Rights on a cluster: what a lab needs there, and which of it the user of a kubeconfig does not have (SelfSubjectAccessReview)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.api import Api

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True)
class Right:
    """One verb on one resource; "*" is every one. In a namespace, or "" in all of them."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        named = f"{self.resource}.{self.group}" if self.group and self.group != "*" else self.resource
        return f"{self.verb} {named}{f' in {self.namespace}' if self.namespace else ''}"


EVERYTHING = Right("*", "*", "*")


def make_rights(verbs: str, resource: str, group: str = "", namespace: str = "") -> tuple[Right, ...]:
    """Return the rights of several verbs, written "get create delete"."""
    return tuple(Right(verb, resource, group, namespace) for verb in verbs.split())


def find_missing_rights(api: Api, needed: Sequence[Right]) -> list[Right]:
    """Return the rights that the user of an API does not have. One question is enough for an administrator."""
    if not needed or is_allowed(api, EVERYTHING):
        return []
    with ThreadPoolExecutor(8, thread_name_prefix="rights") as pool:
        answers = list(pool.map(lambda right: is_allowed(api, right), needed))
    return [right for right, allowed in zip(needed, answers, strict=True) if not allowed]


def is_allowed(api: Api, right: Right) -> bool:
    """Return whether the user of an API has a right. Nothing is stored by the question."""
    attributes = {"verb": right.verb, "group": right.group, "resource": right.resource, "namespace": right.namespace}
    asked = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    answer = api.request("POST", REVIEWS, body=asked).json()
    return bool(answer.get("status", {}).get("allowed"))
