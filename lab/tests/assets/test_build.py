from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.assets import build
from lab.assets.cache import Cache
from lab.assets.pins import Catalogue, Pin
from lab.assets.progress import AssetProgress
from lab.assets.refs import AssetRef
from lab.assets.resolve import Supply
from lab.assets.sources import AssetRequest
from lab.errors import NotPossible, ProvisionError
from lab.tests.assets_fakes import GO_MOD, MODULE, FakeGo, catalogue


@pytest.fixture
def pins(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path)


@pytest.fixture
def go(tmp_path: Path, pins: Catalogue) -> FakeGo:
    return FakeGo(tmp_path / "go", pins.pin(AssetRef("alpha")).module_sum)


@pytest.fixture
def heard() -> list[AssetProgress]:
    return []


@pytest.fixture
def bring(tmp_path: Path, go: FakeGo, heard: list[AssetProgress], monkeypatch: pytest.MonkeyPatch) -> Callable[..., AssetRequest]:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")

    def run(*wanted: Pin, offline: bool = False) -> AssetRequest:
        errand = AssetRequest(Cache(tmp_path / "cache"), heard.append, go, offline, left=list(wanted))
        build.build_assets(wanted, errand)
        return errand

    return run


def pin(pins: Catalogue, name: str) -> Pin:
    return pins.pin(AssetRef(name))


