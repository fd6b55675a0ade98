"""Karmada's own etcd: how it is reached, and how it is.

By etcdctl and etcdutl, the tools of those who run etcd, with the certificate of an administrator. What changes its members is in
`membership`, its certificates in `certificates`. Every function works from the run directory and asks etcd itself, never karmada-apiserver.
"""

from __future__ import annotations

import datetime as dt
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from deployers.deployer import require_programs
from deployers.etcd.expiry import certificate_expiries
from deployers.etcd.health import ALARMS, EtcdHealth, member_of
from deployers.etcd.tools import TOOLS, Etcdutl, last_line
from deployers.karmada import Karmada
from deployers.plane.layout import etcd_addresses, etcds
from deployers.plane.objects import map_concurrently
from lab.errors import CommandFailed, ProvisionError, UsageError
from lab.hints import command
from lab.machines.machine import Machine
from lab.wait import NotYet, until

Json = dict[str, Any]


class BaseEtcdClient(ABC):
    """Queries an etcd by etcdctl, wherever it runs: `ctl` runs etcdctl, `status` returns a member's own status."""

    endpoints: Mapping[str, str]
    """The client address of each member, by name."""

    @property
    def lab(self) -> str | None:
        """The lab that it belongs to, for commands in remedies; None if unknown."""
        return None

    @abstractmethod
    def ctl(self, *args: str, at: str | None = None, within: float = 30.0) -> str:
        """Return the output of etcdctl for one address or all. CommandFailed when etcd refuses or does not answer."""

    @abstractmethod
    def status(self, name: str) -> Json | str:
        """Return one member's own status, or the reason why it gives none."""

    @abstractmethod
    def expiries(self) -> Mapping[str, dt.datetime]:
        """Return when each certificate that has to do with it ends."""

    def ask(self, *args: str, at: str | None = None) -> Any:
        """Return what etcdctl prints, as data."""
        return json.loads(self.ctl(*args, "--write-out=json", at=at))

    # -- how it is ---------------------------------------------------------------------------------------------------

    def members(self) -> list[Json]:
        """Return the members in etcd's own list. ProvisionError when no member answers."""
        try:
            found: list[Json] = self.ask("member", "list")["members"]
        except CommandFailed as failed:
            raise ProvisionError(
                "Karmada's etcd does not answer: less than a quorum of its members serve",
                where=", ".join(f"{name} at {address}" for name, address in self.endpoints.items()),
                detail=last_line(failed.output),
                remedy=f"{command('logs', 'karmada/etcd', lab=self.lab)}; when they are lost for good: "
                f"{command('restore', 'ARCHIVE', lab=self.lab)}",
            ) from failed
        return found

    def health(self) -> EtcdHealth:
        """Return the health of every member. ProvisionError when there is no quorum."""
        listed = self.members()
        names = {item["ID"]: self.name_of(item) for item in listed}
        statuses = dict(zip(names.values(), map_concurrently(self.status, names.values()), strict=True))
        answered = [status["Status"] for status in statuses.values() if isinstance(status, dict)]
        newest = max((status.get("raftIndex", 0) for status in answered), default=0)
        alarms = self.ask("alarm", "list").get("alarms") or []
        return EtcdHealth(
            members=tuple(member_of(item, names[item["ID"]], statuses[names[item["ID"]]], newest) for item in listed),
            revision=max((status["header"].get("revision", 0) for status in answered), default=0),
            alarms=tuple(sorted(f"{ALARMS.get(item['alarm'], item['alarm'])} of {names.get(item['memberID'], '?')}" for item in alarms)),
            expires=min(self.expiries().values()),
        )

    def name_of(self, item: Json) -> str:
        """Return the name of a member of etcd's list: one that was added and never started has none yet, but its address."""
        known = {address: name for name, address in self.endpoints.items()}
        return item.get("name") or next((known[url] for url in item.get("clientURLs") or [] if url in known), f"{item['ID']:x}")

    def until_well(self, *, within: float = 60.0) -> EtcdHealth:
        """Return its health once every member answers, votes and has caught up, and one leads. NotReady carries the first problem."""

        def well() -> EtcdHealth:
            try:
                health = self.health()
            except ProvisionError as error:
                raise NotYet(error.what) from error
            problems = [problem for problem in health.problems if "certificate" not in problem]
            if problems:
                raise NotYet("; ".join(problems))
            return health

        return until(well, what="every member of Karmada's etcd is healthy", within=within, remedy=command("etcd", "health", lab=self.lab))

    # -- room --------------------------------------------------------------------------------------------------------

    def defragment(self) -> tuple[int, int]:
        """Drop the history of all keys and give the space back, member by member, the leader last; return the bytes before and after.

        An alarm for want of space is lifted afterwards. A member serves nothing while its file is rewritten.
        """
        before = self.health()
        if before.revision > 0:
            try:
                self.ctl("compact", str(before.revision), "--physical")
            except CommandFailed as failed:
                if "required revision has been compacted" not in failed.output:
                    raise
        for member in sorted(before.members, key=lambda member: member.leads):
            self.ctl("defrag", at=member.client, within=120.0)
        if any(alarm.startswith("NOSPACE") for alarm in before.alarms):
            self.ctl("alarm", "disarm")
        return sum(member.size for member in before.members), sum(member.size for member in self.health().members)


