"""The spec of a KarmadaDeployment: which Karmada is wanted. `deployers.operator.document` makes a lab document of it.

Types and limits of values are those of `deployers.spec`. Lists have one entry a name, so that several managers can each own entries.
A rule that an API server can check stands beside the fields as CEL; `deployers.operator.faults` has the others.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from deployers.operator.api import (
    ApiModel,
    Duration,
    ObjectName,
    SecretKeyReference,
    SecretReference,
    Text,
    cel_rules,
    list_by_name,
)
from deployers.spec import EtcdPrefix, LifetimeDays, Replicas, StorageClass, VolumeSize
from lab.spec import FileName, Name

ShortText = Annotated[str, StringConstraints(max_length=253)]
FlagName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=100)]
"""A flag without its dashes."""
ReleaseVersion = Annotated[str, StringConstraints(pattern=r"^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$", max_length=64)]
Port = Annotated[int, Field(ge=1, le=65_535)]
MEMBERS, MACHINES, COMPONENTS, ARGUMENTS, ADDONS, FILES, NAMES = 1000, 100, 16, 64, 32, 16, 32
"""How many entries each list may have: the cost of CEL rules is estimated from them."""


class DeploymentMachine(ApiModel):
    """A machine that programs of Karmada run on, reached by ssh."""

    name: Name
    """The name of the machine in this object."""
    address: ShortText
    """Its host name or IP address."""
    port: Port = 22
    """The port of its ssh server."""
    user: ShortText = "root"
    """The user to log in as."""
    become: Literal["None", "Sudo"] = "None"
    """How root rights are had: None of the user itself, Sudo without a password."""
    key_secret_ref: SecretKeyReference
    """The private key, as ssh-keygen writes it."""
    host_keys: tuple[Text, ...] = Field(min_length=1, max_length=8)
    """Public host keys as in known_hosts without the name: `ssh-ed25519 AAAA…`. Another key is refused; none is learned."""
    jump: Name | None = None
    """The machine of this list through which this one is reached."""
    jump_only: bool = False
    """Whether the machine is only a way to others and runs no program."""
    data_dir: Annotated[str, StringConstraints(pattern=r"^/[^\s]*$", max_length=253)] | None = None
    """The directory there; /var/lib/karmada-lab with root rights, else ~/.karmada-lab of the user."""


class ConfigurationFile(ApiModel):
    """A file in the working directory of Karmada's programs, which a flag can name."""

    name: FileName
    """The name of the file: a plain name with .yaml or .json."""
    content: Annotated[str, StringConstraints(max_length=65_536)]
    """The text of the file."""


class BinaryInstall(ApiModel):
    """Karmada as programs: of the listed machines, or of the operator's own computer where none are listed."""

    model_config = ConfigDict(
        json_schema_extra=cel_rules(
            ("!has(self.virtualAddress) || has(self.machines)", "virtualAddress moves among machines: list them in machines"),
        )
    )

    machines: tuple[DeploymentMachine, ...] = list_by_name("The machines that Karmada runs on, with a balancer on each.", most=MACHINES)
    virtual_address: ShortText | None = None
    """An address that a keepalived of yours moves among the machines."""
    files: tuple[ConfigurationFile, ...] = list_by_name("Files that flags of components name.", most=FILES)


class PodsInstall(ApiModel):
    """Karmada as pods of a host cluster."""

    deployer: Literal["ByYaml", "ByChart", "ByKarmadactl", "ByOperator"]
    """Who installs: the release's manifests, its helm chart, `karmadactl init`, or upstream's operator."""
    host_kubeconfig_secret_ref: SecretKeyReference
    """The kubeconfig of the host cluster. One host cluster has one Karmada."""
    config_file: bool = False
    """ByKarmadactl: give the settings as a file (`--config`) and not as flags."""


class Installation(ApiModel):
    """How Karmada is installed. The mode cannot be changed."""

    model_config = ConfigDict(
        json_schema_extra=cel_rules(
            ("has(self.pods) == (self.mode == 'Pods')", "pods is for mode Pods, which needs it"),
            ("!has(self.binary) || self.mode == 'Binary'", "binary is for mode Binary only"),
            ("self.mode == oldSelf.mode", "the mode cannot be changed: back Karmada up and restore it into a new KarmadaDeployment"),
            ("!has(self.pods) || !has(oldSelf.pods) || self.pods == oldSelf.pods", "pods cannot be changed"),
        )
    )

    mode: Literal["Binary", "Pods"]
    """Binary: programs of machines. Pods: pods of a host cluster."""
    binary: BinaryInstall | None = None
    """Where and how programs run (mode Binary)."""
    pods: PodsInstall | None = None
    """Where and how pods run (mode Pods)."""


class VolumeClaim(ApiModel):
    """The persistent volume of each member of an etcd in pods."""

    size: VolumeSize = "8Gi"
    """The size of the volume."""
    storage_class_name: StorageClass | None = None
    """The host cluster's default class without one."""


