"""A volume of the host cluster: any PersistentVolumeClaim, mounted by a pod of ours for as long as archives are read or written.

Archives pass through `kubectl exec` in blocks, so that memory holds one at a time. The pod runs busybox of the test application, which
every node of a lab has; it ends by itself after an hour, and the next use replaces one that was left.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from deployers.backup.archive import NAME
from deployers.backup.destinations.protocol import StoredArchive, missing_archive, sort_archives
from deployers.karmada import Karmada
from deployers.pods.kubectl import kubectl_args
from lab.api import Api
from lab.errors import CommandFailed, LabError, NotPossible, NotReady, UsageError
from lab.images.applications import WEB
from lab.machines.machine import Machine
from lab.providers.registry import get_provider
from lab.spec import Capability
from lab.wait import NotYet, until

Json = dict[str, Any]
MOUNT = "/backup"
BLOCK = 16 << 20
WITHIN = 120.0
LIFETIME = 3600
LABEL = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
STAT = 'for f in "$1"/* "$1"/.unfinished-*; do [ -f "$f" ] && busybox stat -c "%s %n" "$f"; done; true'


@dataclass(frozen=True)
class ClaimUrl:
    """pvc://namespace/claim/path"""

    url: str
    namespace: str
    claim: str
    folder: PurePosixPath

    @property
    def pod(self) -> str:
        """The name of the pod that mounts the claim."""
        return f"lab-backup-{hashlib.sha256(self.claim.encode()).hexdigest()[:8]}"


def parse_claim(url: str) -> ClaimUrl:
    """Return the parts of a pvc:// URL. UsageError names the one that is wrong."""
    split = urlsplit(url)
    claim, *folders = [part for part in split.path.split("/") if part] or [""]
    if not LABEL.fullmatch(split.netloc) or not LABEL.fullmatch(claim) or split.query:
        raise UsageError(f"invalid volume {url!r}", remedy="as in pvc://namespace/claim or pvc://namespace/claim/path")
    if ".." in folders or "." in folders:
        raise UsageError(f"invalid path in {url!r}", remedy="a path below the volume's root, without . and ..")
    return ClaimUrl(url, split.netloc, claim, PurePosixPath(MOUNT, *folders))


@contextmanager
def claimed_volume(karmada: Karmada, claim: ClaimUrl) -> Iterator[Volume]:
    """Yield a claim of the host cluster as a destination; its pod is deleted afterwards. NotPossible when no pod can mount it."""
    require_reachable(karmada, claim)
    host = karmada.lab.host.api
    pods = f"/api/v1/namespaces/{claim.namespace}/pods"
    if host.find(f"/api/v1/namespaces/{claim.namespace}/persistentvolumeclaims/{claim.claim}") is None:
        raise NotPossible(
            f"there is no claim {claim.claim} in namespace {claim.namespace}", where=claim.url, remedy="create it, or name another one"
        )
    host.delete(f"{pods}/{claim.pod}", gracePeriodSeconds="0")  # of a backup that was interrupted
    host.until_gone(f"{pods}/{claim.pod}", what=f"the pod {claim.pod} of before is deleted", within=60.0)
    host.apply(carrier(claim))
    try:
        wait_running(host, f"{pods}/{claim.pod}", claim)
        at = (*kubectl_args(karmada)[:-2], "--namespace", claim.namespace)
        yield Volume(claim, karmada.machine, at)
    finally:
        host.delete(f"{pods}/{claim.pod}", gracePeriodSeconds="0")


def require_reachable(karmada: Karmada, claim: ClaimUrl) -> None:
    """Return when pods of the host cluster can run our image. NotPossible otherwise."""
    spec = karmada.lab.spec
    if Capability.PODS not in get_provider(spec.provider).offers:
        raise NotPossible(
            "the host cluster of this lab runs no pods, so it has no volumes", where=claim.url, remedy="name a directory or a bucket"
        )
    if spec.host.kubeconfig:
        raise NotPossible(
            "a volume is reached by a pod with an image that only clusters of the lab have",
            where=str(spec.host.kubeconfig),
            remedy="name a directory or a bucket",
        )


