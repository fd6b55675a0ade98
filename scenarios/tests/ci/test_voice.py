"""The rule of voice: docstrings, comments, messages and names use the field's terms, so that a first-time reader understands them.

`RIDDLES` are words that hid the subject, the object or the noun of a sentence in earlier texts. Each entry names what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from scenarios.tests.ci.test_names import PACKAGES, ROOT, sources

RIDDLES: Mapping[str, str] = {
    "told": "reported, printed, distinguished",
    "said": "reported, printed, set; a variable: message, output, error",
    "words": "arguments, options, terms, text",
    "whose": "with, of, and the owner's name",
    "nobody": "no process, no owner, no client",
    "somebody": "a user, another owner",
    "whoever": "the caller, the user",
    "anew": "again, or the verb with re-",
    "afresh": "again, or the verb with re-",
    "befall": "happen to",
    "untold": "unreported",
}
WORD = re.compile(rf"(?<![A-Za-z])({'|'.join(RIDDLES)})(?![A-Za-z])", re.I)
ALLOWED: Mapping[str, tuple[str, str]] = {
    "reports/history.py": ("whose", "a key in histories of earlier versions, which are still read"),
    ".github/runner-kit/values.yaml": ("nobody", "the name of a YAML anchor, after the account nobody"),
}
"""By file: the one word that it may contain, and why."""
OTHER_FILES = (
    ".github/**/*.yml",
    ".github/**/*.yaml",
    ".github/**/*.sh",
    "Makefile",
    "conftest.py",
    "pyproject.toml",
    "*/*.toml",
    "*/*/*.toml",
    "*.md",
    "docs/**/*.md",
)


def texts() -> Iterator[Path]:
    """Yield the files that are held to the rule as a whole: product code, workflows, commands, data."""
    yield from sources()
    for pattern in OTHER_FILES:
        yield from sorted(ROOT.glob(pattern))


def riddles_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and word of each riddle."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from ((number, found[1].lower()) for found in WORD.finditer(line))


def test_product_texts_have_no_riddles() -> None:
    found = []
    for path in texts():
        name = path.relative_to(ROOT).as_posix()
        allowed = ALLOWED.get(name, ("", ""))[0]
        found += [f"{name}:{number}: {word} (write: {RIDDLES[word]})" for number, word in riddles_in(path.read_text()) if word != allowed]

    assert not found, "\n".join(["reword these sentences and names:", *found])


def test_names_of_tests_have_no_riddles() -> None:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("test_*.py")):
            names = re.findall(r"^ *def (test_\w+)", path.read_text(), re.M)
            found += [f"{path.relative_to(ROOT)}: {name}" for name in names if WORD.search(name)]

    assert not found, "\n".join(["rename these tests:", *found])


def test_each_exception_is_still_needed() -> None:
    unused = [name for name, (word, _) in ALLOWED.items() if word not in {each for _, each in riddles_in((ROOT / name).read_text())}]

    assert not unused, f"remove these from ALLOWED: {', '.join(unused)}"


def test_riddles_are_found_in_prose_and_in_names() -> None:
    assert [word for _, word in riddles_in("# told so\nsaid_last = WORDS\nforetold, stdsaid, anewton")] == ["told", "said", "words"]
