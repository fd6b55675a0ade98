"""An API server that answers from a table, over TLS, on a port of its own: for what reads kubeconfigs and opens sockets itself."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab.pki import Authority, write_kubeconfig

Json = dict[str, Any]
Answer = Json | Callable[[], Json] | list[Json]
"""An object, something that makes one (or blocks), or the changes of a watch."""


@contextmanager
def api_server(folder: Path, answers: dict[str, Answer], *, name: str = "member1") -> Iterator[Path]:
    """Serve `answers` by path (watches: by path and "?watch"); yield the kubeconfig, in `folder`. What is not there is a 404."""
    ca = Authority.ensure(folder / "pki", "ca", common_name="ca")
    pair = ca.issue("server", common_name="server", hosts=["127.0.0.1"])
    admin = ca.issue("admin", common_name="admin")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            answer = answers.get(f"{path}?watch" if "watch=true" in query else path)
            if isinstance(answer, list):
                body = b"".join(json.dumps(change).encode() + b"\n" for change in answer)
            else:
                body = json.dumps(answer() if callable(answer) else answer or {"kind": "Status", "reason": "NotFound"}).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    kubeconfig = folder / f"{name}.yaml"
    write_kubeconfig(kubeconfig, context=name, server=f"https://127.0.0.1:{server.server_address[1]}", ca=ca.cert, client=admin)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield kubeconfig
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def listing(*items: Json, version: int = 1) -> Json:
    """Return a list as an API server answers it."""
    return {"kind": "List", "metadata": {"resourceVersion": str(version)}, "items": list(items)}
