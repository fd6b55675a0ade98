"""Source "download": official release files over https, or from a mirror of them, each checked against its sha256.

A mirror keeps upstream's layout, with the host as first directory (MIRROR/dl.k8s.io/release/v1.35.4/bin/linux/amd64/kube-apiserver)
or without it (MIRROR/release/…). When one is given nothing else is asked. Directories come in the module's archive from the Go module
proxy, checked against the module's checksum in the pins.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import re
import shutil
import tarfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from lab import environment
from lab.assets.cache import disk_full_error, hash_file, translate_write_errors
from lab.assets.client import open_client
from lab.assets.modulezip import compute_h1, unpack_directory
from lab.assets.pins import Pin
from lab.assets.progress import AssetProgress
from lab.assets.sources import AssetRequest, DownloadPatience, SourceRefused, name_pins
from lab.errors import ProvisionError, UsageError
from lab.limits.account import home_directory

AT_ONCE = 4
MIRROR = re.compile(r"https?://[\w.-]+(:\d+)?(/[^\s?#]*)?|https?://\[[0-9a-fA-F:]+\](:\d+)?(/[^\s?#]*)?")
SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


class TransientError(Exception):
    """A failure that a retry may not meet."""


class Downloads:
    """Downloads of one errand: one connection pool, and hosts that do not answer are asked once."""

    def __init__(self, errand: AssetRequest, *, mirror: str | None = None, patience: DownloadPatience | None = None) -> None:
        """UsageError when `mirror` is not an http(s) address."""
        if mirror is not None and not MIRROR.fullmatch(mirror):
            raise UsageError(f"invalid mirror address {mirror!r}", remedy="write it as https://mirror.example/path")
        self.errand = errand
        self.mirror = mirror.rstrip("/") if mirror else None
        self.patience = patience or DownloadPatience()
        self.dead: dict[str, str] = {}
        self.stop = threading.Event()
        self.client = open_client(connect=self.patience.connect, silence=self.patience.silence)

    def bring(self, pins: Sequence[Pin]) -> None:
        """Brings `pins` concurrently into the cache; the errand has the reasons for those that did not come.

        ProvisionError when a file is not what its checksum says; nothing of it is kept.
        """
        files: dict[str, list[Pin]] = {}
        unpublished: dict[str, list[Pin]] = {}
        for pin in pins:
            if pin.no_download:
                unpublished.setdefault(pin.no_download, []).append(pin)
            else:
                files.setdefault(find_download_url(pin), []).append(pin)
        for why, group in unpublished.items():
            self.errand.refuse(group, "download", why)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool, self.client:
            futures = [pool.submit(self.file, url, group) for url, group in files.items()]
            try:
                for future in concurrent.futures.as_completed(futures):
                    future.result()
            except BaseException:
                self.stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def file(self, url: str, pins: list[Pin]) -> None:
        """One file, and the things that are in it."""
        name = url.rsplit("/", 1)[1]
        subject = name_pins(pins)
        began = time.monotonic()
        lock = "download-" + hashlib.sha256(url.encode()).hexdigest()[:16]
        try:
            with self.errand.cache.working(lock, subject=subject, progress=self.errand.tell) as area:
                missing = [pin for pin in pins if self.errand.cache.find(pin, ("download",)) is None]
                if not missing:
                    return
                got, came_from = self.checked(url, missing, area / name)
                for pin in missing:
                    made = extract_asset(pin, got, area)
                    self.errand.cache.publish(pin, "download", made, origin=came_from, seconds=time.monotonic() - began)
        except SourceRefused as why:
            self.errand.refuse(pins, "download", str(why))

    def checked(self, url: str, pins: Sequence[Pin], target: Path) -> tuple[Path, str]:
        """`url` (or its mirror), which holds `pins`, fetched to `target` with the right checksum; and where it came from."""
        pin = pins[0]
        wanted = self.checksum(pin)
        if pin.kind == "tree" and (here := find_module_archive(pin)) and compute_h1(here) == wanted:
            return here, str(here)
        for attempt in range(self.patience.attempts):
            try:
                came_from = self.fetch(url, target, pins)
                got = compute_h1(target) if pin.kind == "tree" else hash_file(target)
                if got == wanted:
                    return target, came_from
                blame = "the mirror serves something else" if self.mirror else "do not trust that address"
                wrong = ProvisionError(
                    f"checking {target.name} failed: wrong checksum: expected {wanted}, got {got}; the file was removed",
                    where=came_from,
                    remedy=f"try again; if it stays so, {blame}: use another mirror, or --source build",
                )
                target.unlink()
                if attempt:  # a second wrong file is not a transmission error
                    raise wrong
            except TransientError as passing:
                target.unlink(missing_ok=True)
                if attempt + 1 == self.patience.attempts:
                    raise SourceRefused(f"{passing} (asked {attempt + 1} times)") from passing
        raise wrong

    def checksum(self, pin: Pin) -> str:
        """What the file of `pin` must hash to: the pinned figure, else what the release's checksum file says."""
        if pin.kind == "tree":
            return pin.module_sum
        assert pin.download is not None
        if pin.download.sha256:
            return pin.download.sha256
        assert pin.download.checksum is not None
        text = self.text(pin.download.checksum)
        name = pin.download.url.rsplit("/", 1)[1]
        lines = [line for line in text.splitlines() if SHA256.search(line)]
        named = [line for line in lines if line.split()[-1].lstrip("*").endswith(name)] or (lines if len(lines) == 1 else [])
        if not named:
            raise SourceRefused(f"{pin.download.checksum} holds no sha256 of {name}")
        found = SHA256.search(named[0])
        assert found is not None
        return found[0]

    def text(self, url: str) -> str:
        """A small text file."""
        for attempt in range(self.patience.attempts):
            try:
                with self.opened(url) as response:
                    if not self.mirror and response.url.scheme != "https":
                        raise SourceRefused(f"{url} led to {response.url}, which is not https")
                    return b"".join(response.iter_bytes())[:1_000_000].decode(errors="replace")
            except (TransientError, httpx.TransportError) as passing:
                if attempt + 1 == self.patience.attempts:
                    raise SourceRefused(f"{url}: {passing}") from passing
        raise SourceRefused(url)

    def fetch(self, url: str, target: Path, pins: Sequence[Pin]) -> str:
        """`url` into `target`, whole; returns the address it really came from. Passing when the line broke."""
        began = time.monotonic()
        subject, left = name_pins(pins), self.errand.left_but(pins)
        try:
            with self.opened(url) as response, translate_write_errors(self.errand.cache.root), target.open("wb") as out:
                total = int(response.headers["Content-Length"]) if "Content-Length" in response.headers else None
                if total is not None and total > self.errand.cache.free():
                    raise disk_full_error(self.errand.cache.root, total)
                done = 0
                for chunk in response.iter_raw():
                    out.write(chunk)
                    done += len(chunk)
                    elapsed = time.monotonic() - began
                    self.errand.tell(AssetProgress("downloading", subject, done, total, "bytes", elapsed, left=left))
                    if self.stop.is_set():
                        raise SourceRefused("stopped")
                    if elapsed > self.patience.grace and done < self.patience.pace * elapsed:
                        raise SourceRefused(f"{response.url}: too slow, {done / elapsed / 1000:.1f} kB/s")
                if total is not None and done != total:
                    raise TransientError(f"{response.url} was cut short: {done} of {total} bytes")
                return str(response.url)
        except httpx.TransportError as error:
            raise TransientError(f"{url} was cut short: {error}") from error

    def opened(self, url: str) -> Response:
        """The answer to `url`, from the mirror where there is one. Refused when there is none, or it is not 200."""
        refusal = ""
        for at in self.places(url):
            host = urlsplit(at).netloc
            if host in self.dead:
                raise SourceRefused(self.dead[host])
            try:
                response = self.client.send(self.client.build_request("GET", at, headers={"Accept-Encoding": "identity"}), stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.ProxyError) as error:
                self.dead[host] = f"connecting to {host} failed: {error or type(error).__name__}"
                raise SourceRefused(self.dead[host]) from error
            except (httpx.TransportError, httpx.TooManyRedirects) as error:
                raise TransientError(f"{at}: {type(error).__name__} {error}".strip()) from error
            if response.status_code == 200:
                return Response(response)
            response.close()
            refusal = f"{at}: HTTP {response.status_code}"
            if response.status_code >= 500 or response.status_code == 429:
                raise TransientError(refusal)
            if response.status_code != 404:
                break
        raise SourceRefused(refusal)

    def places(self, url: str) -> list[str]:
        """Where to ask for `url`."""
        if self.mirror is None:
            return [url]
        parts = urlsplit(url)
        return [f"{self.mirror}/{parts.netloc}{parts.path}", f"{self.mirror}{parts.path}"]