class LocalEtcd(ApiModel):
    """Karmada's own etcd."""

    members: Literal[1, 3] = 1
    """How many members etcd has."""
    storage: VolumeClaim | None = None
    """Mode Pods only: an etcd on persistent volumes."""


class OutsideEtcd(ApiModel):
    """An etcd that exists. What is written below `prefix` stays when Karmada is removed."""

    endpoints: tuple[Annotated[str, StringConstraints(pattern=r"^https://[^\s/]+$", max_length=253)], ...] = Field(
        min_length=1, max_length=9
    )
    """Client URLs: https://10.0.1.5:2379."""
    tls_secret_ref: SecretReference
    """A Secret with ca.crt, tls.crt and tls.key of a client of etcd."""
    prefix: EtcdPrefix = "/registry/karmada"
    """Below this key Karmada stores its objects."""


class DeploymentEtcd(ApiModel):
    """Where Karmada stores its objects: its own etcd (the default), or one that exists. It cannot be moved from one to the other."""

    model_config = ConfigDict(
        json_schema_extra=cel_rules(
            ("!(has(self.local) && has(self.external))", "give one of local and external"),
            ("has(self.external) == has(oldSelf.external)", "etcd cannot be moved between local and external"),
            (
                "!has(self.external) || !has(oldSelf.external) || self.external.prefix == oldSelf.external.prefix",
                "the prefix in an external etcd cannot be changed",
            ),
        )
    )

    local: LocalEtcd | None = None
    """An etcd of Karmada's own, the default."""
    external: OutsideEtcd | None = None
    """An etcd that exists."""


class ExternalEndpoint(ApiModel):
    """A load balancer of yours in front of karmada-apiserver."""

    host: ShortText
    """Its host name or IP address."""
    port: Port = 443
    """The port that it forwards to karmada-apiserver."""


class ManagedEndpoint(ApiModel):
    """A balancer that is installed with Karmada (mode Binary)."""

    name: ShortText
    """The name by which users reach Karmada; it has to resolve to the balancer."""


class Endpoint(ApiModel):
    """How users and members reach karmada-apiserver."""

    model_config = ConfigDict(
        json_schema_extra=cel_rules(
            ("has(self.external) == (self.type == 'External')", "external is for type External, which needs it"),
            ("has(self.managed) == (self.type == 'Managed')", "managed is for type Managed, which needs it"),
        )
    )

    type: Literal["Direct", "External", "Managed"] = "Direct"
    """Direct: karmada-apiserver itself, or its Service. External: a balancer that exists. Managed: one installed with Karmada."""
    external: ExternalEndpoint | None = None
    """The balancer that exists (type External)."""
    managed: ManagedEndpoint | None = None
    """The balancer that is installed with Karmada (type Managed)."""
    extra_names: tuple[ShortText, ...] = Field(default=(), max_length=NAMES, json_schema_extra={"x-kubernetes-list-type": "set"})
    """DNS names and IP addresses that the server's certificate is valid for, besides those it knows."""


class DeploymentCertificates(ApiModel):
    """Who signs Karmada's certificates, and for how long."""

    ca_secret_ref: SecretReference | None = None
    """A Secret with tls.crt and tls.key of an authority of yours. Without it Karmada has an authority of its own."""
    days: LifetimeDays = 365
    """For how many days certificates are valid."""
    renew_before: Duration = "720h"
    """Certificates that expire within this time are renewed while Karmada serves (mode Binary)."""


class DeploymentImages(ApiModel):
    """Where images of pods come from (mode Pods)."""

    registry: ShortText
    """host[:port][/prefix] in place of upstream's registries."""


class Argument(ApiModel):
    """One flag of a component. A flag that may be repeated is given several times."""

    name: FlagName
    """The flag, without its dashes."""
    value: Annotated[str, StringConstraints(max_length=4096)]
    """Its value."""


