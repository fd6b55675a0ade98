"""What a KarmadaSpec is in the values of upstream's chart, and what the chart has no value for.

Each component has its place in the values, a few flags that have a value of their own, and rarely more. Nothing here touches a file, a
cluster or a process except `given` and `known`, which read files.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deployers.deployer import ImageUse
from deployers.plane.flags import GATES, effective_flags, extra_args, gates_of
from deployers.spec import KarmadaSpec, profiles
from lab.errors import UsageError

Json = dict[str, Any]
VERBOSITY = {"v": "logVerbosity"}


@dataclass(frozen=True)
class ChartPart:
    """Where the chart has the values of a component.

    `flags` are those with a value of their own, below `at`; `gates` whether there is a map of feature gates; `others` the map
    that takes every other flag, "" when there is none.
    """

    at: str
    flags: Mapping[str, str] = field(default_factory=lambda: VERBOSITY)
    gates: bool = False
    others: str = ""
    image: str = "image"
    replicas: str = "replicaCount"


OIDC = {
    f"oidc-{flag}": f"oidc.{key}"
    for flag, key in {
        "ca-file": "caFile",
        "client-id": "clientId",
        "groups-claim": "groupsClaim",
        "groups-prefix": "groupsPrefix",
        "issuer-url": "issuerUrl",
        "required-claim": "requiredClaim",
        "signing-algs": "signingAlgs",
        "username-claim": "usernameClaim",
        "username-prefix": "usernamePrefix",
    }.items()
}
INFLIGHT = {"max-requests-inflight": "maxRequestsInflight", "max-mutating-requests-inflight": "maxMutatingRequestsInflight"}
RANGE = {"service-cluster-ip-range": "serviceClusterIPRange"}
PARTS: Mapping[str, ChartPart] = {
    "etcd": ChartPart("etcd", {"log-level": "internal.logLevel"}, image="internal.image", replicas="internal.replicaCount"),
    "karmada-apiserver": ChartPart("apiServer", {**VERBOSITY, **INFLIGHT, **RANGE, **OIDC}),
    "kube-controller-manager": ChartPart(
        "kubeControllerManager", {**VERBOSITY, **RANGE, "controllers": "controllers", "cluster-cidr": "clusterCIDR"}
    ),
    "karmada-aggregated-apiserver": ChartPart("aggregatedApiServer"),
    "karmada-webhook": ChartPart("webhook", gates=True),
    "karmada-controller-manager": ChartPart(
        "controllerManager", {**VERBOSITY, "controllers": "controllers"}, gates=True, others="extraCommandArgs"
    ),
    "karmada-scheduler": ChartPart("scheduler", {**VERBOSITY, "enable-scheduler-estimator": "enableSchedulerEstimator"}, gates=True),
    "karmada-descheduler": ChartPart("descheduler"),
    "karmada-search": ChartPart("search"),
    "karmada-metrics-adapter": ChartPart("metricsAdapter"),
    "karmada-scheduler-estimator": ChartPart("schedulerEstimator", gates=True),
    "cfssl": ChartPart("cfssl", {}, replicas=""),
    "kubectl": ChartPart("kubectl", {}, replicas=""),
    "karmada-agent": ChartPart("agent"),
}
"""By component; the last three have no component of a spec."""
FREE = frozenset(
    {
        *("labels", "podLabels", "podAnnotations", "serviceAnnotations", "commonLabels", "nodeSelector", "affinity", "strategy"),
        *("resources", "podDisruptionBudget", "featureGates", "extraCommandArgs", "common"),
    }
)
"""Values that are maps of whatever one likes."""


def wanted_gates(component: str, spec: KarmadaSpec) -> dict[str, bool]:
    """Return the feature gates that a spec wants of a component, the profile's among them."""
    return {name: value == "true" for name, value in gates_of(extra_args(spec, component).get(GATES, "")).items()}


def unsupported_flags(spec: KarmadaSpec) -> list[str]:
    """Return a sentence for each flag and feature gate of a spec that the chart has no value for."""
    refused = []
    for component, part in PARTS.items():
        if not spec.has(component) or component not in {*spec.components, *profiles()[spec.profile]}:
            continue
        where = f"components.{component}" if component in spec.components else f"profile {spec.profile}"
        has = f"it has values for --{', --'.join(sorted(part.flags))}" if part.flags else "it has none for its flags"
        for flag, value in effective_flags(spec, component).items():
            if value is None or (flag == GATES and (part.gates or spec.settings(component).feature_gates)):
                continue
            if not (flag in part.flags or part.others):
                refused.append(f"{where}: the chart has no value for --{flag} of {component}; {has}")
            elif not isinstance(value, str):
                refused.append(f"{where}: the chart can set --{flag} of {component} only once")
        if spec.settings(component).feature_gates and not part.gates:
            refused.append(f"{where}: the chart has no value for feature gates of {component}")
    return refused


