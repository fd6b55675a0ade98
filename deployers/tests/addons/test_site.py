"""Addons of others on one cluster: objects put, found in the way, upgraded and taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.addons.site import Site, contains, list_first, records_of, restore_records
from deployers.tests.addons_fakes import Json, a_site, established, newer, path
from deployers.tests.control_plane_fakes import Server, a_karmada, crd
from lab.errors import ProvisionError

SETS = crd("apps.example.org", "sets", "Set")
JOBS = crd("apps.example.org", "jobs", "Job")


@pytest.fixture
def site(tmp_path: Path, server: Server) -> Site:
    return a_site(tmp_path, server)


def test_what_is_put_twice_is_sent_once(site: Site, server: Server, tmp_path: Path) -> None:
    site.put("1.0.0", [[SETS, JOBS]])
    before = list(server.writes)
    again = a_site_again(site)
    again.put("1.0.0", [[SETS, JOBS]])

    assert len(before) == 2
    assert server.writes == before
    assert again.version == "1.0.0"


def a_site_again(site: Site) -> Site:
    """The same addon there, as another process finds it."""
    return Site(site.run, site.addon, site.cluster)


def test_another_version_is_laid_over_ours_and_what_it_has_no_more_goes(site: Site, server: Server) -> None:
    site.put("1.0.0", [[SETS, JOBS]])
    a_site_again(site).put("2.0.0", [[newer(SETS)]])

    assert [version["name"] for version in server.objects[path(SETS)]["spec"]["versions"]] == ["v1alpha1", "v1"]
    assert path(JOBS) not in server.objects
    assert a_site_again(site).version == "2.0.0"


def test_objects_of_another_owner_are_kept_or_refused_and_never_deleted(tmp_path: Path) -> None:
    theirs = Server({path(SETS): {**SETS, "metadata": {**SETS["metadata"], "uid": "theirs"}, "status": established()}})
    site = a_site(tmp_path, theirs)

    assert site.conflicts([[newer(SETS), JOBS]]) == ["member1: sets.apps.example.org"]
    with pytest.raises(ProvisionError, match="another version"):
        site.put("2.0.0", [[newer(SETS), JOBS]])
    assert not theirs.writes
    site.put("1.0.0", [[SETS, JOBS]])
    a_site_again(site).take()

    assert [path.rpartition("/")[2] for path in theirs.objects] == ["sets.apps.example.org"]
    assert not site.run.records("addons")


def test_a_recreated_object_belongs_to_its_new_owner(site: Site, server: Server) -> None:
    site.put("1.0.0", [[SETS]])
    server.objects[path(SETS)]["metadata"]["uid"] = "another"
    a_site_again(site).take()

    assert path(SETS) in server.objects


def test_what_a_backup_knew_of_one_cluster_is_known_again_and_of_no_other(tmp_path: Path) -> None:
    run = a_karmada(tmp_path).run
    then, now = {"version": "1.0.0", "made": {path(SETS): "uid"}}, {"version": "1.1.0", "made": {}}
    run.record("addons", "sets.karmada", then)
    known = records_of(run, "karmada")
    for name in ("sets.karmada", "sets.member1", "later.karmada"):
        run.record("addons", name, now)

    restore_records(run, "karmada", known)

    assert run.records("addons") == {"sets.karmada": then, "sets.member1": now}


def test_a_put_that_was_cut_short_is_ours_to_take(site: Site, server: Server) -> None:
    server.objects[path(SETS)] = {**SETS, "metadata": {**SETS["metadata"], "uid": "1"}, "status": established()}
    site.record["made"] = {path(SETS): None}  # written before it was sent; the answer never came
    site.save()
    a_site_again(site).take()

    assert not server.objects


def test_objects_of_its_crds_are_named_and_those_of_others_are_not(site: Site, server: Server) -> None:
    server.objects[path(JOBS)] = {**JOBS, "metadata": {**JOBS["metadata"], "uid": "theirs"}, "status": established()}
    site.put("1.0.0", [[SETS, JOBS]])
    for plural in ("sets", "jobs"):
        server.objects[f"/apis/apps.example.org/v1alpha1/{plural}/one"] = {"metadata": {"name": "one", "namespace": "shop"}}

    assert site.in_use() == ["member1: Set shop/one"]
    assert site.in_use([[SETS]]) == []


def test_a_version_that_cannot_read_stored_objects_is_refused(site: Site, server: Server) -> None:
    site.put("1.0.0", [[SETS]])
    server.objects[path(SETS)]["status"]["storedVersions"] = ["v1alpha1", "v1beta1"]

    assert site.unreadable([[SETS]]) == ["member1: sets.apps.example.org has objects stored as v1beta1"]


@pytest.mark.parametrize(
    ("there", "alike"),
    [
        ({"kind": "A", "spec": {"a": [1, {"b": 2, "more": 3}], "added": True}}, True),
        ({"kind": "A", "spec": {"a": [1, {"b": 3}]}}, False),
        ({"kind": "A", "spec": {"a": [1]}}, False),
        ({"kind": "A", "spec": {}}, False),
    ],
)
def test_what_an_api_server_adds_is_no_difference(there: Json, alike: bool) -> None:
    wanted = {"kind": "A", "metadata": {"name": "x"}, "spec": {"a": [1, {"b": 2}], "nothing": None, "empty": {}}}
    assert contains(wanted, there) is alike


def test_of_many_things_some_are_named_and_the_rest_counted() -> None:
    assert list_first([str(number) for number in range(7)]).splitlines() == ["0", "1", "2", "3", "4", "… and 2 more"]
