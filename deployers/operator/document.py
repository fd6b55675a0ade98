"""A KarmadaDeployment as the document of a lab: the form that the deployers read, with files in the place of references to Secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployers.operator.api import SecretKeyReference, SecretReference
from deployers.operator.deployment import DeploymentComponent, DeploymentMachine, KarmadaDeploymentSpec
from deployers.spec import ADDONS
from lab.spec import MAKES_NONE

Json = dict[str, Any]
CA, CERT, KEY = "ca.crt", "tls.crt", "tls.key"
"""Keys of a Secret of type kubernetes.io/tls."""
DEPLOYERS = {"ByYaml": "by_yaml", "ByChart": "by_chart", "ByKarmadactl": "by_karmadactl", "ByOperator": "by_operator"}
ADDON_KEYS = {key.replace("_", "-"): key for key in ADDONS}
"""Karmada's own addons: the name in the API, the key in a lab file."""


@dataclass(frozen=True)
class SecretFiles:
    """The files that values of Secrets are written to: `folder`/SECRET/KEY. Paths follow from names: a new value changes no document."""

    folder: Path

    def path(self, secret: SecretReference, key: str = "") -> str:
        """Return the file of one value; the reference's own key unless another is given."""
        own = secret.key if isinstance(secret, SecretKeyReference) else ""
        return str(self.folder / secret.name / (key or own))

    def known_hosts(self, machine: str) -> Path:
        """Return the file with the host keys of a machine."""
        return self.folder / "known_hosts" / machine


def list_references(spec: KarmadaDeploymentSpec) -> Iterator[tuple[str, SecretReference, tuple[str, ...]]]:
    """Yield every Secret that a spec refers to: the path of the field, the reference, and the keys that are needed."""
    if spec.install.pods:
        reference = spec.install.pods.host_kubeconfig_secret_ref
        yield "spec.install.pods.hostKubeconfigSecretRef", reference, (reference.key,)
    for number, machine in enumerate(spec.install.binary.machines if spec.install.binary else ()):
        yield f"spec.install.binary.machines[{number}].keySecretRef", machine.key_secret_ref, (machine.key_secret_ref.key,)
    if spec.etcd and spec.etcd.external:
        yield "spec.etcd.external.tlsSecretRef", spec.etcd.external.tls_secret_ref, (CA, CERT, KEY)
    if spec.certificates and spec.certificates.ca_secret_ref:
        yield "spec.certificates.caSecretRef", spec.certificates.ca_secret_ref, (CERT, KEY)
    for number, member in enumerate(spec.members):
        yield f"spec.members[{number}].kubeconfigSecretRef", member.kubeconfig_secret_ref, (member.kubeconfig_secret_ref.key,)


def make_document(spec: KarmadaDeploymentSpec, files: SecretFiles) -> Json:
    """Return the document of the lab that a spec describes. Nothing is read: the files need not exist."""
    karmada = make_karmada(spec, files)
    document: Json = {
        "provider": MAKES_NONE,
        "members": [
            {"name": each.name, "mode": each.mode.lower(), "kubeconfig": files.path(each.kubeconfig_secret_ref)} for each in spec.members
        ],
        "karmada": karmada,
    }
    if "kubernetes" in karmada:
        document["kubernetes"] = karmada["kubernetes"]
    if spec.install.pods:
        document["host"] = {"kubeconfig": files.path(spec.install.pods.host_kubeconfig_secret_ref)}
    if spec.install.binary and spec.install.binary.machines:
        document["machines"] = {"kind": "ssh", "hosts": [make_host(machine, files) for machine in spec.install.binary.machines]}
    return document