def put(values: Json, path: str, value: Any) -> None:
    """Set a value at a path with dots."""
    *folders, last = path.split(".")
    for name in folders:
        values = values.setdefault(name, {})
    values[last] = value


def component_values(component: str, spec: KarmadaSpec, image: ImageUse, registry: str | None) -> Json:
    """Return the values of one component: its image, replicas, flags and feature gates."""
    values: Json = {}
    part = PARTS[component]
    host, _, repository = image.repository.removeprefix(f"{registry}/" if registry else "").partition("/")
    if registry:  # global.imageRegistry stands before every repository
        host, repository = "", image.repository.removeprefix(f"{registry}/")
    put(values, f"{part.at}.{part.image}", {"registry": host, "repository": repository, "tag": image.tag})
    if component == "etcd":
        put(values, f"{part.at}.{part.replicas}", spec.etcd.members)
    elif part.replicas:
        put(values, f"{part.at}.{part.replicas}", spec.settings(component).replicas)
    for flag, value in effective_flags(spec, component).items():
        if flag in part.flags:
            put(values, f"{part.at}.{part.flags[flag]}", parse_value(value))
        elif part.others and flag != GATES:
            put(values, f"{part.at}.{part.others}.{flag}", value)
    if gates := wanted_gates(component, spec):
        put(values, f"{part.at}.featureGates", gates)
    return values


def parse_value(value: Any) -> Any:
    """Return a flag's text as a value that a template can test: the boolean false, not the text "false"."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def host_values(spec: KarmadaSpec, images: Iterable[ImageUse], *, node_port: int, system: str) -> Json:
    """Return the values of host mode but for the certificates: every component of a spec except estimators, which need members that are up.

    karmada-apiserver is reached from outside by a port of every node.
    """
    addons = {"descheduler": spec.addons.descheduler, "search": spec.addons.search, "metricsAdapter": spec.addons.metrics_adapter}
    values: Json = {
        "installMode": "host",
        "systemNamespace": system,
        "components": [name for name, wanted in addons.items() if wanted],
        "global": {"imageRegistry": spec.registry or ""},
    }
    for image in images:
        if image.component in PARTS and image.component not in {"karmada-agent", "karmada-scheduler-estimator"}:
            values = merge(values, component_values(image.component, spec, image, spec.registry))
    values["karmadaImageVersion"] = next(image.tag for image in images if image.component == "karmada-webhook")
    put(values, "apiServer.serviceType", "NodePort")
    put(values, "apiServer.nodePort", node_port)
    if spec.addons.estimators:
        put(values, "scheduler.enableSchedulerEstimator", True)
    if external := spec.etcd.external:
        certs = {"caCrt": external.ca.read_text(), "crt": external.cert.read_text(), "key": external.key.read_text()}
        put(values, "etcd.mode", "external")
        put(values, "etcd.external", {"servers": ",".join(external.servers), "registryPrefix": external.prefix, "certs": certs})
    return values


def estimator_values(spec: KarmadaSpec, images: Iterable[ImageUse], members: Mapping[str, Mapping[str, str]]) -> Json:
    """Return the values of component mode with an estimator for each member. `members`: server, caCrt, crt and key of each."""
    component = "karmada-scheduler-estimator"
    image = next(image for image in images if image.component == component)
    values = merge(
        {"installMode": "component", "components": ["schedulerEstimator"], "global": {"imageRegistry": spec.registry or ""}},
        component_values(component, spec, image, spec.registry),
    )
    replicas = values["schedulerEstimator"].pop("replicaCount")  # each member's own
    values["schedulerEstimator"]["memberClusters"] = [
        {"clusterName": name, "replicaCount": replicas, "kubeconfig": dict(access)} for name, access in members.items()
    ]
    return values


def agent_values(spec: KarmadaSpec, image: ImageUse, *, name: str, endpoint: str, karmada: Mapping[str, str]) -> Json:
    """Return the values of agent mode on one member. `karmada`: server, caCrt, crt and key by which the agent reaches karmada-apiserver."""
    values = merge(
        {"installMode": "agent", "global": {"imageRegistry": spec.registry or ""}},
        component_values("karmada-agent", spec, image, spec.registry),
    )
    return merge(values, {"agent": {"clusterName": name, "clusterEndpoint": endpoint, "kubeconfig": dict(karmada)}})


def merge(one: Json, other: Json) -> Json:
    """Return two trees of values laid over each other, the second on top."""
    both = dict(one)
    for key, value in other.items():
        before = both.get(key)
        both[key] = merge(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return both


def default_values(chart: Path) -> Json:
    """Return a chart's own values."""
    found: Json = yaml.safe_load((chart / "values.yaml").read_text())
    return found


