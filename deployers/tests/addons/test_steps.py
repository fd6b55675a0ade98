"""The order in which an addon reaches Karmada and its members."""

from __future__ import annotations

from pathlib import Path

from deployers.addon import addon
from deployers.addons import steps
from deployers.tests.control_plane_fakes import a_karmada, crd

SETS = crd("apps.example.org", "sets", "Set")
JOBS = crd("apps.example.org", "jobs", "Job")


def test_a_program_image_has_the_name_in_the_charts_values() -> None:
    istiod = addon("istiod")

    (image,) = steps.images(istiod, "1.2.3")

    assert image.name == istiod.parts[0].values["image"]
    assert [file.asset for file in image.files] == ["pilot-discovery@1.2.3"]
    assert image.entrypoint == (image.files[0].path,)


def test_karmada_comes_last_and_members_are_waited_for(tmp_path: Path) -> None:
    made = {step.name: step for step in steps.addon_steps(a_karmada(tmp_path, {"addons": {"openkruise": True}}, members=2), {})}

    assert set(made) == {"addons/openkruise", *(f"addons/openkruise/{name}" for name in ("member1", "member2", "karmada"))}
    assert made["addons/openkruise/member1"].needs == ("member1",)
    assert made["addons/openkruise/karmada"].needs == ("karmada",)
    assert {"member1/joined", "addons/openkruise/karmada"} < set(made["addons/openkruise"].needs)


def test_unknown_apis_of_a_member_are_reported() -> None:
    enabled = [{"groupVersion": "apps.example.org/v1alpha1", "resources": [{"kind": "Set"}]}]
    wanted = steps.kinds_of([[SETS, {"kind": "ConfigMap"}], [JOBS]])

    assert steps.missing_kinds(wanted, {"status": {"apiEnablements": enabled}}) == "not known yet: Job of apps.example.org/v1alpha1"
    assert steps.missing_kinds({("apps.example.org/v1alpha1", "Set")}, {"status": {"apiEnablements": enabled}}) is None
    assert steps.missing_kinds(wanted, {}) is not None
