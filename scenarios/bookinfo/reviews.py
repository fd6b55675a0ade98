"""Serve a stand-in for bookinfo's reviews: the same answers at the same paths as its LibertyRestEndpoint, with the standard library only.

    GET /health            {"status": "Reviews is healthy"}
    GET /reviews/<id>      two reviews; with ENABLE_RATINGS=true each with its stars, as the service `ratings` has them, in STAR_COLOR

It runs in its own container, without the rest of this project, and no module imports it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXTS = {
    "Reviewer1": "An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!",
    "Reviewer2": "Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.",
}
RATED, COLOR = os.environ.get("ENABLE_RATINGS") == "true", os.environ.get("STAR_COLOR", "black")
RATINGS = f"http://{os.environ.get('RATINGS_HOSTNAME', 'ratings')}:{os.environ.get('RATINGS_SERVICE_PORT', '9080')}/ratings"
WITHIN = 10.0 if COLOR == "black" else 2.5
PASSED_ON = ("x-request-id", "end-user", "user-agent", "cookie", "authorization", "traceparent", "x-b3-traceid", "x-b3-spanid")


def fetch_stars(product: str, headers: dict[str, str]) -> dict[str, int]:
    """Return the stars by reviewer; none when the service does not answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{RATINGS}/{product}", headers=headers), timeout=WITHIN) as answer:
            return dict(json.load(answer)["ratings"])
    except (OSError, ValueError, KeyError) as error:
        print(f"Error: unable to contact {RATINGS} got exception {error}", file=sys.stderr)
        return {}


class Reviews(BaseHTTPRequestHandler):
    """Answers as upstream's endpoint does."""

    def do_GET(self) -> None:
        head, _, product = self.path.strip("/").partition("/")
        if head == "health":
            self.answer({"status": "Reviews is healthy"})
        elif head == "reviews" and product.isdigit():
            self.answer(self.reviews(product))
        else:
            self.send_error(404)

    def reviews(self, product: str) -> dict[str, object]:
        headers = {name: value for name in PASSED_ON if (value := self.headers.get(name))}
        given = fetch_stars(product, headers) if RATED else {}
        reviews: list[dict[str, object]] = [{"reviewer": reviewer, "text": text} for reviewer, text in TEXTS.items()]
        for review in reviews if RATED else ():
            known = given.get(str(review["reviewer"]))
            review["rating"] = {"error": "Ratings service is currently unavailable"} if known is None else {"stars": known, "color": COLOR}
        where = {"podname": os.environ.get("HOSTNAME"), "clustername": os.environ.get("CLUSTER_NAME", "null")}
        return {"id": product, **where, "reviews": reviews}

    def answer(self, document: dict[str, object]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # PID 1 of a container ignores SIGTERM without a handler
    ThreadingHTTPServer(("", int(sys.argv[1])), Reviews).serve_forever()
