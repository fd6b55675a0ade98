#!/bin/bash
# Run one GitHub job in a virtual machine: ARC starts this in place of a runner, with the job's credential in the environment.
# It creates the machine and a Secret with the credential, which the machine reads, waits until the machine has ended, deletes both, and
# exits with the machine's status. On SIGTERM it deletes the machine; after SIGKILL both are deleted with its pod, which owns them.
set -euo pipefail

api=${KUBERNETES_API:-https://kubernetes.default.svc}
account=${ACCOUNT:-/var/run/secrets/kubernetes.io/serviceaccount}
kit=${KIT:-/kit}
every=${EVERY:-5}
secrets=$api/api/v1/namespaces/$POD_NAMESPACE/secrets
machines=$api/apis/kubevirt.io/v1/namespaces/$POD_NAMESPACE/virtualmachineinstances

call() {
    curl --silent --show-error --fail-with-body --cacert "$account/ca.crt" \
        --header @<(printf 'Authorization: Bearer %s\n' "$(<"$account/token")") --header 'Content-Type: application/json' "$@"
}

make() {
    local answer
    answer=$(call --data @- "$1") || { echo "$answer" >&2; return 1; }
}

# Its pod owns what it makes: Kubernetes deletes it when the pod is gone, whatever became of this script.
owned() {
    jq --arg name "$POD_NAME" --arg uid "$POD_UID" \
        '.metadata.name = $name | .metadata.ownerReferences = [{apiVersion: "v1", kind: "Pod", name: $name, uid: $uid}]'
}

clean_up() {
    call --request DELETE "$machines/$POD_NAME" > /dev/null 2>&1 || true
    call --request DELETE "$secrets/$POD_NAME" > /dev/null 2>&1 || true
}

data=$(<"$kit/user-data")
trap clean_up EXIT
trap 'exit 143' TERM INT
printf '%s\n' "${data//JITCONFIG/"$ACTIONS_RUNNER_INPUT_JITCONFIG"}" | jq --raw-input --slurp \
    '{apiVersion: "v1", kind: "Secret", metadata: {}, stringData: {userdata: .}}' | owned | make "$secrets"
jq --arg name "$POD_NAME" '(.spec.volumes[] | select(.name == "cloudinit")).cloudInitNoCloud.secretRef.name = $name' "$kit/machine.json" |
    owned | make "$machines"
echo "machine $POD_NAME is made"

phase=
while [[ $phase != Succeeded && $phase != Failed ]]; do
    sleep "$every" &
    wait $! # a signal is heard at once
    phase=$(call "$machines/$POD_NAME" | jq --raw-output '.status.phase // "Pending"')
    [[ $phase == "${seen:-}" ]] || echo "machine $POD_NAME is $phase"
    seen=$phase
done
[[ $phase == Succeeded ]]
