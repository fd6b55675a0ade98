"""The certificates of upstream's chart: those that its own job makes, for the names wanted; or, with an authority that is given, ours.

In the chart one certificate serves and calls everywhere, etcd included, and its key signs the tokens of service accounts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deployers.names import NAMESPACE
from deployers.plane.certificates import MASTERS, adopt, host_of, service_names
from deployers.spec import KarmadaSpec
from lab.pki import Authority

Json = dict[str, Any]


def values(spec: KarmadaSpec, known: Json, outside: Sequence[str], folder: Path) -> Json:
    """Return the values for the signing CA and the server names: the chart's own, and `outside`.

    `known` are the chart's values. With an authority that is given, certificates are made in `folder`; UsageError when it cannot be used.
    """
    extra = [*outside, *([host_of(spec.load_balancer)] if spec.load_balancer else [])]
    if spec.certificates.ca is None:
        hosts = [*known["certs"]["auto"]["hosts"], *extra]
        days = max(int(known["certs"]["auto"]["rootCAExpiryDays"]), spec.certificates.days)
        auto = {"hosts": list(dict.fromkeys(hosts)), "expiry": f"{spec.certificates.days * 24}h", "rootCAExpiryDays": days}
        return {"certs": {"mode": "auto", "auto": auto}}
    adopt(spec.certificates.ca, folder)
    ca = Authority.ensure(folder, "ca", common_name="karmada")
    front = Authority.ensure(folder, "front-proxy-ca", common_name="front-proxy-ca")
    valid = dt.timedelta(days=spec.certificates.days)
    cluster = f"{NAMESPACE}.svc.cluster.local"
    hosts = ["kubernetes.default.svc", f"*.etcd.{cluster}", *service_names("*"), "localhost", "127.0.0.1", *extra]
    leaf = ca.issue("karmada", common_name="system:admin", organisations=[MASTERS], hosts=list(dict.fromkeys(hosts)), valid=valid)
    client = front.issue("front-proxy-client", common_name="front-proxy-client", valid=valid)
    files = {
        "caCrt": ca.cert,
        "caKey": ca.key_file,
        "crt": leaf.cert,
        "key": leaf.key,
        "frontProxyCaCrt": front.cert,
        "frontProxyCrt": client.cert,
        "frontProxyKey": client.key,
    }
    return {"certs": {"mode": "custom", "custom": {name: file.read_text() for name, file in files.items()}}}
