"""Make a pin: find the checksums of a version that is not pinned yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lab.assets.golang import GET_GO, Go
from lab.assets.pins import Catalogue
from lab.assets.refs import parse_version
from lab.assets.sources import AssetRequest, SourceRefused
from lab.errors import NotPossible, UsageError
from lab.near_names import did_you_mean, near_names

NO_SUCH = re.compile(r"unknown revision|not found|invalid version|no matching versions|404|410")


def find_product(catalogue: Catalogue, name: str) -> str:
    """Return the product that a name means: its own name (kubernetes), or one of its things (kube-apiserver). UsageError for another."""
    if name in catalogue.products:
        return name
    for product, table in catalogue.products.items():
        if name in table["things"]:
            return product
    known = [*catalogue.products, *(thing for table in catalogue.products.values() for thing in table["things"])]
    raise UsageError(
        f"unknown product {name!r}{did_you_mean(near_names(name, known))}", remedy=f"there are: {', '.join(catalogue.products)}"
    )


def resolve_pin(catalogue: Catalogue, product: str, version: str, errand: AssetRequest) -> dict[str, Any]:
    """Return a version as a pins file has it: the checksums of its modules, which Go also compares with the checksum database.

    UsageError when there is no such version; NotPossible without Go or network. Release files are used only where a checksum file lies
    beside them; of other products the programs are built.
    """
    table = catalogue.products[product]
    version = parse_version(version)
    modules = list(dict.fromkeys(thing.get("module", table.get("module")) for thing in table["things"].values()))
    sums = {}
    with errand.cache.working("pin", subject=f"{product} {version}", progress=errand.tell) as area:
        try:
            go = Go(errand)
            for module in modules:
                sums[module] = go.fetch(f"{module}@v{version}", area).sum
        except SourceRefused as why:
            if NO_SUCH.search(str(why)):
                raise UsageError(f"pinning {product} {version} failed: there is no such version", detail=str(why)) from why
            raise NotPossible(f"pinning {product} {version} failed: {why}", remedy=GET_GO if "no Go" in str(why) else None) from why
    return {"version": version, "published": find_proof(table), "sums": sums}


def find_proof(table: Mapping[str, Any]) -> str:
    """Return how a release file of a new version can be checked: by the checksum file beside it, or not at all ("module")."""
    return "beside" if table.get("checksum") else "module"