def read_values(file: Path) -> Json:
    """Return the values of a file. UsageError when it is not a values file."""
    try:
        found = yaml.safe_load(file.read_bytes())
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the values file: {error}", where=str(file)) from error
    if not isinstance(found, dict):
        raise UsageError("a values file holds a map of values", where=str(file))
    return found


def unknown_keys(values: Json, known: Json, at: str = "") -> list[str]:
    """Return the keys that a chart does not have, each with the nearest one it has: helm passes them over in silence."""
    found = []
    for key, value in values.items():
        where = f"{at}{key}"
        if key in FREE:
            continue
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            found.append(f"{where}: unknown key" + (f"; did you mean {near[0]!r}?" if near else ""))
        elif isinstance(value, dict) and isinstance(known[key], dict):
            found += unknown_keys(value, known[key], f"{where}.")
    return found


LOCKED = (
    *("installMode", "systemNamespace", "clusterDomain", "components", "karmadaImageVersion", "global.imageRegistry", "certs"),
    *("apiServer.serviceType", "apiServer.nodePort", "apiServer.hostNetwork", "etcd.mode", "etcd.external"),
    *(f"{part.at}.{part.image}.{key}" for part in PARTS.values() for key in ("registry", "repository", "tag")),
)
"""Values that the lab, or a key of `[karmada]`, sets: another one would take away what the lab relies on."""
INSTEAD = {
    "components": "karmada.addons",
    "karmadaImageVersion": "karmada.release",
    "global.imageRegistry": "karmada.registry",
    "certs": "karmada.certificates",
    "etcd.mode": "karmada.etcd",
    "etcd.external": "karmada.etcd.external",
}
"""Keys of a spec that set a locked value."""


def value_errors(values: Json, known: Json) -> list[str]:
    """Return the values of a file that are of another type than the chart's, that unset one, or that the lab sets itself."""
    return [*owned_value_errors(values), *type_errors(values, known)]


def owned_value_errors(values: Json) -> list[str]:
    """Return the values that are not for the file to set."""
    found = []
    for path in LOCKED:
        inner: Any = values
        for key in path.split("."):
            inner = inner.get(key, values) if isinstance(inner, dict) else values
            if inner is values:
                break
        if inner is not values:
            instead = INSTEAD.get(path, "karmada.release or karmada.registry" if ".image" in path.lower() else "")
            found.append(f"{path}: the lab sets it" + (f": set {instead}" if instead else ""))
    return found


def type_errors(values: Json, known: Json, at: str = "") -> list[str]:
    """Return the values with another type than the chart's default: templates fail on them or leave parts out."""
    found = []
    for key, value in values.items():
        where = f"{at}{key}"
        if key not in known:
            if at == "" or key not in FREE:
                continue  # `unknown` has it
            found += [f"{where}: null unsets it"] if value is None else []
            continue
        default = known[key]
        if value is None and default is not None:
            found.append(f"{where}: null unsets what the chart has there, which its templates need; leave it out")
        elif isinstance(default, dict) and isinstance(value, dict):
            found += type_errors(value, default if key not in FREE else {}, f"{where}.")
        elif why := type_error(value, default):
            found.append(f"{where}: {why}")
        elif key == "replicaCount" and value < 1:
            found.append(f"{where}: {value} replicas serve nothing; 1 is the least")
    return found


def type_error(value: Any, default: Any) -> str:
    """Return why a value cannot take the place of a chart's own, or ""."""
    names = {dict: "a map", list: "a list", bool: "true or false", int: "a whole number", str: "a text"}
    wanted = type(default)
    if wanted not in names or (isinstance(value, wanted) and (wanted is not int or not isinstance(value, bool))):
        return ""
    if wanted is str and isinstance(value, int | float) and not isinstance(value, bool):
        return ""  # a template prints both alike
    return f"{value!r} is not {names[wanted]}, as the chart has it"
