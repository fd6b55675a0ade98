"""Names in the certificates of the chart."""

from __future__ import annotations

from pathlib import Path

from deployers.by_chart import certificates
from deployers.spec import KarmadaSpec


def test_the_charts_own_names_are_kept_and_others_added(tmp_path: Path) -> None:
    known = {"certs": {"auto": {"hosts": ["localhost"], "rootCAExpiryDays": 3650}}}
    spec = KarmadaSpec.model_validate({"load_balancer": "lb.example.org:5443", "certificates": {"days": 30}})

    made = certificates.values(spec, known, ["10.0.0.2", "localhost"], tmp_path)

    auto = {"hosts": ["localhost", "10.0.0.2", "lb.example.org"], "expiry": "720h", "rootCAExpiryDays": 3650}
    assert made == {"certs": {"mode": "auto", "auto": auto}}
