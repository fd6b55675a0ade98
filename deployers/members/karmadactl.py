"""Run karmadactl so that it writes nothing outside the run directory and reads nothing of its caller's environment.

Each call has a home of its own below the run directory, removed when the call ends: many run at once, and `~/.kube` is neither
read nor written (karmadactl caches discovery there). Two paths of karmadactl are fixed and cannot be moved by a flag:
`unregister` deletes /etc/karmada/karmada-agent.conf and /etc/karmada/pki/ca.crt of the computer it runs on (karmada
pkg/karmadactl/unregister/unregister.go). `register` of 1.17 and 1.18 no longer writes either, so files there belong
to another installation: the CA of a `karmadactl init`. `lab.machines.hide_directory` hides that directory from it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from deployers.members.registry import RunningKarmada
from lab.errors import CommandFailed
from lab.machines import hide_directory
from lab.machines.machine import Completed


def karmadactl(karmada: RunningKarmada, *args: str, within: float = 90.0) -> Completed:
    """Run karmadactl to its end. Raise CommandFailed as `Machine.run` does; callers explain it.

    It sees only the kubeconfigs in `args`: not the caller's KUBECONFIG, home or proxies.
    """
    with tempfile.TemporaryDirectory(prefix="karmadactl-", dir=karmada.run.folder("data", "karmadactl")) as home:
        argv = (str(karmada.release.binary("karmadactl")), *args)
        return karmada.machine.run(
            hide_directory.hide_directory(Path("/etc/karmada"), argv, by=Path(home)), env=environment(home), within=within
        )


def error_of(failed: CommandFailed) -> str:
    """Return the last error that karmadactl printed, as the end of a sentence (": <error>"); "" when it printed none."""
    lines = (line for line in reversed(failed.output.splitlines()) if line.startswith("error: "))
    return next((f": {line.removeprefix('error: ')}" for line in lines), "")


def environment(home: str) -> dict[str, str]:
    """Return karmadactl's own environment variables; `lab.environment` removes those of the caller."""
    return {"HOME": home, "TMPDIR": home}


def to_karmada(karmada: RunningKarmada) -> tuple[str, ...]:
    """Return the flags that point `join`, `unjoin` and `token` to this control plane."""
    return ("--kubeconfig", str(karmada.cluster.kubeconfig), "--karmada-context", karmada.cluster.context)
