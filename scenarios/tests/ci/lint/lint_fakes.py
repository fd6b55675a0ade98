"""Repositories in a temporary folder, and tools that are all installed and answer from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.assets.command import CommandResult

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
CASES = Path(__file__).parents[2] / "cases" / "lint"


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files; one whose content begins with a shebang is executable."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
        if data.startswith(b"#!"):
            path.chmod(0o755)
    return root


class Tools:
    """Programs that note what they are asked; `statuses` and `outputs` are by program name."""

    def __init__(self, statuses: Mapping[str, int] | None = None, outputs: Mapping[str, str] | None = None) -> None:
        self.statuses = dict(statuses or {})
        self.outputs = dict(outputs or {})
        self.ran: list[tuple[str, list[str]]] = []

    def __call__(self, argv: Sequence[str], **_: object) -> CommandResult:
        program, args = Path(argv[0]).name, list(argv[1:])
        self.ran.append((program, args))
        if program == "helm" and args[0] == "template":
            return CommandResult(self.statuses.get("helm", 0), self.outputs.get("helm", ""), self.outputs.get("helm error", ""))
        if program in {"git", "helm"}:
            return CommandResult(0, self.outputs.get(program, "") if program == "git" else "", "")
        return CommandResult(self.statuses.get(program, 0), self.outputs.get(program, ""), "")

    def files(self, program: str) -> list[str]:
        """Return the files that a program was given, in all its runs."""
        return [word for name, args in self.ran if name == program and "--" in args for word in args[args.index("--") + 1 :]]
