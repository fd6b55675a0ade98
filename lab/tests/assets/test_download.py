from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from lab.assets.cache import Cache
from lab.assets.download import Downloads, escape_module, find_download_url, find_go_proxy
from lab.assets.pins import Catalogue, Pin
from lab.assets.progress import AssetProgress
from lab.assets.refs import AssetRef
from lab.assets.sources import AssetRequest, DownloadPatience
from lab.errors import NotPossible, ProvisionError, UsageError
from lab.tests.assets_fakes import PROGRAMS, ReleaseServer, catalogue, release_files, serving, sha

ALPHA = "/release.example/v1.2.3/amd64/alpha"
SUM = "/release.example/v1.2.3/amd64/beta.sha256"
BETA = "/release.example/v1.2.3/amd64/beta"
GAMMA = "/files.example/gamma-v1.2.3.tgz"
QUICK = DownloadPatience(connect=2, silence=0.2, attempts=3)


@pytest.fixture(autouse=True)
def no_go_module_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "none"))
    monkeypatch.delenv("GOPROXY", raising=False)


@pytest.fixture
def pins(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path)


@pytest.fixture
def server() -> ReleaseServer:
    server = ReleaseServer()
    server.files = release_files()
    return server


@pytest.fixture
def mirror(server: ReleaseServer) -> Iterator[str]:
    with serving(server) as address:
        yield address


@pytest.fixture
def errand(tmp_path: Path) -> AssetRequest:
    return AssetRequest(Cache(tmp_path / "cache"))


@pytest.fixture
def bring(errand: AssetRequest, pins: Catalogue, mirror: str) -> Callable[..., dict[str, str]]:
    """Brings names from the mirror and gives the refusals by name."""

    def run(*names: str, patience: DownloadPatience = QUICK) -> dict[str, str]:
        wanted = [pins.pin(AssetRef(name)) for name in names]
        Downloads(errand, mirror=mirror, patience=patience).bring(wanted)
        return {p.name: why for p, whys in errand.refusals.items() for why in whys}

    return run


def content(errand: AssetRequest, pin: Pin) -> bytes | None:
    entry = errand.cache.find(pin, ("download",))
    return entry.path.read_bytes() if entry else None


def nothing_left(errand: AssetRequest) -> bool:
    return not any((errand.cache.root / "work").iterdir())


def test_every_kind_of_file_arrives(bring: Callable[..., dict[str, str]], errand: AssetRequest, pins: Catalogue) -> None:
    assert bring("alpha", "beta", "gamma", "shapes") == {}
    assert {n: content(errand, pins.pin(AssetRef(n))) for n in PROGRAMS} == PROGRAMS

    shapes = errand.cache.find(pins.pin(AssetRef("shapes")))
    assert shapes is not None
    assert (shapes.path / "deep" / "b.yaml").read_bytes() == b"b: 2\n"
    assert nothing_left(errand)


def test_a_mirror_may_leave_the_host_out(
    bring: Callable[..., dict[str, str]], server: ReleaseServer, errand: AssetRequest, pins: Catalogue
) -> None:
    server.files = {"/v1.2.3/amd64/alpha": PROGRAMS["alpha"]}

    assert bring("alpha") == {}
    assert content(errand, pins.pin(AssetRef("alpha"))) == PROGRAMS["alpha"]


def test_a_cut_line_is_tried_again(bring: Callable[..., dict[str, str]], server: ReleaseServer) -> None:
    server.cut[ALPHA] = 2

    assert bring("alpha") == {}
    assert server.asked.count(ALPHA) == 3


def test_a_file_that_is_always_cut_short_is_refused(
    bring: Callable[..., dict[str, str]], server: ReleaseServer, errand: AssetRequest
) -> None:
    server.cut[ALPHA] = 99

    assert "cut short" in bring("alpha")["alpha"]
    assert nothing_left(errand)


