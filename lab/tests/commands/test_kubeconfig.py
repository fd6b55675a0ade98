"""`lab kubeconfig`: a path, or its content."""

from __future__ import annotations

import pytest

from lab.tests.cli_fakes import World, invoke, world

__all__ = ["world"]


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ([], "kubeconfig.yaml"),
        (["member1"], "kubeconfig/member1.yaml"),
        (["karmada-host"], "kubeconfig/host.yaml"),
        (["karmada"], "kubeconfig/karmada.yaml"),
        (["karmada-apiserver"], "kubeconfig/karmada.yaml"),
    ],
)
def test_kubeconfig_is_a_path_or_its_content(world: World, words: list[str], file: str) -> None:
    path = world.run().path / file

    assert invoke("kubeconfig", *words).out == f"{path}\n"
    assert path.read_text() in invoke("kubeconfig", *words, "--print").out


def test_kubeconfig_of_an_unknown_cluster_lists_what_there_is(world: World) -> None:
    world.run()
    done = invoke("kubeconfig", "member9")

    assert done.code == 2
    assert "host, karmada, member1" in done.err
