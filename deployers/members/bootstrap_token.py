"""Bootstrap tokens: the credential with which `karmadactl register` asks for a certificate."""

from __future__ import annotations

import shlex

from deployers.members.karmadactl import karmadactl, to_karmada
from deployers.members.registry import RunningKarmada
from lab.errors import CommandFailed, ProvisionError

CLUSTER_INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
SIGNED_WITHIN = 30.0


def create_bootstrap_token(karmada: RunningKarmada) -> tuple[str, list[str]]:
    """Create a bootstrap token that is valid for 15 minutes; return its id and the arguments of the register command that upstream prints.

    Wait until the token is signed in cluster-info: register would poll only every 5 s. Raise NotReady when it is not signed in time.
    """
    try:
        printed = karmadactl(karmada, "token", "create", "--print-register-command", "--ttl=15m", *to_karmada(karmada)).stdout
    except CommandFailed as failed:
        raise ProvisionError(
            "karmadactl token create failed", where=failed.command, detail=failed.output or None, remedy="does karmada-apiserver answer?"
        ) from failed
    args = shlex.split(printed)
    args = args[args.index("register") :]
    token = args[args.index("--token") + 1].partition(".")[0]
    karmada.cluster.api.until(
        CLUSTER_INFO,
        lambda found: None if f"jws-kubeconfig-{token}" in found.get("data", {}) else f"no signature of token {token}",
        what="the bootstrap token is signed in kube-public/cluster-info",
        within=SIGNED_WITHIN,
        remedy="register needs Karmada's bootstrap-token configuration, and bootstrapsigner in its kube-controller-manager",
    )
    return token, args
