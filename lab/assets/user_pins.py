"""The user's own pins: further versions of what karmada-lab pins, in a file that is reviewed and committed as a lock is.

The file is `karmada-lab-pins.toml` in the working directory, or what $KARMADA_LAB_PINS names. `lab assets pin` adds to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.assets.pins import Catalogue
from lab.documents import parse_toml, read_toml
from lab.errors import NotPossible

VARIABLE = "KARMADA_LAB_PINS"
HEAD = """# Versions that karmada-lab does not pin itself. `lab assets pin NAME VERSION` adds one. Review changes as those of a lock file:
# a build or a download that has another checksum is refused.
schema = 1
"""


def find_user_pins() -> Path:
    """Return where the user's pins are, or would be."""
    return Path(os.environ.get(VARIABLE) or "karmada-lab-pins.toml").absolute()


def add_user_pins(catalogue: Catalogue, path: Path, *, strict: bool = True) -> Catalogue:
    """Return the catalogue with the versions of a pins file added; as it is when there is no such file. UsageError says what is wrong.

    `strict`: whether a product that the catalogue does not know is an error.
    """
    if path.is_file():
        data = read_toml(path, what="the pins")
        known = {"schema", *catalogue.products}
        catalogue.extend(str(path), data if strict else {key: value for key, value in data.items() if key in known})
    return catalogue


def format_version(product: str, entry: Mapping[str, Any]) -> str:
    """Return one pinned version as TOML."""
    sums = "".join(f'"{module}" = "{checksum}"\n' for module, checksum in entry["sums"].items())
    head = f'\n[[{product}.versions]]\nversion = "{entry["version"]}"\npublished = "{entry["published"]}"\n'
    return f"{head}[{product}.versions.sums]\n{sums}"


def append_version(catalogue: Catalogue, path: Path, product: str, entry: Mapping[str, Any]) -> None:
    """Append one version to a pins file, which is made when there is none; what is in it stays.

    The file is replaced as a whole. UsageError when the result would not be valid; NotPossible when it cannot be written.
    """
    before = path.read_text(encoding="utf-8-sig") if path.is_file() else HEAD
    after = before.rstrip("\n") + "\n" + format_version(product, entry)
    catalogue.extend(str(path), parse_toml(after.encode()))
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(after, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise NotPossible(f"writing {path} failed: {error.strerror}", remedy=f"choose another file: {VARIABLE}=FILE") from error
