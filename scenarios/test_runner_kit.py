"""A cluster accepts the runner kit: the real CRDs, Pod Security, RBAC, and a machine's life cycle for one job.

Neither ARC's controller nor KubeVirt runs here; what is asked is all that the API server itself says of their objects.
"""

from __future__ import annotations

import copy
import json
import secrets
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.api import Api, Refused
from lab.cluster import Lab
from lab.errors import NotPossible, NotReady
from lab.wait import NotYet, until
from scenarios.ci import runner_kit
from scenarios.ci.runner_kit import KIT, NAMESPACE, SIZES, find_object

Json = dict[str, Any]
pytestmark = pytest.mark.xdist_group("runner-kit")
MACHINES = f"/apis/kubevirt.io/v1/namespaces/{NAMESPACE}/virtualmachineinstances"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
QUOTA = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas/{NAMESPACE}"
STRICT = {"fieldValidation": "Strict"}


@pytest.fixture(scope="module")
def api(lab: Lab) -> Api:
    return lab.host.api


@contextmanager
def crds(api: Api, made: list[Json]) -> Iterator[None]:
    """Install CRDs during the body."""
    try:
        for crd in made:
            api.apply(crd, **STRICT)
            api.until(f"{CRDS}/{crd['metadata']['name']}", established, what=f"{crd['metadata']['name']} is established", within=30.0)
        yield
    finally:
        for crd in made:
            api.delete(f"{CRDS}/{crd['metadata']['name']}")
            api.until_gone(f"{CRDS}/{crd['metadata']['name']}", what=f"{crd['metadata']['name']} is gone", within=60.0)


def established(item: Json) -> str | None:
    conditions = {each["type"]: each["status"] for each in (item.get("status") or {}).get("conditions") or []}
    return None if conditions.get("Established") == "True" else f"conditions are {conditions}"


@pytest.fixture(scope="module")
def place(api: Api) -> Iterator[None]:
    """Yield the namespace of runners, with KubeVirt's CRD of virtual machines."""
    with crds(api, [runner_kit.kubevirt_crd()]):
        api.apply(runner_kit.read_namespace(), **STRICT)
        try:
            yield
        finally:
            api.delete(f"/api/v1/namespaces/{NAMESPACE}")
            api.until_gone(f"/api/v1/namespaces/{NAMESPACE}", what="the runners' namespace is gone", within=60.0)


@pytest.fixture(scope="module")
def kit(lab: Lab, api: Api, place: None, tmp_path_factory: pytest.TempPathFactory) -> list[Json]:  # noqa: ARG001 (its place)
    """Yield the kit's own objects, applied."""
    objects = runner_kit.render(lab.machine, tmp_path_factory.mktemp("kit"), charts=None, kubernetes=lab.spec.kubernetes)
    for item in objects:
        api.apply(item, **STRICT)
    wait_counted(api, next(item for item in objects if item["kind"] == "ResourceQuota"))
    return objects


def wait_counted(api: Api, quota: Json) -> None:
    """Wait until a quota counts every kind it names; until then objects of these kinds are refused.

    Its controller looks for new kinds every 30 s. A quota that came before it had seen one is counted again in five minutes only
    (kube-controller-manager --resource-quota-sync-period), one that comes after at once: so it is made anew until it came after.
    """

    def anew() -> None:
        api.delete(QUOTA)
        api.apply(quota, **STRICT)
        try:
            api.until(QUOTA, counted, what="the quota counts what there is", within=3.0)
        except NotReady as late:
            raise NotYet(late.last) from late

    until(anew, what="the quota's controller has seen the new kinds", within=90.0, every=1.0)


def counted(quota: Json) -> str | None:
    missing = quota["spec"]["hard"].keys() - ((quota.get("status") or {}).get("used") or {}).keys()
    return f"not yet {', '.join(sorted(missing))}" if missing else None


def test_the_kit_s_own_objects_are_accepted_and_applying_them_again_changes_nothing(api: Api, kit: list[Json]) -> None:
    assert {item["kind"] for item in kit} == {"ServiceAccount", "Role", "RoleBinding", "NetworkPolicy", "ResourceQuota", "ConfigMap"}
    before = [api.get(api.path_of(item)) for item in kit if item["kind"] != "ResourceQuota"]  # its status is the controller's to write

    after = [api.apply(item, **STRICT) for item in kit if item["kind"] != "ResourceQuota"]

    assert [item["metadata"]["resourceVersion"] for item in after] == [item["metadata"]["resourceVersion"] for item in before]


