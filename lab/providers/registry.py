"""The registry of providers."""

from __future__ import annotations

from collections.abc import Callable

from lab.errors import UsageError
from lab.providers.embedded import Embedded
from lab.providers.existing import Existing
from lab.providers.kind import Kind
from lab.providers.provider import Provider
from lab.providers.ssh import Ssh
from lab.spec import Capability

PROVIDERS: dict[str, Callable[[], Provider]] = {"embedded": Embedded, "kind": Kind, "existing": Existing, "ssh": Ssh}
"""What makes each provider, by its name."""


def get_provider(name: str) -> Provider:
    """Return a provider by name. UsageError lists the names there are."""
    try:
        return PROVIDERS[name]()
    except KeyError:
        raise UsageError(f"unknown provider {name!r}", remedy=f"one of: {', '.join(sorted(PROVIDERS))}") from None


def providers_offering(needs: frozenset[Capability]) -> list[str]:
    """Return the names of the providers that offer all of this."""
    return [name for name, make in PROVIDERS.items() if needs <= make().offers]
