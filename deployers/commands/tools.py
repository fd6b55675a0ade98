"""The environment of a lab: its kubeconfig, and a directory with kubectl and karmadactl of its versions."""

from __future__ import annotations

import os
from pathlib import Path

from deployers.release import open_supply
from lab.assets import AssetRef
from lab.environment import extend_no_proxy
from lab.errors import UsageError
from lab.hints import command
from lab.kubeconfig import list_hosts
from lab.run import Run

CLIENTS = ("kubectl", "karmadactl", "etcdctl", "etcdutl")


def environment(run: Run) -> dict[str, str]:
    """Return what `lab env` exports and `lab exec` runs with. UsageError when the lab has no kubeconfig yet."""
    kubeconfig = run.path / "kubeconfig.yaml"
    if not kubeconfig.exists():
        raise UsageError(f"lab {run.id} has no kubeconfig yet", where=str(run.path), remedy=command("up", lab=run.id))
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    programs = str(clients(run))
    return {
        "KUBECONFIG": str(kubeconfig),
        "PATH": os.pathsep.join([programs, *(part for part in path if part != programs)]),
        "KUBECACHEDIR": str(run.path / "scratch" / "kube"),  # or kubectl writes into ~/.kube
        "KARMADA_LAB": run.id,
        "KARMADA_LAB_RUNS": str(run.path.parent),  # so that `lab` means this lab from any directory
        **extend_no_proxy(("localhost", "127.0.0.1", "::1", *list_hosts(kubeconfig)), os.environ),
    }


def clients(run: Run) -> Path:
    """Return the directory of the lab's client programs (links into the cache); create it when it does not exist."""
    folder = run.path / "bin"
    if (folder / "kubectl").exists():  # follows the link: after a prune of the cache the links are made again
        return folder

    lab, karmada = run.asked["lab"], run.asked.get("karmada")
    wanted = {"kubectl": lab["kubernetes"], **({"karmadactl": karmada["release"]} if karmada else {})}
    found = open_supply(run).resolve(AssetRef.parse(f"{name}@{version}") for name, version in wanted.items())
    link(run, {ref.name: path for ref, path in found.items()})
    return folder


def link(run: Run, programs: dict[str, Path]) -> None:
    """Link the client programs into the run's `bin`, replacing older links."""
    folder = run.folder("bin")
    for name, path in programs.items():
        if name in CLIENTS:
            new = folder / f".{name}.new"
            new.unlink(missing_ok=True)
            new.symlink_to(path)
            new.replace(folder / name)
