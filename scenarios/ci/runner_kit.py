"""Render the kit of .github/runner-kit as its installer does, and provide the CRDs that it needs.

ARC's chart and CRDs come through `lab.assets`, or from a checkout that $KARMADA_LAB_ARC names. KubeVirt has no CRD files: its operator
generates them from the schemas in its module, and so does `kubevirt_crd`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from deployers.release import make_supply
from lab.machines.machine import Machine
from lab.yaml_text import dump_yaml
from scenarios.ci.lint.tools import GITHUB

Json = dict[str, Any]
KIT = GITHUB / "runner-kit"
NAMESPACE = "karmada-lab-runners"
SIZES = ("embedded", "kind", "libvirt", "perf")
ARC = "KARMADA_LAB_ARC"


def read_values() -> Json:
    """Return the kit's own values."""
    loaded: Json = yaml.safe_load((KIT / "values.yaml").read_text())
    return loaded


def read_namespace() -> Json:
    """Return the namespace that the kit is installed into."""
    loaded: Json = yaml.safe_load((KIT / "namespace.yaml").read_text())
    return loaded


def arc_charts() -> Path:
    """Return the folder of ARC's charts and CRDs. NotPossible when they cannot be fetched here."""
    if checkout := os.environ.get(ARC):
        return Path(checkout) / "charts"
    return next(iter(make_supply().resolve(["runner-scale-set-charts"]).values()))


def arc_crds(charts: Path) -> list[Json]:
    """Return ARC's CRDs."""
    folder = charts / "gha-runner-scale-set-controller" / "crds"
    return [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))]


def kubevirt_crd() -> Json:
    """Return the CRD of virtual machine instances with the schema that KubeVirt's operator sets."""
    folder = next(iter(make_supply().resolve(["kubevirt-schemas"]).values()))
    text = (folder / "validations_generated.go").read_text()
    found = re.search(r'^\t"virtualmachineinstance": `(.*?)`,$', text, re.M | re.S)
    assert found, "KubeVirt's schemas have changed their form in this version"
    schema = yaml.safe_load(found[1])
    versions = [{"name": name, "served": True, "storage": name == "v1", "schema": schema} for name in ("v1", "v1alpha3")]
    names = {"plural": "virtualmachineinstances", "singular": "virtualmachineinstance", "kind": "VirtualMachineInstance"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "virtualmachineinstances.kubevirt.io"},
        "spec": {"group": "kubevirt.io", "scope": "Namespaced", "versions": versions, "names": names},
    }


def render(machine: Machine, folder: Path, *, charts: Path | None, kubernetes: str) -> list[Json]:
    """Return the kit's objects, rendered by helm in `folder` for a cluster of that version; without ARC's charts the kit's own ones."""
    chart = folder / "kit"
    shutil.copytree(KIT, chart)
    if charts:
        shutil.copytree(charts / "gha-runner-scale-set", chart / "charts" / "gha-runner-scale-set")
    else:
        document = yaml.safe_load((chart / "Chart.yaml").read_text())
        (chart / "Chart.yaml").write_text(dump_yaml({**document, "dependencies": []}))
    helm = next(iter(make_supply().resolve(["helm"]).values()))
    urls = [word for size in SIZES for word in ("--set", f"{size}.githubConfigUrl=https://github.com/example/karmada-lab")]
    args = ["--namespace", NAMESPACE, "--kube-version", kubernetes, *urls]  # without it helm assumes 1.20
    done = machine.run([str(helm), "template", "kit", str(chart), *args], within=60.0)
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def find_object(objects: Sequence[Json], kind: str, name: str) -> Json:
    """Return the one object of that kind and name."""
    return next(item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name)
