"""Specs of KarmadaDeployments as users write them."""

from __future__ import annotations

from typing import Any

from deployers.operator.deployment import KarmadaDeploymentSpec

Json = dict[str, Any]
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"


def full_binary() -> Json:
    """Return a spec of mode Binary that has every field of that mode, with values other than the defaults."""
    return {
        "release": "1.17.2",
        "kubernetesVersion": "1.34.1",
        "profile": "e2e",
        "paused": True,
        "deletionPolicy": "Retain",
        "install": {
            "mode": "Binary",
            "binary": {
                "virtualAddress": "10.0.0.100",
                "machines": [
                    {
                        "name": "cp1",
                        "address": "10.0.0.11",
                        "port": 2222,
                        "user": "karmada",
                        "become": "Sudo",
                        "keySecretRef": {"name": "ssh", "key": "ssh-privatekey"},
                        "hostKeys": [HOST_KEY],
                        "jump": "bastion",
                        "dataDir": "/srv/karmada",
                    },
                    {
                        "name": "bastion",
                        "address": "198.51.100.7",
                        "keySecretRef": {"name": "ssh", "key": "ssh-privatekey"},
                        "hostKeys": [HOST_KEY],
                        "jumpOnly": True,
                    },
                ],
                "files": [{"name": "audit.yaml", "content": "rules: []"}],
            },
        },
        "etcd": {"external": {"endpoints": ["https://10.0.1.5:2379"], "tlsSecretRef": {"name": "etcd"}, "prefix": "/registry/k2"}},
        "endpoint": {"type": "Managed", "managed": {"name": "karmada.example"}, "extraNames": ["10.20.0.9"]},
        "certificates": {"caSecretRef": {"name": "corp-ca"}, "days": 90, "renewBefore": "240h"},
        "components": [
            {
                "name": "karmada-scheduler",
                "replicas": 2,
                "args": [{"name": "kube-api-qps", "value": "100"}, {"name": "plugins", "value": "a"}, {"name": "plugins", "value": "b"}],
                "dropArgs": ["v"],
                "featureGates": {"PriorityBasedScheduling": True},
                "env": [{"name": "GOMAXPROCS", "value": "2"}],
            }
        ],
        "addons": [
            {"name": "descheduler"},
            {"name": "search"},
            {"name": "metrics-adapter"},
            {"name": "estimators"},
            {"name": "openkruise", "version": "1.8.3"},
        ],
        "members": [{"name": "member1", "mode": "Pull", "kubeconfigSecretRef": {"name": "member1"}}],
        "memberPolicy": {"maxConcurrent": 3, "whenUnreachable": "ForceAfter", "forceAfter": "30m"},
        "upgrade": {"policy": "Stepwise", "through": "karmada-webhook", "allowRollback": True},
    }


def full_pods() -> Json:
    """Return a spec of mode Pods with the fields that mode Binary does not have."""
    return {
        "release": "v1.18.2",
        "install": {
            "mode": "Pods",
            "pods": {"deployer": "ByKarmadactl", "hostKubeconfigSecretRef": {"name": "host", "key": "config"}, "configFile": True},
        },
        "etcd": {"local": {"members": 3, "storage": {"size": "20Gi", "storageClassName": "fast"}}},
        "endpoint": {"type": "External", "external": {"host": "karmada.corp.example", "port": 5443}},
        "images": {"registry": "registry.corp:5000/mirror"},
    }


def small() -> Json:
    """Return the smallest spec."""
    return {"release": "1.18.2", "install": {"mode": "Binary"}}


def parse_spec(document: Json) -> KarmadaDeploymentSpec:
    """Return a spec as the operator reads it."""
    return KarmadaDeploymentSpec.model_validate(document)
