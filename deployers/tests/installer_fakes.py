"""Tables of [karmada] that each installer is asked for."""

from __future__ import annotations

from typing import Any

from deployers.spec import KarmadaSpec

ADDONS = {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True}
EVERYTHING: dict[str, Any] = {
    "profile": "e2e",
    "registry": "registry.example.org:5000/lab",
    "load_balancer": "10.0.0.9:31443",
    "certificates": {"ca": {"cert": "/ca.crt", "key": "/ca.key"}, "hosts": ["karmada.example.org", "10.0.0.8"], "days": 30},
    "components": {
        "karmada-apiserver": {"flags": {"max-requests-inflight": "1000"}},
        "karmada-scheduler": {"feature_gates": {"PriorityBasedScheduling": True, "AllAlpha": False}},
        "etcd": {"flags": {"snapshot-count": "5000"}},
    },
    "addons": {"search": True, "descheduler": True, "estimators": True},
    "members": [{"name": "member1"}],
}
EXTERNAL = {"servers": ["https://10.0.0.7:2379"], "ca": "/etcd/ca.crt", "cert": "/etcd/c.crt", "key": "/etcd/c.key"}
PARTS: dict[str, dict[str, Any]] = {
    "default": {},
    "everything": {
        "profile": "e2e",
        "registry": "registry.example.org:5000/lab",
        "certificates": {"ca": {"cert": "/ca.crt", "key": "/ca.key"}, "hosts": ["karmada.example.org"], "days": 30},
        "components": {
            "karmada-apiserver": {"flags": {"max-requests-inflight": "1000"}},
            "karmada-scheduler": {"replicas": 2, "feature_gates": {"PriorityBasedScheduling": True}},
        },
        "addons": {"search": True, "descheduler": True, "metrics_adapter": True},
    },
    "external etcd": {"etcd": {"external": EXTERNAL}, "addons": {"search": True}},
}


def spec_of(**table: Any) -> KarmadaSpec:
    return KarmadaSpec.model_validate({"members": [{"name": "member1"}], **table})
