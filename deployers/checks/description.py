"""What was installed, in a form in which two installations can be compared whatever made them.

Ports, addresses, paths and names of runs are taken out: what is left differs only where two deployers, releases or specs do.
It is read from what runs (arguments, pods, the API, certificates), never from what was meant.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from deployers.deployer import runs_in_pods
from deployers.karmada import Karmada, description_file
from deployers.names import LOOPBACK, NAME, NAMESPACE, kind_of_instance
from deployers.plane.flags import join_values
from deployers.plane.objects import CRDS, SERVICES
from deployers.pods import workloads
from lab.api import Api
from lab.component import parse_flags
from lab.pki import is_address
from lab.programs import read_programs
from lab.run import make_folder, write_json

Json = dict[str, Any]
KEPT = 50
"""The number of removed labs to keep the description of."""
RBAC = "/apis/rbac.authorization.k8s.io/v1"
HOOKS = "/apis/admissionregistration.k8s.io/v1"
ADDRESS = re.compile(r"^(\d{1,3}(\.\d{1,3}){3}|localhost|\[[0-9a-f:]+\]|\$\(POD_IP\))(:\d+)?$")
"""An address of this installation, with or without a port; a pod gives its own as the variable POD_IP."""


def kept_path(name: str, root: Path) -> Path:
    """The path of a lab's latest description, which outlives the lab; no lab can have the folder's name."""
    return root / ".descriptions" / f"{name}.json"


def save_once(karmada: Karmada) -> None:
    """Write the description if there is none yet: an installation without changes keeps its description."""
    if not description_file(karmada.run).exists():
        save(karmada)


def save(karmada: Karmada) -> Path:
    """Write the description of what runs now, into the run and beside it, and return the run's.

    The one beside it outlives the lab, however it ends; of the latest KEPT labs.
    """
    run = karmada.run
    described = describe(karmada, program_args(karmada))
    write_json(description_file(run), described)
    kept = kept_path(run.id, run.path.parent)
    make_folder(kept.parent, mode=0o700)
    write_json(kept, described)
    forget_oldest(kept.parent)
    return description_file(run)


def forget_oldest(folder: Path) -> None:
    """Delete the descriptions of all labs but the latest KEPT."""
    found: list[tuple[float, Path]] = []
    for path in folder.glob("*.json"):
        with suppress(FileNotFoundError):  # another command deletes too
            found.append((path.stat().st_mtime, path))
    for _, path in sorted(found, reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)


def program_args(karmada: Karmada) -> dict[str, Sequence[str]]:
    """Return the arguments of every program of the control plane, by name: from their owners, or from the pods' templates."""
    if runs_in_pods(karmada):
        return workloads.programs(karmada.lab.host.api)
    states = read_programs(karmada.run).states
    return {name: state.argv for name, state in states.items() if name.startswith(f"{NAME}/") and state.runs}


def describe(karmada: Karmada, programs: Mapping[str, Sequence[str]]) -> Json:
    """Return the description of a control plane that runs these programs."""
    api = karmada.api
    return {
        "release": karmada.spec.release,
        "deployer": karmada.spec.deployer,
        "versions": {"karmada": karmada.spec.release, "kubernetes": api.get("/version")["gitVersion"]},
        "images": workloads.images(karmada.lab.host.api) if runs_in_pods(karmada) else {},
        "components": components(programs),
        "crds": {
            item["metadata"]["name"]: resource(item) for item in api.items(CRDS) if "karmada.io" in group(item) or "x-k8s.io" in group(item)
        },
        "webhooks": {
            f"{kind}/{item['metadata']['name']}": [hook(each) for each in item.get("webhooks", [])]
            for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
            for item in api.items(f"{HOOKS}/{kind}")
        },
        "apiservices": {
            item["metadata"]["name"]: item["spec"]["service"]["name"] for item in api.items(SERVICES) if item["spec"].get("service")
        },
        "rbac": {
            f"{kind}/{place(item)}": digest({key: item[key] for key in ("rules", "aggregationRule", "roleRef", "subjects") if key in item})
            for kind in ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
            for item in api.items(f"{RBAC}/{kind}")
            if is_ours(item)
        },
        "certificates": secret_certificates(karmada.lab.host.api)
        if runs_in_pods(karmada)
        else certificates(karmada.run.path / "pki" / karmada.name),
    }


def components(programs: Mapping[str, Sequence[str]]) -> Json:
    """Return replicas and normalised flags by component; flags of instances that differ in addresses alone are the same."""
    described: dict[str, Json] = {}
    for name in sorted(programs):
        entry = described.setdefault(kind_of_instance(name), {"replicas": 0, "flags": {}})
        entry["replicas"] += 1
        entry["flags"] |= flags(programs[name])
    return described


