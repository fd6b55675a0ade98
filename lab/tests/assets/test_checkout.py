from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from lab.assets.checkout import Checkout
from lab.assets.command import CommandResult
from lab.errors import UsageError

MODULE = "github.com/karmada-io/karmada"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Git:
    """Answers as git would; a verb that is not in `answers` fails."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.envs: list[Mapping[str, str]] = []

    def __call__(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], on_line: Callable[[str], None] | None = None
    ) -> CommandResult:
        self.envs.append(env)
        verb = argv[5].replace("-", "_")
        return CommandResult(0, self.answers[verb], "") if verb in self.answers else CommandResult(128, "", "fatal")


def head(prefix: str = "") -> str:
    return f"{prefix}\n{COMMIT}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "karmada"
    (tmp_path / "cmd").mkdir(parents=True)
    (tmp_path / "go.mod").write_text(f"module {MODULE}\n\ngo 1.25.0\n")
    (tmp_path / "cmd" / "main.go").write_text("package main")
    return tmp_path


def of(tree: Path, git: Git) -> Checkout:
    return Checkout.of(tree, module=MODULE, run=git)


def test_a_tagged_tree_is_that_version(tree: Path) -> None:
    found = of(tree, Git(rev_parse=head(), describe=f"v1.18.2-0-g{COMMIT}\n", status=""))

    assert (found.version, found.changed, found.commit) == ("1.18.2", False, COMMIT)


def test_the_version_shows_commits_after_a_tag_and_changes(tree: Path) -> None:
    found = of(tree, Git(rev_parse=head(), describe=f"v1.18.0-beta.0-12-g{COMMIT}\n", status=" M cmd/main.go\0"))

    assert (found.version, found.changed) == ("1.18.0-beta.0-12-g0123456789ab-dirty", True)


def test_without_tags_it_is_named_by_its_commit(tree: Path) -> None:
    assert of(tree, Git(rev_parse=head(), status="")).version == "0.0.0-g0123456789ab"


def test_content_follows_uncommitted_changes_and_back(tree: Path) -> None:
    clean = Git(rev_parse=head(), status="")
    dirty = Git(rev_parse=head(), status=" M cmd/main.go\0?? cmd/new.go\0")
    before = of(tree, clean).content
    (tree / "cmd" / "new.go").write_text("package main // new")
    one = of(tree, dirty).content
    (tree / "cmd" / "new.go").write_text("package main // newer")
    two = of(tree, dirty).content
    (tree / "cmd" / "new.go").write_text("package main // new")

    assert len({before, one, two}) == 3
    assert of(tree, dirty).content == one


def test_a_deleted_file_and_a_link_are_changes(tree: Path) -> None:
    git = Git(rev_parse=head(), status=" D cmd/gone.go\0?? link\0")
    (tree / "link").symlink_to("a")
    one = of(tree, git).content
    (tree / "link").unlink()
    (tree / "link").symlink_to("b")

    assert of(tree, git).content != one


def test_an_ignored_vendor_directory_counts_by_its_list(tree: Path) -> None:
    git = Git(rev_parse=head(), status="")
    before = of(tree, git).content
    (tree / "vendor").mkdir()
    (tree / "vendor" / "modules.txt").write_text("# x v1")

    assert of(tree, git).content != before


def test_git_is_asked_without_touching_the_checkout(tree: Path) -> None:
    git = Git(rev_parse=head(), status="")
    of(tree, git)

    assert {env["GIT_OPTIONAL_LOCKS"] for env in git.envs} == {"0"}


@pytest.mark.parametrize("git", [Git(), Git(rev_parse=head("part/of/more/"), status="")], ids=["no git", "part of another"])
def test_a_tree_that_git_does_not_know_goes_by_its_files(tree: Path, git: Git) -> None:
    before = of(tree, git)
    assert before.version == f"0.0.0-g{before.content[:12]}"
    assert of(tree, git) == before

    (tree / "cmd" / "main.go").write_text("package main // changed")
    assert of(tree, git).content != before.content


def test_another_module_is_refused(tree: Path) -> None:
    (tree / "go.mod").write_text("module example.org/other\n")

    with pytest.raises(UsageError) as caught:
        of(tree, Git())
    assert caught.value.where == "its go.mod says: module example.org/other"


@pytest.mark.parametrize("name", ["", "none"])
def test_a_directory_without_go_mod_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="checkout"):
        of(tmp_path / name, Git())


@pytest.mark.spawns
def test_real_git_agrees(tree: Path) -> None:
    def git(*args: str) -> None:
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *args], cwd=tree, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    git("tag", "v1.18.2")
    clean = Checkout.of(tree, module=MODULE)
    (tree / "cmd" / "main.go").write_text("package main // changed")
    dirty = Checkout.of(tree, module=MODULE)
    git("commit", "-qam", "two")
    ahead = Checkout.of(tree, module=MODULE)

    assert clean.version == "1.18.2"
    assert dirty.version == "1.18.2-dirty"
    assert ahead.version == f"1.18.2-1-g{ahead.commit[:12]}"
    assert len({clean.content, dirty.content, ahead.content}) == 3
    assert Checkout.of(tree, module=MODULE) == ahead
