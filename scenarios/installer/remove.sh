#!/usr/bin/env bash
set -euo pipefail
karmadactl deinit --force --purge-namespace --kubeconfig="$KUBECONFIG"
