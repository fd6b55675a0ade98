"""Environment variables with which no lab comes up if they reach programs that must not see them (lab.environment)."""

from __future__ import annotations

NOWHERE = "http://127.0.0.1:9"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
HOSTILE = {
    **dict.fromkeys((*PROXIES, "KUBERNETES_MASTER", "HELM_KUBEAPISERVER", "ETCDCTL_ENDPOINTS"), NOWHERE),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "example.test"),
    **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), "/dev/null"),
    **dict.fromkeys(("KUBECONFIG", "GIT_DIR", "NETRC", "PIP_TARGET", "HELM_KUBETOKEN", "HELM_NAMESPACE", "ETCD_NAME"), "/odd/odd"),
    **dict.fromkeys(("KIND_EXPERIMENTAL_DOCKER_NETWORK", "HELM_DRIVER"), "odd"),
    "GOFLAGS": "-tags=odd",
    "GOOS": "windows",
    "GOGC": "1",
    "GOMEMLIMIT": "1MiB",
    "GOMAXPROCS": "1",
    "GODEBUG": "http2client=0",
    "KUBERNETES_SERVICE_HOST": "127.0.0.1",
    "KUBERNETES_SERVICE_PORT": "9",
    "KIND_EXPERIMENTAL_PROVIDER": "podman",
    "LANG": "de_DE.UTF-8",
    "LC_ALL": "C",
}
