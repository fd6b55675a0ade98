"""New certificates, and new authorities, for all of a control plane in pods while it serves, whichever installer made it.

    trust      both authorities are trusted: everywhere, the former ones sign
    reissue    every certificate has a successor
    withdraw   the former authorities are trusted no longer

Without other authorities there is the middle stage alone. karmada-apiserver and etcd read a certificate again when its file changes, so
they run on and no write fails; the others are started again, one after the other, as in an upgrade. An authority read at the start alone
(etcd's, by etcd and API server) makes these start again, too. An authority of which the installer kept no key, as the chart's for the front
proxy, has to be exchanged when one of its certificates ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509

from deployers.day2.exchange_keys import RELOADS, KeyExchange, settle, trusts_once
from deployers.etcd.expiry import RENEW_BEFORE
from deployers.karmada import Karmada
from deployers.plane import pending_operation
from deployers.plane.pending_operation import PendingOperation
from deployers.pods.held_keys import Exchange, fingerprint
from deployers.pods.issued import (
    IssuedLeaf,
    TrustedAuthority,
    ending,
    issued_leaves,
    make_successor_leaves,
    token_keys,
    trusted_authorities,
)
from deployers.pods.key_places import all_places
from deployers.pods.served import served_certificates, wait_presented
from deployers.pods.signer import delete_signer_files, put_signer_back, replace_signer, set_signer_apart
from deployers.pods.successors import make_successors, pair_up, read_successors, successors_folder, trust_both, trust_successors
from lab.errors import NotPossible, ProvisionError
from lab.hints import command

WHAT = "a renewal of certificates"
STAGES = ("trust", "reissue", "withdraw")
SIGNS_REQUESTS, PROXY = "ca", "front-proxy-ca"
"""The authority that kube-controller-manager signs with, and the one that karmada-apiserver alone reads."""


def renew_in_pods(
    karmada: Karmada, *, before: dt.timedelta | None = RENEW_BEFORE, authorities: bool = False, through: str = STAGES[-1]
) -> dict[str, dt.datetime]:
    """Renew certificates that expire within `before` (None: all); return the new end of each, by the place where it was found first.

    With `authorities`, all certificates and their authorities; `through` is the stage to stop after: kubeconfigs that others hold have to
    be replaced after "trust", and again after "reissue". Returned when every server presents its new certificate and every component was
    started with its own. Interrupted, or stopped after a stage, the same command goes on. ProvisionError when an authority ends first, and
    NotPossible for a given one, with nothing changed.
    """
    if authorities and karmada.spec.certificates.ca:
        raise NotPossible(
            "the authority was given, so the lab does not exchange it",
            where=f"karmada.certificates.ca: {karmada.spec.certificates.ca.cert}",
            remedy=f"{command('renew', '--expires-within', '0', lab=karmada.run.id)}   (renews what it signed)",
        )
    known = pending_operation.facts_of(karmada.run, WHAT)
    seen = read_issued(karmada)
    due = seen.leaves if authorities else ending(seen.leaves, before)
    if not due and known is None:
        return {}
    names = set(known["authorities"]) if known else {each.name for each in seen.authorities} if authorities else keyless(due)
    require_outlive(karmada, [leaf.authority for leaf in due if leaf.authority.name not in names])
    again = command("renew", *(["--authorities"] if authorities else []), lab=karmada.run.id)
    facts = known or {"authorities": sorted(names), "stage": "", "workloads": [], "agents": []}
    rest = {key: value for key, value in facts.items() if key not in {"what", "again"}}
    with pending_operation.hold_pending(karmada.run, WHAT, again=again, **rest) as change:
        renewed: dict[str, dt.datetime] = {}
        for stage in stages_left(change.facts["stage"], names, through):
            renewed |= Renewal(karmada, change, names, before=None if authorities else before).run(stage)
        if names and change.facts["stage"] != STAGES[-1]:
            change.keep_pending()
    return renewed


def stages_left(done: str, names: Collection[str], through: str) -> list[str]:
    """Return the stages to run: after the one that is done, up to the one asked for; without other authorities the middle one. Pure."""
    if not names:
        return ["reissue"]
    return list(STAGES[STAGES.index(done) + 1 if done in STAGES else 0 : STAGES.index(through) + 1])


def keyless(leaves: Collection[IssuedLeaf]) -> set[str]:
    """Return the authorities of leaves that cannot sign again."""
    return {leaf.authority.name for leaf in leaves if leaf.authority.key is None}


@dataclass(frozen=True)
class Issued:
    """The authorities of a control plane and what they signed."""

    authorities: list[TrustedAuthority]
    leaves: list[IssuedLeaf]


def read_issued(karmada: Karmada) -> Issued:
    """Read authorities and leaves from every place that holds them."""
    held = {place.name: place.read() for place in all_places(karmada)}
    authorities = trusted_authorities(karmada, held)
    return Issued(authorities, issued_leaves(held, authorities))


def require_outlive(karmada: Karmada, authorities: Collection[TrustedAuthority]) -> None:
    """Raise ProvisionError if an authority that is to sign ends before a new certificate would."""
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=karmada.spec.certificates.days)
    for each in authorities:
        if (ends := each.certificate.not_valid_after_utc) < until:
            raise ProvisionError(
                f"the authority {each.name} itself ends on {ends:%Y-%m-%d}, before a new certificate would",
                where=str(karmada.run.path),
                remedy=f"{command('renew', '--authorities', lab=karmada.run.id)}   (exchanges it, too)",
            )


@dataclass(frozen=True)
class Renewal:
    """One stage of a renewal. `names` are the authorities that are exchanged."""

    karmada: Karmada
    change: PendingOperation
    names: Collection[str]
    before: dt.timedelta | None

    def run(self, stage: str) -> dict[str, dt.datetime]:
        """Run a stage and note it as done; return what it renewed."""
        renewed = {"trust": self.trust, "reissue": self.reissue, "withdraw": self.withdraw}[stage]()
        settle(self.karmada)
        self.change.note(stage=stage)
        return renewed

    @cached_property
    def issued(self) -> Issued:
        """What there is at the beginning of the stage."""
        return read_issued(self.karmada)

    def pairs(self) -> list[tuple[TrustedAuthority, TrustedAuthority]]:
        """Return each former authority with its successor."""
        return pair_up(self.issued.authorities, read_successors(successors_folder(self.karmada), self.names))

    def trust(self) -> dict[str, dt.datetime]:
        """Make the successors, once, and have them trusted beside the former ones."""
        if not self.change.facts.get("made"):
            make_successors(successors_folder(self.karmada), [each for each in self.issued.authorities if each.name in self.names])
            self.change.note(made=True)
        if SIGNS_REQUESTS in self.names:
            set_signer_apart(self.karmada.lab.host.api)
        self.exchange_trust(trust_both(self.pairs())).restart()
        return {}

    def reissue(self) -> dict[str, dt.datetime]:
        """Give leaves successors, those of exchanged authorities all; return the new end of each."""
        pairs = self.pairs() if self.names else []
        signers = {fingerprint(former.certificate): successor for former, successor in pairs}
        leaves = self.issued.leaves
        due = ending(leaves, self.before)
        due += [leaf for leaf in leaves if fingerprint(leaf.authority.certificate) in signers and leaf not in due]
        host = self.karmada.lab.host
        tokens = token_keys(host.api)
        exchange = make_successor_leaves(due, days=self.karmada.spec.certificates.days, keep=tokens, signers=signers)
        servers = served_certificates(host, RELOADS)
        if SIGNS_REQUESTS in self.names:
            replace_signer(host.api, read_successors(successors_folder(self.karmada), self.names)[SIGNS_REQUESTS])
        step = KeyExchange(self.karmada, exchange, self.change)
        step.write()
        step.write_files()
        step.restart()
        wait_presented(host, RELOADS, [name for name, shown in servers.items() if uses(shown, exchange)], list(exchange.certificates))
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=self.karmada.spec.certificates.days)
        return {leaf.name: ends for leaf in due}

    def withdraw(self) -> dict[str, dt.datetime]:
        """Have the former authorities trusted no longer."""
        host = self.karmada.lab.host.api
        step = self.exchange_trust(trust_successors(self.pairs()))
        if SIGNS_REQUESTS in self.names:
            put_signer_back(host)
        step.restart()
        if SIGNS_REQUESTS in self.names:
            delete_signer_files(host)
        return {}

    def exchange_trust(self, exchange: Exchange) -> KeyExchange:
        """Exchange authorities wherever they are trusted. What karmada-apiserver alone reads restarts no workload."""
        step = KeyExchange(self.karmada, exchange, self.change)
        step.write_files()
        step.write(restarts=trusts_once(self.karmada.lab.host.api, exchange) if {*self.names} - {PROXY} else lambda _: False)
        step.write_objects()
        return step


def uses(shown: Collection[x509.Certificate], exchange: Exchange) -> bool:
    """Return whether a server presents a certificate that is exchanged."""
    return any(fingerprint(each) in exchange.certificates for each in shown)
