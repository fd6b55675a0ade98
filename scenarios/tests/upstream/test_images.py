"""Build the images that upstream's specs name, for members with real pods: no registry is reachable, so the images are made here."""

from __future__ import annotations

from lab.images.kubernetes import CONTENT
from scenarios.upstream import images


def test_images_have_the_names_that_specs_ask_for_and_a_tag_that_no_registry_is_asked_for() -> None:
    names = [image.name for image in images.ALL]

    assert names == [f"docker.io/library/{name}" for name in ("nginx:1.19.0", "busybox:1.36.0", "perl:5.34.0")]
    assert all(image.labels[CONTENT].endswith("of Debian") for image in images.ALL), "each says what it is"
