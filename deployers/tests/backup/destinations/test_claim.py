"""A volume as a destination: which scripts run in the pod, and what they give. A real volume is in scenarios/test_backup_volume.py."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from deployers.backup.archive import UnusableBackup
from deployers.backup.destinations.claim import Volume, carrier, claimed_volume, parse_claim
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.destination_fakes import NAMES, OTHER
from lab.errors import NotPossible, UsageError
from lab.machines.scripted import Scripted, ScriptedFailure

CLAIM = parse_claim("pvc://backups/shared/a/b")


def volume(answer: str | ScriptedFailure) -> tuple[Volume, Scripted]:
    machine = Scripted({("kubectl", "exec"): answer})
    return Volume(CLAIM, machine, ("kubectl",)), machine


def test_the_url_names_namespace_claim_and_folder() -> None:
    assert (CLAIM.namespace, CLAIM.claim, str(CLAIM.folder)) == ("backups", "shared", "/backup/a/b")
    assert carrier(CLAIM)["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "shared"


@pytest.mark.parametrize(
    "url", ["pvc://", "pvc://backups", "pvc://Backups/x", "pvc://b/c/../d", "pvc://b/c?x=1", "pvc://b/-c", "pvc://b/c;d"]
)
def test_what_names_no_claim_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        parse_claim(url)


def test_a_name_appears_by_one_move_at_the_end(tmp_path: Path) -> None:
    there, machine = volume("")
    (tmp_path / "made").write_bytes(b"all of it")

    there.put(tmp_path / "made", NAMES[0])

    scripts = [call.args[call.args.index("-c") + 1] for call in machine.done]
    assert [call.input for call in machine.done] == [None, b"all of it", None]
    assert ["mv" in script for script in scripts] == [False, False, True]
    assert machine.done[-1].args[-1] == f"/backup/a/b/{NAMES[0]}"


def test_a_full_volume_is_reported(tmp_path: Path) -> None:
    there, _ = volume(ScriptedFailure(1, "sh: write error: No space left on device"))
    (tmp_path / "made").write_bytes(b"all of it")

    with pytest.raises(NotPossible, match="No space left"):
        there.put(tmp_path / "made", NAMES[0])


def test_archives_and_unfinished_files_are_distinguished() -> None:
    lines = [*NAMES, OTHER, "notes.txt", f".unfinished-{NAMES[0]}", f".unfinished-{OTHER}"]
    there, machine = volume("\n".join(f"7 /backup/a/b/{name}" for name in lines))

    assert [each.name for each in there.list_archives()] == [OTHER, *reversed(NAMES)]
    assert there.discard_unfinished("0123abcd" + "0" * 56) == [NAMES[0]]
    assert machine.done[-1].args[-1] == f"/backup/a/b/.unfinished-{NAMES[0]}"


def test_what_is_read_is_given_back(tmp_path: Path) -> None:
    def answer(args: tuple[str, ...]) -> str:
        return base64.encodebytes(b"all of it").decode() if any("dd" in arg for arg in args) else f"9 /backup/a/b/{NAMES[0]}"

    there = Volume(CLAIM, Scripted({("kubectl", "exec"): answer}), ("kubectl",))
    there.get(NAMES[0], tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == b"all of it"
    with pytest.raises(UnusableBackup):
        there.get(OTHER, tmp_path / "copy")


def test_a_host_cluster_without_pods_has_no_volumes(tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match="no pods"), claimed_volume(a_karmada(tmp_path), CLAIM):
        pass
