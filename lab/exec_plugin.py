"""Exec plugins of kubeconfigs: programs that print a token or a client certificate (client.authentication.k8s.io, ExecCredential).

A plugin gets the environment that `lab.environment` has for its kind: the user's, the network's, and that of the big clouds' tools. It is
asked at most once before its credential expires, by whatever threads use it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from lab import environment
from lab.errors import UsageError
from lab.kubeconfig import Json, KubeContext
from lab.limits.account import expand_home

WITHIN = 60.0
"""Seconds that a plugin may take."""
EARLY = 30.0
"""Seconds before it expires from which a credential is not used any more."""


@dataclass(frozen=True)
class Credential:
    """What a plugin printed: a token, or a client certificate with its key in PEM, and until when (seconds since 1970) it is valid."""

    token: str | None
    pair: bytes | None
    until: float = float("inf")


@dataclass
class ExecPlugin:
    """One plugin, as a kubeconfig names it. `loaded` is the credential with the client certificate that the TLS context has."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    info: str
    hint: str = ""
    loaded: Credential | None = None
    _known: Credential | None = None
    _asking: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, given: KubeContext) -> Self:
        """Return the plugin of a context. ValueError when it is one that asks its user."""
        spec = given.user["exec"]
        if spec.get("interactiveMode") == "Always":
            raise ValueError(f"the exec plugin {spec['command']} needs an interactive user")
        info: Json = {"interactive": False}
        if spec.get("provideClusterInfo"):
            info["cluster"] = describe_cluster(given)
        return cls(
            command=find_command(str(spec["command"]), given.folder),
            args=tuple(str(arg) for arg in spec.get("args") or ()),
            env={str(each["name"]): str(each["value"]) for each in spec.get("env") or ()},
            info=json.dumps({"apiVersion": spec["apiVersion"], "kind": "ExecCredential", "spec": info}),
            hint=str(spec.get("installHint") or ""),
        )

    def ask(self, *, renew: bool = False) -> Credential:
        """Return the credential: that of the last time while it is valid, unless `renew`. UsageError says why there is none."""
        with self._asking:
            if self._known is None or renew or time.time() > self._known.until - EARLY:
                self._known = self.run()
            return self._known

    def run(self) -> Credential:
        """Run the plugin and return what it printed. UsageError when it fails."""
        argv = [self.command, *self.args]
        env = {**environment.inherit_plugin(), **self.env, "KUBERNETES_EXEC_INFO": self.info}
        try:
            done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=WITHIN, check=False)
        except FileNotFoundError as error:
            raise self.failed("it is not installed", self.hint or None) from error
        except subprocess.TimeoutExpired as error:
            raise self.failed(f"it did not end within {WITHIN:g} s", None) from error
        except (OSError, ValueError) as error:  # ValueError: a zero byte in an argument
            raise self.failed(str(getattr(error, "strerror", None) or error), None) from error
        if done.returncode:
            raise self.failed(f"it ended with status {done.returncode}", done.stderr.decode(errors="replace").strip() or None)
        try:
            return parse_credential(done.stdout)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self.failed(f"it printed no ExecCredential: {error or type(error).__name__}", None) from error

    def failed(self, why: str, detail: str | None) -> UsageError:
        """Return the error of a plugin that gives no credential."""
        return UsageError(
            f"asking the exec plugin {Path(self.command).name} for a credential failed: {why}",
            where=self.command,
            detail=detail,
            remedy="log in with the tool that wrote the kubeconfig; kubectl with that kubeconfig has to work first",
        )


def find_command(command: str, folder: Path) -> str:
    """Return the path of a plugin as kubectl finds it: a bare name in PATH, a relative path from the kubeconfig's folder."""
    if "/" in command:
        return str((folder / expand_home(Path(command))).absolute())
    return shutil.which(command) or command


def describe_cluster(given: KubeContext) -> Json:
    """Return what a plugin is given of the cluster (`provideClusterInfo`)."""
    names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
    found: Json = {name: given.cluster[name] for name in names if name in given.cluster}
    for extension in given.cluster.get("extensions") or []:
        if extension.get("name") == "client.authentication.k8s.io/exec":
            found["config"] = extension["extension"]
    return found


def parse_credential(printed: bytes) -> Credential:
    """Return the credential that a plugin printed. ValueError, KeyError and TypeError for what is none."""
    status: dict[str, Any] = json.loads(printed)["status"]
    token, cert, key = status.get("token"), status.get("clientCertificateData"), status.get("clientKeyData")
    if not token and not (cert and key):
        raise ValueError("it has neither a token nor a client certificate with its key")
    until = datetime.fromisoformat(status["expirationTimestamp"]).timestamp() if status.get("expirationTimestamp") else float("inf")
    return Credential(token, f"{cert}\n{key}".encode() if cert and key else None, until)
