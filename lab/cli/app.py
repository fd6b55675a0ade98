"""The command `lab`: verbs by name, each imported when it is called.

Importing all verbs takes most of a second, which `lab status` and completion must not wait for. So the table of verbs is data: a name,
where its function or group is, and its line of help. A test holds that each line is the first of the function's docstring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer

from lab.cli.errors import Verbs

EXIT_CODES = (
    "Exit codes: 0 ok, 1 tests or checks failed, 2 usage, 3 not possible here, 4 provisioning failed, 6 slower than the target, "
    "7 something was left behind, 130/143 interrupted."
)
STYLE: dict[str, Any] = {
    "no_args_is_help": True,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,  # plain help: the same text everywhere, and no import of rich
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""How each group of verbs is made."""


@dataclass(frozen=True)
class Verb:
    """One verb: "up", in "deployers.commands.up:up" (a function, or a typer application for a group), with its line of help."""

    name: str
    target: str
    help: str

    def load(self) -> Any:
        """Import the verb and return its command."""
        module, _, attribute = self.target.partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            app = typer.Typer(add_completion=False, **STYLE)
            app.command(self.name)(found)
            found = app
        command = typer.main.get_command(found)
        command.name = self.name
        return command


@dataclass(frozen=True)
class Section:
    """Verbs that stand together in the help."""

    title: str
    verbs: tuple[Verb, ...]


class Commands(Mapping[str, Any]):
    """Commands by name. A command is imported when it is looked up; listing names imports nothing."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self._verbs = {verb.name: verb for section in sections for verb in section.verbs}

    def __getitem__(self, name: str) -> Any:
        return self._verbs[name].load()

    def __iter__(self) -> Iterator[str]:
        return iter(self._verbs)

    def __len__(self) -> int:
        return len(self._verbs)


class LazyVerbs(Verbs):
    """The group `lab`: list verbs by name and import only the called one."""

    sections: ClassVar[Sequence[Section]] = ()

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands(self.sections)  # type: ignore[assignment]  # typer only reads it

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (the signature is typer's)
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (the signature is typer's)
        for section in self.sections:
            with formatter.section(section.title):
                formatter.write_dl([(verb.name, verb.help) for verb in section.verbs])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ARG002 (the signature is typer's)
        from typer._click.shell_completion import CompletionItem  # noqa: PLC0415 (0.07 s of CPU; only a shell that completes needs it)

        verbs = [verb for section in self.sections for verb in section.verbs if verb.name.startswith(incomplete)]
        return [CompletionItem(verb.name, help=verb.help) for verb in verbs]


def make_app(sections: Sequence[Section]) -> typer.Typer:
    """Return the application `lab` with these verbs."""
    app = typer.Typer(
        name="lab",
        cls=type("Lab", (LazyVerbs,), {"sections": tuple(sections)}),
        help="Kubernetes clusters with Karmada on them, from nothing and back.",
        epilog=f"A lab is a directory under _runs ($KARMADA_LAB_RUNS). {EXIT_CODES}",
        **STYLE,
    )

    @app.callback()
    def root() -> None:
        """Kubernetes clusters with Karmada on them, from nothing and back."""

    return app