def test_all_commands_of_a_module_are_one_build(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    errand = bring(pin(pins, "alpha"), pin(pins, "beta"))

    assert go.verbs.count("build") == 1
    assert [errand.cache.find(pin(pins, name)) is not None for name in ("alpha", "beta", "delta")] == [True, True, False]
    assert errand.left == []


def test_the_program_is_called_as_the_asset_whatever_go_calls_it(bring: Callable[..., AssetRequest], pins: Catalogue) -> None:
    entry = bring(pin(pins, "beta")).cache.find(pin(pins, "beta"))

    assert entry is not None
    assert entry.path.name == "beta"
    assert entry.path.read_text() == "version v1.2.3\n"


def test_the_build_is_upstreams_own_module_with_its_own_versions(
    bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo, tmp_path: Path
) -> None:
    seen = {}
    go.during_build = lambda: seen.update({p.name: p.read_text() for p in (tmp_path / "cache" / "work").rglob("upstream.*")})
    bring(pin(pins, "alpha"))
    command = next(call for call in go.calls if call[1] == "build")
    env = go.envs[go.calls.index(command)]

    assert go.cwds[go.calls.index(command)] == tmp_path / "go" / "mod" / f"{MODULE}@v1.2.3"
    assert seen["upstream.mod"] == GO_MOD.replace("./staging/src/example.org/staged", "example.org/staged v0.2.3")
    assert {"-mod=mod", "-trimpath", "./cmd/alpha"} < set(command)
    assert f"-s -w -X {MODULE}/version.gitVersion=v1.2.3" in command
    assert env.keys() == {"GOTMPDIR"}  # the rest of Go's environment is in lab.environment


def test_programs_of_one_name_do_not_overwrite_each_other(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    errand = bring(*(pin(pins, name) for name in ("alpha", "beta", "epsilon")))
    built = [call[call.index("-o") + 2 :] for call in go.calls if call[1] == "build"]

    assert built == [("./cmd/alpha", "./cmd/second"), ("./examples/second",)]
    assert errand.left == []


def test_tests_are_compiled_apart_and_asked_for_no_version(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    errand = bring(pin(pins, "beta"), pin(pins, "zeta"))
    command = next(call for call in go.calls if call[1] == "test")

    assert errand.left == []
    assert command[2] == "-c"
    assert command[-1] == "./cmd/second"
    assert "-test" in next(call for call in reversed(go.calls) if call[1] == "list")
    assert not [call for call in go.calls if "second.test" in call[0]]


def test_tests_of_another_package_are_not_taken(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    go.module = "example.org/other"

    with pytest.raises(ProvisionError, match=r"second\.test"):
        bring(pin(pins, "zeta"))


def test_another_package_under_the_right_name_is_not_taken(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    go.module = "example.org/other"

    with pytest.raises(ProvisionError, match="cmd/alpha"):
        bring(pin(pins, "alpha"))


def test_nothing_is_left_of_the_work(bring: Callable[..., AssetRequest], pins: Catalogue) -> None:
    errand = bring(pin(pins, "alpha"), pin(pins, "shapes"))

    assert list((errand.cache.root / "work").iterdir()) == []


def test_what_another_run_built_meanwhile_is_taken(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    bring(pin(pins, "alpha"))
    before = len(go.calls)
    bring(pin(pins, "alpha"))

    assert len(go.calls) == before


def test_directories_need_no_compiler(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    entry = bring(pin(pins, "shapes")).cache.find(pin(pins, "shapes"))

    assert entry is not None
    assert sorted(f.path for f in entry.files) == ["a.yaml", "deep/b.yaml"]
    assert "build" not in go.verbs


def test_progress_counts_stale_packages_and_says_what_is_left(
    bring: Callable[..., AssetRequest], pins: Catalogue, heard: list[AssetProgress]
) -> None:
    bring(pin(pins, "alpha"))
    counted = [(e.activity, e.done, e.total) for e in heard if e.unit == "packages"]

    assert counted == [("compiling", 1, 2), ("linking", 2, 2)]
    assert heard[-1].activity == "ready"
    assert "from build" in heard[-1].note


def test_an_interrupted_build_leaves_nothing_half(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo, tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    go.during_build = interrupt
    with pytest.raises(KeyboardInterrupt):
        bring(pin(pins, "alpha"))
    go.during_build = lambda: None

    assert list((tmp_path / "cache" / "work").iterdir()) == []
    assert bring(pin(pins, "alpha")).left == []


def test_no_go_is_refused(bring: Callable[..., AssetRequest], pins: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    errand = bring(pin(pins, "alpha"))

    assert errand.refusals == {pin(pins, "alpha"): ["build: no Go on PATH"]}


def test_an_old_go_is_refused_with_the_one_it_needs(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    go.goversion = "go1.24.2"
    errand = bring(pin(pins, "alpha"))

    assert "needs Go 1.25.0 or newer" in errand.refusals[pin(pins, "alpha")][0]


@pytest.mark.parametrize("verb", ["mod", "list", "build"])
def test_a_build_without_network_is_refused_with_gos_message(
    bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo, verb: str
) -> None:
    go.fail[verb] = "go: x@v1: Get https://proxy.golang.org/x: dial tcp: lookup proxy.golang.org: no such host"
    errand = bring(pin(pins, "alpha"))

    assert "no such host" in errand.refusals[pin(pins, "alpha")][0]


def test_another_module_checksum_than_the_pinned_stops(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    go.sum = "h1:evil"

    with pytest.raises(ProvisionError, match="h1:evil"):
        bring(pin(pins, "alpha"))


def test_code_that_does_not_compile_shows_the_compilers_errors(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    go.fail["build"] = "cmd/alpha/main.go:3:1: syntax error"

    with pytest.raises(ProvisionError) as caught:
        bring(pin(pins, "alpha"))
    assert "syntax error" in (caught.value.detail or "")


@pytest.mark.parametrize("verb", ["mod", "list", "build"])
def test_a_full_disk_during_a_build_is_reported(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo, verb: str) -> None:
    go.fail[verb] = "write /root/.cache/go-build/x: no space left on device"

    with pytest.raises(NotPossible, match="disk is full"):
        bring(pin(pins, "alpha"))


def test_too_little_disk_is_reported_before_compiling(
    bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))

    with pytest.raises(NotPossible, match="are needed"):
        bring(pin(pins, "alpha"))
    assert "build" not in go.verbs


def test_a_program_of_other_versions_than_upstreams_is_not_taken(
    bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo, tmp_path: Path
) -> None:
    go.linked = ("dep\texample.org/lib\tv1.2.9\th1:lib=",)

    with pytest.raises(ProvisionError) as caught:
        bring(pin(pins, "alpha"))
    assert "v1.2.9: upstream's go.mod names v1.2.3" in (caught.value.detail or "")
    assert Cache(tmp_path / "cache").find(pin(pins, "alpha")) is None


def test_a_program_that_says_another_version_is_not_taken(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    go.says = "version v0.0.0-master"

    with pytest.raises(ProvisionError, match=r"1\.2\.3"):
        bring(pin(pins, "alpha"))


def test_offline_go_asks_no_proxy(bring: Callable[..., AssetRequest], pins: Catalogue, go: FakeGo) -> None:
    bring(pin(pins, "alpha"), offline=True)

    assert {env.get("GOPROXY") for env, call in zip(go.envs, go.calls, strict=True) if call[0].endswith("go")} == {"off"}


@pytest.mark.spawns
def test_a_real_build_is_of_upstreams_versions_and_says_its_own(tmp_path: Path) -> None:
    ref = AssetRef("etcdctl", "3.6.5")
    path = Supply(source="build", cache=Cache(tmp_path / "cache")).resolve([ref])[ref]

    assert path.stat().st_size > 10_000_000