@pytest.mark.parametrize("name", ["alpha", "beta", "gamma", "shapes"])
def test_a_wrong_checksum_stops_with_both_figures(
    bring: Callable[..., dict[str, str]], server: ReleaseServer, errand: AssetRequest, pins: Catalogue, name: str
) -> None:
    server.flip = {ALPHA, BETA, GAMMA, "/proxy.golang.org/example.org/tools/@v/v1.2.3.zip"}

    with pytest.raises(ProvisionError, match="file was removed"):
        bring(name)
    assert errand.cache.find(pins.pin(AssetRef(name))) is None
    assert nothing_left(errand)


def test_a_checksum_file_that_lies_stops(bring: Callable[..., dict[str, str]], server: ReleaseServer) -> None:
    server.files[SUM] = f"{sha(b'other')}  beta\n".encode()

    with pytest.raises(ProvisionError, match=f"expected {sha(b'other')}"):
        bring("beta")


def test_a_list_of_checksums_is_read_by_name(bring: Callable[..., dict[str, str]], server: ReleaseServer) -> None:
    lines = [f"{sha(b'x')}  other", f"{sha(PROGRAMS['beta'])} *beta", f"{sha(b'y')}  third"]
    server.files[SUM] = "\n".join(lines).encode()

    assert bring("beta") == {}


@pytest.mark.parametrize("text", [b"", b"<html>not here</html>", b"abc  beta"])
def test_a_checksum_file_without_a_checksum_is_refused(bring: Callable[..., dict[str, str]], server: ReleaseServer, text: bytes) -> None:
    server.files[SUM] = text

    assert "no sha256 of beta" in bring("beta")["beta"]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_the_server_refuses_is_refused_with_its_status(
    bring: Callable[..., dict[str, str]], server: ReleaseServer, status: int
) -> None:
    server.status[ALPHA] = status

    assert f"HTTP {status}" in bring("alpha")["alpha"]


def test_a_server_in_trouble_is_asked_again(bring: Callable[..., dict[str, str]], server: ReleaseServer) -> None:
    server.status[ALPHA] = 503

    assert "HTTP 503 (asked 3 times)" in bring("alpha")["alpha"]


def test_a_silent_server_is_not_waited_for_for_ever(bring: Callable[..., dict[str, str]], server: ReleaseServer) -> None:
    server.trickle.add(ALPHA)

    assert "cut short" in bring("alpha", patience=DownloadPatience(silence=0.1, attempts=1))["alpha"]


def test_a_slow_server_is_given_up(bring: Callable[..., dict[str, str]], server: ReleaseServer) -> None:
    server.trickle.add(ALPHA)

    assert "too slow" in bring("alpha", patience=DownloadPatience(silence=5, attempts=1, grace=0.0, pace=10**9))["alpha"]


def test_one_bad_file_does_not_keep_the_others_out(
    bring: Callable[..., dict[str, str]], server: ReleaseServer, errand: AssetRequest, pins: Catalogue
) -> None:
    server.status[ALPHA] = 404

    assert list(bring("alpha", "beta", "gamma")) == ["alpha"]
    assert content(errand, pins.pin(AssetRef("gamma"))) == PROGRAMS["gamma"]


def test_what_is_not_published_says_so(bring: Callable[..., dict[str, str]], server: ReleaseServer) -> None:
    assert bring("delta") == {"delta": "download: only as an image"}
    assert server.asked == []


def test_a_host_that_does_not_answer_is_asked_once(errand: AssetRequest, pins: Catalogue) -> None:
    downloads = Downloads(errand, mirror="http://127.0.0.1:9", patience=QUICK)
    downloads.bring([pins.pin(AssetRef(n)) for n in ("alpha", "gamma")])

    assert list(downloads.dead) == ["127.0.0.1:9"]
    assert all("connecting to" in why for whys in errand.refusals.values() for why in whys)


def test_a_download_larger_than_the_free_disk_is_refused_at_once(
    bring: Callable[..., dict[str, str]], errand: AssetRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cache, "free", lambda self: 10)

    with pytest.raises(NotPossible, match="disk is full"):
        bring("alpha")
    assert nothing_left(errand)


