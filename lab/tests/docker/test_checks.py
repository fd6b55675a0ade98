"""What a Docker engine must be for a lab of containers."""

from __future__ import annotations

import pytest

from lab import docker
from lab.computer import Answer
from lab.docker.checks import check_engine, list_engine_errors
from lab.tests.computer_fakes import INFO, Scripted, info
from lab.tests.docker_fakes import NEEDS, engine

NOT_OURS = Answer(0, "10.1.2.3 fd00::1 \n")


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (Answer(1, "permission denied while trying to connect to the Docker daemon socket"), "group docker"),
        (info(ServerVersion="", ServerErrors=["Got permission denied while trying to connect"]), "group docker"),
        (Answer(1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."), "setup-docker"),
        (info(ServerVersion="", ServerErrors=["Cannot connect to the Docker daemon at unix:///x"]), "setup-docker"),
        (Answer(1, 'unable to resolve docker endpoint: context "away": context not found'), "DOCKER_CONTEXT"),
        (Answer(1, "Cannot connect to the Docker daemon at tcp://10.0.0.9:2376. Is the docker daemon running?"), "DOCKER_HOST"),
        (Answer(1, "error during connect: command [ssh -l me host -- docker system dial-stdio] has exited with 255"), "DOCKER_HOST"),
        (Answer(None, "no answer within 10 s"), "setup-docker"),
        (Answer(0, "not json {"), "setup-docker"),
    ],
)
def test_a_missing_engine_is_reported_with_the_remedy(answer: Answer, word: str) -> None:
    (said,) = list_engine_errors(engine(answer), NEEDS)

    assert word in said


@pytest.mark.parametrize(
    ("probe", "word"),
    [
        (engine(endpoint="away ssh://me@build"), "ssh://me@build"),
        (engine(endpoint="default tcp://10.0.0.9:2376"), "tcp://10.0.0.9"),
        (engine(info(OperatingSystem="Docker Desktop"), endpoint="desktop-linux unix:///home/me/.docker/desktop/docker.sock"), "Desktop"),
        (engine(info(SecurityOptions=["name=rootless"]), endpoint="rootless unix:///run/user/1000/docker.sock"), "rootless"),
        (engine(there={"/.dockerenv", "/var/lib/docker"}), "outside of the container"),
        (engine(there={"/run/.containerenv", "/var/lib/docker"}), "outside of the container"),
        (engine(), "another namespace"),
    ],
)
def test_an_engine_with_unreachable_networks_is_refused(probe: Scripted, word: str) -> None:
    probe.answers["docker network"] = NOT_OURS
    (said,) = list_engine_errors(probe, NEEDS)

    assert word in said


@pytest.mark.parametrize(
    "probe",
    [
        engine(endpoint="minikube tcp://192.168.49.2:2376"),
        engine(endpoint="away ssh://me@build"),
        engine(info(SecurityOptions=["name=rootless"])),
        engine(info(OperatingSystem="Docker Desktop 4.30")),
    ],
)
def test_an_engine_elsewhere_is_refused_although_one_here_has_the_same_gateway(probe: Scripted) -> None:
    assert len(list_engine_errors(probe, NEEDS)) == 1


@pytest.mark.parametrize(
    "endpoint",
    ["x tcp://127.0.0.1:2375", "x tcp://localhost:2375", "x tcp://[::1]:2375", "x unix:///run/docker.sock", "x npipe:////./pipe/x"],
)
def test_an_engine_by_loopback_is_judged_by_its_networks(endpoint: str) -> None:
    assert list_engine_errors(engine(endpoint=endpoint), NEEDS) == []


def test_an_engine_that_shares_the_network_and_not_the_files() -> None:
    """A container with `--network host` and the socket mounted: addresses are reached, folders are another computer's."""
    (said,) = list_engine_errors(engine(there={"/.dockerenv"}), NEEDS)

    assert "/var/lib/docker" in said


def test_an_engine_inside_the_same_container_is_fine() -> None:
    assert list_engine_errors(engine(there={"/.dockerenv", "/var/lib/docker"}), NEEDS) == []


@pytest.mark.parametrize(
    "probe",
    [
        engine(clients="/snap/bin"),
        engine(info(DockerRootDir="/var/snap/docker/common/var-lib-docker"), there={"/var/snap/docker/common/var-lib-docker"}),
    ],
)
def test_a_snap_is_refused_for_the_hidden_cache_only(probe: Scripted) -> None:
    (said,) = list_engine_errors(probe, NEEDS)

    assert "/home/me/.cache/karmada-lab" in said
    assert "_runs" not in said.partition(": set ")[0]


def test_selinux_is_reported_and_refuses_nothing() -> None:
    probe = engine(info(SecurityOptions=["name=selinux"]))
    probe.files["/sys/fs/selinux/enforce"] = "1"

    assert any(finding.name == "selinux" for finding in check_engine(probe, NEEDS))
    assert list_engine_errors(probe, NEEDS) == []


@pytest.mark.parametrize("key", sorted(INFO))
def test_a_document_that_lacks_a_key_does_not_raise(key: str) -> None:
    assert check_engine(engine(info(**{key: None})), NEEDS)


def test_the_bounding_set_is_read_as_the_kernel_writes_it() -> None:
    assert docker.lacks_sys_resource("CapEff:\t0\nCapBnd:\t000001fffeffffff\n")
    assert not docker.lacks_sys_resource("CapBnd:\t000001ffffffffff\n")
