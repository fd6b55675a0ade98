"""Build Istio's bookinfo from its sources in the module istio.io/istio: manifests, programs and lock files.

    productpage   Istio's program with exactly the packages of its requirements.txt, on Debian's Python
    details       Istio's program, on Debian's Ruby
    ratings       Istio's program, on Debian's Node.js, with the only package that it loads (package-lock.json beside this file)
    reviews       a stand-in, `reviews.py`: upstream's needs a Java application server, which comes as a container image only

Images have the names in Istio's manifest; the names of stand-ins say that they are stand-ins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from lab.images import Image, ImageFile
from lab.images.image import Packages
from lab.images.locked import node_modules, python_packages

Json = dict[str, Any]
HERE = Path(__file__).parent
ASSET = "istio-bookinfo"
PORT = 9080
OPT = "/opt/microservices"
STAND_IN = "docker.io/karmada-lab/bookinfo-reviews-stand-in-{version}:1"
SERVICES = ("productpage", "details", "ratings", "reviews")
STAND_INS = {"reviews": "a program of this project with the same answers: upstream's needs OpenLiberty, which no package registry has"}
REVIEWS = {
    "v1": {"ENABLE_RATINGS": "false"},
    "v2": {"ENABLE_RATINGS": "true", "STAR_COLOR": "black"},
    "v3": {"ENABLE_RATINGS": "true", "STAR_COLOR": "red"},
}
"""How the versions differ (upstream's src/docker-bake.hcl and src/reviews/Dockerfile)."""
UNREAD = ("usr/share/*/man/*", "usr/share/ri/*", "usr/share/nodejs/*/README*", "usr/include/*")


def read_manifests(tree: Path) -> list[Json]:
    """Return the objects of Istio's platform/kube/bookinfo.yaml; `tree` is the asset."""
    documents = list(yaml.safe_load_all((tree / "platform/kube/bookinfo.yaml").read_text()))
    return [document for document in documents if document]


def fetch_sources(tree: Path) -> dict[str, Path]:
    """Return the build contexts of images, by name: Istio's sources and the packages that they need, fetched if necessary."""
    sources = tree / "src"
    return {
        "productpage": sources / "productpage",
        "python-packages": python_packages(sources / "productpage/requirements.txt"),
        "details.rb": sources / "details/details.rb",
        "ratings.js": sources / "ratings/ratings.js",
        "node-modules": node_modules(HERE),
    }


def make_images(names: Mapping[str, str]) -> list[Image]:
    """Return the images; `names` are their names in the manifest by service and version ("reviews-v2")."""
    python = Packages(("python3", "libstdc++6"), without=UNREAD)  # greenlet is of C++
    page = Image(
        names["productpage-v1"],
        (ImageFile(OPT, asset="productpage"), ImageFile("/opt/packages", asset="python-packages")),
        entrypoint=(
            "python3",
            "-m",
            "gunicorn",
            "-b",
            f"0.0.0.0:{PORT}",
            "productpage:app",
            "-w",
            "2",
            "--keep-alive",
            "2",
            "-k",
            "gevent",
        ),
        env={"PYTHONPATH": "/opt/packages", "FLOOD_FACTOR": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        user="1000",
        workdir=OPT,
        packages=python,
    )
    details = Image(
        names["details-v1"],
        (ImageFile(f"{OPT}/details.rb", asset="details.rb"),),
        entrypoint=("ruby", f"{OPT}/details.rb", str(PORT)),
        env={"SERVICE_VERSION": "v1", "ENABLE_EXTERNAL_BOOK_SERVICE": "false"},
        user="1000",
        workdir=OPT,
        packages=Packages(("ruby", "ruby-webrick"), without=UNREAD),
    )
    ratings = Image(
        names["ratings-v1"],
        (ImageFile(f"{OPT}/ratings.js", asset="ratings.js"), ImageFile(f"{OPT}/node_modules", asset="node-modules")),
        entrypoint=("node", f"{OPT}/ratings.js", str(PORT)),
        env={"SERVICE_VERSION": "v1"},
        user="1000",
        workdir=OPT,
        packages=Packages(("nodejs",), without=UNREAD),
    )
    reviews = Image(
        STAND_IN.format(version="v1"),
        (ImageFile(f"{OPT}/reviews.py", content=(HERE / "reviews.py").read_bytes(), mode=0o644),),
        entrypoint=("python3", f"{OPT}/reviews.py", str(PORT)),
        user="1000",
        workdir=OPT,
        packages=python,
    )
    versions = [replace(reviews, name=names[f"reviews-{version}"], env=env) for version, env in REVIEWS.items()]
    return [page, details, ratings, *versions]


def name_images(documents: list[Json]) -> dict[str, str]:
    """Return the image of each Deployment, by its name. Rename those of stand-ins, also in the documents."""
    found = {}
    for document in documents:
        if document["kind"] != "Deployment":
            continue
        container = document["spec"]["template"]["spec"]["containers"][0]
        name = document["metadata"]["name"]
        if name.partition("-")[0] in STAND_INS:
            container["image"] = STAND_IN.format(version=name.partition("-")[2])
        found[name] = str(container["image"])
    return found
