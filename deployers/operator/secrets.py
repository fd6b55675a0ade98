"""Values of Secrets as files that deployers read. A kubeconfig may neither name files nor run commands: both would be the operator's."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from deployers.operator.deployment import KarmadaDeploymentSpec
from deployers.operator.document import SecretFiles, list_references
from lab.kubeconfig import load_document
from lab.run import write_private

Json = dict[str, Any]
ReadSecret = Callable[[str], Mapping[str, Any] | None]
"""Returns a Secret by name, None when it does not exist."""


@dataclass
class SecretState:
    """What was found: faults by field, the members without a usable Secret, and whether a file changed."""

    faults: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    changed: bool = False


def sync_secrets(spec: KarmadaDeploymentSpec, files: SecretFiles, read: ReadSecret) -> SecretState:
    """Write every value that a spec refers to into its file, 0600, and delete files of others.

    What is missing or unusable is a fault of its field; for a member it is a fault of the member alone.
    """
    state, kept = SecretState(), set()
    for path, reference, keys in list_references(spec):
        secret = read(reference.name)
        fault = f"the Secret {reference.name} does not exist" if secret is None else ""
        for key in keys if secret is not None else ():
            value, fault = decode(secret, reference.name, key)
            if not fault and path.endswith("ubeconfigSecretRef"):
                fault = kubeconfig_fault(value, reference.name)
            if fault:
                break
            target = files.folder / reference.name / key
            kept.add(target)
            if not target.exists() or target.read_bytes() != value:
                write_private(target, value)
                state.changed = True
        if fault:
            note_fault(state, spec, path, fault)
    for machine in spec.install.binary.machines if spec.install.binary else ():
        target = files.known_hosts(machine.name)
        kept.add(target)
        host = machine.address if machine.port == 22 else f"[{machine.address}]:{machine.port}"
        content = "".join(f"{host} {key}\n" for key in machine.host_keys).encode()
        if not target.exists() or target.read_bytes() != content:
            write_private(target, content)
            state.changed = True
    return state


def note_fault(state: SecretState, spec: KarmadaDeploymentSpec, path: str, fault: str) -> None:
    """Add a fault to the member that it is of, else to the whole."""
    if path.startswith("spec.members["):
        number = int(path.removeprefix("spec.members[").partition("]")[0])
        state.members[spec.members[number].name] = fault
    else:
        state.faults[path] = fault


def decode(secret: Mapping[str, Any] | None, name: str, key: str) -> tuple[bytes, str]:
    """Return the value of a key, or why there is none."""
    data = (secret or {}).get("data") or {}
    if key not in data:
        return b"", f"the Secret {name} has no key {key}; it has {', '.join(sorted(data)) or 'none'}"
    try:
        return base64.b64decode(data[key], validate=True), ""
    except binascii.Error:
        return b"", f"the value of {key} in the Secret {name} is not base64"


def kubeconfig_fault(value: bytes, name: str) -> str:
    """Return why a kubeconfig cannot be taken from a Secret; "" when it can. Values of it are not repeated."""
    try:
        document = load_document(value)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError):
        return f"the Secret {name} has no kubeconfig: it is not YAML of that kind"
    for part in ("clusters", "users"):
        for entry in document.get(part) or []:
            settings = (entry or {}).get(part[:-1]) or {}
            if forbidden := sorted(FORBIDDEN & settings.keys()):
                return (
                    f"the kubeconfig in the Secret {name} has {', '.join(forbidden)}: embed credentials as data, without files and commands"
                )
    if not document.get("contexts"):
        return f"the Secret {name} has no kubeconfig: it has no contexts"
    return ""


FORBIDDEN = frozenset({"exec", "auth-provider", "tokenFile", "client-certificate", "client-key", "certificate-authority"})
"""Keys of a kubeconfig that name files of the operator's computer or run commands there."""
