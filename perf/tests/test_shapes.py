"""An impossible shape is refused before anything starts, with the arithmetic and the right exit code."""

from __future__ import annotations

import pytest

from deployers.plane.flags import extra_args
from lab.errors import NotPossible, UsageError
from perf import backend, profile, shapes
from perf.shapes import Shape, check_shape, get_shape


@pytest.mark.parametrize("name", ["tiny", "small", "10k", "vivo-40k", "40k-by-10"])
def test_shapes_that_fit_under_the_ceiling(name: str) -> None:
    check_shape(get_shape(name), free_gib=64.0)


@pytest.mark.parametrize("name", shapes.list_shapes())
def test_every_shape_has_room_for_its_pods_and_a_limit_to_hold_against(name: str) -> None:
    there = get_shape(name)

    assert there.pods <= there.room
    assert 0 < there.limit_pods <= there.pods


def test_a_shape_that_does_not_fit_is_refused_with_the_arithmetic() -> None:
    with pytest.raises(NotPossible, match=r"4\.0 GiB") as refused:
        check_shape(get_shape("vivo-40k"), free_gib=4.0)

    assert "(40000 + 40000) pods" in str(refused.value)
    assert refused.value.exit_code == 3


def test_more_than_the_ceiling_is_refused_however_much_is_free() -> None:
    with pytest.raises(NotPossible, match="18 GiB"):
        check_shape(get_shape("vivo-40k", applications=1000, fault="apiserver"), free_gib=256.0)


def test_an_unknown_shape_names_a_near_one() -> None:
    with pytest.raises(UsageError, match="vivo-40k"):
        get_shape("vivo40k")


@pytest.mark.parametrize("changes", [{"applications": 0}, {"replicas": 0}])
def test_no_pods(changes: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="nothing would move"):
        check_shape(get_shape("tiny", **changes), free_gib=64.0)


def test_a_survivor_too_small_says_how_many_nodes_would_do() -> None:
    small = get_shape("small", survivor_nodes=2)

    with pytest.raises(UsageError, match="2000 pods") as refused:
        check_shape(small, free_gib=64.0)

    assert "19 nodes or more" in str(refused.value)


def test_fewer_pods_need_no_more_for_the_limit() -> None:
    assert get_shape("vivo-40k", applications=4).limit_pods == 400
    assert Shape(nodes=1, applications=5, replicas=3, limit_pods=7, within=1).limit_applications == 3


def test_a_change_reaches_both_members_and_karmada_and_an_empty_one_removes() -> None:
    wanted = profile.prepare_lab(
        "tuned",
        get_shape("tiny"),
        [
            "members.env.kube-apiserver.GOGC=100",
            "karmada.components.karmada-scheduler.flags.kube-api-qps=7",
            "karmada.components.karmada-controller-manager.flags.resource-eviction-rate=",
        ],
    )

    assert wanted.karmada is not None
    assert [member.env["kube-apiserver"]["GOGC"] for member in wanted.lab.members] == ["100", "100"]
    assert extra_args(wanted.karmada, "karmada-scheduler")["kube-api-qps"] == "7"
    assert "resource-eviction-rate" not in extra_args(wanted.karmada, "karmada-controller-manager")


@pytest.mark.parametrize("change", ["", "karmada", "karmada=1", "members.flags"])
def test_what_is_no_change_is_refused(change: str) -> None:
    with pytest.raises(UsageError, match="not a change"):
        profile.prepare_lab("tuned", get_shape("tiny"), [change])


def test_hollow_kubelets_are_few_and_small() -> None:
    backend.check_backend(get_shape("tiny"))
    with pytest.raises(UsageError, match="200 hollow kubelets"):
        backend.check_backend(get_shape("small"))
    with pytest.raises(UsageError, match="800 pods"):
        backend.check_backend(get_shape("tiny", replicas=100))