# -- ARC -----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scale_sets(lab: Lab, api: Api, place: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Json]]:  # noqa: ARG001 (its place)
    """Yield scale sets of all sizes as ARC's chart renders them, with ARC's CRDs installed."""
    try:
        charts = runner_kit.arc_charts()
    except NotPossible as error:
        pytest.skip(f"unknown: ARC's charts and CRDs cannot be had here: {error.what}; ${runner_kit.ARC} may name a checkout")
    objects = runner_kit.render(lab.machine, tmp_path_factory.mktemp("arc"), charts=charts, kubernetes=lab.spec.kubernetes)
    with crds(api, runner_kit.arc_crds(charts)):
        yield [item for item in objects if item["kind"] == "AutoscalingRunnerSet"]


def test_scale_sets_of_every_size_are_accepted(api: Api, scale_sets: list[Json]) -> None:
    assert [item["metadata"]["name"] for item in scale_sets] == [f"karmada-lab-{size}" for size in sorted(SIZES)]
    for item in scale_sets:
        made = api.apply(item, **STRICT)
        assert made["spec"]["runnerScaleSetLabels"] == ["self-hosted", item["metadata"]["name"]]
        assert api.apply(item, **STRICT)["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


@pytest.mark.parametrize(("key", "value", "says"), [("maxRunners", "many", "maxRunners"), ("maxRuners", 3, "maxRuners")])
def test_a_scale_set_that_cannot_be_meant_is_refused(api: Api, scale_sets: list[Json], key: str, value: Any, says: str) -> None:
    wrong = copy.deepcopy(scale_sets[0])
    wrong["spec"][key] = value

    with pytest.raises(Refused, match=says):
        api.apply(wrong, **STRICT, dryRun="All")


# -- what runners may ------------------------------------------------------------------------------------------------------------------


def pod(size: str) -> Json:
    """Return a runner's pod of a size, as ARC creates it from the template."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"try-{size}", "namespace": NAMESPACE},
        "spec": {"restartPolicy": "Never", **runner_kit.read_values()[size]["template"]["spec"]},
    }


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize("size", SIZES)
def test_a_runner_s_pod_is_what_pod_security_calls_restricted(api: Api, size: str) -> None:
    assert api.create(pod(size), **STRICT, dryRun="All")["spec"]["containers"][0]["name"] == "runner"


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize(
    "change",
    [
        {"hostNetwork": True},
        {"volumes": [{"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}}]},
        {"containers": [{"name": "runner", "image": "x", "securityContext": {"privileged": True}}]},
    ],
)
def test_a_pod_that_asks_for_more_is_refused(api: Api, change: Json) -> None:
    wrong = pod("embedded")
    wrong["spec"].update(change)

    with pytest.raises(Refused, match="violates PodSecurity"):
        api.create(wrong, dryRun="All")


def is_allowed(api: Api, account: str, verb: str, resource: str, group: str = "", where: str = NAMESPACE) -> bool:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{NAMESPACE}:{account}",
            "resourceAttributes": {"verb": verb, "resource": resource, "group": group, "namespace": where},
        },
    }
    return bool(api.create(review)["status"]["allowed"])


@pytest.mark.usefixtures("kit")
def test_runners_have_the_rights_they_need_and_no_more(api: Api) -> None:
    verbs = ("create", "get", "list", "watch", "update", "patch", "delete", "deletecollection")
    kinds = [
        ("virtualmachineinstances", "kubevirt.io"),
        ("virtualmachines", "kubevirt.io"),
        *((name, "") for name in ("secrets", "pods", "configmaps")),
    ]

    def rights(account: str, where: str = NAMESPACE) -> set[str]:
        return {f"{verb} {kind}" for kind, group in kinds for verb in verbs if is_allowed(api, account, verb, kind, group, where)}

    assert rights("karmada-lab-runner") == set()
    machines = {f"{verb} virtualmachineinstances" for verb in ("create", "get", "delete")}
    assert rights("karmada-lab-vm-runner") == {*machines, "create secrets", "delete secrets"}
    assert rights("karmada-lab-vm-runner", where="default") == set()


# -- a machine's life ------------------------------------------------------------------------------------------------------------------


class Launcher:
    """vm-runner.sh of one size, run here as in its pod: with its service account, against the real API."""

    def __init__(self, lab: Lab, kit: list[Json], size: str, folder: Path) -> None:
        self.api = lab.host.api
        self.pod = self.api.create(
            {**pod(size), "metadata": {"name": f"karmada-lab-{size}-{secrets.token_hex(3)}", "namespace": NAMESPACE}}
        )
        self.name = self.pod["metadata"]["name"]
        for name, text in find_object(kit, "ConfigMap", f"karmada-lab-vm-{size}")["data"].items():
            (folder / name).write_text(text)
        token = self.api.request(
            "POST",
            f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/karmada-lab-vm-runner/token",
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        ).json()["status"]["token"]
        (folder / "token").write_text(token)
        (folder / "ca.crt").write_bytes((lab.run.path / "pki" / "host" / "ca.crt").read_bytes())
        env = {"KUBERNETES_API": self.api.server, "ACCOUNT": str(folder), "KIT": str(folder), "EVERY": "0.2", "PATH": "/usr/bin:/bin"}
        env |= {"POD_NAME": self.name, "POD_UID": self.pod["metadata"]["uid"], "POD_NAMESPACE": NAMESPACE}
        self.process = subprocess.Popen(
            ["bash", str(folder / "vm-runner.sh")],
            env={**env, "ACTIONS_RUNNER_INPUT_JITCONFIG": "c2VjcmV0/+=="},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def machine(self) -> Json:
        def there() -> Json:
            if self.process.poll() is not None:
                raise AssertionError(self.process.communicate()[0])
            found = self.api.find(f"{MACHINES}/{self.name}")
            if found is None:
                raise NotYet("there is no machine")
            return found

        return until(there, what="the launcher makes its machine", within=30.0)

    def end(self) -> int:
        self.process.communicate(timeout=30.0)
        return self.process.returncode

    def bury(self) -> None:
        """Kill the launcher as a kubelet does after the grace period, and delete its pod."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{self.name}", gracePeriodSeconds="0")

    def left(self) -> list[str]:
        return [path for path in (f"{MACHINES}/{self.name}", f"{SECRETS}/{self.name}") if self.api.find(path)]