def flags(argv: Sequence[str]) -> dict[str, str]:
    """Return arguments as a mapping without their dashes, each value normalised; several values of one flag are joined by commas."""
    found = {name: join_values(value) for name, value in parse_flags(argv).items()}
    return {name: ",".join(normalise(name, each) for each in value.split(",")) for name, value in sorted(found.items())}


def normalise(flag: str, value: str) -> str:
    """Return a flag's value without the parts that differ between two labs of the same spec."""
    name, assigned, rest = value.partition("=")
    if assigned and "://" in rest:  # a member in etcd's --initial-cluster
        return f"{name}={normalise(flag, rest)}"
    if "://" in value:
        parts = urlsplit(value)
        return value if ".svc" in parts.netloc else f"{parts.scheme}://ADDRESS{parts.path}"
    if value.startswith("/") and not flag.endswith("prefix"):
        return "FILE"
    if ADDRESS.match(value):
        return "ADDRESS"
    return "PORT" if flag.endswith("port") and value.isdigit() else value


def resource(item: Json) -> Json:
    """Return the parts of a CRD that are compared."""
    spec = item["spec"]
    return {
        "versions": [f"{each['name']}{' (storage)' if each['storage'] else ''}" for each in spec["versions"]],
        "conversion": spec.get("conversion", {}).get("strategy", "None"),
        "schema": digest({key: spec[key] for key in ("group", "names", "scope", "versions")}),
    }


def group(item: Json) -> str:
    """Return a CRD's group."""
    return str(item["spec"]["group"])


def hook(each: Json) -> Json:
    """Return a hook without its address and authority."""
    client = each["clientConfig"]
    path = urlsplit(client["url"]).path if "url" in client else client["service"].get("path", "")
    return {**{key: value for key, value in each.items() if key != "clientConfig"}, "path": path}


def is_ours(item: Json) -> bool:
    """Return whether a role or binding is Karmada's."""
    return "karmada" in item["metadata"]["name"] or item["metadata"]["name"] == "cluster-proxy-admin"


def place(item: Json) -> str:
    """Return [namespace/]name of an object."""
    return "/".join(filter(None, (item["metadata"].get("namespace"), item["metadata"]["name"])))


def digest(part: Any) -> str:
    """Return a short digest of a JSON value."""
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:16]


def certificates(folder: Path) -> Json:
    """Return subject, issuer, names and days of validity of each certificate in a folder. Keys are not looked at."""
    return {path.stem: certificate(path.read_bytes()) for path in sorted(folder.glob("*.crt"))}


def secret_certificates(host: Api, namespace: str = NAMESPACE) -> Json:
    """Return the same of the certificates in a namespace's Secrets, each once however many Secrets it is in.

    It has the name that a file would have: the key's stem, or the Secret's name where the key tells nothing (tls.crt, or a ca.crt that
    is not the only one).
    """
    found: dict[bytes, str] = {}
    for secret in sorted(host.items(f"/api/v1/namespaces/{namespace}/secrets"), key=lambda item: str(item["metadata"]["name"])):
        for key, value in sorted((secret.get("data") or {}).items()):
            content = b64decode(value)
            if key.endswith(".crt") and content.startswith(b"-----BEGIN CERTIFICATE"):
                found.setdefault(content, certificate_name(secret["metadata"]["name"], key, taken=found.values()))
    return {name: certificate(content) for content, name in sorted(found.items(), key=lambda pair: pair[1])}


def certificate_name(secret: str, key: str, *, taken: Iterable[str]) -> str:
    """Return what a certificate in a Secret is called."""
    stem, owner = key.removesuffix(".crt"), secret.removesuffix("-cert")
    name = owner if stem == "tls" else stem
    return f"{owner}/{stem}" if name in taken else name


def certificate(content: bytes) -> Json:
    """Return the compared fields of a certificate."""
    read = x509.load_pem_x509_certificate(content)
    try:
        names = read.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        assert isinstance(names, x509.SubjectAlternativeName)
        hosts = [str(name.value) for name in names]
    except x509.ExtensionNotFound:
        hosts = []
    return {
        "subject": common_name(read.subject),
        "organisations": [str(each.value) for each in read.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)],
        "issuer": common_name(read.issuer),
        "hosts": sorted({"ADDRESS" if is_address(host) and host != LOOPBACK else host for host in hosts}),
        "days": round((read.not_valid_after_utc - read.not_valid_before_utc).total_seconds() / 86400),
    }


def common_name(name: x509.Name) -> str:
    """Return a name's CN; "" when it has none."""
    return next((str(each.value) for each in name.get_attributes_for_oid(NameOID.COMMON_NAME)), "")
