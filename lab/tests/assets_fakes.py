"""A small catalogue, a Go client that answers from a table, and a release server on loopback whose files can be made bad."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import tarfile
import threading
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.assets.command import CommandResult
from lab.assets.modulezip import compute_h1
from lab.assets.pins import Catalogue

MODULE = "example.org/tools"
GO_MOD = f"""module {MODULE}

go 1.25.0

require (
    example.org/lib v1.2.3
    example.org/staged v0.0.0
    example.org/other v0.4.0 // indirect
)

replace example.org/staged => ./staging/src/example.org/staged
"""
GO_SUM = "example.org/lib v1.2.3 h1:lib=\nexample.org/lib v1.2.3/go.mod h1:libmod=\n"
TREE = {"shapes/a.yaml": b"a: 1\n", "shapes/deep/b.yaml": b"b: 2\n", "go.mod": GO_MOD.encode(), "go.sum": GO_SUM.encode()}
PROGRAMS = {name: f"#!{name} of the release\n".encode() * 400 for name in ("alpha", "beta", "gamma")}


class Anything(dict[str, Path]):
    """Software of which every reference has a path."""

    def __missing__(self, ref: str) -> Path:
        return Path("/software") / ref


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tar_of(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(version: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in TREE.items():
            archive.writestr(f"{MODULE}@v{version}/{name}", data)
    return out.getvalue()


GAMMA_TAR = tar_of({"gamma-1.2.3/README": b"hello", "gamma-1.2.3/gamma": PROGRAMS["gamma"]})


def pins_toml(tmp: Path) -> str:
    archive = tmp / "module.zip"
    archive.write_bytes(zip_of("1.2.3"))
    return f"""
