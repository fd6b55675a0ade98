"""The environment of the programs that this project starts: a table of what each inherits from the caller, and its reader.

A program gets what its rule lists, what its rule sets, and what the code that starts it adds; nothing else. So a proxy, a KUBECONFIG,
GOFLAGS or LD_PRELOAD of the shell that `lab up` was typed in changes neither what is built nor what is measured, and a cluster of the
lab is never reached through a proxy. A program that is not in the table has the rule of COMMAND.

The programs of a lab (etcd, kube-apiserver, …) are started by its supervisor, which itself has the rule of COMPONENT.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from lab import settings

UMASK = 0o022
"""Of this process and of what it starts: modes of files in the cache and in images do not depend on the caller. Secrets have their own."""

_umask_of_caller: list[int] = []
BOTH_CASES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY")
PROXIES = (*BOTH_CASES, *(name.lower() for name in BOTH_CASES))
USER = ("PATH", "HOME", "USER", "LOGNAME", "TZ", "TMPDIR", "XDG_RUNTIME_DIR")
NETWORK = (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC")
"""How the network outside is reached: for programs that fetch, and for no other."""
ENGINE = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION")
"""Which Docker engine is used, and how. A run records it (lab.docker_engine)."""
GO_FETCHES = (
    *("GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE", "GOVCS", "GOAUTH"),
    *("GOPATH", "GOCACHE", "GOMODCACHE"),
)
"""Where Go fetches modules from and keeps them. Those, and no others, also count where `go env -w` wrote them."""

NPM_FETCHES = tuple(
    f"npm_config_{name}"
    for name in ("registry", "cache", "cafile", "proxy", "https_proxy", "noproxy", "userconfig", "globalconfig", "strict_ssl")
)
"""npm takes each in capitals, too."""


@dataclass(frozen=True)
class Rule:
    """What a program inherits: names or patterns of variables; and what is set whatever the caller has."""

    inherits: tuple[str, ...]
    sets: Mapping[str, str] = field(default_factory=dict)


CLOUDS = (
    *("AWS_*", "AZURE_*", "AAD_*", "ARM_*", "GOOGLE_*", "CLOUDSDK_*", "USE_GKE_GCLOUD_AUTH_PLUGIN", "OCI_*", "DIGITALOCEAN_*"),
    *("ALIBABA_CLOUD_*", "IBMCLOUD_*", "LINODE_*", "VAULT_*", "TELEPORT_*", "KUBELOGIN_*", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"),
)
"""How the tools that log in to clusters know their user."""

READ_BY_US = {"LC_ALL": "C.UTF-8"}
"""What a command prints is read by this project, so it is in English on every computer."""
COMPONENT = Rule(("PATH", "HOME", "TZ"), {"LANG": "C.UTF-8"})
COMMAND = Rule(USER, READ_BY_US)
OURS = Rule(("*",))
"""This project itself, started again: it keeps its caller's environment and applies this table to what it starts in turn."""
FETCHES = Rule((*USER, *NETWORK), READ_BY_US)
PLUGIN = Rule((*USER, *NETWORK, *CLOUDS, "SSH_AUTH_SOCK", "LANG"))
"""Exec plugins of kubeconfigs, whatever their names: they log in as the user does."""
INVENTORY = Rule((*PLUGIN.inherits, "ANSIBLE_*"), READ_BY_US)
"""Commands that print an inventory: they ask clouds as the user does, or are Ansible."""
OF_CLUSTERS = Rule(USER, {**READ_BY_US, "KUBECONFIG": os.devnull})
"""Clients of Kubernetes: directly, and to the cluster that their arguments name."""

