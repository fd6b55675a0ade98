from __future__ import annotations

import base64
from pathlib import Path

import pytest

from deployers.plane import manifests
from deployers.plane.manifests import Addresses
from deployers.tests.control_plane_fakes import a_release, write
from lab.errors import ProvisionError

WHERE = Addresses(b"CA", "https://127.0.0.1:5443", "127.0.0.1:8443", {"karmada-aggregated-apiserver": 7443})
BUNDLE = base64.b64encode(b"CA").decode()


def test_conversion_goes_to_our_webhook_by_our_authority(tmp_path: Path) -> None:
    found = {
        crd["metadata"]["name"]: crd["spec"].get("conversion")
        for crd in manifests.custom_resources(a_release(tmp_path) / "karmada-crds", WHERE)
    }

    client = {"url": "https://127.0.0.1:8443/convert", "caBundle": BUNDLE}
    assert found == {
        "works.work.karmada.io": None,
        "resourcebindings.work.karmada.io": {
            "strategy": "Webhook",
            "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]},
        },
    }


def test_every_hook_keeps_its_path(tmp_path: Path) -> None:
    configurations = manifests.webhook_configurations(a_release(tmp_path) / "karmada-manifests/deploy", WHERE)

    clients = [hook["clientConfig"] for configuration in configurations for hook in configuration["webhooks"]]
    assert clients == [
        {"url": "https://127.0.0.1:8443/mutate-work", "caBundle": BUNDLE},
        {"url": "https://127.0.0.1:8443/validate-work", "caBundle": BUNDLE},
    ]


def test_an_aggregated_api_is_reached_through_a_service_to_this_computer(tmp_path: Path) -> None:
    service, api = manifests.api_services(a_release(tmp_path) / "karmada-manifests/deploy", "karmada-aggregated-apiserver", WHERE)

    assert service["spec"] == {"type": "ExternalName", "externalName": "127.0.0.1"}
    assert api["spec"]["service"] == {"name": "karmada-aggregated-apiserver", "namespace": "karmada-system", "port": 7443}
    assert api["spec"]["caBundle"] == BUNDLE


def test_cluster_info_names_address_and_authority(tmp_path: Path) -> None:
    *_, info = manifests.access(a_release(tmp_path) / "karmada-manifests/deploy", WHERE)

    assert info["data"]["kubeconfig"] == f"server: https://127.0.0.1:5443\nca: {BUNDLE}\n"


def test_an_unknown_placeholder_is_an_error(tmp_path: Path) -> None:
    a_release(tmp_path)
    write(
        tmp_path / "karmada-manifests/deploy/webhook-configuration.yaml",
        {"webhooks": [{"clientConfig": {"url": "https://{{new_thing}}/x"}}]},
    )

    with pytest.raises(ProvisionError, match="new_thing") as caught:
        manifests.webhook_configurations(tmp_path / "karmada-manifests/deploy", WHERE)
    assert "webhook-configuration.yaml" in str(caught.value)


def test_a_patch_without_its_crd_and_a_release_without_crds_are_errors(tmp_path: Path) -> None:
    a_release(tmp_path)
    (tmp_path / "karmada-crds/bases/work/work.karmada.io_resourcebindings.yaml").unlink()
    with pytest.raises(ProvisionError, match="resourcebindings"):
        manifests.custom_resources(tmp_path / "karmada-crds", WHERE)

    with pytest.raises(ProvisionError, match="no CRDs"):
        manifests.custom_resources(tmp_path / "nothing", WHERE)


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "webhook-configuration.yaml"
    file.write_text("a: [")

    with pytest.raises(ProvisionError, match="cannot be used") as caught:
        manifests.webhook_configurations(tmp_path, WHERE)
    assert str(file) in str(caught.value)


def test_scheduler_finds_each_estimator_at_its_own_port() -> None:
    spec = manifests.estimator_service("member1", 23456)["spec"]

    assert (spec["externalName"], spec["ports"][0]["port"], spec["ports"][0]["targetPort"]) == ("127.0.0.1", 10352, 23456)
