"""The rule of names: functions begin with a verb or name what they return, and a class name has one meaning.

A past participle or a bare adjective as the first word ("changed", "alone") says neither what is done nor what is returned.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("lab", "deployers", "scenarios", "perf", "reports")
IRREGULAR = (
    "begun bound broken brought built chosen cut done drawn driven fallen found gone given grown heard held hidden kept known left lost "
    "made meant met mounted put read run said seen sent set shown spoken spread spun stood struck sunk taken taught thought told torn "
    "understood unheld untold withdrawn worn written"
)
VERBS = "cut put read run set spread embed feed need proceed shed speed seed"
"""Words of either list that are verbs in their plain form too, or only end as participles do."""
ADJECTIVES = (
    "admissible afresh alike alone anew apart aside away bad bare beside big busy clean dead distinct empty equal false fit foreign free "
    "full good idle inside late lacking live missing needed new old only other others ours own partly plain quiet ready real removable "
    "same several short single small still stray stuck there true typed unapplied unequal unfit unique unknown unlike unready unsayable "
    "usable useless valid wanted whole without within worse worth wrong young"
)


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "tests" not in path.relative_to(ROOT).parts and not path.name.startswith("test_"):
                yield path


def is_participle(word: str) -> bool:
    return word not in VERBS.split() and (word in IRREGULAR.split() or (word.endswith("ed") and len(word) > 4))


def misnamed(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the public functions of a module whose first word is a past participle or a bare adjective."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            word, *more = node.name.split("_")
            if is_participle(word) or (word in ADJECTIVES.split() and not more):
                yield node


def test_no_function_is_named_by_a_participle_or_an_adjective() -> None:
    found = [f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}" for path in sources() for node in misnamed(ast.parse(path.read_text()))]

    assert not found, "\n".join(["rename these: begin with a verb, or name what is returned", *found])


def test_a_class_name_has_one_meaning() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sources():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert not [f"{name}: {', '.join(found)}" for name, found in places.items() if len(found) > 1]
