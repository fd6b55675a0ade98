"""Options of a KarmadaSpec, and which deployer supports which: data, from which the table of `lab options` is made.

Each deployer has one `Support`: option → "" when it is supported, else the reason. A row for one component overrides the row for all
of them: "components.etcd.env" before "components.*.env". `refusals` checks a spec against it, so that an unsupported option is refused
with the table's reason before anything is created.
"""

from __future__ import annotations

from collections.abc import Mapping

from deployers.spec import ADDONS, COMPONENTS, KarmadaSpec

Support = Mapping[str, str]
CARRIED = ""
IN_PART = "in part: "
"""The beginning of the reason of a partly supported option; the deployer refuses the unsupported values one by one."""

OF_COMPONENTS = ("replicas", "flags", "without", "feature_gates", "env")
OPTIONS = (
    "kubernetes",
    "profile",
    "etcd.members",
    "etcd.storage",
    "etcd.external",
    "certificates.ca",
    "certificates.hosts",
    "certificates.days",
    "load_balancer",
    "registry",
    *(f"components.*.{key}" for key in OF_COMPONENTS),
    *(f"addons.{name}" for name in ADDONS),
    "members.push",
    "members.pull",
)
"""Every option that a table has a row for."""
OF_ONE_PATH = {
    "by_binary.external_name": 'only deployer = "by_binary" runs a haproxy before API servers; elsewhere a Service or load_balancer does',
    "by_binary.machines": 'only deployer = "by_binary" runs programs, which machines can run as well',
    "by_binary.virtual_address": 'only deployer = "by_binary" has machines that it moves among; elsewhere give load_balancer',
    "by_binary.files": 'only deployer = "by_binary" has programs with a working directory',
    "by_chart.values": 'only deployer = "by_chart" installs upstream\'s chart',
    "by_karmadactl.config_file": 'only deployer = "by_karmadactl" runs karmadactl init',
    **dict.fromkeys(
        ("by_command.install", "by_command.remove", "by_command.directory", "by_command.within"),
        'only deployer = "by_command" runs commands of yours',
    ),
}
"""Options of a single deployer, and why all others refuse them; their tables need no row."""


def options_of(spec: KarmadaSpec) -> list[str]:
    """Return the options that a spec makes use of; those of components with the component's name."""
    default = KarmadaSpec()
    found = [name for name in ("kubernetes", "profile", "load_balancer", "registry") if getattr(spec, name) != getattr(default, name)]
    found += ["etcd.members"] if spec.etcd.members != default.etcd.members else []
    found += ["etcd.storage"] if spec.etcd.storage else []
    found += ["etcd.external"] if spec.etcd.external else []
    found += [
        f"certificates.{key}" for key in ("ca", "hosts", "days") if getattr(spec.certificates, key) != getattr(default.certificates, key)
    ]
    for name, settings in spec.components.items():
        plain = type(settings)()
        found += [f"components.{name}.{key}" for key in OF_COMPONENTS if getattr(settings, key) != getattr(plain, key)]
    found += [f"addons.{name}" for name in ADDONS if getattr(spec.addons, name)]
    for option in OF_ONE_PATH:
        table, key = option.split(".")
        found += [option] if getattr(getattr(spec, table), key) != getattr(getattr(default, table), key) else []
    found += sorted({f"members.{member.mode}" for member in spec.members})
    return found


def row(option: str) -> str:
    """Return the row of the table that an option is in: that of all components for one component's."""
    parts = option.split(".")
    return f"components.*.{parts[-1]}" if parts[0] == "components" else option


def why_not(option: str, support: Support) -> str:
    """Return why an option is not carried, or "" when it is. KeyError for one that the table does not have."""
    if option in OF_ONE_PATH:
        return support.get(option, OF_ONE_PATH[option])
    return support[option] if option in support else support[row(option)]


def refusals(spec: KarmadaSpec, support: Support) -> list[str]:
    """Return a sentence for each option of a spec that a deployer does not carry."""
    reasons = {option: why_not(option, support) for option in options_of(spec)}
    return [f"{option}: {reason}" for option, reason in reasons.items() if reason and not reason.startswith(IN_PART)]


def verdict(option: str, support: Support) -> str:
    """Return what a table says of a row: carried, carried but for some components, or refused, and the reasons."""
    apart = (
        {name: why_not(option.replace("*", name), support) for name in COMPONENTS} if "*" in option else {option: why_not(option, support)}
    )
    refused = {name: reason for name, reason in apart.items() if reason}
    if not refused:
        return "carried"
    reasons: dict[str, list[str]] = {}
    for name, reason in refused.items():
        reasons.setdefault(reason, []).append(name)
    if len(refused) == len(apart) and not any(reason.startswith(IN_PART) for reason in reasons):
        return f"refused: {'; '.join(reasons)}"
    return "carried but for " + "; ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items())


def complete(support: Support) -> Support:
    """Return a deployer's table as it is. ValueError when a row is missing or names what there is not."""
    if missing := [option for option in OPTIONS if option not in support]:
        raise ValueError(f"no row for the options {', '.join(missing)}")
    known = {*OPTIONS, *OF_ONE_PATH, *(f"components.{name}.{key}" for name in COMPONENTS for key in OF_COMPONENTS)}
    if strange := sorted(support.keys() - known):
        raise ValueError(f"unknown options {', '.join(strange)}")
    return support
