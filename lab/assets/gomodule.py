"""go.mod and `go version -m`, as far as building upstream's modules needs them. Pure functions.

Upstream's own go.mod and go.sum name the versions that upstream ships; `modfile` keeps them and changes only what cannot work outside
upstream's repository: `replace` lines to folders that a module's archive does not hold. `strangers` then proves it on the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab.assets.pins import Siblings

REPLACE_PATH = re.compile(
    r"^(?P<before>[ \t]*(?:replace[ \t]+)?(?P<module>\S+)(?:[ \t]+v\S+)?[ \t]+=>[ \t]+)(?P<path>\.\.?/\S*)[ \t]*(?://.*)?$", re.M
)
REPLACED = re.compile(r"^[ \t]*(?:replace[ \t]+)?(?P<module>\S+)(?:[ \t]+v\S+)?[ \t]+=>[ \t]+(?P<new>\S+)[ \t]+(?P<version>v\S+)", re.M)


@dataclass(frozen=True)
class GoMod:
    """What a go.mod names: its module, the Go it needs, required versions, and modules replaced by others: {old: (new, version)}."""

    module: str
    go: str
    requires: Mapping[str, str]
    replaces: Mapping[str, tuple[str, str]]


def parse_go_mod(text: str) -> GoMod:
    """`text` of a go.mod; what this project does not need of it is passed over."""
    module = re.search(r"^module[ \t]+\"?([^\s\"]+)", text, re.M)
    go = re.search(r"^go[ \t]+(\S+)", text, re.M)
    requires: dict[str, str] = {}
    inside = False
    for line in text.splitlines():
        fields = line.partition("//")[0].split()
        if fields[:2] == ["require", "("]:
            inside = True
        elif fields[:1] == [")"]:
            inside = False
        elif fields[:1] == ["require"] or (inside and fields):
            module_name, version = fields[-2:]
            requires[module_name] = version
    replaces = {m["module"]: (m["new"], m["version"]) for m in REPLACED.finditer(text)}
    return GoMod(module[1] if module else "", go[1] if go else "", requires, replaces)


def rewrite_go_mod(text: str, siblings: Siblings | None) -> str:
    """Upstream's go.mod with its sibling folders replaced by the modules published from them; everything else as it is."""
    if siblings is None:
        return text

    def of(line: re.Match[str]) -> str:
        if not line["path"].startswith(siblings.path):
            return line[0]  # such as etcd's ./FORBIDDEN_DEPENDENCY, which means what it says
        return f"{line['before']}{line['module']} {siblings.version}" if siblings.version else ""

    return REPLACE_PATH.sub(of, text)


def parse_go_sum(text: str) -> dict[tuple[str, str], str]:
    """go.sum as {(module, version): h1}, without the lines for go.mod files alone."""
    lines = (line.split() for line in text.splitlines())
    return {(w[0], w[1]): w[2] for w in lines if len(w) == 3 and not w[1].endswith("/go.mod")}


@dataclass(frozen=True)
class Dependency:
    """A module that was linked into a binary."""

    module: str
    version: str
    sum: str


def parse_dependencies(output: str) -> list[Dependency]:
    """Return the modules in a binary from the output of `go version -m`; a replaced module has the name of its replacement."""
    found: list[Dependency] = []
    for line in output.splitlines():
        fields = line.split()
        if fields[:1] == ["dep"]:
            found.append(Dependency(fields[1], fields[2], fields[3] if len(fields) > 3 else ""))
        elif fields[:1] == ["=>"]:
            new = Dependency(fields[1], fields[2] if len(fields) > 2 else "", fields[3] if len(fields) > 3 else "")
            found[-1] = new
    return found


def list_unexpected(output: str, go_mod: str, go_sum: str, siblings: Siblings | None) -> list[str]:
    """What was linked into a binary and is not what upstream's go.mod and go.sum name, as text; [] proves that all is.

    Siblings, which upstream takes from its own tree, must be the version published from that tree.
    """
    upstream = parse_go_mod(go_mod)
    sums = parse_go_sum(go_sum)
    local = {m["module"] for m in REPLACE_PATH.finditer(go_mod)}
    wrong = []
    for dep in parse_dependencies(output):
        wanted = upstream.requires.get(dep.module)
        if dep.module in local and siblings is not None and siblings.version:
            wanted = siblings.version
        for new, version in upstream.replaces.values():
            if new == dep.module:
                wanted = version
        if wanted is None:
            wrong.append(f"{dep.module} {dep.version}: upstream's go.mod does not name it")
        elif dep.version != wanted:
            wrong.append(f"{dep.module} {dep.version}: upstream's go.mod names {wanted}")
        elif dep.sum and sums.get((dep.module, dep.version), dep.sum) != dep.sum:
            wrong.append(f"{dep.module} {dep.version}: its checksum is not the one in upstream's go.sum")
    return wrong


def is_go_at_least(have: str, need: str) -> bool:
    """Whether Go `have` (as go1.26.8 or 1.26.8) can build a module that says `go need`."""

    def numbers(text: str) -> tuple[int, ...]:
        found = re.match(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+))?", text)
        return tuple(int(n or 0) for n in found.groups()) if found else ()

    return numbers(have) >= numbers(need)