class EnvironmentVariable(ApiModel):
    """One variable of a component's environment."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=253)]
    """The name of the variable."""
    value: Annotated[str, StringConstraints(max_length=4096)]
    """Its value."""


class DeploymentComponent(ApiModel):
    """What is different for one component."""

    model_config = ConfigDict(
        json_schema_extra=cel_rules(
            (
                "!has(self.featureGates) || !has(self.args) || !self.args.exists(a, a.name == 'feature-gates')",
                "feature gates are given twice: as featureGates and as the argument feature-gates",
            ),
            (
                "!has(self.args) || !has(self.dropArgs) || !self.args.exists(a, a.name in self.dropArgs)",
                "an argument is both given and dropped",
            ),
        )
    )

    name: ObjectName
    """The component by upstream's name: karmada-apiserver, karmada-scheduler, etcd, …"""
    replicas: Replicas | None = None
    """How many of it run."""
    args: tuple[Argument, ...] = Field(default=(), max_length=ARGUMENTS, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    """Flags laid over those of the profile and the installer."""
    drop_args: tuple[FlagName, ...] = Field(default=(), max_length=ARGUMENTS, json_schema_extra={"x-kubernetes-list-type": "set"})
    """Flags of the profile and the installer that the component does not get."""
    feature_gates: dict[Annotated[str, StringConstraints(max_length=100)], bool] = Field(default_factory=dict, max_length=ARGUMENTS)
    """Feature gates by name: true to open one, false to close it."""
    env: tuple[EnvironmentVariable, ...] = list_by_name("Environment variables of the component.", most=ARGUMENTS)


class DeploymentAddon(ApiModel):
    """Something that runs beside the control plane: descheduler, search, metrics-adapter, estimators, or an addon of others."""

    name: ObjectName
    """descheduler, search, metrics-adapter, estimators, or the name of an addon of others: `lab addon list` prints them."""
    version: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Of an addon of others; without one the newest that is pinned when it is installed."""


class DeploymentMember(ApiModel):
    """A cluster that Karmada manages."""

    name: Name
    """The name of the cluster in Karmada."""
    mode: Literal["Push", "Pull"] = "Push"
    """Push: Karmada connects to the member. Pull: an agent of the member connects to Karmada."""
    kubeconfig_secret_ref: SecretKeyReference
    """The kubeconfig of an administrator of the member: embedded credentials, no commands and no paths of files."""


class MemberPolicy(ApiModel):
    """How members join and leave."""

    model_config = ConfigDict(
        json_schema_extra=cel_rules(
            (
                "has(self.forceAfter) == (self.whenUnreachable == 'ForceAfter')",
                "forceAfter is for whenUnreachable ForceAfter, which needs it",
            ),
        )
    )

    max_concurrent: Annotated[int, Field(ge=1, le=50)] = 10
    """How many members join or leave at once."""
    when_unreachable: Literal["Wait", "ForceAfter"] = "Wait"
    """What happens when a member that is removed does not answer. ForceAfter: its registration is deleted, its objects stay on it."""
    force_after: Duration | None = None
    """For how long a member has to be unreachable (whenUnreachable ForceAfter)."""


class UpgradePolicy(ApiModel):
    """How another release takes the place of the one that runs. A backup is taken first where etcd is Karmada's own."""

    model_config = ConfigDict(
        json_schema_extra=cel_rules(
            ("!has(self.through) || self.policy == 'Stepwise'", "through is for policy Stepwise"),
        )
    )

    policy: Literal["Whole", "Stepwise"] = "Whole"
    """Whole: all components, one after the other. Stepwise: up to the component `through`, then the upgrade waits."""
    through: ObjectName | None = None
    """The last component to upgrade now; in order: crds, karmada-webhook, karmada-aggregated-apiserver, … Raise it to go on."""
    allow_rollback: bool = False
    """Whether an earlier release may be put in the place of a later one. Components go back in reverse order; CRDs stay."""


class KarmadaDeploymentSpec(ApiModel):
    """The Karmada that is wanted."""

    model_config = ConfigDict(
        json_schema_extra=cel_rules(
            (
                "has(self.etcd) == has(oldSelf.etcd) || !(has(self.etcd) ? has(self.etcd.external) : has(oldSelf.etcd.external))",
                "etcd cannot be moved between local and external",
            ),
        )
    )

    release: ReleaseVersion
    """Karmada's version: 1.18.2."""
    kubernetes_version: ReleaseVersion | None = None
    """Of karmada-apiserver and kube-controller-manager. Without one it is chosen at the installation and stays."""
    profile: ObjectName = "default"
    """A named set of flags."""
    paused: bool = False
    """Whether changes wait. Deleting the object works while it is paused."""
    deletion_policy: Literal["Delete", "Retain"] = "Delete"
    """Delete: members leave and Karmada is removed with the object. Retain: it stays, for an object of the same name."""
    install: Installation
    """How Karmada is installed."""
    etcd: DeploymentEtcd | None = None
    """Where Karmada stores its objects."""
    endpoint: Endpoint | None = None
    """How users and members reach karmada-apiserver."""
    certificates: DeploymentCertificates | None = None
    """Who signs Karmada's certificates, and for how long."""
    images: DeploymentImages | None = None
    """Where images of pods come from."""
    components: tuple[DeploymentComponent, ...] = list_by_name("What is different for single components.", most=COMPONENTS)
    addons: tuple[DeploymentAddon, ...] = list_by_name("Karmada's own addons and those of others.", most=ADDONS)
    members: tuple[DeploymentMember, ...] = list_by_name("The clusters that Karmada manages.", most=MEMBERS)
    member_policy: MemberPolicy | None = None
    """How members join and leave."""
    upgrade: UpgradePolicy | None = None
    """How another release takes the place of the one that runs."""
