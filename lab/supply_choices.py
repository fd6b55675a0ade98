"""SupplyChoices: what a user chose about where assets and images come from. One object for a command line, a run record and a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Choice = Literal["auto", "download", "build", "bundle"]


@dataclass(frozen=True)
class SupplyChoices:
    """The values of --source, --offline, --bundle, --mirror and --image-registry.

    Offline needs a bundle only for what the cache lacks; a local checkout is built offline too, with the modules that are here.
    `image_registry` replaces the registries that the names of official images give.
    """

    source: Choice = "auto"
    offline: bool = False
    bundle: Path | None = None
    mirror: str | None = None
    image_registry: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> SupplyChoices:
        """Return the choices that `document` wrote."""
        return cls(**{**document, "bundle": Path(document["bundle"]) if document.get("bundle") else None})

    @property
    def choices(self) -> SupplyChoices:
        """Return these choices alone, without what a subclass adds to carry them out."""
        return SupplyChoices(self.source, self.offline, self.bundle, self.mirror, self.image_registry)

    @property
    def document(self) -> dict[str, Any]:
        """Return them as JSON."""
        return {**vars(self.choices), "bundle": str(self.bundle.absolute()) if self.bundle else None}

    @property
    def args(self) -> list[str]:
        """Return them as arguments of `lab up`. The source is always given: an environment variable may name another."""
        given = {"--bundle": self.bundle, "--mirror": self.mirror, "--image-registry": self.image_registry}
        return [
            "--source",
            self.source,
            *(["--offline"] * self.offline),
            *(word for key, value in given.items() if value for word in (key, str(value))),
        ]
