"""Rules for flags, environment and feature gates of components."""

from __future__ import annotations

from deployers.tests.preflight_fakes import component, paths


def test_flags_that_the_lab_sets_itself() -> None:
    flags = {"secure-port": "1", "kubeconfig": "/x"}
    assert paths(component("karmada-webhook", flags=flags)) == [f"karmada.components.karmada-webhook.flags.{flag}" for flag in flags]
    assert "karmada.components.karmada-webhook.without[0]" in paths(component("karmada-webhook", without=["kubeconfig"]))


def test_environment_and_gates() -> None:
    assert paths(component("karmada-webhook", env={"A B": "1", "GOGC": "1"})) == ['karmada.components.karmada-webhook.env["A B"]']
    assert paths(component("karmada-webhook", feature_gates={"no gate": True})) == [
        'karmada.components.karmada-webhook.feature_gates["no gate"]'
    ]


def test_a_member_with_too_long_an_estimator_name_is_refused() -> None:
    def named(length: int) -> list[str]:
        return paths({"addons": {"estimators": True}}, members=[{"name": "m" * length}])

    assert named(35) == []
    assert named(36) == ["karmada.members"]
