"""The real chart and the real helm, for tests that render it; both come from the cache, where `up` put them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers.by_chart import deployer
from deployers.karmada import Karmada
from deployers.pods import helm as charts
from deployers.pods.helm import Helm
from deployers.release import catalogue
from lab.assets import AssetRef, Supply
from lab.errors import LabError

Json = dict[str, Any]
HELM, CHARTS = "helm", "karmada-charts@1.18.2"


@dataclass(frozen=True)
class Renderer:
    """Renders upstream's chart as helm would install it."""

    helm: Helm
    chart: Path
    folder: Path

    def __call__(self, values: Json, *, name: str = "karmada") -> list[Json]:
        """Return the objects of a release, hooks included. CommandFailed when the chart does not take the values."""
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(values))
        said = self.helm("template", name, str(self.chart), "--namespace", "karmada-system", "--values", str(file)).stdout
        return [document for document in yaml.safe_load_all(said) if document]


def renderer(karmada: Karmada, folder: Path) -> Renderer:
    """Return one, with the stand-in for the library chart. The test is skipped, and says so, where helm or the chart was never brought."""
    try:
        software = {str(ref): path for ref, path in Supply(offline=True, catalogue=catalogue()).resolve([HELM, CHARTS]).items()}
    except LabError as lacking:
        pytest.skip(f"needs helm and the chart in the cache: {lacking.what}")
    by_ref = {AssetRef.parse(name).name: path for name, path in software.items()}
    helm = Helm(by_ref["helm"], karmada.machine, folder / "helm")
    made = charts.complete(by_ref["karmada-charts"] / "karmada", helm, karmada.run, offline=True)
    return Renderer(helm, made, folder)


def containers(objects: Iterable[Json]) -> list[Json]:
    """Return every container of pods, those of init containers too."""
    specs = [each["spec"]["template"]["spec"] for each in objects if each["kind"] in {"Deployment", "StatefulSet", "Job"}]
    return [container for spec in specs for key in ("initContainers", "containers") for container in spec.get(key, [])]


def command(objects: Iterable[Json], name: str) -> list[str]:
    """Return the command of a Deployment's first container."""
    found = next(each for each in objects if each["kind"] == "Deployment" and each["metadata"]["name"] == name)
    return list(found["spec"]["template"]["spec"]["containers"][0]["command"])


def host_values(karmada: Karmada, chart: Path) -> Json:
    """Return the values of host mode, as they are installed."""
    from deployers.by_chart import certificates as chart_certificates
    from deployers.by_chart import values as chart_values

    system = chart_values.host_values(karmada.spec, deployer.uses(karmada), node_port=32443, system="karmada-system")
    known = chart_values.default_values(chart)
    certificates = chart_certificates.values(karmada.spec, known, ["10.0.0.2"], karmada.run.folder("pki", "karmada"))
    return chart_values.merge(system, certificates)