def wait_running(host: Api, path: str, claim: ClaimUrl) -> None:
    """Return when the pod runs. NotPossible with the reason that the cluster gives."""

    def running() -> None:
        status = host.get(path).get("status") or {}
        if status.get("phase") != "Running":
            reasons = [each.get("message") or "" for each in status.get("conditions") or [] if each.get("status") == "False"]
            raise NotYet("; ".join(filter(None, reasons)) or f"it is {status.get('phase')}")

    try:
        until(running, what=f"a pod mounts the claim {claim.claim}", within=WITHIN, every=0.5)
    except NotReady as error:
        raise NotPossible(f"no pod can mount the claim {claim.claim}: {error.what}", where=claim.url, detail=error.detail) from error


def carrier(claim: ClaimUrl) -> Json:
    """Return the pod that mounts the claim."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": claim.pod, "namespace": claim.namespace, "labels": {"app": "karmada-lab-backup"}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "activeDeadlineSeconds": LIFETIME,
            "containers": [
                {
                    "name": "carrier",
                    "image": WEB,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["busybox", "sleep", str(LIFETIME)],
                    "volumeMounts": [{"name": "archives", "mountPath": MOUNT}],
                }
            ],
            "volumes": [{"name": "archives", "persistentVolumeClaim": {"claimName": claim.claim}}],
        },
    }


@dataclass(frozen=True)
class Volume:
    """A destination: archives are files of a volume, mode 0600."""

    claim: ClaimUrl
    machine: Machine
    kubectl: tuple[str, ...]

    @property
    def url(self) -> str:
        return self.claim.url

    def locate(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{name}"

    def put(self, file: Path, name: str) -> None:
        folder, target = str(self.claim.folder), str(self.claim.folder / name)
        unfinished = str(self.claim.folder / f".unfinished-{name}")
        self.run('busybox mkdir -p -- "$1" && umask 077 && : > "$2"', folder, unfinished, done="stored", name=name)
        try:
            with file.open("rb") as source:
                while block := source.read(BLOCK):
                    self.run('busybox cat >> "$1"', unfinished, given=block, done="stored", name=name)
            self.run('busybox sync; busybox mv -- "$1" "$2"', unfinished, target, done="stored", name=name)
        except BaseException:
            with suppress(LabError):  # the next backup deletes it
                self.run('busybox rm -f -- "$1"', unfinished, done="deleted", name=name)
            raise

    def get(self, name: str, to: Path) -> None:
        source, size = str(self.claim.folder / name), self.sizes().get(name)
        if size is None:
            raise missing_archive(self.locate(name))
        read = 'busybox dd if="$1" bs=65536 skip="$2" count="$3" 2>/dev/null | busybox base64'
        with to.open("wb") as out:
            for at in range(0, size, BLOCK):
                text = self.run(read, source, str(at // 65536), str(BLOCK // 65536), done="fetched", name=name)
                out.write(base64.b64decode(text))

    def list_archives(self) -> list[StoredArchive]:
        return sort_archives(self.sizes())

    def delete(self, name: str) -> None:
        self.run('busybox rm -f -- "$1"', str(self.claim.folder / name), done="deleted", name=name)

    def discard_unfinished(self, plane: str) -> list[str]:
        left = [name.removeprefix(".unfinished-") for name in self.sizes() if name.startswith(".unfinished-")]
        mine = [name for name in left if (match := NAME.fullmatch(name)) and match["plane"] == plane[:8]]
        for name in mine:
            self.delete(f".unfinished-{name}")
        return mine

    def sizes(self) -> dict[str, int]:
        """Return the sizes of all files in the folder, by their names."""
        lines = self.run(STAT, str(self.claim.folder), done="listed").splitlines()
        return {path.rpartition("/")[2]: int(size) for size, _, path in (line.partition(" ") for line in lines)}

    def run(self, script: str, *args: str, done: str, name: str = "", given: bytes | None = None) -> str:
        """Run a script of the shell in the pod and return what it prints. NotPossible when it fails."""
        stdin = ["--stdin"] if given is not None else []
        argv = (*self.kubectl, "exec", *stdin, self.claim.pod, "--", "busybox", "sh", "-c", script, "sh", *args)
        try:
            return self.machine.run(argv, input=given, within=300.0).stdout
        except CommandFailed as failed:
            why = failed.output.strip().splitlines()[-1:] or ["it failed"]
            raise NotPossible(
                f"the backup cannot be {done}: {why[0]}", where=self.locate(name), remedy="is the volume full or gone?"
            ) from failed
