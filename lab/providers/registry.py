"""The registry of providers."""

from __future__ import annotations

from importlib import import_module

from lab.errors import UsageError
from lab.providers.provider import Provider
from lab.spec import Capability

PROVIDERS = {"embedded": "Embedded", "kind": "Kind", "existing": "Existing", "ssh": "Ssh"}
"""The module and the class of each provider."""


def get_provider(name: str) -> Provider:
    """Return a provider by name. UsageError lists the names there are."""
    if name not in PROVIDERS:
        raise UsageError(f"unknown provider {name!r}", remedy=f"one of: {', '.join(sorted(PROVIDERS))}")
    module = import_module(f".{name}", __package__)  # only the one in use is loaded
    made: Provider = getattr(module, PROVIDERS[name])()
    return made


def providers_offering(needs: frozenset[Capability]) -> list[str]:
    """Return the names of the providers that offer all of this."""
    return [name for name in PROVIDERS if needs <= get_provider(name).offers]