@pytest.fixture
def launcher(lab: Lab, kit: list[Json], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Launcher]:
    made = Launcher(lab, kit, getattr(request, "param", "kind"), tmp_path)
    yield made
    made.bury()


@pytest.mark.parametrize("launcher", ["kind", "libvirt"], indirect=True)
def test_a_machine_is_made_for_one_job_and_is_gone_when_it_has_ended(api: Api, launcher: Launcher) -> None:
    machine = launcher.machine()

    assert machine["metadata"]["ownerReferences"][0]["kind"] == "Pod"
    size = runner_kit.read_values()["vms"][machine["metadata"]["labels"]["karmada-lab/size"]]
    assert machine["spec"]["domain"]["memory"]["guest"] == size["memory"]
    assert (machine["spec"]["domain"]["cpu"].get("model") == "host-passthrough") is size["nested"]
    secret = api.get(f"{SECRETS}/{launcher.name}")
    assert machine["spec"]["volumes"][2]["cloudInitNoCloud"]["secretRef"]["name"] == secret["metadata"]["name"]
    assert "content: c2VjcmV0/+==" in b64decode(secret["data"]["userdata"]).decode()

    api.patch(f"{MACHINES}/{launcher.name}", {"status": {"phase": "Running"}})
    api.patch(f"{MACHINES}/{launcher.name}", {"status": {"phase": "Succeeded"}})

    assert launcher.end() == 0
    assert launcher.left() == []


def test_a_machine_that_failed_is_a_runner_that_failed(api: Api, launcher: Launcher) -> None:
    launcher.machine()
    api.patch(f"{MACHINES}/{launcher.name}", {"status": {"phase": "Failed"}})

    assert launcher.end() == 1
    assert launcher.left() == []


def test_what_a_killed_runner_made_goes_with_its_pod(api: Api, launcher: Launcher) -> None:
    launcher.machine()

    launcher.bury()

    for path in (f"{MACHINES}/{launcher.name}", f"{SECRETS}/{launcher.name}"):
        api.until_gone(path, what=f"{path} is gone", within=60.0)


def test_a_terminated_runner_deletes_its_machine(launcher: Launcher) -> None:
    launcher.machine()
    launcher.process.terminate()

    assert launcher.end() == 143
    assert launcher.left() == []


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize(("change", "says"), [({"cores": "four"}, "cores"), ({"coars": 4}, "coars")])
def test_a_machine_that_cannot_be_meant_is_refused(api: Api, kit: list[Json], change: Json, says: str) -> None:
    machine = json.loads(find_object(kit, "ConfigMap", "karmada-lab-vm-kind")["data"]["machine.json"])
    machine["metadata"] |= {"name": "wrong", "namespace": NAMESPACE}
    machine["spec"]["domain"]["cpu"] |= change

    with pytest.raises(Refused, match=says):
        api.create(machine, **STRICT, dryRun="All")


def test_the_kit_has_the_labels_of_the_matrix() -> None:
    from scenarios.matrix.definition import Matrix  # noqa: PLC0415

    sizes = {name: tuple(each["scaleSetLabels"]) for name, each in runner_kit.read_values().items() if "scaleSetLabels" in each}
    matrix = Matrix.load()
    assert sizes["kind"] == matrix.providers["kind"].runs_on
    named = [*(each.runs_on for each in matrix.providers.values()), *(each.runs_on for each in matrix.suites.values() if each.runs_on)]
    own = {labels for labels in named if "self-hosted" in labels}  # the others are hosted by GitHub
    assert own
    assert own <= set(sizes.values())  # several may run on runners of one size
    assert (KIT / "Chart.yaml").exists()
