from __future__ import annotations

import ast
import importlib.util
import io
import marshal
import sys
import zipfile
from pathlib import Path
from types import CodeType

import lab
from lab.machines.shipped_supervisor import PARTS, archive_name, build_archive, supervisor_archive


def test_the_same_sources_make_the_same_file() -> None:
    first = supervisor_archive()
    build_archive.cache_clear()

    assert supervisor_archive() == first
    assert archive_name().endswith(".pyz")
    assert zipfile.ZipFile(io.BytesIO(first)).testzip() is None


def test_it_holds_every_module_that_it_imports_and_needs_nothing_else() -> None:
    shipped = {part.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for part in PARTS}
    for part in PARTS:
        for node in ast.walk(ast.parse((Path(lab.__file__).parent / part).read_text(), feature_version=(3, 9))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module] if node.module not in {"lab", "lab.supervisor"} else [f"{node.module}.{a.name}" for a in node.names]
            for name in names:
                if name.startswith("lab."):
                    assert name.removeprefix("lab.") in shipped, part
                else:
                    assert name.partition(".")[0] in sys.stdlib_module_names, part


def test_each_module_is_compiled_for_this_python_and_readable_by_others() -> None:
    archive = zipfile.ZipFile(io.BytesIO(supervisor_archive()))
    for name in {f"lab/{part}" for part in PARTS} | {"__main__.py"}:
        compiled = archive.read(f"{name}c")

        assert compiled.startswith(importlib.util.MAGIC_NUMBER)
        assert isinstance(marshal.loads(compiled[16:]), CodeType)
        assert compile(archive.read(name), name, "exec")
