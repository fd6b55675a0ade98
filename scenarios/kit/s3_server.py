"""A real S3 server for a test, versitygw over a directory, and a way to it that can be slow or cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from deployers.release import make_supply
from lab.assets import AssetRef
from lab.ports import ports_of, release
from lab.program import Program
from lab.supervisor.client import Supervisor
from lab.wait import NotYet, until
from scenarios.kit.machines import open_run

ACCESS_KEY, SECRET_KEY = "scenario", "not-to-be-seen-in-a-journal"
BUCKET = "backups"
CHUNK = 1 << 14


@dataclass
class SlowWay:
    """A port that forwards to the server. After `limit` bytes towards it, of all connections, it carries no more, and keeps them open."""

    port: int
    limit: int | None = None
    carried: int = 0
    stalled: threading.Event = field(default_factory=threading.Event)

    def stall_after(self, limit: int | None) -> None:
        """Count from now on; None: carry everything."""
        self.limit, self.carried = limit, 0
        self.stalled.clear()

    def may_carry(self, size: int) -> bool:
        """Count bytes towards the server, and return whether they go there."""
        self.carried += size
        if self.limit is None or self.carried <= self.limit:
            return True
        self.stalled.set()
        return False


@dataclass(frozen=True)
class S3Server:
    """The server, its directory of buckets, and the slow way to it."""

    port: int
    root: Path
    slow: SlowWay

    @property
    def env(self) -> dict[str, str]:
        """The environment of a command that uses the bucket."""
        return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}

    def url(self, prefix: str, *, port: int | None = None, bucket: str = BUCKET, timeout: str = "20s") -> str:
        """Return the URL of a prefix of a bucket."""
        return f"s3://{bucket}/{prefix}?endpoint=http://127.0.0.1:{port or self.port}&region=us-east-1&timeout={timeout}"


@contextmanager
def serve_s3(folder: Path) -> Iterator[S3Server]:
    """Yield a server with one bucket; it and its data are gone afterwards."""
    (binary,) = make_supply().resolve([AssetRef("versitygw")]).values()
    with open_run(folder / "s3-server") as run:
        ports = ports_of(run, "s3", ("http",))
        root, metadata = run.folder("data", "buckets"), run.folder("data", "metadata")
        (root / BUCKET).mkdir()
        argv = (str(binary), "--port", f"127.0.0.1:{ports['http']}", "posix", "--sidecar", str(metadata), str(root))
        env = {"ROOT_ACCESS_KEY_ID": ACCESS_KEY, "ROOT_SECRET_ACCESS_KEY": SECRET_KEY}
        Supervisor(run.path).start(Program("s3/versitygw", argv, run.log("versitygw"), env=env))
        until(lambda: require_listening(ports["http"]), what="the S3 server listens", within=30.0)
        try:
            with forward_slowly(ports["http"]) as slow:
                yield S3Server(ports["http"], root, slow)
        finally:
            release(run.path)


def require_listening(port: int) -> None:
    """Return when a port of loopback accepts connections. NotYet before."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError as error:
        raise NotYet(str(error)) from error


@contextmanager
def forward_slowly(port: int) -> Iterator[SlowWay]:
    """Yield a way to a port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    way = SlowWay(listener.getsockname()[1])

    def accept() -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=carry_both, args=(here, there, way), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield way
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def carry_both(here: socket.socket, there: socket.socket, way: SlowWay) -> None:
    """Carry one connection, both ways, to its end."""
    with here, there:
        upward = threading.Thread(target=carry, args=(here, there, way), daemon=True)
        upward.start()
        carry(there, here, None)
        upward.join(timeout=5.0)


def carry(source: socket.socket, sink: socket.socket, way: SlowWay | None) -> None:
    """Carry bytes one way, to their end or to the limit."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            if way is None or way.may_carry(len(data)):
                sink.sendall(data)  # else it is read and goes nowhere: the sender waits for an answer
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