def test_an_archive_without_the_program_is_an_error(
    bring: Callable[..., dict[str, str]], pins: Catalogue, errand: AssetRequest, mirror: str
) -> None:
    gamma = pins.pin(AssetRef("gamma"))
    assert gamma.download is not None
    other = replace(gamma, download=replace(gamma.download, member="gamma-1.2.3/none"))
    with pytest.raises(ProvisionError, match="gamma-1"):
        Downloads(errand, mirror=mirror).bring([other])


def test_progress_is_in_bytes(errand: AssetRequest, pins: Catalogue, mirror: str) -> None:
    heard: list[AssetProgress] = []
    errand.progress = heard.append
    Downloads(errand, mirror=mirror).bring([pins.pin(AssetRef("alpha"))])
    size = len(PROGRAMS["alpha"])

    assert [(e.activity, e.done, e.total) for e in heard if e.unit == "bytes"][-1] == ("downloading", size, size)


def test_interruption_stops_the_others_and_leaves_nothing(
    errand: AssetRequest, pins: Catalogue, server: ReleaseServer, mirror: str
) -> None:
    def interrupt(event: AssetProgress) -> None:
        if event.activity == "downloading":
            raise KeyboardInterrupt

    errand.progress = interrupt
    with pytest.raises(KeyboardInterrupt):
        Downloads(errand, mirror=mirror).bring([pins.pin(AssetRef(n)) for n in ("alpha", "gamma")])

    assert nothing_left(errand)
    assert errand.cache.find(pins.pin(AssetRef("alpha"))) is None


def test_two_at_once_download_once(pins: Catalogue, server: ReleaseServer, mirror: str, tmp_path: Path) -> None:
    server.gate = threading.Event()
    alpha = pins.pin(AssetRef("alpha"))
    heard: list[AssetProgress] = []
    waits = threading.Event()

    def listen(event: AssetProgress) -> None:
        heard.append(event)
        if event.activity == "waiting":
            waits.set()

    errands = [AssetRequest(Cache(tmp_path / "cache"), listen) for _ in range(2)]
    threads = [threading.Thread(target=lambda e=e: Downloads(e, mirror=mirror).bring([alpha])) for e in errands]
    for thread in threads:
        thread.start()
    assert waits.wait(5)
    server.gate.set()
    for thread in threads:
        thread.join()

    assert server.asked.count(ALPHA) == 1
    assert content(errands[0], alpha) == PROGRAMS["alpha"]


@pytest.mark.parametrize(
    "mirror", ["ftp://x", "mirror.example/x", "/srv/mirror", "", "http://", "http://[", "https://x y", "http://x:port"]
)
def test_a_mirror_that_is_no_address_is_refused(errand: AssetRequest, mirror: str) -> None:
    with pytest.raises(UsageError, match="mirror address"):
        Downloads(errand, mirror=mirror)


def test_go_proxies_write_capitals_with_a_bang(pins: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert escape_module("github.com/Azure/x") == "github.com/!azure/x"
    assert find_download_url(pins.pin(AssetRef("shapes"))) == "https://proxy.golang.org/example.org/tools/@v/v1.2.3.zip"
    monkeypatch.setenv("GOPROXY", "off|https://goproxy.example/,direct")
    assert find_go_proxy() == "https://goproxy.example"


def test_a_checksum_over_plain_http_is_not_believed(errand: AssetRequest, pins: Catalogue) -> None:
    downloads = Downloads(errand, patience=QUICK)
    beta = pins.pin(AssetRef("beta"))
    downloads.client = httpx.Client(
        transport=httpx.MockTransport(
            lambda request: (
                httpx.Response(302, headers={"Location": "http://plain.example/x"})
                if request.url.scheme == "https"
                else httpx.Response(200, text=sha(PROGRAMS["beta"]))
            )
        ),
        follow_redirects=True,
    )
    downloads.bring([beta])

    assert "not https" in errand.refusals[beta][0]
