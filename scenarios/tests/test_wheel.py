"""The wheel: every file that programs read is in it below karmada_lab, no unit test is, and another repository can use it."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from karmada_lab.wheel import INTO, PACKAGES, names_module, place, rewrite_source

ROOT = Path(__file__).parents[2]
REPOSITORY = Path(__file__).parent / "cases" / "repository"
SMOKE = "embedded-by_binary-1.18.2-1.35.4-smoke"
OTHER = {"__pycache__", "tests"}
IMPORT_ALL = f"""
import importlib, pkgutil, sys, {INTO}
for each in pkgutil.walk_packages({INTO}.__path__, "{INTO}."):
    if not {{"__main__", "locustfile"}} & set(each.name.split(".")) and ".test_" not in each.name:
        importlib.import_module(each.name)
print(sorted(set({PACKAGES!r}) & set(sys.modules)))
"""


def sources() -> set[str]:
    """Return the files of a wheel, as this checkout has them."""
    files = (path for package in (INTO, *PACKAGES) for path in (ROOT / package).rglob("*") if path.is_file())
    inside = (path.relative_to(ROOT) for path in files if not OTHER & set(path.parts))
    return {str(path if path.parts[0] == INTO else INTO / path) for path in inside}


def test_the_wheel_is_to_have_every_file_of_the_packages_and_no_unit_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    distribution = importlib.import_module("setuptools").Distribution({"script_name": "setup.py"})
    distribution.parse_config_files()
    build = distribution.get_command_obj("build_py")
    build.set_undefined_options = lambda *_: None
    build.build_lib, build.force = str(tmp_path), False
    build.finalize_options()
    built = {str(Path(file).relative_to(tmp_path)) for file in build.get_outputs(include_bytecode=False)}

    assert built == sources()
    assert {f"{INTO}/{each}" for each in ("scenarios/durations.json", "lab/docker/runc-within-bounds", "py.typed")} <= built


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from lab.run import Run\n", "from karmada_lab.lab.run import Run\n"),
        ("from lab import run\n", "from karmada_lab.lab import run\n"),
        ("import lab.run as run\n", "import karmada_lab.lab.run as run\n"),
        ("if ä := 'lab.run':\n    pass\n", "if ä := 'karmada_lab.lab.run':\n    pass\n"),
        ('VERB = "lab.run:Run"\n', 'VERB = "karmada_lab.lab.run:Run"\n'),
        ('ARGV = [PYTHON, "-m", "lab", "up"]\n', 'ARGV = [PYTHON, "-m", "karmada_lab.lab", "up"]\n'),
        (
            'NAME = "lab"\nTEXT = "lab.nothing"\nfrom laboratory import x\n',
            'NAME = "lab"\nTEXT = "lab.nothing"\nfrom laboratory import x\n',
        ),
    ],
)
def test_names_of_modules_follow_their_packages(before: str, after: str) -> None:
    assert rewrite_source(before, ROOT) == after


def test_a_bare_import_cannot_follow() -> None:
    with pytest.raises(ValueError, match="line 2"):
        rewrite_source("\nimport lab.run\n", ROOT)


def test_only_packages_of_the_tree_are_placed() -> None:
    assert place("lab.machines") == [INTO, "lab", "machines"]
    assert place(INTO) == [INTO]
    assert names_module("lab.machines", ROOT)
    assert not names_module("lab", ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and nothing of this checkout; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    tree, venv = folder / "tree", folder / "venv"
    for name in (INTO, *PACKAGES, "pyproject.toml", "README.md", "LICENSE"):
        here = ROOT / name
        shutil.copytree(here, tree / name) if here.is_dir() else shutil.copy(here, tree / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(tree)], check=True, cwd=folder, timeout=600)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=120)
    (packages,) = venv.glob("lib/python*/site-packages")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "dependencies.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")  # a path alone: the .pth files there are not read
    return packages


def run(site: Path, cwd: Path, *args: str, within: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the environment's Python."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("KARMADA_LAB", "PYTEST_"))}
    env = {**kept, "KARMADA_LAB_RUNS": str(cwd / "runs")} | {key: os.environ[key] for key in ("KARMADA_LAB_CACHE",) if key in os.environ}
    python = site.parents[2] / "bin" / "python"
    return subprocess.run([python, *args], capture_output=True, text=True, cwd=cwd, env=env, check=False, timeout=within)


@pytest.mark.thorough
@pytest.mark.spawns
def test_programs_of_the_wheel_read_what_is_in_it(site: Path, tmp_path: Path) -> None:
    assert {str(path.relative_to(site)) for path in (site / INTO).rglob("*") if path.is_file()} == sources()

    done = run(site, tmp_path, "-P", "-c", IMPORT_ALL)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
    assert "by_binary" in run(site, tmp_path, "-m", INTO, "options").stdout
    lines = run(site, tmp_path, "-m", INTO, "matrix", "--only", "smoke").stdout.splitlines()
    (smoke,) = [line for line in lines if line.startswith(SMOKE)]
    assert "about" not in smoke, "durations.json says how long it takes"


@pytest.mark.thorough
@pytest.mark.spawns
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_another_repository_has_the_fixtures(site: Path, tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Its conftest, its package `perf` and its marks stay its own; a session that asks for no lab is left as it is."""
    repository = tmp_path / "repository"
    shutil.copytree(REPOSITORY, repository)
    for path in repository.rglob("*.py.txt"):  # so that no tool here takes them for ours
        path.rename(path.with_suffix(""))

    plain = run(site, repository, "-m", "pytest", "-q", *workers, "checks/test_plain.py")
    done = run(site, repository, "-m", "pytest", "-q", *workers, within=600)

    assert plain.returncode == 0, plain.stdout + plain.stderr
    assert not list(repository.glob("runs/*")), "no lab, no folder of a session"
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed, 1 skipped" in done.stdout
    assert not list((repository / "runs").glob("*/run.json"))
