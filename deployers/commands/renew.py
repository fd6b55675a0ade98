"""`lab renew`: renew the certificates of Karmada, and exchange its authorities."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

from deployers.commands.etcd import THIRTY_DAYS, ExpiresWithin, open_karmada, say_renewed
from deployers.day2.renew_certificates import renew_all
from lab.cli.options import DEFAULT_LAB, LabName, option


class RenewalStage(StrEnum):
    """What is done when authorities are exchanged, in this order."""

    trust = "trust"
    reissue = "reissue"
    withdraw = "withdraw"


Authorities = Annotated[bool, option("--authorities", help="In pods: exchange the CAs, too; both are trusted meanwhile.")]
Through = Annotated[RenewalStage, option("--through", help="With --authorities: stop after this stage; the same command goes on.")]


def renew(
    lab: LabName = DEFAULT_LAB,
    expires_within: ExpiresWithin = THIRTY_DAYS,
    authorities: Authorities = False,
    through: Through = RenewalStage.withdraw,
) -> None:
    """Renew all certificates of Karmada before they expire.

    karmada-apiserver and etcd reload theirs; the other components restart, one by one. CAs stay, without --authorities.
    Kubeconfigs that others hold must be replaced after the stages trust and reissue.
    """
    before = dt.timedelta(seconds=expires_within) if expires_within else None
    say_renewed(renew_all(open_karmada(lab), before=before, authorities=authorities, through=through.value), expires_within)