def make_karmada(spec: KarmadaDeploymentSpec, files: SecretFiles) -> Json:
    """Return the table `karmada` of the document. Fields that the spec leaves out are left out."""
    pods = spec.install.pods
    table: Json = {
        "release": spec.release.removeprefix("v"),
        "deployer": DEPLOYERS[pods.deployer] if pods else "by_binary",
        "profile": spec.profile,
        "components": {component.name: make_component(component) for component in spec.components},
        "addons": make_addons(spec),
        "members": [{"name": member.name, "mode": member.mode.lower()} for member in spec.members],
    }
    if spec.kubernetes_version:
        table["kubernetes"] = spec.kubernetes_version.removeprefix("v")
    if spec.images:
        table["registry"] = spec.images.registry
    if spec.endpoint and (external := spec.endpoint.external):
        table["load_balancer"] = f"{external.host}:{external.port}"
    tables = {"etcd": make_etcd(spec, files), "certificates": make_certificates(spec, files), "by_binary": make_binary(spec)}
    tables |= {"by_karmadactl": {"config_file": True} if pods and pods.config_file else {}}
    return {**table, **{name: made for name, made in tables.items() if made}}


def make_certificates(spec: KarmadaDeploymentSpec, files: SecretFiles) -> Json:
    """Return the table `karmada.certificates`."""
    names = {"hosts": list(spec.endpoint.extra_names)} if spec.endpoint and spec.endpoint.extra_names else {}
    if spec.certificates is None:
        return names
    authority = spec.certificates.ca_secret_ref
    own = {"ca": {"cert": files.path(authority, CERT), "key": files.path(authority, KEY)}} if authority else {}
    return {**names, "days": spec.certificates.days, **own}


def make_binary(spec: KarmadaDeploymentSpec) -> Json:
    """Return the table `karmada.by_binary`."""
    balancer = spec.endpoint.managed if spec.endpoint else None
    made: Json = {"external_name": balancer.name} if balancer else {}
    if binary := spec.install.binary:
        made["files"] = {file.name: file.content for file in binary.files}
        made["machines"] = [machine.name for machine in binary.machines if not machine.jump_only]
        made["virtual_address"] = binary.virtual_address
    return {key: value for key, value in made.items() if value}


def make_etcd(spec: KarmadaDeploymentSpec, files: SecretFiles) -> Json:
    """Return the table `karmada.etcd`."""
    if spec.etcd and (external := spec.etcd.external):
        secret = external.tls_secret_ref
        keys = {"ca": files.path(secret, CA), "cert": files.path(secret, CERT), "key": files.path(secret, KEY)}
        return {"external": {"servers": list(external.endpoints), "prefix": external.prefix, **keys}}
    if spec.etcd and (local := spec.etcd.local):
        storage = local.storage.model_dump(by_alias=False, exclude_none=True) if local.storage else {}
        renamed = {{"storage_class_name": "storage_class"}.get(key, key): value for key, value in storage.items()}
        return {"members": local.members, **({"storage": renamed} if local.storage else {})}
    return {}


def make_component(component: DeploymentComponent) -> Json:
    """Return the settings of one component; a flag that is given several times has a list."""
    flags: dict[str, str | list[str]] = {}
    for argument in component.args:
        before = flags.get(argument.name)
        several = before if isinstance(before, list) else [before] if before is not None else []
        flags[argument.name] = [*several, argument.value] if several else argument.value
    made: Json = {
        "replicas": component.replicas,
        "flags": flags,
        "without": list(component.drop_args),
        "feature_gates": dict(component.feature_gates),
        "env": {variable.name: variable.value for variable in component.env},
    }
    return {key: value for key, value in made.items() if value}


def make_addons(spec: KarmadaDeploymentSpec) -> Json:
    """Return the table `karmada.addons`: `true` for Karmada's own and for the newest version of another one."""
    return {ADDON_KEYS.get(addon.name, addon.name): addon.version or True for addon in spec.addons}


def make_host(machine: DeploymentMachine, files: SecretFiles) -> Json:
    """Return a machine as a host that is reached by ssh."""
    return {
        "name": machine.name,
        "address": machine.address,
        "port": machine.port,
        "user": machine.user,
        "key": files.path(machine.key_secret_ref),
        "known_hosts": str(files.known_hosts(machine.name)),
        "jump": machine.jump or "",
        "jump_only": machine.jump_only,
        "sudo": machine.become == "Sudo",
        "folder": machine.data_dir or "",
    }
