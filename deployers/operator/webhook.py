"""The server of admission reviews: HTTPS on an address that the API server reaches, with certificates that renew themselves.

The standard library's threaded server, since one path and some requests a second are all that is asked. The authority is kept beside the
labs, so that operators of one directory serve with one authority; the API server learns it from the configuration, which is written again
when a `kubectl apply` took it away.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deployers.operator.admission import review
from deployers.operator.api import GROUP, VERSION
from deployers.operator.kube import PLURAL
from lab.api import Api
from lab.pki import Authority, Pair
from lab.run import runs_root

Json = dict[str, Any]
NAME = "karmada-lab-operator"
CONFIGURATION = f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{NAME}"
PATH = "/validate"
LIFETIME = dt.timedelta(days=90)
RENEW_EVERY = 30 * 86_400.0
"""Seconds after which the server's certificate is issued again: long before it ends."""
LONGEST = 4 * 2**20
"""Bytes of a request: objects of Kubernetes have 1.5 MiB at most, and an update has two of them."""


class ReviewHandler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        """Answer a review; 400 for what is none."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= LONGEST:
            self.send_error(413)
            return
        try:
            asked = json.loads(self.rfile.read(length))
            request = asked["request"]
        except (ValueError, KeyError, TypeError):
            self.send_error(400)
            return
        body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": review(request)}
        self.answer(json.dumps(body).encode())

    def do_GET(self) -> None:
        """Answer whether the server serves."""
        self.answer(b'{"status": "ok"}')

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: a review has Secrets' names in it."""


class TlsServer(ThreadingHTTPServer):
    """A server with a thread a connection; the handshake is made in that thread, so that a silent client holds up no other."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__(address, ReviewHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        request.settimeout(ReviewHandler.timeout)
        with self.context.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a client that breaks off, or that does not trust the certificate."""


class Webhook:
    """The server and its configuration. `host` is the address by which the API server reaches it."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.folder = runs_root() / ".operator-webhook"
        self.authority = Authority.ensure(self.folder, "ca", common_name=f"{NAME}-ca")
        self.issued = time.monotonic()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.load(self.issue(renew=False))
        self.server = TlsServer((host, port), self.context)

    @property
    def url(self) -> str:
        """Return the URL of reviews; the port is the real one where 0 was asked for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.server.server_address[1]}{PATH}"

    def issue(self, *, renew: bool) -> Pair:
        """Return a certificate for the host."""
        return self.authority.issue("webhook", common_name=NAME, hosts=[self.host], valid=LIFETIME, renew=renew)

    def load(self, pair: Pair) -> None:
        """Have new connections get a certificate."""
        self.context.load_cert_chain(pair.cert, pair.key)

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self.server.serve_forever, name="webhook", daemon=True).start()

    def stop(self) -> None:
        """Take no more connections."""
        self.server.shutdown()
        self.server.server_close()

    def renew_if_due(self) -> bool:
        """Issue the certificate again when it is old; connections that are open keep theirs. Return whether it was issued."""
        if time.monotonic() - self.issued < RENEW_EVERY:
            return False
        self.load(self.issue(renew=True))
        self.issued = time.monotonic()
        return True

    def configuration(self) -> Json:
        """Return the configuration by which the API server asks: for the spec alone, and refused where no server answers."""
        bundle = base64.b64encode(self.authority.cert.read_bytes()).decode()
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": NAME},
            "webhooks": [
                {
                    "name": f"validate.{GROUP}",
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "matchPolicy": "Equivalent",
                    "failurePolicy": "Fail",
                    "timeoutSeconds": 5,
                    "clientConfig": {"url": self.url, "caBundle": bundle},
                    "rules": [{"apiGroups": [GROUP], "apiVersions": [VERSION], "resources": [PLURAL], "operations": ["CREATE", "UPDATE"]}],
                    "matchConditions": [
                        {"name": "not-deleting", "expression": "!has(object.metadata.deletionTimestamp)"},
                        {
                            "name": "spec-changed",
                            "expression": "oldObject == null || !has(oldObject.spec) || object.spec != oldObject.spec",
                        },
                    ],
                }
            ],
        }

    def register(self, api: Api) -> bool:
        """Write the configuration where it is missing or leads elsewhere; return whether it was written."""
        there = api.find(CONFIGURATION) or {}
        wanted = self.configuration()
        if [each.get("clientConfig") for each in there.get("webhooks") or []] == [each["clientConfig"] for each in wanted["webhooks"]]:
            return False
        api.apply(wanted)
        return True

    def unregister(self, api: Api) -> None:
        """Delete the configuration: without a server every change of an object would be refused."""
        api.delete(CONFIGURATION)
