"""Which field of a lab file is which field of the API: a test fails when one is in neither table.

`[]` is an entry of a list, `*` a key of a table. The API describes Karmada and the machines that it runs on; clusters are made by others.
"""

from __future__ import annotations

from collections.abc import Mapping

KARMADA_FIELDS: Mapping[str, str] = {
    "release": "release",
    "deployer": "install.pods.deployer",
    "kubernetes": "kubernetesVersion",
    "profile": "profile",
    "etcd.members": "etcd.local.members",
    "etcd.storage.size": "etcd.local.storage.size",
    "etcd.storage.storage_class": "etcd.local.storage.storageClassName",
    "etcd.external.servers": "etcd.external.endpoints",
    "etcd.external.ca": "etcd.external.tlsSecretRef",
    "etcd.external.cert": "etcd.external.tlsSecretRef",
    "etcd.external.key": "etcd.external.tlsSecretRef",
    "etcd.external.prefix": "etcd.external.prefix",
    "certificates.ca.cert": "certificates.caSecretRef",
    "certificates.ca.key": "certificates.caSecretRef",
    "certificates.hosts": "endpoint.extraNames",
    "certificates.days": "certificates.days",
    "registry": "images.registry",
    "load_balancer": "endpoint.external",
    "components.*.replicas": "components[].replicas",
    "components.*.flags": "components[].args",
    "components.*.without": "components[].dropArgs",
    "components.*.feature_gates": "components[].featureGates",
    "components.*.env": "components[].env",
    "addons.descheduler": "addons[].name",
    "addons.search": "addons[].name",
    "addons.metrics_adapter": "addons[].name",
    "addons.estimators": "addons[].name",
    "addons.others": "addons[].version",
    "by_binary.external_name": "endpoint.managed.name",
    "by_binary.files": "install.binary.files",
    "by_binary.machines": "install.binary.machines",
    "by_binary.virtual_address": "install.binary.virtualAddress",
    "by_karmadactl.config_file": "install.pods.configFile",
    "members[].name": "members[].name",
    "members[].mode": "members[].mode",
}
"""The fields of a KarmadaSpec."""
HOST_FIELDS: Mapping[str, str] = {
    "name": "install.binary.machines[].name",
    "address": "install.binary.machines[].address",
    "port": "install.binary.machines[].port",
    "user": "install.binary.machines[].user",
    "key": "install.binary.machines[].keySecretRef",
    "known_hosts": "install.binary.machines[].hostKeys",
    "jump": "install.binary.machines[].jump",
    "jump_only": "install.binary.machines[].jumpOnly",
    "sudo": "install.binary.machines[].become",
    "folder": "install.binary.machines[].dataDir",
}
"""The fields of a host that is reached by ssh."""
NOT_IN_API: Mapping[str, str] = {
    "by_chart.values": "a file of this computer, which may set anything of the chart, also what the API has fields for",
    **dict.fromkeys(
        ("by_command.install", "by_command.remove", "by_command.within", "by_command.directory"),
        "commands of this computer: the operator runs none that an object names",
    ),
    "sudo_password_file": "a file of this computer; a user of the operator has sudo without a password, or is root",
}
"""The fields that the API does not have, and why."""
