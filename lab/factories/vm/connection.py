"""The connection to libvirt's daemon of this computer, and its errors as ours."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lab.errors import NotPossible, ProvisionError

try:  # the extra `libvirt`: compiled against libvirt's headers, which most computers lack
    import libvirt
    import libvirt_qemu
except ImportError:
    libvirt = libvirt_qemu = None

URI = "qemu:///system"
SETUP = "on Debian: sudo make setup-libvirt   (it installs libvirt, QEMU and libvirt-python, and starts the daemon)"


class LibvirtFailed(ProvisionError):
    """libvirt refused something. `code` is its VIR_ERR_… number."""

    def __init__(self, what: str, error: Any) -> None:
        super().__init__(f"{what} failed: {error.get_error_message() or error}", where=URI)
        self.code: int = error.get_error_code()


@functools.cache
def connect() -> Any:
    """Return this process's connection; many threads may use it at once. NotPossible without libvirt-python or a daemon that answers."""
    if libvirt is None:
        raise NotPossible("virtual machines need libvirt-python, which is not installed", remedy=SETUP)
    libvirt.registerErrorHandler(lambda *_: None, None)  # its errors are raised; it would print them, too
    try:
        return libvirt.open(URI)
    except libvirt.libvirtError as error:
        raise NotPossible(f"connecting to libvirt failed: {error.get_error_message()}", where=URI, remedy=SETUP) from error


@contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Turn libvirt's errors into LibvirtFailed."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise LibvirtFailed(what, error) from error


def find(lookup: Any, name: str) -> Any | None:
    """Return what a lookup function of libvirt finds by this name; None when it does not exist."""
    try:
        return lookup(name)
    except libvirt.libvirtError:
        return None


def ask_agent(domain: Any, command: str, *, within: int = 10) -> str:
    """Return the answer of the guest agent of a domain to a command in JSON. LibvirtFailed when it does not answer or refuses."""
    with translate_errors("asking the guest agent"):
        answer: str = libvirt_qemu.qemuAgentCommand(domain, command, within, 0)
    return answer
