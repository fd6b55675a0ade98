"""The connection to libvirt's daemon of this computer, and its errors as ours."""

from __future__ import annotations

import atexit
import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lab.errors import NotPossible, ProvisionError

URI = "qemu:///system"
SETUP = "on Debian: sudo make setup-libvirt   (it installs libvirt, QEMU and libvirt-python, and starts the daemon)"


class LibvirtFailed(ProvisionError):
    """libvirt refused something. `code` is its VIR_ERR_… number."""

    def __init__(self, what: str, error: Any) -> None:
        super().__init__(f"{what} failed: {error.get_error_message() or error}", where=URI)
        self.code: int = error.get_error_code()


@functools.cache
def load_module(name: str) -> Any:
    """Return a module of libvirt-python. NotPossible when it is not installed.

    It is an extra, because it is compiled against libvirt's headers; and every `lab down` would spend 80 ms on importing it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotPossible(f"virtual machines need libvirt-python, which cannot be imported: {error}", remedy=SETUP) from error


@functools.cache
def connect() -> Any:
    """Return this process's connection; many threads may use it at once. NotPossible without libvirt-python or a daemon that answers."""
    libvirt = load_module("libvirt")
    atexit.register(connect.cache_clear)  # its object must be gone before Python takes modules down
    libvirt.registerErrorHandler(lambda *_: None, None)  # its errors are raised; it would print them, too
    try:
        return libvirt.open(URI)
    except libvirt.libvirtError as error:
        raise NotPossible(f"connecting to libvirt failed: {error.get_error_message()}", where=URI, remedy=SETUP) from error


@contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Turn libvirt's errors into LibvirtFailed."""
    libvirt = sys.modules.get("libvirt")  # where it was never imported it raised nothing
    failures = (libvirt.libvirtError,) if libvirt else ()
    try:
        yield
    except failures as error:
        raise LibvirtFailed(what, error) from error


def find(lookup: Callable[[str], Any], name: str) -> Any | None:
    """Return what a lookup function of libvirt finds by this name; None when there is no such thing."""
    libvirt = load_module("libvirt")
    absent = {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_NO_NETWORK, libvirt.VIR_ERR_NO_STORAGE_POOL, libvirt.VIR_ERR_NO_STORAGE_VOL}
    try:
        return lookup(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() in absent:
            return None
        raise LibvirtFailed(f"looking up {name}", error) from error


def ask_agent(domain: Any, command: str, *, within: int = 10) -> str:
    """Return the answer of the guest agent of a domain to a command in JSON. LibvirtFailed when it does not answer or refuses."""
    with translate_errors("asking the guest agent"):
        answer: str = load_module("libvirt_qemu").qemuAgentCommand(domain, command, within, 0)
    return answer
