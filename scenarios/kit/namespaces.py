"""A namespace for one test: created on the control plane, propagated to the members by Karmada."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes.client import ApiException, CoreV1Api, V1Namespace, V1ObjectMeta

from deployers.karmada import Karmada
from deployers.members.registry import list_members
from scenarios.kit.waiting import watch


@contextmanager
def make_namespace(karmada: Karmada, name: str, *, within: float = 60.0) -> Iterator[str]:
    """Create a namespace and wait until every Ready member has it; delete it at the end without waiting."""
    core = CoreV1Api(karmada.client())
    core.create_namespace(V1Namespace(metadata=V1ObjectMeta(name=name)))
    try:
        known = list_members(karmada)
        for member in karmada.members:
            if member.name in known and known[member.name].ready:
                watch(
                    CoreV1Api(member.client()).list_namespace,
                    name=name,
                    holds=lambda found: None if found.status.phase == "Active" else f"it is {found.status.phase}",
                    what=f"namespace {name} is on {member.name}",
                    within=within,
                )
        yield name
    finally:
        try:
            core.delete_namespace(name)
        except ApiException as error:
            if error.status != 404:
                raise
