#!/usr/bin/env bash
# An installer as a user would write one, for tests of deployer = "by_command" (deployers/by_command/deployer.py has its variables).
set -euo pipefail

karmadactl init \
    --kubeconfig="$KUBECONFIG" \
    --crds="$KARMADA_CRDS" \
    --karmada-data="$KARMADA_DATA/karmada" \
    --karmada-pki="$KARMADA_DATA/karmada/pki" \
    --etcd-image="registry.k8s.io/etcd:3.6.5-0" \
    --etcd-storage-mode=emptyDir \
    --karmada-apiserver-image="registry.k8s.io/kube-apiserver:$KARMADA_KUBERNETES" \
    --karmada-kube-controller-manager-image="registry.k8s.io/kube-controller-manager:$KARMADA_KUBERNETES" \
    --karmada-controller-manager-image="docker.io/karmada/karmada-controller-manager:$KARMADA_VERSION" \
    --karmada-scheduler-image="docker.io/karmada/karmada-scheduler:$KARMADA_VERSION" \
    --karmada-webhook-image="docker.io/karmada/karmada-webhook:$KARMADA_VERSION" \
    --karmada-aggregated-apiserver-image="docker.io/karmada/karmada-aggregated-apiserver:$KARMADA_VERSION"

install -m 600 "$KARMADA_DATA/karmada/karmada-apiserver.config" "$KARMADA_KUBECONFIG"
