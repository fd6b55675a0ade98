"""kubectl for Karmada's namespace of the host cluster, for what only it does: commands in a pod."""

from __future__ import annotations

from deployers.karmada import Karmada
from deployers.names import NAMESPACE
from lab.assets import AssetRef


def kubectl_args(karmada: Karmada) -> tuple[str, ...]:
    """Return the program and its arguments before the verb; it is brought now if it is not here."""
    host, ref = karmada.lab.host, AssetRef("kubectl", karmada.lab.spec.kubernetes)
    program = str(karmada.supply.resolve([ref])[ref])
    return (program, "--kubeconfig", str(host.kubeconfig), "--context", host.context, "--namespace", NAMESPACE)
