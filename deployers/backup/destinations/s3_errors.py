"""What a failure of S3 means: which part is wrong, and what to do."""

from __future__ import annotations

import datetime as dt
import time
from email.utils import parsedate_to_datetime

import urllib3
from minio.error import S3Error, ServerError

from deployers.backup.destinations.s3_settings import S3Settings
from lab.errors import LabError, NotPossible, UsageError

SKEW = 300.0
"""Seconds that clocks may differ by before a difference is named; servers refuse a signature beyond fifteen minutes."""
REMEDIES = {
    "NoSuchBucket": ("there is no such bucket", "make the bucket, or name another one"),
    "InvalidAccessKeyId": ("the server does not know this access key", "check AWS_ACCESS_KEY_ID or the credentials file"),
    "XAdminUserNotFound": ("the server does not know this access key", "check AWS_ACCESS_KEY_ID or the credentials file"),
    "SignatureDoesNotMatch": ("the secret key is not that of this access key", "check AWS_SECRET_ACCESS_KEY or the credentials file"),
    "AccessDenied": ("access denied", "give this key the rights to list, read, write and delete in the bucket"),
    "ExpiredToken": ("the session token has expired", "get a new one (AWS_SESSION_TOKEN)"),
    "RequestTimeTooSkewed": ("the server's clock differs from this computer's", "set this computer's clock"),
    "AuthorizationHeaderMalformed": ("the region is not that of the bucket", "give region=… in the URL, or AWS_REGION"),
}
"""The codes that have a remedy of their own: reason, remedy."""
CA = "name the file of the CA that signed it (ca=FILE, AWS_CA_BUNDLE)"
RUNS = "is this the endpoint, and does it run?"


def has_code(error: Exception, code: str) -> bool:
    """Return whether this is S3's error of this code."""
    return isinstance(error, S3Error) and error.code == code


def translate_s3_error(error: Exception, settings: S3Settings, done: str, where: str) -> LabError:
    """Return the error of a request: NotPossible with the reason and a remedy, or UsageError. `done` is what was not done."""
    if isinstance(error, ValueError):  # the client refuses a name before it asks the server
        return UsageError(str(error), where=settings.url, remedy="as in s3://bucket/prefix")
    reason, remedy = explain_s3_error(error, settings)
    return NotPossible(f"the backup cannot be {done}: {reason}", where=f"{where} at {settings.endpoint}", remedy=remedy)


def explain_s3_error(error: Exception, settings: S3Settings) -> tuple[str, str]:
    """Return reason and remedy of an error of the client."""
    if isinstance(error, S3Error):
        return explain_refusal(error)
    if isinstance(error, ServerError):
        return f"the server fails with status {error.status_code}", "try again when it works; see what it logged"
    cause = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason else error
    if "WRONG_VERSION_NUMBER" in str(cause):
        return "the server does not speak TLS", "is the endpoint http:// and not https://?"
    kinds: list[tuple[tuple[type[Exception], ...], str, str]] = [
        (
            (urllib3.exceptions.SSLError,),
            f"its certificate is not accepted ({cause})",
            "name the CA that signed it (ca=FILE, AWS_CA_BUNDLE)",
        ),
        ((urllib3.exceptions.ConnectTimeoutError,), "the server does not answer", RUNS),
        (
            (urllib3.exceptions.TimeoutError, TimeoutError),
            f"the server sent nothing for {settings.timeout:g} s",
            "try again, or give it more time (timeout=5m)",
        ),
        ((urllib3.exceptions.HTTPError,), f"no connection ({type(cause).__name__})", RUNS),
    ]
    known = (found for found in kinds if isinstance(cause, found[0]))
    _, reason, remedy = next(known, ((), str(cause) or type(cause).__name__, "see the endpoint and the bucket in the URL"))
    return reason, remedy


def explain_refusal(error: S3Error) -> tuple[str, str]:
    """Return reason and remedy of what a server answered. A clock that differs is named first: it has many codes."""
    apart = clock_difference(error.response)
    if apart is not None and abs(apart) > SKEW:
        state = f"{abs(apart) / 60:.0f} minutes {'ahead of' if apart > 0 else 'behind'} the server's"
        return f"this computer's clock is {state}, which refuses its signatures ({error.code})", "set this computer's clock"
    if error.code in REMEDIES:
        reason, remedy = REMEDIES[error.code]
        return f"{reason} ({error.code})", remedy
    return f"the server refuses ({error.code}: {error.message})", "see what the server logged"


def clock_difference(response: object) -> float | None:
    """Return how many seconds this computer's clock is ahead of a server's; None when it does not say."""
    date = getattr(response, "headers", {}).get("date")
    try:
        return time.time() - parsedate_to_datetime(date).replace(tzinfo=dt.UTC).timestamp() if date else None
    except ValueError:
        return None
