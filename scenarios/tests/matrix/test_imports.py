"""The import graph of this project: grimp's, plus the edges that sources contain as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.matrix.imports import find_reachable, import_graph, module_files


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on sys.path for the package `hut`, which nothing imports: grimp only reads it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_graph_has_imports_in_functions_and_for_types_relative_ones_and_started_modules(sources: Path) -> None:
    files = {
        "__init__.py": "from hut.a import x\n",
        "a.py": "def f():\n    import hut.b.c\n",
        "b/__init__.py": "",
        "b/c.py": "from . import d\nfrom ..a import y\nimport os\n",
        "b/d.py": "argv = [python, '-m', 'hut.b', *arguments]\n",
        "b/__main__.py": "",
        "types.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hut.b import d\n",
        "table.py": "TABLE = (('up', 'hut.b.d:run'), ('odd', 'hut.b.d: run'), ('url', 'https://hut.b'), ('none', 'os:path'))\n",
        "watch.py": "arguments = ('-m', 'hut.b.c', path)\n",
        "tests/test_a.py": "import hut.a\n",
    }
    for name, text in files.items():
        (sources / "hut" / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / "hut" / name).write_text(text)

    imports = import_graph(module_files(sources, ["hut"]))

    assert imports == {
        "hut": {"hut.a"},
        "hut.a": {"hut", "hut.b", "hut.b.c"},
        "hut.b": set(),
        "hut.b.c": {"hut", "hut.a", "hut.b", "hut.b.d"},
        "hut.b.d": {"hut", "hut.b", "hut.b.__main__"},
        "hut.b.__main__": set(),
        "hut.types": {"hut", "hut.b", "hut.b.d"},
        "hut.table": {"hut", "hut.b", "hut.b.d"},
        "hut.watch": {"hut", "hut.b", "hut.b.c"},
    }
    assert find_reachable(imports, ["hut.b.__main__", "nothing"]) == {"hut.b.__main__"}
    assert find_reachable(imports, ["hut.a"], but=frozenset({("hut.a", "hut.b.c")})) == {"hut", "hut.a", "hut.b"}
