"""The tree of steps while a lab comes up."""

from __future__ import annotations

from typing import Any

from lab.assets.progress import AssetProgress
from lab.errors import ProvisionError
from lab.terminal.live_tree import LiveTree
from lab.terminal.text import Look
from lab.tests.terminal_fakes import Terminal, drawn, step


def a_tree() -> LiveTree:
    return LiveTree(Terminal(), Look(live=True), title="lab x")


def test_clusters_are_branches_and_one_that_is_through_is_a_line() -> None:
    tree = a_tree()
    for name in ("host/etcd", "host/kube-apiserver", "member1/etcd", "member1/kube-apiserver", "karmada/webhook"):
        tree.begins(step(name), left=9)
    tree.ends(step("host/etcd"), seconds=0.4, error=None, left=8)
    tree.ends(step("host/kube-apiserver"), seconds=3.2, error=None, left=7)
    tree.ends(step("member1/etcd"), seconds=0.5, error=None, left=6)
    tree.ends(step("karmada/webhook"), seconds=2.0, error=ProvisionError("exited with 1"), left=5)
    text = drawn(tree)

    assert "4 of 9 steps" in text
    assert "✓ host  2 steps" in text
    assert "✓ etcd  0.5 s" in text
    assert "kube-apiserver" in text
    assert "✗ webhook  2.0 s  exited with 1" in text


def test_a_tree_that_does_not_fit_shows_what_runs_or_failed() -> None:
    tree = a_tree()
    for number in range(1, 61):
        for part in ("etcd", "kube-apiserver", "scheduler"):
            tree.begins(step(f"member{number}/{part}"), left=500)
        tree.ends(step(f"member{number}/etcd"), seconds=1, error=None, left=400)
    text = drawn(tree, height=24)

    assert "etcd" not in text
    assert "member60" in text


def test_assets_show_how_many_and_what_is_left() -> None:
    tree = a_tree()
    tree.progress(AssetProgress("ready", "etcd 3.6.5", left=("kubernetes 1.35.4", "karmada 1.18.2")))
    tree.progress(AssetProgress("compiling", "kubernetes 1.35.4", 512, 900, "packages", elapsed=131, left=("karmada 1.18.2",)))
    text = drawn(tree)

    assert "1 of 3 assets" in text
    assert "kubernetes 1.35.4: compiling 512 of 900 packages; 2:11" in text
    assert "then karmada 1.18.2" in text
    tree.progress(AssetProgress("ready", "kubernetes 1.35.4", left=("karmada 1.18.2",)))
    assert "compiling" not in drawn(tree)


def test_events_of_many_threads_do_not_disturb_drawing(capsys: Any) -> None:
    tree = a_tree()
    with tree:
        for number in range(20):
            tree.begins(step(f"member{number}/etcd"), left=20)
            tree.ends(step(f"member{number}/etcd"), seconds=0.1, error=None, left=19)

    assert len(tree.branches) == 20
