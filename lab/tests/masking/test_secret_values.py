"""What is secret in a run is learned from its clusters and its files, remembered in private, and in nothing that leaves."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab import evidence
from lab.masking.mask import mask
from lab.masking.mask_text import MASK
from lab.masking.secret_values import SecretValues, ask_clusters, index_values, learn_values, load_known
from lab.pki import Authority
from lab.run import Run
from lab.tests.api_fakes import api_server, listing
from lab.tests.carriers import BY_PLACE, BY_VALUE, ENCODINGS, applied, b64, holds, of_a_field, plaintext, policy, secret, work

VALUE = "Zk4jW8qLmP2xT6"
SECRETS = "/api/v1/secrets"
POLICIES = "/apis/policy.karmada.io/v1alpha1/overridepolicies"
CLUSTER_POLICIES = "/apis/policy.karmada.io/v1alpha1/clusteroverridepolicies"
WORKS = "/apis/work.karmada.io/v1alpha1/works"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("r1", {"lab": {"provider": "embedded"}, "karmada": None}, root=tmp_path)


@pytest.fixture
def serve(run: Run, tmp_path: Path) -> Iterator[Any]:
    """A function that serves answers, a table that may still be changed, as one of the run's clusters."""
    with ExitStack() as stack:

        def serve(name: str, answers: dict[str, Any]) -> None:
            answers.update({"/version": {}, "/apis": {"groups": []}, **answers})
            kubeconfig = stack.enter_context(api_server(tmp_path / name, answers, name=name))
            run.folder("kubeconfig")
            kubeconfig.rename(run.kubeconfig(name))

        yield serve


def bare(item: dict[str, Any]) -> dict[str, Any]:
    """Return an object as a list of its kind has it."""
    return {key: value for key, value in item.items() if key not in {"kind", "apiVersion"}}


@pytest.mark.parametrize(
    ("path", "item"),
    [
        (SECRETS, bare(secret(VALUE))),
        (SECRETS, {"metadata": {"name": "s"}, "data": {"conf": b64(f"a: b\npassword: {VALUE}\n")}}),
        (SECRETS, {"metadata": {"name": "s"}, "data": {"conf": b64(f"user=a\npassword = '{VALUE}'\n")}}),
        (SECRETS, {"metadata": {"name": "s"}, "data": {"conf": b64(json.dumps({"db": [{"pw": VALUE}]}))}}),
        (
            SECRETS,
            {"metadata": {"name": "s"}, "data": {".dockerconfigjson": b64(json.dumps({"auths": {"r": {"auth": b64(f"u:{VALUE}")}}}))}},
        ),
        (SECRETS, {"metadata": {"name": "s"}, "data": {"dsn": b64(f"postgres://app:{VALUE}@db.prod.svc:5432/app")}}),
        (SECRETS, {"metadata": {"name": "s", "annotations": {"last": json.dumps({"kind": "Secret", "stringData": {"k": VALUE}})}}}),
        (POLICIES, policy(plaintext(VALUE))),
        (POLICIES, policy(of_a_field(VALUE, "yaml"))),
        (CLUSTER_POLICIES, policy(plaintext(VALUE), kind="ClusterOverridePolicy", target=None)),
    ],
)
def test_values_are_learned_from_clusters(run: Run, serve: Any, path: str, item: dict[str, Any]) -> None:
    serve("karmada", {path: listing(item)})

    assert mask(f"it is {VALUE}, or {b64(VALUE)}", learn_values(run.path)) == f"it is {MASK}, or {MASK}"


def test_a_policy_for_other_kinds_makes_no_value_secret(run: Run, serve: Any) -> None:
    serve("karmada", {POLICIES: listing(policy(plaintext(VALUE), target="ConfigMap"))})

    assert mask(VALUE, learn_values(run.path)) == VALUE


def test_what_is_no_secret_in_secrets_stays(run: Run, serve: Any, tmp_path: Path) -> None:
    certificate = Authority.ensure(tmp_path / "pki", "ca", common_name="some-name").cert.read_text()
    token = {"type": "kubernetes.io/service-account-token", "data": {"namespace": b64("team-rocket-7"), "ca.crt": b64(certificate)}}
    bootstrap = {"type": "bootstrap.kubernetes.io/token", "data": {"token-id": b64("abcdef"), "description": b64("Made by karmada-lab-7")}}
    serve("member1", {SECRETS: listing({"metadata": {"name": "made-by-9"}, **token}, {"metadata": {"name": "b"}, **bootstrap})})
    text = f"team-rocket-7 made-by-9 abcdef Made by karmada-lab-7 {certificate} {b64(certificate)} {b64('team-rocket-7')}"

    assert mask(text, learn_values(run.path)) == text


def test_a_value_that_was_deleted_or_changed_is_still_known(run: Run, serve: Any) -> None:
    answers: dict[str, Any] = {SECRETS: listing(bare(secret(VALUE)))}
    serve("member1", answers)
    learn_values(run.path)
    answers[SECRETS] = listing(bare(secret("another-value-17")))

    assert mask(f"{VALUE} another-value-17", learn_values(run.path)) == f"{MASK} {MASK}"
    assert mask(VALUE, load_known(run.path)) == MASK


