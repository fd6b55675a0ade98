"""Kubernetes objects: named and of a kind; what is no object or of an unknown kind is not wrong."""

from __future__ import annotations

import pytest

from scenarios.ci.lint.documents import read_yaml
from scenarios.ci.lint.objects import check_objects, check_rendered
from scenarios.tests.ci.lint.lint_fakes import CASES, OBJECT


@pytest.mark.parametrize(
    "text",
    [
        OBJECT,
        f"---\n{OBJECT}---\n{OBJECT}",
        "apiVersion: v1\nkind: ConfigMapList\nitems: []\n",
        f"apiVersion: v1\nkind: List\nitems:\n- {OBJECT.replace(chr(10), chr(10) + '  ')}\n",
        "apiVersion: v1\nkind: Config\nclusters: []\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: a-\n",
        "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n",
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n",
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
        "apiVersion: authorization.k8s.io/v1\nkind: SelfSubjectAccessReview\nspec: {}\n",
        "apiVersion: example.org/v1\nkind: Thing\nmetadata:\n  labels: {}\nspec: 1\n",
        "apiVersion: example.org/v1\nkind: AllowList\nmetadata:\n  name: a\n",
        "apiVersion: v2\nname: chart\n",
        "x: &m {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: a}\ndata: *m\n",
        "base: &b {metadata: {name: a}}\napiVersion: v1\nkind: ConfigMap\n<<: *b\n",
        "- apiVersion: v1\n  kind: ConfigMap\n",
        "- op: replace\n  path: /kind\n",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  p: !vault |\n    x\n",
        "apiVersion: [1]\nkind: {a: 1}\n",
    ],
)
def test_what_is_right_is_not_called_wrong(text: str) -> None:
    assert list(check_objects(read_yaml(text))) == []


@pytest.mark.parametrize("name", ["site.yml", "secret.yml", "files/audit-webhook.yaml"])
def test_playbooks_vaults_and_kubeconfigs_are_right(name: str) -> None:
    assert list(check_objects(read_yaml((CASES / "objects" / name).read_bytes()))) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\n", "metadata.name"),
        ("apiVersion: apps/v1\nkind: Deployment\nspec: {}\n", "metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ''\n", "metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 123\n", "int"),
        ("apiVersion: example.org/v1\nkind: Thing\nmetadata:\n  name: yes\n", "bool"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: a\n", "map"),
        ("apiVersion: v1\nkind: 5\nmetadata:\n  name: a\n", "kind"),
        ("apiVersion: v1\nkind: List\nitems:\n- a: 1\n", "item 1"),
        ("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n", "metadata.name"),
        ("apiVersion: v1\nkind: List\nitems: {}\n", "list"),
    ],
)
def test_what_is_wrong_is_found(text: str, says: str) -> None:
    (found,) = check_objects(read_yaml(text))
    assert says in found


def test_a_patch_of_kustomize_needs_no_name() -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nspec: {}\n"
    assert list(check_objects(read_yaml(text), patches=True)) == []


@pytest.mark.parametrize("text", ["- a\n", "a: 1\n", "text\n"])
def test_rendered_manifests_hold_objects_and_nothing_else(text: str) -> None:
    assert list(check_rendered(read_yaml(f"{OBJECT}---\n{text}")))
    assert list(check_rendered(read_yaml(OBJECT))) == []
