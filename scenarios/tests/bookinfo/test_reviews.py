"""Serve a stand-in for bookinfo's reviews: the same answers at the same paths as its LibertyRestEndpoint."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from scenarios.bookinfo import reviews


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
