"""The certificate by which kube-controller-manager signs, apart from the one that is trusted, while two authorities are.

It signs with a file of exactly one certificate and does not start with two; installers give it the file that others trust. Meanwhile it
gets files of its own in the same Secret.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from deployers.names import NAMESPACE
from deployers.pods import workloads
from deployers.pods.issued import SIGNER, TrustedAuthority
from deployers.pods.key_places import SECRETS, SecretPlace
from deployers.pods.keys import list_mounted, read_mounted
from deployers.pods.successors import pem
from deployers.pods.workloads import HostWorkload
from lab.api import Api
from lab.component import parse_flags
from lab.errors import NotPossible

Json = dict[str, Any]
FLAGS = {"cluster-signing-cert-file": "signing.crt", "cluster-signing-key-file": "signing.key"}
"""By flag, the key of the Secret while authorities are exchanged."""
APART = frozenset(FLAGS.values())
BEFORE = "karmada-lab/signing"
"""The annotation of the Deployment with its arguments of before."""


def set_signer_apart(host: Api) -> None:
    """Give the signer files of its own, with what it signs with now; nothing is done where it has them. It starts again by that.

    NotPossible where its Secret is mounted in parts.
    """
    signer = find_signer(host)
    if BEFORE in (signer.item["metadata"].get("annotations") or {}):
        return
    template = template_of(signer)
    flags = {flag: str(parse_flags(signer.argv)[flag]) for flag in FLAGS}
    secret = secret_of(signer)
    if any(items_of(template, secret)):
        raise NotPossible(
            "the authority cannot be exchanged: the signer mounts parts of its Secret alone", where=f"{signer.name}, secret {secret}"
        )
    SecretPlace(host, secret).write({key: read_mounted(host, template, flags[flag]) for flag, key in FLAGS.items()})
    apart = {f"--{flag}={path}": f"--{flag}={PurePosixPath(path).parent / FLAGS[flag]}" for flag, path in flags.items()}
    patch_signer(host, signer, apart, before=json.dumps({after: before for before, after in apart.items()}))


def replace_signer(host: Api, successor: TrustedAuthority) -> None:
    """Have the signer sign with a successor. It reads the files again by itself."""
    assert successor.key
    SecretPlace(host, secret_of(find_signer(host))).write({"signing.crt": pem(successor), "signing.key": successor.key})


def put_signer_back(host: Api) -> None:
    """Give the signer its arguments of before; nothing is done where it has them. It starts again by that."""
    signer = find_signer(host)
    if before := (signer.item["metadata"].get("annotations") or {}).get(BEFORE):
        patch_signer(host, signer, json.loads(before), before=None)


def delete_signer_files(host: Api) -> None:
    """Delete the files that the signer had apart."""
    host.patch(f"{SECRETS}/{secret_of(find_signer(host))}", {"data": dict.fromkeys(APART)})


def find_signer(host: Api) -> HostWorkload:
    """Return the workload of kube-controller-manager."""
    return next(each for each in workloads.workloads(host) if each.component == SIGNER)


def template_of(signer: HostWorkload) -> Json:
    """Return its pod, as far as it is known from its template."""
    return {"metadata": {"name": signer.name, "namespace": NAMESPACE}, "spec": signer.item["spec"]["template"]["spec"]}


def secret_of(signer: HostWorkload) -> str:
    """Return the name of the Secret with what it signs with."""
    path = str(parse_flags(signer.argv)["cluster-signing-cert-file"])
    return next(name for name, _ in list_mounted(template_of(signer), path))


def items_of(pod: Json, secret: str) -> list[Json]:
    """Return the parts of a Secret that a pod mounts, nothing when it mounts the whole."""
    volumes = [each["secret"] for each in pod["spec"].get("volumes") or [] if (each.get("secret") or {}).get("secretName") == secret]
    return [item for each in volumes for item in each.get("items") or []]


def patch_signer(host: Api, signer: HostWorkload, changes: dict[str, str], *, before: str | None) -> None:
    """Replace arguments of the signer, and record those of before, or that there are none."""
    first, *others = signer.item["spec"]["template"]["spec"]["containers"]
    argued = {part: [changes.get(arg, arg) for arg in first[part]] for part in ("command", "args") if first.get(part)}
    host.patch(
        f"/apis/apps/v1/namespaces/{NAMESPACE}/{signer.kind}/{signer.name}",
        {
            "metadata": {"annotations": {BEFORE: before}},
            "spec": {"template": {"spec": {"containers": [{**first, **argued}, *others]}}},
        },
    )
