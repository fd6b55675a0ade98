"""Images of kind nodes are made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.assets import Cache
from lab.errors import ProvisionError
from lab.images import node
from lab.images.store import Archive
from lab.machines.scripted import Scripted, ScriptedFailure

LISTED = [f"registry.k8s.io/kube-{name}:v1.35.4" for name in ("apiserver", "controller-manager", "scheduler", "proxy")]
LISTED += ["registry.k8s.io/coredns/coredns:v1.13.1", "registry.k8s.io/pause:3.10.1", "registry.k8s.io/etcd:3.6.6-0"]
SPEC = '{"process": {"rlimits": [], "user": {}}}'


def test_addresses_of_clusters_do_not_meet_nor_those_of_their_nodes() -> None:
    assert str(node.first_node_subnet(node.cluster_subnet(0))) == "10.224.0.0/24"
    assert str(node.cluster_subnet(511)) == "10.255.240.0/20"
    assert not node.cluster_subnet(1).overlaps(node.cluster_subnet(2))


def test_a_node_image_takes_nothing_away_where_nothing_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "etc/containerd").mkdir(parents=True)
    (tmp_path / "etc/containerd/config.toml").write_text(
        'SystemdCgroup = true\n  sandbox_image = "old"\n  restrict_oom_score_adj = false\n'
    )
    free, bound = (node.NodeRecipe("1.35.4", bounded).of_kind(tmp_path, pause="p:1")[0].content or b"" for bounded in (False, True))

    assert b'sandbox_image = "p:1"' in free
    assert b"BinaryName" not in free
    assert b"BinaryName" in bound
    assert b"restrict_oom_score_adj = true" in bound


def test_what_is_for_a_service_does_not_leave_the_node() -> None:
    files = {file.path: file for file in node.NodeRecipe("1.35.4", bounded=False).system(Path("/nowhere"), pause="p:1").files}
    refused = [line for line in (files["/etc/systemd/system/fence.service"].content or b"").decode().splitlines() if "ExecStart" in line]

    assert [line.split("--insert ")[1] for line in refused] == [
        f"{to} --destination {node.SERVICES} --jump REJECT" for to in ("FORWARD", "OUTPUT")
    ]
    assert files["/etc/systemd/system/multi-user.target.wants/fence.service"].link == "/etc/systemd/system/fence.service"


def node_engine(monkeypatch: pytest.MonkeyPatch, *, there: str) -> Scripted:
    """Return an engine that has these images, for a node image without writing archives."""
    written = Archive("k", Path("/archives/k/images.tar"), (), 1, 0.0, 0.0)
    monkeypatch.setattr(node, "make_archive", lambda images, paths, **_: written)
    answers = {
        ("/kubeadm", "config", "images", "list"): "\n".join(LISTED),
        ("docker",): "",
        ("docker", "image", "ls"): there,
    }
    return Scripted({**answers, ("docker", "exec"): lambda words: ScriptedFailure(1) if "pgrep" in words else SPEC})


def test_a_node_image_that_is_there_is_not_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = node_engine(monkeypatch, there="15de27681c33\n")
    paths = {"kubeadm@1.35.4": Path("/kubeadm"), "kind-files": tmp_path}

    name = node.build_node_image(engine, "1.35.4", paths, bounded=False, cache=Cache(tmp_path / "cache"))

    assert name.startswith("karmada-lab/node:v1.35.4-")
    assert "docker commit" not in engine.transcript()


def test_a_node_image_is_loaded_filled_committed_and_its_container_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = node_engine(monkeypatch, there="")
    paths = {"kubeadm@1.35.4": Path("/kubeadm"), "kind-files": tmp_path}

    name = node.build_node_image(engine, "1.35.4", paths, bounded=False, cache=Cache(tmp_path / "cache"))

    verbs = [done.args[1] for done in engine.done if done.args[0] == "docker"]
    assert [verb for verb in verbs if verb in {"load", "run", "stop", "commit"}] == ["load", "run", "stop", "commit"]
    assert verbs[-1] == "rm"
    committed = next(done.args for done in engine.done if done.args[:2] == ("docker", "commit"))
    assert committed[-1] == name
    assert [each.args[-2:] for each in engine.done if each.args[:2] == ("docker", "exec")][-3:] == [
        ("--exact", "containerd"),
        ("--exact", "containerd"),  # ended, and seen to be
        ("-s", node.UNPACKED),
    ]
    spec_written = next(done.input for done in engine.done if "tee" in done.args)
    assert spec_written == b'{"process": {"user": {}}}'


def test_a_node_image_that_cannot_be_made_leaves_no_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = node_engine(monkeypatch, there="")
    engine._answers["docker", "commit"] = ScriptedFailure(1, "no space left on device")
    paths = {"kubeadm@1.35.4": Path("/kubeadm"), "kind-files": tmp_path}

    with pytest.raises(ProvisionError, match="node image") as error:
        node.build_node_image(engine, "1.35.4", paths, bounded=False, cache=Cache(tmp_path / "cache"))
    assert "no space left" in (error.value.detail or "")
    assert engine.done[-1].args[:3] == ("docker", "rm", "--force")
