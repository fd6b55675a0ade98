"""`lab operator`: Karmadas that objects of a cluster describe."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deployers.operator.control import Operator
from deployers.operator.crds import make_crds
from deployers.operator.install import install, uninstall
from deployers.operator.webhook import Webhook
from lab.api import Api
from lab.cli.options import Output, option, take_options
from lab.count import count
from lab.errors import NotPossible, UsageError
from lab.limits.account import expand_home
from lab.rules.syntax import address_error, port_error
from lab.terminal.text import say
from lab.yaml_text import dump_yaml

app = typer.Typer(help="Run Karmadas that objects of a cluster describe.", no_args_is_help=True, rich_markup_mode=None)
CrdOutput = Annotated[Output, option("--output", "-o", help="text: YAML for `kubectl apply --server-side -f -`; json: a List.")]
KubeconfigOption = Annotated[Path, option("--kubeconfig", help="Of the cluster with the objects.", metavar="FILE")]
ContextOption = Annotated[str, option("--context", help="Of that kubeconfig. Default: its current context.", metavar="NAME")]
NamespaceOption = Annotated[
    list[str] | None, option("--namespace", "-n", help="Act on objects of this namespace only; may be repeated. Default: all.")
]
WorkersOption = Annotated[int, option("--workers", help="Operations that run at once.", min=1, max=64)]
LeaseOption = Annotated[str, option("--lease-namespace", help="Where the Lease is by which one operator leads.", metavar="NAMESPACE")]
WebhookOption = Annotated[
    str,
    option("--webhook", help="Refuse wrong objects at once: serve admission reviews at this address, where the API server reaches it."),
]
WithWebhookOption = Annotated[bool, option("--with-webhook", help="Give the right to register the webhook, too.")]


@dataclass(frozen=True, kw_only=True)
class OperatorRequest:
    """The options of `lab operator run`."""

    kubeconfig: KubeconfigOption
    context: ContextOption = ""
    namespace: NamespaceOption = None
    workers: WorkersOption = 2
    lease_namespace: LeaseOption = "kube-system"
    webhook: WebhookOption = ""


@app.callback()
def group() -> None:
    """Run Karmadas that objects of a cluster describe."""


@app.command()
def crds(output: CrdOutput = Output.text) -> None:
    """Print the CustomResourceDefinitions of the operator.

    Example: lab operator crds | kubectl apply --server-side -f -
    """
    made = make_crds()
    if output is Output.json:
        print(json.dumps({"apiVersion": "v1", "kind": "List", "items": made}, indent=1))
    else:
        print("---\n".join(dump_yaml(each) for each in made), end="")


@app.command()
@take_options(OperatorRequest)
def run(asked: OperatorRequest) -> None:
    """Run the operator against a cluster, until interrupted.

    It brings Karmadas to what objects of the cluster say.

    Labs and keys are below _runs ($KARMADA_LAB_RUNS). Several may run against one cluster: one leads, the others wait.
    Interrupted, it ends operations at their next border; Karmadas run on.
    """
    api = Api.open(expand_home(asked.kubeconfig), context=asked.context or None)
    webhook = open_webhook(asked.webhook) if asked.webhook else None
    Operator(api, asked.lease_namespace, tuple(asked.namespace or ()), asked.workers, webhook).run()


def open_webhook(text: str) -> Webhook:
    """Return the webhook of `HOST:PORT`, listening. UsageError for what is no address, NotPossible where it is in use."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if why := address_error(host) or port_error(port):
        raise UsageError(f"--webhook {text!r} is not an address: {why}", remedy="write it as 10.0.0.5:9443")
    try:
        return Webhook(host, int(port))
    except OSError as error:
        raise NotPossible(f"listening for reviews failed: {error.strerror}", where=text, remedy="give another port") from error


@dataclass(frozen=True, kw_only=True)
class ClusterRequest:
    """The cluster that a command acts on."""

    kubeconfig: KubeconfigOption
    context: ContextOption = ""

    def open(self) -> Api:
        """Return its API."""
        return Api.open(expand_home(self.kubeconfig), context=self.context or None)


@dataclass(frozen=True, kw_only=True)
class InstallRequest(ClusterRequest):
    """The options of `lab operator install`."""

    with_webhook: WithWebhookOption = False


@app.command("install")
@take_options(InstallRequest)
def install_operator(asked: InstallRequest) -> None:
    """Install the operator's definitions and rights.

    The operator itself is `lab operator run` with a kubeconfig of that account, in the namespace karmada-lab-operator.
    """
    for name in install(asked.open(), webhook=asked.with_webhook):
        say(f"applied {name}")


@app.command("uninstall")
@take_options(ClusterRequest)
def uninstall_operator(asked: ClusterRequest) -> None:
    """Remove the operator's definitions and rights.

    Refused while an object of the operator is left in the cluster.
    """
    say(f"removed {count(len(uninstall(asked.open())), 'object')}")
