"""`lab kubeconfig`: where it is, or what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from lab.cli.options import DEFAULT_LAB, ClusterArgument, LabName, option
from lab.errors import UsageError
from lab.hints import command
from lab.run import Run

Content = Annotated[bool, option("--print", help="Print its content instead of its path.")]


def kubeconfig(cluster: ClusterArgument = None, lab: LabName = DEFAULT_LAB, print_: Content = False) -> None:
    """Print the path of a lab's kubeconfig.

    Of one cluster, or the one that has a context for each.
    """
    path = find_kubeconfig(Run.load(lab), cluster)
    print(path.read_text() if print_ else path)


def find_kubeconfig(run: Run, cluster: str | None) -> Path:
    """Return the kubeconfig of a cluster, or the merged one. UsageError lists what there is."""
    if cluster is None:
        path = run.path / "kubeconfig.yaml"
        if not path.exists():
            raise UsageError(f"lab {run.id} has no kubeconfig yet", where=str(run.path), remedy=command("up", lab=run.id))
        return path
    known = {found.stem: found for found in sorted((run.path / "kubeconfig").glob("*.yaml"))}
    aliases = {"karmada-host": "host", "karmada-apiserver": "karmada"}  # the contexts that upstream's tests expect
    for name in (cluster, aliases.get(cluster, "")):
        if name in known:
            return known[name]
    raise UsageError(f"lab {run.id} has no cluster {cluster!r}", remedy=f"one of: {', '.join(known) or 'none yet'}")
