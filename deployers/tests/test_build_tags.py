"""Karmada is built as upstream builds it: without its tag scheduler and descheduler panic when they first ask an estimator."""

from __future__ import annotations

from dataclasses import replace

from deployers.release import catalogue
from lab.assets import AssetRef
from lab.assets.golang import make_build_flags

TAG = "kubernetes_protomessage_one_more_release"


def test_every_program_of_karmada_and_nothing_else_has_the_tag() -> None:
    tagged = {pin.name for pin in catalogue() if TAG in pin.tags}

    assert {"karmada-scheduler", "karmada-descheduler", "karmada-scheduler-estimator", "karmadactl"} <= tagged
    assert not {"kube-apiserver", "etcd", "karmada-crds"} & tagged


def test_tags_reach_go_and_tell_one_build_from_another() -> None:
    pin = catalogue().pin(AssetRef.parse("karmada-scheduler"))

    flags = make_build_flags(pin.stamp, None, pin.tags)
    assert flags[flags.index("-tags") + 1] == TAG
    assert "-tags" not in make_build_flags(pin.stamp, None)
    assert replace(pin, tags=()).key != pin.key
