"""Settings: options that have an environment variable too, with one meaning and one type in `lab` and pytest.

A setting says which lab is meant, what it is made of, and where its software comes from. All other options have no variable: flags of
one command (--force, --keep, --plan), and whatever says what is deleted, replaced or restored.
These variables are no options; they are read where they are used:

    KARMADA_LAB_RUNS    where run directories are, in place of ./_runs       KARMADA_LAB_GO    the program `go`
    KARMADA_LAB_CACHE   where programs are cached                            KARMADA_LAB_ARC   a checkout of ARC (scenarios.ci.runner_kit)
    KARMADA_LAB_PINS    the user's pins file, in place of ./karmada-lab-pins.toml (lab.assets.user_pins)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from lab.errors import UsageError

PREFIX = "KARMADA_LAB"
NOT_OPTIONS = ("KARMADA_LAB_RUNS", "KARMADA_LAB_CACHE", "KARMADA_LAB_GO", "KARMADA_LAB_ARC", "KARMADA_LAB_PINS")
"""The variables that are read and belong to no option."""
SOURCES = ("auto", "download", "build", "bundle")
TRUE, FALSE = ("1", "true", "yes", "on", "t", "y"), ("0", "false", "no", "off", "f", "n")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Setting(Generic[Value]):
    """One setting: its option `--word`, its variable, what it means, and how text becomes its value (ValueError says what is wanted)."""

    word: str
    help: str
    parse: Callable[[str], Value]
    metavar: str = ""
    opposite: str = ""
    """The option that switches a flag off."""

    @property
    def option(self) -> str:
        return f"--{self.word}"

    @property
    def variable(self) -> str:
        return PREFIX if self.word == "lab" else f"{PREFIX}_{self.word.upper().replace('-', '_')}"

    def from_environment(self, env: Mapping[str, str] = os.environ) -> Value | None:
        """Return the variable's value, None if it is unset or empty. UsageError names the variable with an invalid value."""
        text = env.get(self.variable, "")
        if not text:
            return None
        try:
            return self.parse(text)
        except ValueError as error:
            raise UsageError(
                f"invalid {self.variable}: {error}", remedy=f"unset {self.variable}, or set it to what {self.option} takes"
            ) from error


def parse_count(text: str) -> int:
    """Return a positive whole number. ValueError for anything else."""
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError(f"{text!r} is not a whole number from 1")
    return count


def parse_flag(text: str) -> bool:
    """Return yes or no. ValueError for anything else."""
    word = text.strip().lower()
    if word not in TRUE + FALSE:
        raise ValueError(f"{text!r} is not a boolean: use 1 or 0")
    return word in TRUE


def parse_source(text: str) -> str:
    """Return a source of software. ValueError for anything else."""
    if text not in SOURCES:
        raise ValueError(f"{text!r} is not one of {', '.join(SOURCES)}")
    return text


LAB = Setting("lab", "Name of the lab; its run directory is _runs/NAME.", str, "NAME")
SPEC = Setting("spec", "Lab file (TOML), in place of the default one.", Path, "FILE")
PROVIDER = Setting("provider", "What clusters are made of, instead of what the lab file says.", str, "NAME")
DEPLOYER = Setting("deployer", "How Karmada is installed, instead of what the lab file says.", str, "NAME")
RELEASE = Setting("release", "Karmada's version, or the path of a checkout that is built and tested.", str, "VERSION|PATH")
MEMBERS = Setting("members", "Number of member clusters, instead of what the lab file says.", parse_count, "N")
KUBERNETES = Setting("kubernetes", "Kubernetes' version of clusters that name none.", str, "VERSION")
SOURCE = Setting("source", "Where programs come from; auto takes the first that works.", parse_source, "|".join(SOURCES))
OFFLINE = Setting("offline", "Use the cache and --bundle only, never the network.", parse_flag, opposite="online")
BUNDLE = Setting("bundle", "Archive written by `lab bundle`, used before anything else.", Path, "FILE")
MIRROR = Setting("mirror", "Where release files are, instead of their official addresses.", str, "URL")
IMAGE_REGISTRY = Setting(
    "image-registry", "Where official images are pulled from, in place of upstream's registries.", str, "HOST[/PREFIX]"
)
CHECKOUT = Setting("checkout", "A checkout of Karmada: the release of every cell, built and tested.", Path, "PATH")

OF_LAB: tuple[Setting[Any], ...] = (LAB, SPEC, PROVIDER, DEPLOYER, RELEASE, MEMBERS, KUBERNETES, CHECKOUT)
"""Settings that say which lab is meant and what it is made of."""
SETTINGS: tuple[Setting[Any], ...] = (*OF_LAB, SOURCE, OFFLINE, BUNDLE, MIRROR, IMAGE_REGISTRY)