class Response:
    """An open httpx answer as a context: closed at the end of the block."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response

    def __enter__(self) -> httpx.Response:
        return self.response

    def __exit__(self, *_: object) -> None:
        self.response.close()


def find_download_url(pin: Pin) -> str:
    """The file that holds `pin`."""
    if pin.kind == "tree":
        return f"{find_go_proxy()}/{escape_module(pin.module)}/@v/{pin.module_version}.zip"
    assert pin.download is not None
    return pin.download.url


def find_module_archive(pin: Pin) -> Path | None:
    """The archive of the module of `pin` where Go keeps it, when Go has fetched it before."""
    settings = environment.inherit(["go"])
    gopath = settings.get("GOPATH", "").split(os.pathsep)[0] or str((home_directory() or Path("/nonexistent")) / "go")
    cache = Path(settings.get("GOMODCACHE") or Path(gopath) / "pkg" / "mod")
    archive = cache / "cache" / "download" / escape_module(pin.module) / "@v" / f"{pin.module_version}.zip"
    return archive if archive.is_file() else None


def escape_module(module: str) -> str:
    """A module path as files and proxies write it: capitals as !lower."""
    return re.sub("[A-Z]", lambda m: "!" + m[0].lower(), module)


def find_go_proxy() -> str:
    """The first address in Go's setting GOPROXY, or Go's default."""
    places = re.split("[,|]", environment.inherit(["go"]).get("GOPROXY", ""))
    return next((p.rstrip("/") for p in places if p.startswith("http")), "https://proxy.golang.org")


def extract_asset(pin: Pin, file: Path, area: Path) -> Path:
    """The thing of `pin` out of the checked `file`, as a path of its own in `area`."""
    made = area / f"{pin.name}.thing"
    if pin.kind == "tree":
        unpack_directory(file, f"{pin.module}@{pin.module_version}/{pin.path}/", made)
        return made
    assert pin.download is not None
    if pin.download.member is None:
        shutil.copyfile(file, made)
        return made
    try:
        with tarfile.open(file) as archive:
            members = (m for m in archive if m.name.removeprefix("./") == pin.download.member and m.isfile())
            member = next(members, None)
            stream = archive.extractfile(member) if member else None
            if stream is None:
                raise ProvisionError(f"{file.name} has no member {pin.download.member}", where=pin.download.url, remedy="check assets.toml")
            with made.open("wb") as out:
                shutil.copyfileobj(stream, out)
    except (tarfile.TarError, EOFError) as error:
        raise ProvisionError(f"{file.name} is not an archive: {error}", where=pin.download.url, remedy="check assets.toml") from error
    return made