@dataclass(frozen=True)
class EtcdClient(BaseEtcdClient):
    """The etcd of one control plane, from outside."""

    pki: Path
    endpoints: Mapping[str, str]
    """The client address of each member that the spec has, by name."""
    machine: Machine
    etcdctl: Path
    utl: Etcdutl

    @classmethod
    def of(cls, karmada: Karmada) -> EtcdClient:
        """Return the etcd of a control plane of programs; its tools are brought now if they are not here.

        UsageError when it is external, NotPossible when it is a pod (`deployers.etcd.pod`).
        """
        names = etcds(karmada)
        if not names:
            raise UsageError(
                "this Karmada uses an external etcd; only an etcd of the lab's own can be managed here",
                where=f"karmada.etcd.external: {', '.join(karmada.spec.etcd.external.servers if karmada.spec.etcd.external else ())}",
                remedy="use the tools of its operator; a lab file without that table gives Karmada an etcd of its own",
            )
        require_programs(karmada)
        found = karmada.supply.resolve(TOOLS)
        endpoints = etcd_addresses(karmada.run, karmada.spec, names, "client")
        tools = {ref.name: path for ref, path in found.items()}
        utl = Etcdutl(karmada.machine, tools["etcdutl"])
        return cls(karmada.run.path / "pki" / karmada.name, endpoints, karmada.machine, tools["etcdctl"], utl)

    @property
    def lab(self) -> str:
        """The lab that has etcd's keys in its run directory."""
        return self.pki.parent.parent.name

    @cached_property
    def access(self) -> tuple[str, ...]:
        """The arguments with etcdctl's client certificate."""
        return (
            f"--cacert={self.pki / 'etcd-ca.crt'}",
            f"--cert={self.pki / 'etcd-client.crt'}",
            f"--key={self.pki / 'etcd-client.key'}",
        )

    def ctl(self, *args: str, at: str | None = None, within: float = 30.0) -> str:
        endpoints = at or ",".join(self.endpoints.values())
        argv = (str(self.etcdctl), *args, f"--endpoints={endpoints}", *self.access, "--command-timeout=10s", "--dial-timeout=2s")
        return self.machine.run(argv, within=within).stdout

    def status(self, name: str) -> Json | str:
        if name not in self.endpoints:
            return "it was never started"
        try:
            found: Json = self.ask("endpoint", "status", at=self.endpoints[name])[0]
        except CommandFailed as failed:
            return last_line(failed.output)
        return found

    def expiries(self) -> Mapping[str, dt.datetime]:
        return certificate_expiries(self.pki)
