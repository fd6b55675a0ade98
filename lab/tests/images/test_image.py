"""Names of images."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.images import full_name


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("karmada/web:v1", "docker.io/karmada/web:v1"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
    ],
)
def test_names_are_written_as_nodes_know_them(short: str, full: str) -> None:
    assert full_name(short) == full


@pytest.mark.parametrize("wrong", ["UPPER/x:1", "a b", "nginx@sha256:00", ""])
def test_what_names_no_image_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError):
        full_name(wrong)