PROGRAMS: Mapping[str, Rule] = {
    "docker": Rule((*USER, *ENGINE, "SSH_AUTH_SOCK"), READ_BY_US),
    # Proxies would be copied into nodes, and another provider than Docker makes containers that nothing here finds again.
    "kind": Rule((*USER, *ENGINE, "SSH_AUTH_SOCK"), {**OF_CLUSTERS.sets, "KIND_EXPERIMENTAL_PROVIDER": "docker"}),
    "kubectl": OF_CLUSTERS,
    "karmadactl": OF_CLUSTERS,
    "kubeadm": OF_CLUSTERS,
    "helm": OF_CLUSTERS,
    "go": Rule(
        (
            *(*USER, *NETWORK, *GO_FETCHES, "XDG_CACHE_HOME", "GOMAXPROCS", "GOMEMLIMIT", "GOGC"),
            *("SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO"),
        ),
        # An empty GOFLAGS would not do: Go then takes that of the file that `go env -w` writes.
        {**READ_BY_US, "GOENV": "off", "GOWORK": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GIT_TERMINAL_PROMPT": "0"},
    ),
    "git": Rule((*USER, "XDG_CONFIG_HOME"), READ_BY_US),
    "pip": Rule(
        (
            *(*USER, *NETWORK, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LD_LIBRARY_PATH"),
            *("PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST"),
            *("PIP_PROXY", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CACHE_DIR", "PIP_RETRIES", "PIP_TIMEOUT", "PIP_KEYRING_PROVIDER"),
        ),
        {**READ_BY_US, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_NO_INPUT": "1", "PYTHONNOUSERSITE": "1"},
    ),
    "npm": Rule(
        (*USER, *NETWORK, "NODE_EXTRA_CA_CERTS", "NPM_TOKEN", "NODE_AUTH_TOKEN", *NPM_FETCHES, *(name.upper() for name in NPM_FETCHES)),
        READ_BY_US,
    ),
    "mmdebstrap": FETCHES,
    "python": Rule((*USER, "LD_LIBRARY_PATH"), READ_BY_US),
    **dict.fromkeys(("lab", "karmada_lab", "pytest", "deployers", "scenarios", "perf", "reports"), OURS),
    **dict.fromkeys(("etcdctl", "etcdutl", "virsh", "ip", "iptables", "ldd", "mount", "umount", "unshare", "nsenter", "sysctl"), COMMAND),
    **dict.fromkeys(("sh", "bash", "env", "tar", "xorriso", "openssl"), COMMAND),
    **dict.fromkeys(("yamllint", "actionlint", "zizmor", "shellcheck", "ansible-lint", "crane"), COMMAND),
}


def inherit(argv: Sequence[str], *, engine: Mapping[str, str] | None = None, caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a program by its rule. `engine`, where given, replaces the caller's choice of a Docker engine."""
    caller = os.environ if caller is None else caller
    name = program_name(argv)
    rule = PROGRAMS.get(name, COMMAND)
    if name == "go":
        caller = {**read_go_settings(caller), **{key: value for key, value in caller.items() if value}}
    if engine is not None and set(ENGINE) <= set(rule.inherits):
        caller = {**{key: value for key, value in caller.items() if key not in ENGINE}, **engine}
    return select(rule, caller)


def inherit_all(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command that a user could have typed: of this project, or the step of a workflow.

    The settings that select a lab are left out: code that starts a command passes them as options, and a cell of the matrix or a
    benchmark must not depend on variables that the caller exported.
    """
    meant = {setting.variable for setting in settings.OF_LAB}
    return {name: value for name, value in select(OURS, os.environ if caller is None else caller).items() if name not in meant}


def inherit_component(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of the supervisor, and so of every program of a lab."""
    return select(COMPONENT, os.environ if caller is None else caller)


def inherit_plugin(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of an exec plugin of a kubeconfig."""
    return select(PLUGIN, os.environ if caller is None else caller)


def inherit_inventory(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command that prints an inventory."""
    return select(INVENTORY, os.environ if caller is None else caller)


def inherit_proxies(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of NETWORK: laid over the environment of a client of Kubernetes that fetches something."""
    return select(Rule(NETWORK), os.environ if caller is None else caller)


def select(rule: Rule, caller: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a rule inherits and sets."""
    return {**{name: value for name, value in caller.items() if any(fnmatchcase(name, each) for each in rule.inherits)}, **rule.sets}


def program_name(argv: Sequence[str]) -> str:
    """Return the name in the table of what a command line starts: of `python -m pip` pip, of `setpriv … -- kubectl` kubectl."""
    args = [str(arg) for arg in argv]
    name = re.sub(r"^(python|go)\d[\d.]*$", r"\1", Path(args[0]).name)
    if name == "python" and "-m" in args[:-1]:
        return args[args.index("-m") + 1].partition(".")[0]
    if name in {"python", "setpriv"} and "--" in args[:-1]:
        return program_name(args[args.index("--") + 1 :])
    return name


def read_go_settings(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the settings of GO_FETCHES that `go env -w` wrote; the caller's environment overrides them."""
    caller = os.environ if caller is None else caller
    file = caller.get("GOENV") or str(Path(caller.get("XDG_CONFIG_HOME") or Path(caller.get("HOME", "/"), ".config")) / "go" / "env")
    try:
        lines = [] if file == "off" else Path(file).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs if name in GO_FETCHES and value}


def set_umask() -> None:
    """Set this process' umask to UMASK; the first time, remember the caller's."""
    before = os.umask(UMASK)
    if not _umask_of_caller:
        _umask_of_caller.append(before)


def restore_umask() -> None:
    """Set the umask that this process was started with: for a command of the user's that takes its place."""
    if _umask_of_caller:
        os.umask(_umask_of_caller[0])


# -- the environment of a user's command in a lab ----------------------------------------------------------------------------------

ELSEWHERE = ("HELM_KUBE*", "KUBERNETES_MASTER", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
"""Variables that lead a client of Kubernetes to another cluster than its KUBECONFIG names."""


def list_misleading(caller: Mapping[str, str]) -> list[str]:
    """Return the variables of the caller that a command in the environment of a lab must not have."""
    return sorted(name for name in caller if any(fnmatchcase(name, each) for each in ELSEWHERE))


def extend_no_proxy(hosts: Iterable[str], caller: Mapping[str, str]) -> dict[str, str]:
    """Return NO_PROXY, in both cases, with these hosts added to what the caller has in either."""
    entries = [entry.strip() for name in ("NO_PROXY", "no_proxy") for entry in caller.get(name, "").split(",")]
    entries = list(dict.fromkeys(entry for entry in entries if entry))
    # "*" is for some clients a rule only where it stands alone.
    value = "*" if "*" in entries else ",".join(dict.fromkeys([*entries, *hosts]))
    return {"NO_PROXY": value, "no_proxy": value}
