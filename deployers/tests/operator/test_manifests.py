from __future__ import annotations

from deployers.operator.manifests import NAME, NAMESPACE, make_manifests, make_rules


def test_no_right_is_on_everything() -> None:
    for rules in (make_rules(webhook=True), *(each["rules"] for each in make_manifests() if "rules" in each)):
        for rule in rules:
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not {"escalate", "bind", "impersonate", "deletecollection"} & set(rule["verbs"])


def test_secrets_are_read_by_name_and_never_listed() -> None:
    (rule,) = [each for each in make_rules() if "secrets" in each["resources"]]

    assert set(rule["verbs"]) == {"get", "create", "patch"}


def test_every_binding_is_of_the_account() -> None:
    made = make_manifests()

    assert [each["kind"] for each in made][:2] == ["Namespace", "ServiceAccount"]
    for each in made:
        for subject in each.get("subjects", []):
            assert (subject["name"], subject["namespace"]) == (NAME, NAMESPACE)
