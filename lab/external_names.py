"""Names of what a run makes outside its directory: a container, a domain, a namespace, an interface, a temporary file."""

from __future__ import annotations

import hashlib

VIRSH = ("virsh", "--quiet", "--connect", "qemu:///system")
"""libvirt's client; an ordinary user's default is a daemon of his own."""
PREFIX = "karmada-lab."
"""The beginning of every external name."""
LONGEST_RUN = 18
"""Characters of the run id in an external name: a container's name is also its host name, 63 characters at most."""


def external_name(run_id: str, what: str) -> str:
    """Return the name of something a run makes outside its directory: a container, a domain, a namespace, a temporary file.

    The dots keep it apart from those of a run "a" and a run "a-b": they are in no id. Of a long id the beginning is there, and a hash
    of all of it.
    """
    if len(run_id) > LONGEST_RUN:
        run_id = f"{run_id[:9]}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"
    return f"{PREFIX}{run_id}.{what}"


def interface_name(run_id: str) -> str:
    """Return the name of a run's network interface: the kernel allows 15 characters, so a hash stands for the run."""
    return f"kl-{hashlib.sha256(run_id.encode()).hexdigest()[:10]}"


def belongs_to_run(name: str, run_id: str) -> bool:
    """Return whether the run made the thing of this name."""
    return name.startswith(external_name(run_id, ""))
