"""What bookinfo is made of: images named as its manifest asks, stand-ins called what they are, and what they answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from scenarios import bookinfo

NAMES = ("details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3", "productpage-v1")


def deployment(name: str) -> Any:
    image = f"docker.io/istio/examples-bookinfo-{name}:1"
    spec = {"template": {"spec": {"containers": [{"name": name.partition("-")[0], "image": image}]}}}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def test_images_have_the_names_that_the_manifest_asks_for_and_stand_ins_say_so(tmp_path: Path) -> None:
    (tmp_path / "platform/kube").mkdir(parents=True)
    written = [{"kind": "Service", "metadata": {"name": "details"}}, *map(deployment, NAMES), None]
    (tmp_path / "platform/kube/bookinfo.yaml").write_text(yaml.safe_dump_all(written))
    documents = bookinfo.read_manifests(tmp_path)
    names = bookinfo.name_images(documents)
    made = {image.name: image for image in bookinfo.make_images(names)}

    assert set(made) == set(names.values()) == {bookinfo_image(document) for document in documents if document["kind"] == "Deployment"}
    assert names["details-v1"] == "docker.io/istio/examples-bookinfo-details-v1:1"
    assert {name for name in made if "stand-in" in name} == {names[f"reviews-{version}"] for version in ("v1", "v2", "v3")}
    assert made[names["reviews-v3"]].env["STAR_COLOR"] == "red"


def bookinfo_image(document: Any) -> str:
    return str(document["spec"]["template"]["spec"]["containers"][0]["image"])


def test_the_locks_pin_every_package_by_its_hash() -> None:
    lock = json.loads((bookinfo.HERE / "package-lock.json").read_text())["packages"]
    asked = json.loads((bookinfo.HERE / "package.json").read_text())["dependencies"]

    assert lock[""]["dependencies"] == asked
    assert all(entry["integrity"].startswith("sha512-") for name, entry in lock.items() if name)
