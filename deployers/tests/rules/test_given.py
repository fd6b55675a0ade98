"""Rules for files that the user gives."""

from __future__ import annotations

from pathlib import Path

from deployers.tests.preflight_fakes import paths


def test_files_that_are_not_there(tmp_path: Path) -> None:
    external = {"servers": ["https://10.0.0.1:2379"], "ca": f"{tmp_path}/ca", "cert": f"{tmp_path}/cert", "key": f"{tmp_path}/key"}
    assert paths({"etcd": {"external": external}}) == [f"karmada.etcd.external.{name}" for name in ("ca", "cert", "key")]
    pair = {"cert": f"{tmp_path}/ca", "key": str(tmp_path)}
    assert paths({"certificates": {"ca": pair}}) == ["karmada.certificates.ca.cert", "karmada.certificates.ca.key"]
