from __future__ import annotations

from typing import Any

import pytest

from deployers.operator.install import OBJECTS, find_obstacle, install, uninstall
from lab.errors import NotPossible

Json = dict[str, Any]


class Server:
    """A cluster that establishes definitions at once."""

    def __init__(self, *objects: str) -> None:
        self.applied: list[str] = []
        self.deleted: list[str] = []
        self.objects = [{"metadata": {"namespace": "fleet", "name": name}} for name in objects]

    def apply(self, manifest: Json) -> None:
        self.applied.append(manifest["kind"])

    def until(self, path: str, holds: Any, **options: Any) -> None:
        assert holds({"status": {"conditions": [{"type": "Established", "status": "True"}]}}) is None

    def until_gone(self, path: str, **options: Any) -> None: ...

    def find(self, path: str) -> Json | None:
        return {} if path.count("/") == 3 else None

    def items(self, path: str) -> list[Json]:
        assert path == OBJECTS
        return self.objects

    def path_of(self, manifest: Json) -> str:
        return f"{manifest['kind']}/{manifest['metadata']['name']}"

    def delete(self, path: str) -> None:
        self.deleted.append(path)


def test_definitions_come_first_and_go_last() -> None:
    server = Server()
    install(server)  # type: ignore[arg-type]
    assert server.applied[:3] == ["CustomResourceDefinition", "Namespace", "ServiceAccount"]

    uninstall(server)  # type: ignore[arg-type]
    assert server.deleted[-1].endswith("karmadadeployments.deploy.karmada-lab.dev")
    assert "validatingwebhookconfigurations" in server.deleted[0], "it would refuse what follows"


def test_an_operator_with_objects_is_not_removed() -> None:
    server = Server("prod")
    with pytest.raises(NotPossible, match="objects"):
        uninstall(server)  # type: ignore[arg-type]
    assert server.deleted == []


def test_a_definition_that_is_not_structural_says_why() -> None:
    wrong = {"status": {"conditions": [{"type": "NonStructuralSchema", "status": "True", "message": "spec.x"}]}}

    assert find_obstacle(wrong) == "spec.x"
    assert "not established" in str(find_obstacle({}))
