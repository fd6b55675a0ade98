"""The wheel: every file that programs read is in it, and no unit test is."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("lab", "deployers", "scenarios", "perf", "reports")
SMOKE = "embedded-by_binary-1.18.2-1.35.4-smoke"
OTHER = {"__pycache__", "tests"}


def sources() -> set[str]:
    """Return the files of the packages that belong into a wheel, as this checkout has them."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in files if not OTHER & set(path.parts)}


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
    assert {"scenarios/durations.json", "lab/docker/runc-within-bounds", "scenarios/bookinfo/package-lock.json"} <= built


@pytest.mark.thorough
@pytest.mark.spawns
def test_programs_of_the_wheel_read_what_is_in_it(tmp_path: Path) -> None:
    tree, site = tmp_path / "tree", tmp_path / "site"
    for name in (*PACKAGES, "pyproject.toml", "README.md"):
        here = ROOT / name
        shutil.copytree(here, tree / name) if here.is_dir() else shutil.copy(here, tree / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(tree)], check=True, cwd=tmp_path, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)

    assert {str(path.relative_to(site)) for package in PACKAGES for path in (site / package).rglob("*") if path.is_file()} == sources()
    env = {**os.environ, "PYTHONPATH": str(site), "KARMADA_LAB_RUNS": str(tmp_path / "runs")}

    def run(*args: str) -> str:
        argv = [sys.executable, "-P", *args]
        return subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, env=env, check=True, timeout=120).stdout

    assert run("-c", "import scenarios; print(list(scenarios.__path__))").strip() == str([str(site / "scenarios")])
    assert "by_binary" in run("-m", "lab", "options")
    (smoke,) = [line for line in run("-m", "lab", "matrix", "--only", "smoke").splitlines() if line.startswith(SMOKE)]
    assert "about" not in smoke, "durations.json says how long it takes"