def test_all_pages_are_read(run: Run, serve: Any) -> None:
    pages = iter(["second", None])

    def page() -> dict[str, Any]:
        more = next(pages, None)
        value = VALUE if more is None else "another-value-17"
        return {"metadata": {"continue": more} if more else {}, "items": [bare(secret(value))]}

    serve("member1", {SECRETS: page})

    assert mask(f"{VALUE} another-value-17", learn_values(run.path)) == f"{MASK} {MASK}"


def test_what_is_remembered_is_private(run: Run, serve: Any) -> None:
    serve("member1", {SECRETS: listing(bare(secret(VALUE)))})

    learn_values(run.path)

    assert stat.S_IMODE((run.path / "secrets.json").stat().st_mode) == 0o600


def test_a_torn_memory_and_a_cluster_that_is_away_add_nothing(run: Run, tmp_path: Path) -> None:
    (run.path / "secrets.json").write_text('{"values": ["eA')
    with api_server(tmp_path / "gone", {}, name="gone") as kubeconfig:
        run.folder("kubeconfig")
        kubeconfig.rename(run.kubeconfig("gone"))

    assert VALUE.encode() not in ask_clusters(run.path, within=1.0).values


def test_keys_of_the_run_directory_are_known(run: Run) -> None:
    authority = Authority.ensure(run.folder("pki", "karmada"), "ca", common_name="karmada")
    body = "".join(authority.key_file.read_text().splitlines()[1:-1]) if hasattr(authority, "key_file") else ""
    body = body or "".join((run.path / "pki/karmada/ca.key").read_text().splitlines()[1:-1])

    masked = mask(f"key {body} and {body[10:60]}", load_known(run.path))

    assert masked == f"key {MASK} and {MASK}"


PARTS = st.sampled_from("abcdefghjkmnpqrstuvwxyzABCDEFGH23456789/+\"'<")


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(PARTS, min_size=9, max_size=30).map(lambda text: f"q7{text}"))
@example(value="q722222'222")
def test_no_value_leaves_with_evidence(run: Run, serve: Any, tmp_path: Path, value: str) -> None:
    """The whole path: the cluster is asked, and whatever carries the value is collected: as an object of any kind and in a log."""
    documents = [carrier(value) for carrier in (BY_PLACE | BY_VALUE).values()]
    things = [each if isinstance(each, dict) else {"patch": each} for each in documents]
    things = [{**each, "metadata": {**each.get("metadata", {}), "name": "it"}} for each in things]
    version = {"groupVersion": "policy.example.io/v1"}
    serve(
        "karmada",
        {
            SECRETS: listing(bare(secret(value))),
            "/apis": {"groups": [{"name": "policy.example.io", "preferredVersion": version, "versions": [version]}]},
            "/apis/policy.example.io/v1": {"resources": [{"name": "things", "verbs": ["list"]}]},
            "/apis/policy.example.io/v1/things": listing(*things),
            "/api/v1/events": listing({"metadata": {"name": "e"}, "message": f"it is {value}"}),
        },
    )
    log = run.log("karmada/webhook")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("\n".join([*map(json.dumps, things), *(encode(value) for encode in ENCODINGS.values())]))
    run.journal("step", error=f"failed: {value}", detail=repr(things[:8]))

    folder = evidence.collect(run, f"failed-{value}", into=tmp_path / "out")

    written = [path for path in folder.rglob("*") if path.is_file()]
    names = {str(path.relative_to(folder)) for path in written}
    assert {"clusters/karmada/things.policy.example.io.json", "logs/karmada/webhook.log", "journal.jsonl"} <= names
    assert [path.name for path in written if holds(path.name + path.read_text(), value)] == []
    assert value not in folder.name


def test_applied_overrides_of_a_work_leave_without_the_value_where_nothing_knows_it(run: Run, serve: Any, tmp_path: Path) -> None:
    version = {"groupVersion": "work.karmada.io/v1alpha1"}
    annotated = work("x", annotations={"policy.karmada.io/applied-overrides": applied(plaintext("admin"))})
    serve(
        "karmada",
        {
            "/apis": {"groups": [{"name": "work.karmada.io", "preferredVersion": version, "versions": [version]}]},
            "/apis/work.karmada.io/v1alpha1": {"resources": [{"name": "works", "verbs": ["list"]}]},
            WORKS: listing(annotated),
        },
    )

    folder = evidence.collect(run, "failed", into=tmp_path / "out")

    text = (folder / "clusters/karmada/works.work.karmada.io.json").read_text()
    assert "applied-overrides" in text
    assert b64("admin") not in text


def test_a_collection_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.masking import secret_values

    monkeypatch.setattr(secret_values, "AT_MOST", 1000)
    found = SecretValues({b"s3cr3t-value-1234", *(b"%d" % number * 500 for number in range(10, 14))})

    assert mask("s3cr3t-value-1234", found.known()) == MASK
    assert not index_values([])


@pytest.mark.parametrize("name", ["run.json", "secrets.json", "pki/ca.key", "kubeconfig/member1.yaml"])
@pytest.mark.parametrize(
    "spoil", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir(), lambda path: path.symlink_to(path)]
)
def test_what_is_no_file_adds_nothing(run: Run, name: str, spoil: Any) -> None:
    path = run.path / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    spoil(path)

    assert ask_clusters(run.path, within=1.0).values == set()
