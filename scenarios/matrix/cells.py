"""A cell: one provider, deployer, release, Kubernetes version and suite, named `provider-deployer-release-kubernetes-suite`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, fields

from lab.run import ID

PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]*")
"""A part of a cell's name: no '-', so that the name can be split into its parts, and no character special to a shell or a path."""

CHECKOUT = "checkout"
"""The release of cells that test a checkout; its path is given when they are run."""


@dataclass(frozen=True, order=True)
class MatrixCell:
    """One job of the matrix. Cells sort by their parts, in the order of the name."""

    provider: str
    deployer: str
    release: str
    kubernetes: str
    suite: str

    @property
    def name(self) -> str:
        return "-".join(self.parts.values())

    @property
    def parts(self) -> dict[str, str]:
        return asdict(self)

    @property
    def lab(self) -> str:
        """The name of its lab: the cell's name, or if that is too long for a lab, its beginning and a hash of the rest."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        if ID.fullmatch(slug):
            return slug
        return f"{slug[:32].rstrip('-')}-{hashlib.sha256(self.name.encode()).hexdigest()[:7]}"

    def __str__(self) -> str:
        return self.name


PARTS = tuple(field.name for field in fields(MatrixCell))
