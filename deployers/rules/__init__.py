"""The rules of a KarmadaSpec, as `lab.rules` has those of a LabSpec: a field has a rule, or a reason why any value of its type is right.

What only one deployer cannot carry is in its `options` and `check`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from deployers.rules import component, connection, given
from deployers.spec import (
    Addons,
    ByBinaryTable,
    ByChartTable,
    ByCommandTable,
    ByKarmadactlTable,
    Certificates,
    ComponentSpec,
    Etcd,
    EtcdStorage,
    ExternalEtcd,
    KarmadaSpec,
    KeyPair,
    MemberOf,
)
from lab.preflight import Rules

RULES: Rules = {
    (KarmadaSpec, "registry"): connection.registry_errors,
    (KarmadaSpec, "load_balancer"): connection.balancer_errors,
    (ByBinaryTable, "external_name"): connection.name_errors,
    (ByBinaryTable, "virtual_address"): connection.virtual_address_errors,
    (ByChartTable, "values"): given.values_errors,
    (ByBinaryTable, "files"): given.own_file_errors,
    (KarmadaSpec, "members"): component.member_errors,
    (ExternalEtcd, "servers"): connection.server_errors,
    (ExternalEtcd, "ca"): given.certificate_errors,
    (ExternalEtcd, "cert"): given.certificate_errors,
    (ExternalEtcd, "key"): given.file_rule,
    (Certificates, "ca"): given.ca_errors,
    (Certificates, "hosts"): connection.host_errors,
    (ComponentSpec, "flags"): component.flag_errors,
    (ComponentSpec, "without"): component.without_errors,
    (ComponentSpec, "feature_gates"): component.gate_errors,
    (ComponentSpec, "env"): component.env_errors,
}
ANY_VALUE: Mapping[tuple[type[BaseModel], str], str] = {
    (KarmadaSpec, "release"): "its type checks the form; deployers.up.preflight.version_errors checks that it is pinned or can be built",
    (KarmadaSpec, "deployer"): "deployers.deployer refuses a name that it does not know",
    (KarmadaSpec, "kubernetes"): "its type checks the form; deployers.up.preflight.version_errors checks that it is pinned",
    (KarmadaSpec, "profile"): "its validator knows the names of all profiles",
    (KarmadaSpec, "etcd"): "its fields have rules of their own",
    (KarmadaSpec, "certificates"): "its fields have rules of their own",
    (KarmadaSpec, "components"): "its validator knows the components; each one's fields have rules of their own",
    (ByKarmadactlTable, "config_file"): "both values mean something to by_karmadactl; deployers.options refuses it elsewhere",
    (KarmadaSpec, "addons"): "its fields have rules of their own",
    (ByBinaryTable, "machines"): "deployers.by_binary.preflight compares the names with the lab's machines",
    (KarmadaSpec, "by_binary"): "its fields have rules of their own",
    (KarmadaSpec, "by_chart"): "its fields have rules of their own",
    (KarmadaSpec, "by_karmadactl"): "its fields have rules of their own",
    (KarmadaSpec, "by_command"): "deployers.by_command.deployer checks its fields together",
    **{
        (ByCommandTable, key): "deployers.by_command.deployer checks that its programs and its directory exist"
        for key in ("install", "remove", "directory", "within")
    },
    (Etcd, "members"): "one and three are what its type allows",
    (Etcd, "storage"): "its fields have rules of their own",
    (EtcdStorage, "size"): "its type checks the form",
    (EtcdStorage, "storage_class"): "its type checks the form; the host cluster says which classes it has",
    (Etcd, "external"): "its fields have rules of their own",
    (ExternalEtcd, "prefix"): "its type checks the form; etcd takes any key",
    (Certificates, "days"): "its type bounds it to ten years",
    (KeyPair, "cert"): "the rule of certificates.ca reads it with its key",
    (KeyPair, "key"): "the rule of certificates.ca reads it with its certificate",
    (ComponentSpec, "replicas"): "its type bounds it to nine; deployers.options and balancer check where several can run",
    (Addons, "descheduler"): "both values mean something everywhere",
    (Addons, "search"): "both values mean something everywhere",
    (Addons, "metrics_adapter"): "both values mean something everywhere",
    (Addons, "estimators"): "both values mean something; the rule of `members` bounds the names that it makes",
    (Addons, "others"): "its validator knows the addons; deployers.up.preflight.version_errors checks that each version is pinned",
    (MemberOf, "name"): "the rule of `members` compares it with the lab's",
    (MemberOf, "mode"): "both values are valid; deployers.options checks where an agent can run",
}
