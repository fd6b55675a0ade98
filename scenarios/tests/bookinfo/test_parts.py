"""What bookinfo is made of: images named as its manifest asks, stand-ins called what they are, and what they answer."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenarios import bookinfo
from scenarios.bookinfo import reviews


def deployment(name: str) -> Any:
    image = f"docker.io/istio/examples-bookinfo-{name}:1"
    spec = {"template": {"spec": {"containers": [{"name": name.partition("-")[0], "image": image}]}}}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": spec}


NAMES = ("details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3", "productpage-v1")


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


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), reviews.Reviews) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()


def get(url: str) -> Any:
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with directly.open(url, timeout=5) as answer:
        return json.load(answer)


def test_the_stand_in_answers_as_upstreams_reviews(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get(f"{server}/health") == {"status": "Reviews is healthy"}
    plain = get(f"{server}/reviews/0")
    assert set(plain) == {"id", "podname", "clustername", "reviews"}
    assert [set(review) for review in plain["reviews"]] == [{"reviewer", "text"}] * 2
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{server}/reviews/first")

    monkeypatch.setattr(reviews, "RATED", True)
    monkeypatch.setattr(reviews, "fetch_stars", lambda product, headers: {"Reviewer1": 5})
    rated = get(f"{server}/reviews/0")["reviews"]
    assert rated[0]["rating"] == {"stars": 5, "color": reviews.COLOR}
    assert rated[1]["rating"] == {"error": "Ratings service is currently unavailable"}


def test_ratings_that_do_not_answer_are_no_error_of_reviews(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(reviews, "RATINGS", "http://127.0.0.1:1/ratings")

    assert reviews.fetch_stars("0", {}) == {}
    assert "unable to contact" in capsys.readouterr().err
