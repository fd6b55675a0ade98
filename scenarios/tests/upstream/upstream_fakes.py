"""Reports of Ginkgo, and entries of known specs."""

from __future__ import annotations

from typing import Any

from scenarios.upstream.known import KnownSpec
from scenarios.upstream.spec import Spec

WHY = "it needs something that is not here"


def row(leaf: str, *containers: str, state: str = "passed", file: str = "search_test.go", line: int = 1, **other: Any) -> dict[str, Any]:
    """One spec as ginkgo reports it."""
    return {
        "ContainerHierarchyTexts": list(containers) or None,
        "ContainerHierarchyLabels": [[] for _ in containers] or None,
        "LeafNodeType": "It",
        "LeafNodeText": leaf,
        "LeafNodeLabels": other.pop("labels", None),
        "LeafNodeLocation": {"FileName": f"github.com/karmada-io/karmada/test/e2e/suites/base/{file}", "LineNumber": line},
        "State": state,
        "RunTime": 1_500_000_000,
        **other,
    }


def spec(text: str, *labels: str) -> Spec:
    return Spec("search", text, labels=frozenset(labels))


def entry(**words: Any) -> KnownSpec:
    return KnownSpec.model_validate({"owner": "environment", "why": WHY, **words})
