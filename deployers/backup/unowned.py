"""Objects on members that Karmada propagated and that it no longer owns after a restore."""

from __future__ import annotations

from collections.abc import Sequence

from deployers.karmada import Karmada
from deployers.members.leftovers import MANAGED
from lab.cluster import Cluster
from lab.evidence import list_listable

WORKS = "/apis/work.karmada.io/v1alpha1/namespaces"


def list_unowned(karmada: Karmada, clusters: Sequence[Cluster]) -> dict[str, list[str]]:
    """Return what Karmada once brought to these members and owns no more, as kind and name, by member.

    Every object there that bears Karmada's label and names a Work that is not there.
    """

    def strangers(member: Cluster) -> list[str]:
        works = {item["metadata"]["name"] for item in karmada.api.items(f"{WORKS}/karmada-es-{member.name}/works")}
        found = []
        for _, root, resource in list_listable(member.api):
            for item in member.api.items(f"{root}/{resource}", labelSelector=MANAGED):
                metadata = item["metadata"]
                if metadata.get("annotations", {}).get("work.karmada.io/name") not in works and not metadata.get("ownerReferences"):
                    found.append(f"{resource} {'/'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}")
        return sorted(found)

    return {member.name: strangers(member) for member in clusters}
