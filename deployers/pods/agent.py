"""karmada-agent of a pull member where pods run: the Deployment that `karmadactl register` makes, brought to another release."""

from __future__ import annotations

from deployers.karmada import Karmada
from deployers.members.registry import READY_WITHIN, wait_member_ready
from deployers.names import NAMESPACE
from deployers.pods.images import agent_image
from deployers.pods.workloads import wait_serving

AGENT = "karmada-agent"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{AGENT}"


def replace_agents(karmada: Karmada) -> None:
    """Replace the agent of every pull member by the release of `karmada`, in sequence; each is Ready again on return."""
    image = agent_image(karmada.spec, karmada.release)
    for member in (karmada.lab.member(each.name) for each in karmada.spec.members if each.mode == "pull"):
        there = member.api.get(DEPLOYMENT)["spec"]["template"]["spec"]["containers"]
        containers = [{**each, "image": image} if each["name"] == AGENT else each for each in there]
        member.api.patch(DEPLOYMENT, {"spec": {"template": {"spec": {"containers": containers}}}})
        wait_serving(member.api, [AGENT], only=True, within=READY_WITHIN, namespace=NAMESPACE)
        wait_member_ready(karmada, member.name)
