"""`lab renew`: renew the certificates of Karmada."""

from __future__ import annotations

import datetime as dt

from deployers.commands.etcd import THIRTY_DAYS, ExpiresWithin, open_karmada, say_renewed
from deployers.day2.renew_certificates import renew_all
from lab.cli.options import DEFAULT_LAB, LabName


def renew(lab: LabName = DEFAULT_LAB, expires_within: ExpiresWithin = THIRTY_DAYS) -> None:
    """Renew all certificates of Karmada before they expire.

    karmada-apiserver and etcd reload theirs; the other components restart, one by one.
    CAs stay.
    """
    say_renewed(renew_all(open_karmada(lab), before=dt.timedelta(seconds=expires_within) if expires_within else None), expires_within)