schema = 1
[tools]
module = "{MODULE}"
siblings = {{ path = "./staging/src/", version = "v0.{{minor}}.{{patch}}" }}
stamp = ["{MODULE}/version.gitVersion=v{{version}}"]
says = ["--version"]
url = "https://release.example/v{{version}}/{{arch}}/{{name}}"
checksum = "{{url}}.sha256"
no_download = "only as an image"
cold = {{ minutes = 1, gib = 1 }}
[tools.things]
alpha = {{ build = "./cmd/alpha" }}
beta = {{ build = "./cmd/second", builds = "second" }}
gamma = {{ build = "./cmd/gamma", url = "https://files.example/gamma-v{{version}}.tgz", member = "gamma-{{version}}/gamma" }}
delta = {{ build = "./cmd/delta", published = false }}
epsilon = {{ build = "./examples/second", published = false }}
zeta = {{ test = "./cmd/second", published = false }}
shapes = {{ directory = "shapes" }}
[[tools.versions]]
version = "1.2.3"
sums = {{ "{MODULE}" = "{compute_h1(archive)}" }}
published = "beside"
[tools.versions.sha256]
alpha = {{ amd64 = "{sha(PROGRAMS["alpha"])}" }}
gamma = {{ amd64 = "{sha(GAMMA_TAR)}" }}
[[tools.versions]]
version = "1.1.0"
sums = {{ "{MODULE}" = "h1:old" }}
published = "beside"
"""


def catalogue(tmp: Path) -> Catalogue:
    return Catalogue({"pins.toml": tomllib.loads(pins_toml(tmp))}, "amd64")


@dataclass
class FakeGo:
    """A Runner that plays Go and the programs it built. `fail` maps a verb to what goes wrong; `linked` is what -m says."""

    home: Path
    sum: str
    goversion: str = "go1.26.8"
    module: str = MODULE
    fail: dict[str, str] = field(default_factory=dict)
    linked: tuple[str, ...] = (
        "dep\texample.org/lib\tv1.2.3\th1:lib=",
        "dep\texample.org/staged\tv0.0.0",
        "=>\texample.org/staged\tv0.2.3\th1:s=",
    )
    stale: tuple[str, ...] = ("example.org/lib", f"{MODULE}/cmd/alpha")
    says: str = "version v{version}"
    calls: list[tuple[str, ...]] = field(default_factory=list)
    envs: list[Mapping[str, str]] = field(default_factory=list)
    cwds: list[Path] = field(default_factory=list)
    packages: dict[str, str] = field(default_factory=dict)
    during_build: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        for name, data in TREE.items():
            path = self.home / "mod" / f"{MODULE}@v1.2.3" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (self.home / "build").mkdir(exist_ok=True)

    @property
    def verbs(self) -> list[str]:
        return [call[1] for call in self.calls if Path(call[0]).name == "go"]

    def __call__(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], on_line: Callable[[str], None] | None = None
    ) -> CommandResult:
        self.calls.append(tuple(argv))
        self.envs.append(env)
        self.cwds.append(cwd)
        if argv[0] == "git":
            return CommandResult(128, "", "fatal: not a git repository")
        if Path(argv[0]).name != "go":
            return CommandResult(0, Path(argv[0]).read_text(), "")
        if argv[1] in self.fail:
            return CommandResult(1, "", self.fail[argv[1]])
        return CommandResult(0, self.answer(argv, on_line or (lambda line: None)), "")

    def answer(self, argv: Sequence[str], on_line: Callable[[str], None]) -> str:
        """What Go prints to `argv`, having done it."""
        match argv[1:3]:
            case ("env", "GOVERSION"):
                return self.goversion + "\n"
            case ("env", _):
                return f"{self.home / 'build'}\n{self.home / 'mod'}\n"
            case ("mod", _):
                return json.dumps({"Dir": str(self.home / "mod" / argv[-1]), "Sum": self.sum})
            case ("list", _):
                return "".join(f"build ID mismatch\t{p}\n" for p in self.stale)
            case ("build", _) | ("test", "-c"):
                return self.build(argv, on_line, ".test" if argv[1] == "test" else "")
            case _:
                assert argv[1:3] == ("version", "-m"), argv
                lines = (f"path\t{self.packages[argv[3]]}", *self.linked)
                return f"{argv[3]}: {self.goversion}\n" + "".join(f"\t{line}\n" for line in lines)

    def build(self, argv: Sequence[str], on_line: Callable[[str], None], ending: str = "") -> str:
        """Writes the programs, which are text that says the version stamped in."""
        at = argv.index("-o")
        self.during_build()
        for package in self.stale:
            on_line(package)
        stamp = argv[argv.index("-ldflags") + 1].rpartition("=v")[2]
        for package in argv[at + 2 :]:
            made = Path(argv[at + 1]) / (Path(package).name + ending)
            made.write_text(self.says.format(version=stamp) + "\n")
            self.packages[str(made)] = f"{self.module}/{package.removeprefix('./')}{ending}"
        return ""


class ReleaseServer:
    """Files by path, in the release layout. A path in `cut`, `flip`, `status` or `trickle` is served badly."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: dict[str, int] = {}  # path: how many times it is cut short
        self.flip: set[str] = set()
        self.status: dict[str, int] = {}
        self.trickle: set[str] = set()
        self.asked: list[str] = []
        self.gate: threading.Event | None = None

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        path = request.path
        self.asked.append(path)
        status = self.status.get(path, 200 if path in self.files else 404)
        data = self.files.get(path, b"no such file") if status == 200 else b"sorry"
        request.send_response(status)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        if path in self.flip:
            data = bytes([data[0] ^ 1]) + data[1:]
        if self.cut.get(path, 0):
            self.cut[path] -= 1
            request.wfile.write(data[: len(data) // 2])
            request.close_connection = True
            return
        if self.gate is not None:
            self.gate.wait(10)
        if path in self.trickle:
            request.wfile.write(data[:10])
            request.wfile.flush()
            threading.Event().wait(0.5)
            request.wfile.write(data[10:20])
            request.close_connection = True
            return
        request.wfile.write(data)


@contextmanager
def serving(server: ReleaseServer) -> Iterator[str]:
    """The address of `server` on loopback while the block runs."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *args: object) -> None:
            pass

    class Quiet(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hangs up is part of the tests

    with Quiet(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


def release_files() -> dict[str, bytes]:
    """What a good mirror of the fake releases serves."""
    return {
        "/release.example/v1.2.3/amd64/alpha": PROGRAMS["alpha"],
        "/release.example/v1.2.3/amd64/beta": PROGRAMS["beta"],
        "/release.example/v1.2.3/amd64/beta.sha256": f"{sha(PROGRAMS['beta'])}  beta\n".encode(),
        "/files.example/gamma-v1.2.3.tgz": GAMMA_TAR,
        f"/proxy.golang.org/{MODULE}/@v/v1.2.3.zip": zip_of("1.2.3"),
    }
