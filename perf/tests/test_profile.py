"""Profiles: the settings of a trial. A profile is a lab file with one member, the template of both."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deployers.wanted import document
from lab.errors import UsageError
from perf import profile, shapes
from perf.profile import NO_OBJECTS
from perf.shapes import get_shape


def leaves(table: object, key: str) -> list[str]:
    """Return every key of a document that has a value."""
    return (
        [each for part, inner in table.items() for each in leaves(inner, f"{key}.{part}")] if isinstance(table, dict) and table else [key]
    )


def test_every_setting_of_the_tuned_profile_is_measured_or_listed_as_not() -> None:
    asked = document(profile.find_profile("tuned"))
    member = asked["members"][0]
    there = [each for part in ("files", "flags", "env") for each in leaves(member[part], f"members.{part}")]
    there += [
        *leaves(asked["karmada"]["by_binary"]["files"], "karmada.by_binary.files"),
        *leaves(asked["karmada"]["components"], "karmada.components"),
    ]
    back = [change.partition("=")[0] for setting in profile.read_settings("tuned").values() for change in setting.back]

    assert {key for key in there if not any(key == each or key.startswith(f"{each}.") for each in back)} == {
        "members.flags.kube-apiserver.delete-collection-workers",
        "karmada.components.karmada-controller-manager.feature_gates.Failover",
        "karmada.components.karmada-controller-manager.flags.enable-no-execute-taint-eviction",
        "karmada.components.karmada-webhook.flags.allow-no-execute-taint-policy",
    }


@pytest.mark.parametrize("name", profile.read_settings("tuned"))
def test_each_setting_can_be_taken_back_and_failover_stays_on(name: str) -> None:
    with_it = profile.prepare_lab("tuned", shapes.get_shape("short"))
    without = profile.prepare_lab("tuned", shapes.get_shape("short"), profile.read_settings("tuned")[name].back)

    assert without.karmada is not None
    profile.check_failover_switches(without.karmada, without_failover=False)
    assert without.asked != with_it.asked


def test_a_key_that_the_profile_does_not_have_is_refused(tmp_path: Path) -> None:
    for suffix in (".toml", ".yaml"):
        shutil.copy(profile.find_profile("tuned").with_suffix(suffix), tmp_path / f"mine{suffix}")
    mine, table = str(tmp_path / "mine.toml"), tmp_path / "mine.settings.toml"
    with pytest.raises(UsageError, match="settings file"):
        profile.read_settings(mine)

    table.write_text('[events]\ntitle = "events"\nback = ["objects=", "members.env.kwok.GOGC="]')
    assert profile.read_settings(mine)["events"].back == ("objects=", "members.env.kwok.GOGC=")
    for change in ("members.env.kwok.GOMAXPROCS=", "karmada.nothing=1", "members="):
        table.write_text(f'[wrong]\ntitle = "wrong"\nback = ["{change}"]')
        with pytest.raises(UsageError, match=change.partition("=")[0]):
            profile.read_settings(mine)
    (tmp_path / "mine.yaml").unlink()
    table.write_text('[events]\ntitle = "events"\nback = ["objects="]')
    with pytest.raises(UsageError, match="has no objects"):
        profile.read_settings(mine)
    table.write_text('[events]\ntitle = "events"\nback = []')
    with pytest.raises(UsageError, match=r"ProfileSetting(.|\n)*back"):
        profile.read_settings(mine)


def test_objects_can_be_left_out() -> None:
    assert profile.read_objects("tuned")
    assert profile.read_objects("tuned", [NO_OBJECTS]) == []
    assert (
        profile.prepare_lab("tuned", shapes.get_shape("short"), [NO_OBJECTS]).asked
        == profile.prepare_lab("tuned", shapes.get_shape("short")).asked
    )


@pytest.mark.parametrize("name", profile.list_profiles())
def test_a_profile_is_a_lab_file_with_failover_on(name: str) -> None:
    wanted = profile.prepare_lab(name, get_shape("tiny"))

    assert wanted.karmada is not None
    assert profile.list_disabled_switches(wanted.karmada) == []
    assert [(member.name, member.nodes[0].count) for member in wanted.lab.members] == [("member1", 20), ("member2", 20)]


def test_failover_off_is_refused_unless_that_is_measured() -> None:
    off = profile.prepare_lab(
        "tuned", get_shape("tiny"), ["karmada.components.karmada-controller-manager.feature_gates.Failover=false"]
    ).karmada
    on = profile.prepare_lab("tuned", get_shape("tiny")).karmada
    assert off is not None
    assert on is not None

    with pytest.raises(UsageError, match="failover is off"):
        profile.check_failover_switches(off, without_failover=False)
    with pytest.raises(UsageError, match="failover is on"):
        profile.check_failover_switches(on, without_failover=True)
    profile.check_failover_switches(off, without_failover=True)
    profile.check_failover_switches(on, without_failover=False)
