"""Which Docker engine is used."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from lab.docker_engine import find_command_engine, find_engine, find_socket, read_engine, record_engine, select_engine
from lab.environment import ENGINE, inherit
from lab.run import Run


def context(folder: Path, name: str, host: str) -> None:
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    (folder / "config.json").write_text(json.dumps({"currentContext": name, "proxies": {"default": {"httpProxy": "http://odd:1"}}}))


def test_an_engine_is_chosen_as_dockers_client_chooses_it(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert select_engine(home)["DOCKER_HOST"] == "unix:///var/run/docker.sock"
    context(tmp_path / ".docker", "rootless", "unix:///run/user/7/docker.sock")

    assert select_engine(home)["DOCKER_HOST"] == "unix:///run/user/7/docker.sock"
    assert select_engine(home | {"DOCKER_CONTEXT": "default"})["DOCKER_HOST"] == "unix:///var/run/docker.sock"
    chosen = select_engine(
        home | {"DOCKER_HOST": "tcp://far:2376", "DOCKER_CONTEXT": "rootless", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "c"}
    )
    assert chosen["DOCKER_HOST"] == "tcp://far:2376"
    assert "DOCKER_CONTEXT" not in chosen
    assert chosen["DOCKER_CERT_PATH"] == str(Path("c").absolute())
    assert select_engine(home | {"DOCKER_CONTEXT": "gone"})["DOCKER_CONTEXT"] == "gone"  # the client says that there is none


def test_a_context_with_certificates_stays_a_context(tmp_path: Path) -> None:
    context(tmp_path, "far", "tcp://far:2376")
    meta = next((tmp_path / "contexts" / "meta").iterdir())
    (tmp_path / "contexts" / "tls" / meta.name / "docker").mkdir(parents=True)

    assert select_engine({"DOCKER_CONFIG": str(tmp_path)}) == {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "far"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"currentContext": null}', "\0"])
def test_a_client_configuration_that_says_nothing_is_the_default_engine(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)

    assert select_engine({"DOCKER_CONFIG": str(tmp_path)})["DOCKER_HOST"] == "unix:///var/run/docker.sock"


def test_what_a_run_uses_is_recorded_once_and_replaces_the_callers(tmp_path: Path) -> None:
    run = Run.create("a", {}, root=tmp_path / "runs")
    assert read_engine(run.path) is None
    record_engine(run.path, {"DOCKER_HOST": "unix:///one.sock", "HOME": "/h"})
    record_engine(run.path, {"DOCKER_HOST": "unix:///two.sock", "HOME": "/h"})
    engine = read_engine(run.path)
    assert engine == {"DOCKER_HOST": "unix:///one.sock", "DOCKER_CONFIG": "/h/.docker"} == find_engine(run.path)
    assert find_socket(engine) == Path("/one.sock")

    for program in ("docker", "kind"):
        env = inherit([program], engine=engine, caller={"DOCKER_HOST": "tcp://odd:1", "DOCKER_CONTEXT": "odd", "DOCKER_TLS_VERIFY": "1"})
        assert {name: value for name, value in env.items() if name in ENGINE} == engine
    assert not set(ENGINE) & inherit(["kubectl"], engine=engine, caller={}).keys()


def test_proxies_of_dockers_client_reach_no_container_of_a_run(tmp_path: Path) -> None:
    context(tmp_path / ".docker", "rootless", "unix:///run/user/7/docker.sock")
    run = Run.create("a", {}, root=tmp_path / "runs")
    record_engine(run.path, {"HOME": str(tmp_path)})
    used = find_command_engine(run.path)
    assert used is not None

    folder = Path(used["DOCKER_CONFIG"])
    assert folder.is_relative_to(run.path)
    assert (folder / "config.json").read_text() == "{}\n"
    assert (folder / "contexts" / "meta").is_dir()
    assert used["DOCKER_HOST"] == "unix:///run/user/7/docker.sock"
