"""Flags that the lab sets itself, by component: another value would break what the lab, or an installer, builds on it."""

from __future__ import annotations

from collections.abc import Mapping

SERVING = ("secure-port", "tls-cert-file", "tls-private-key-file")
CALLING = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
STORAGE = ("etcd-servers", "etcd-cafile", "etcd-certfile", "etcd-keyfile", "etcd-prefix")
PROBED = ("health-probe-bind-address", "metrics-bind-address", "secure-port")
ESTIMATING = ("scheduler-estimator-ca-file", "scheduler-estimator-cert-file", "scheduler-estimator-key-file")
OWNED_FLAGS: Mapping[str, frozenset[str]] = {
    "etcd": frozenset(
        {
            *("name", "data-dir", "listen-client-urls", "advertise-client-urls", "listen-peer-urls", "initial-advertise-peer-urls"),
            *("initial-cluster", "initial-cluster-token", "initial-cluster-state", "listen-metrics-urls", "config-file"),
            *("cert-file", "key-file", "trusted-ca-file", "peer-cert-file", "peer-key-file", "peer-trusted-ca-file"),
        }
    ),
    "karmada-apiserver": frozenset(
        {
            *SERVING,
            *STORAGE,
            *("client-ca-file", "service-account-key-file", "service-account-signing-key-file"),
            *("proxy-client-cert-file", "proxy-client-key-file", "requestheader-client-ca-file", "audit-log-path", "audit-policy-file"),
        }
    ),
    "kube-controller-manager": frozenset(
        {
            *SERVING,
            *CALLING,
            *("client-ca-file", "root-ca-file", "cluster-signing-cert-file", "cluster-signing-key-file"),
            "service-account-private-key-file",
        }
    ),
    "karmada-aggregated-apiserver": frozenset({*SERVING, *CALLING, *STORAGE, "client-ca-file", "audit-log-path"}),
    "karmada-search": frozenset({*SERVING, *CALLING, *STORAGE, "client-ca-file", "audit-log-path"}),
    "karmada-metrics-adapter": frozenset({*SERVING, *CALLING, "client-ca-file", "metrics-bind-address", "audit-log-path"}),
    "karmada-webhook": frozenset({"kubeconfig", *PROBED, "cert-dir", "tls-cert-file-name", "tls-private-key-file-name"}),
    "karmada-controller-manager": frozenset({"kubeconfig", *PROBED}),
    "karmada-scheduler": frozenset({"kubeconfig", *PROBED, *ESTIMATING}),
    "karmada-descheduler": frozenset({"kubeconfig", *PROBED, *ESTIMATING}),
    "karmada-scheduler-estimator": frozenset(
        {"kubeconfig", *PROBED, "cluster-name", "server-port", "grpc-auth-cert-file", "grpc-auth-key-file", "grpc-client-ca-file"}
    ),
}
