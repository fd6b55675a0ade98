"""Exec plugins: what they print, when they are asked, how they fail."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.exec_plugin import ExecPlugin, find_command, parse_credential
from lab.kube_access import make_access
from lab.kubeconfig import KubeContext


def printed(**status: Any) -> bytes:
    return json.dumps({"kind": "ExecCredential", "status": status}).encode()


def a_plugin(folder: Path, script: str, **spec: Any) -> ExecPlugin:
    file = folder / "login"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    asked = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", **spec}
    return ExecPlugin.of(KubeContext({"server": "https://a", "insecure-skip-tls-verify": True}, {"exec": asked}, folder))


def test_a_credential_is_a_token_or_a_pair_with_an_end() -> None:
    token = parse_credential(printed(token="t", expirationTimestamp="2030-01-01T00:00:00Z"))
    pair = parse_credential(printed(clientCertificateData="CERT", clientKeyData="KEY"))

    assert (token.token, token.pair, token.until) == ("t", None, datetime(2030, 1, 1, tzinfo=UTC).timestamp())
    assert (pair.token, pair.pair, pair.until) == (None, b"CERT\nKEY", float("inf"))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", printed(), printed(clientCertificateData="CERT"), printed(token="t", expirationTimestamp="x")]
)
def test_what_is_no_credential_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        parse_credential(text)


def test_a_plugin_is_found_as_kubectl_finds_it(tmp_path: Path) -> None:
    assert find_command("./bin/login", tmp_path) == str(tmp_path / "bin/login")
    assert find_command("/opt/login", tmp_path) == "/opt/login"
    assert Path(find_command("sh", tmp_path)).is_absolute()
    assert find_command("no-such-plugin", tmp_path) == "no-such-plugin"


def test_an_interactive_plugin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="interactive"):
        a_plugin(tmp_path, "", interactiveMode="Always")


@pytest.mark.spawns
def test_a_plugin_is_asked_once_until_its_credential_ends(tmp_path: Path) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    count = 'echo x >> "$0.asked"; n=$(wc -l < "$0.asked");'
    lasting = a_plugin(tmp_path, count + ' echo "{\\"status\\": {\\"token\\": \\"$A-$n\\"}}"', env=[{"name": "A", "value": "b"}])

    assert [lasting.ask().token, lasting.ask().token, lasting.ask(renew=True).token] == ["b-1", "b-1", "b-2"]

    ending = a_plugin(tmp_path, count + f' echo "{{\\"status\\": {{\\"token\\": \\"$n\\", \\"expirationTimestamp\\": \\"{soon}\\"}}}}"')
    assert [ending.ask().token, ending.ask().token] == ["3", "4"]


@pytest.mark.spawns
def test_a_plugin_is_given_the_cluster_where_it_wants_it(tmp_path: Path) -> None:
    echo = 'printf \'{"status": {"token": "%s"}}\' "$(echo "$KUBERNETES_EXEC_INFO" | tr -d \'" {}\')"'

    assert "server:https://a" in (a_plugin(tmp_path, echo, provideClusterInfo=True).ask().token or "")
    assert "server" not in (a_plugin(tmp_path, echo).ask().token or "")


@pytest.mark.spawns
@pytest.mark.parametrize(("script", "detail"), [("echo log in first >&2; exit 1", "log in first"), ("echo no json", None)])
def test_a_failing_plugin_is_a_usage_error_with_its_output(tmp_path: Path, script: str, detail: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        a_plugin(tmp_path, script).ask()

    assert raised.value.detail == detail


@pytest.mark.spawns
def test_a_plugin_that_is_not_installed_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        a_plugin(tmp_path, "", command="no-such-plugin", installHint="apt install it").ask()

    assert raised.value.detail == "apt install it"


@pytest.mark.spawns
def test_a_client_certificate_that_cannot_be_loaded_is_the_plugins_fault(tmp_path: Path) -> None:
    pair = printed(clientCertificateData="CERT", clientKeyData="KEY").decode()
    asked = {"apiVersion": "client.authentication.k8s.io/v1", "command": "echo", "args": [pair]}
    given = make_access(KubeContext({"server": "https://a", "insecure-skip-tls-verify": True}, {"exec": asked}, tmp_path))

    with pytest.raises(UsageError, match="client certificate"):
        given.find_token()
