"""Addons of others: data that is whole or refused, and clusters on which they are put, found in the way, upgraded and taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers import addon as definition
from deployers.addon import Addon, addon, order_addons
from deployers.addons import change, contents, steps
from deployers.addons.site import Site, contains, list_first, records_of, restore_records
from deployers.plane.objects import CRDS
from deployers.pods.helm import Helm
from deployers.release import catalogue
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import Server, a_karmada, crd
from lab.assets import AssetRef
from lab.cluster import Cluster
from lab.errors import LabError, NotPossible, ProvisionError, UsageError
from lab.machines.scripted import Scripted
from lab.spec import Capability, parse

Json = dict[str, Any]
SETS = crd("apps.example.org", "sets", "Set")
JOBS = crd("apps.example.org", "jobs", "Job")


def path(document: Json) -> str:
    return f"{CRDS}/{document['metadata']['name']}"


def newer(document: Json) -> Json:
    """The same CRD with one version more."""
    spec = document["spec"]
    return {**document, "spec": {**spec, "versions": [*spec["versions"], {"name": "v1", "served": True, "storage": False}]}}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def site(tmp_path: Path, server: Server) -> Site:
    return a_site(tmp_path, server)


def a_site(folder: Path, server: Server, *, name: str = "member1") -> Site:
    cluster = Cluster(name, name, folder / "none.yaml")
    cluster.__dict__["api"] = server.api()
    return Site(a_karmada(folder).run, "sets", cluster)


# -- data ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", definition.names())
def test_every_addon_is_whole_and_its_assets_are_pinned(name: str) -> None:
    pins = catalogue()
    for version in pins.versions(addon(name).parts[0].asset):
        kinds = {asset: pins.pin(AssetRef.parse(asset)).kind for asset in addon(name).software(version)}
        assert {kinds.pop(f"{part.asset}@{version}") for part in addon(name).parts} == {"tree"}
        assert set(kinds.values()) <= {"binary"}, "programs, and helm where there is a chart"
        assert steps.images(addon(name), version) is not None
    assert order_addons([name, *addon(name).after])


def test_an_unknown_addon_names_the_near_one() -> None:
    with pytest.raises(UsageError, match="openkruise") as caught:
        addon("openkruse")
    assert "search" in str(caught.value.remedy)


def test_addons_come_after_what_they_need_and_a_cycle_is_refused() -> None:
    assert order_addons(["a", "b", "c"], {"a": ["c"], "b": ["a"], "c": []}) == ["c", "a", "b"]
    with pytest.raises(UsageError, match="a, b"):
        order_addons(["a", "b", "c"], {"a": ["b"], "b": ["a"], "c": []})
    with pytest.raises(UsageError, match="a needs b"):
        order_addons(["a"], {"a": ["b"]})


@pytest.mark.parametrize(
    ("given", "others"),
    [
        ({"openkruise": "1.7.0"}, {"openkruise": "1.7.0"}),
        ({"openkruise": "v1.7.0", "search": True}, {"openkruise": "1.7.0"}),
        ({"openkruise": True}, {"openkruise": catalogue().versions("openkruise-crds")[0]}),
        ({"openkruise": False}, {}),
        ({}, {}),
    ],
)
def test_a_lab_file_names_addons_of_others_like_karmadas_own(given: Json, others: Json) -> None:
    spec = parse(KarmadaSpec, {"addons": given}, source="the lab file")

    assert spec.addons.others == others
    assert KarmadaSpec.model_validate(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"openkruse": True}, "unknown addon 'openkruse'; did you mean 'openkruise'?"),
        ({"serch": True}, "unknown key; did you mean 'search'?"),
        ({"openkruise": "newest"}, "should be a version"),
        ({"others": {"nothing": "1.0.0"}}, "unknown addon 'nothing'"),
    ],
)
def test_a_key_that_is_no_addon_is_refused(given: Json, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(KarmadaSpec, {"addons": given}, source="the lab file", prefix="karmada.")
    assert said in str(caught.value)


def test_parts_are_read_as_they_are_and_a_pattern_without_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bases").mkdir()
    (tmp_path / "bases/a.yaml").write_text(yaml.safe_dump_all([{**SETS, "status": {}}, None, JOBS]))
    part = definition.AddonPart(name="crds", asset="x", files=("bases/*.yaml",), on=("members",))

    assert contents.objects(part, tmp_path) == [SETS, JOBS]
    with pytest.raises(ProvisionError, match="more/"):
        contents.objects(part.model_copy(update={"files": ("more/*.yaml",)}), tmp_path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "`files` and `chart`"),
        ({"files": ["a.yaml"], "chart": "a", "namespace": "a"}, "`files` and `chart`"),
        ({"chart": "a"}, "namespace"),
        ({"files": ["a.yaml"], "values": {"a": 1}}, "values"),
    ],
)
def test_a_part_is_of_files_or_of_a_chart(given: Json, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        definition.AddonPart.model_validate({"name": "a", "asset": "a", "on": ["members"], **given})


def test_a_chart_is_rendered_with_its_values_and_comes_after_its_namespace(tmp_path: Path) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mesh", "namespace": "mesh-system"}}
    machine = Scripted({("/helm", "template"): yaml.safe_dump({**settings, "status": {}})})
    given: Json = {"name": "mesh", "asset": "charts", "chart": "control", "namespace": "mesh-system", "values": {"image": "here"}}
    part = definition.AddonPart.model_validate({**given, "on": ["members"]})

    found = contents.render_chart(part, tmp_path, Helm(Path("/helm"), machine, tmp_path))

    assert found == [[{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mesh-system"}}], [settings]]
    (asked,) = machine.done
    assert asked.args[1:] == ("template", "mesh", str(tmp_path / "control"), "--namespace", "mesh-system", "--values", "-")
    assert yaml.safe_load(asked.input or b"") == {"image": "here"}


def test_a_program_image_has_the_name_in_the_charts_values() -> None:
    istiod = addon("istiod")

    (image,) = steps.images(istiod, "1.2.3")

    assert image.name == istiod.parts[0].values["image"]
    assert [file.asset for file in image.files] == ["pilot-discovery@1.2.3"]
    assert image.entrypoint == (image.files[0].path,)


# -- one cluster --------------------------------------------------------------------------------------------------------------------------


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


def established() -> Json:
    return {"conditions": [{"type": kind, "status": "True"} for kind in ("Established", "NamesAccepted")]}


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


# -- as steps -----------------------------------------------------------------------------------------------------------------------------


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


# -- on a Karmada that runs ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pods_only(monkeypatch: pytest.MonkeyPatch) -> Addon:
    """An addon that needs pods, and one that needs it."""
    parts = addon("openkruise").parts
    made = {
        "mesh": Addon(name="mesh", what="", needs=(Capability.PODS,), parts=parts),
        "gate": Addon(name="gate", what="", after=("mesh",), parts=parts),
    }
    for module in (definition, steps, change):
        monkeypatch.setattr(module, "addon", made.__getitem__)
    monkeypatch.setattr(definition, "names", lambda: tuple(made))
    return made["mesh"]


def test_an_addon_that_needs_pods_is_refused_where_none_run(tmp_path: Path, pods_only: Addon) -> None:
    with pytest.raises(NotPossible, match="mesh cannot be") as caught:
        change.install(a_karmada(tmp_path), "mesh", "1.8.3")
    assert "needs PODS, which the provider embedded does not offer" in str(caught.value)


def test_an_addon_without_what_it_needs_and_one_that_is_needed_are_refused(tmp_path: Path, pods_only: Addon) -> None:
    with pytest.raises(UsageError, match="gate needs mesh"):
        change.install(a_karmada(tmp_path / "a"), "gate", "1.8.3")
    both = a_karmada(tmp_path / "b", {"addons": {"others": {"mesh": "1.8.3", "gate": "1.8.3"}}})
    with pytest.raises(UsageError, match="needed by gate"):
        change.remove(both, "mesh")


@pytest.mark.parametrize(
    ("act", "words", "said"),
    [
        (change.install, ("openkruise", "1.8.3"), "openkruise 1.7.0 is installed"),
        (change.upgrade, ("istio-base",), "istio-base is not installed"),
        (change.upgrade, ("openkruise", "1.9.9"), "openkruise-crds 1.9.9 is not pinned"),
        (change.install, ("istio-bas",), "did you mean 'istio-base'"),
    ],
)
def test_invalid_arguments_change_nothing(tmp_path: Path, act: Any, words: tuple[str, ...], said: str) -> None:
    karmada = a_karmada(tmp_path, {"addons": {"openkruise": "1.7.0"}})

    with pytest.raises(LabError) as caught:
        act(karmada, *words)
    assert said in str(caught.value)
    assert karmada.run.recorded("karmada", "unfinished") is None


def test_a_member_that_joins_later_gets_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    karmada, server = a_karmada(tmp_path, {"addons": {"openkruise": "1.7.0"}}), Server()
    (tmp_path / "assets/bases").mkdir(parents=True)
    (tmp_path / "assets/bases/sets.yaml").write_text(yaml.safe_dump(SETS))
    monkeypatch.setattr(change, "bring_assets", lambda *_: {"openkruise-crds@1.7.0": tmp_path / "assets"})
    known: list[str] = []
    monkeypatch.setattr(change, "wait_known", lambda *args: known.extend(each.name for each in args[-1]))
    member = Cluster("member2", "member2", tmp_path / "none.yaml")
    member.__dict__["api"] = server.api()

    change.install_on_new_member(karmada, member)

    assert path(SETS) in server.objects
    assert known == ["member2"]
    assert Site(karmada.run, "openkruise", member).version == "1.7.0"


def test_what_is_not_installed_is_removed_without_a_word(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path)
    assert change.remove(karmada, "openkruise") is karmada


def test_what_is_in_the_way_anywhere_keeps_it_from_everywhere(tmp_path: Path) -> None:
    free, taken = Server(), Server({path(SETS): {**SETS, "metadata": {**SETS["metadata"], "uid": "theirs"}, "status": established()}})
    folder = tmp_path / "assets/bases"
    folder.mkdir(parents=True)
    (folder / "sets.yaml").write_text(yaml.safe_dump(newer(SETS)))
    sites = [("members", a_site(tmp_path / "a", free)), ("karmada", a_site(tmp_path / "b", taken, name="karmada"))]

    with pytest.raises(ProvisionError) as caught:
        change.require_no_conflicts(addon("openkruise"), "1.8.3", sites, {"openkruise-crds@1.8.3": tmp_path / "assets"})  # type: ignore[arg-type]
    assert "karmada: sets.apps.example.org" in str(caught.value)
    assert not free.writes
