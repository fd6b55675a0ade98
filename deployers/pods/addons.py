"""`karmadactl addons enable`, for a Karmada in pods."""

from __future__ import annotations

from deployers.karmada import Karmada
from deployers.members.karmadactl import karmadactl
from deployers.pods import workloads
from lab.errors import CommandFailed, ProvisionError


def enable_addon(karmada: Karmada, *args: str) -> None:
    """Run `karmadactl addons enable`. ProvisionError has its output and the state of the pods."""
    host = karmada.lab.host
    try:
        karmadactl(
            karmada,
            *("addons", "enable", *args, f"--kubeconfig={host.kubeconfig}", f"--context={host.context}"),
            *(f"--karmada-kubeconfig={karmada.kubeconfig}", f"--karmada-context={karmada.cluster.context}"),
            within=300.0,
        )
    except CommandFailed as failed:
        raise ProvisionError(
            f"karmadactl addons enable {args[0]} failed",
            where=failed.command,
            detail="\n".join([*workloads.why(host.api), failed.output]),
            remedy="run the command by hand with --v=4",
        ) from failed
