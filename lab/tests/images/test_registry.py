"""Addresses of registries."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.images.registry import Repository
from lab.tests.registry_fakes import NAME


@pytest.mark.parametrize(
    ("registry", "place"),
    [
        (None, Repository("https://registry-1.docker.io", "karmada/karmada-webhook")),
        ("mirror.example/a/b", Repository("https://mirror.example", "a/b/karmada/karmada-webhook")),
        ("127.0.0.1:5000", Repository("http://127.0.0.1:5000", "karmada/karmada-webhook")),
        ("https://localhost:5000/", Repository("https://localhost:5000", "karmada/karmada-webhook")),
    ],
)
def test_where_an_image_is_asked_for(registry: str | None, place: Repository) -> None:
    assert Repository.of(NAME, registry) == place


def test_an_invalid_registry_address_is_an_error() -> None:
    with pytest.raises(UsageError, match="address"):
        Repository.of(NAME, "registry with blanks")
