"""Each failure of a bucket says which part is wrong."""

from __future__ import annotations

import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest
import urllib3
from minio.error import S3Error, ServerError

from deployers.backup.destinations.s3_errors import translate_s3_error
from deployers.backup.destinations.s3_settings import parse_s3
from lab.errors import NotPossible

SETTINGS = parse_s3("s3://b?endpoint=https://s3&timeout=7s", {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hush"})
POOL = urllib3.HTTPSConnectionPool("s3")


def refusal(code: str, *, ahead: float = 0.0) -> S3Error:
    response = SimpleNamespace(headers={"date": formatdate(time.time() - ahead, usegmt=True)})
    return S3Error(response, code, "no", "/b", None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (refusal("NoSuchBucket"), "bucket"),
        (refusal("InvalidAccessKeyId"), "access key"),
        (refusal("SignatureDoesNotMatch"), "secret key"),
        (refusal("SlowDown"), "SlowDown"),
        (refusal("SignatureDoesNotMatch", ahead=3630), "minutes ahead"),
        (refusal("RequestTimeTooSkewed", ahead=-3630), "minutes behind"),
        (ServerError("no", 503), "503"),
        (urllib3.exceptions.MaxRetryError(POOL, "/b", urllib3.exceptions.ConnectTimeoutError("no")), "answer"),
        (urllib3.exceptions.MaxRetryError(POOL, "/b", urllib3.exceptions.ReadTimeoutError(POOL, "/b", "no")), "7 s"),
        (urllib3.exceptions.MaxRetryError(POOL, "/b", urllib3.exceptions.SSLError("self-signed")), "certificate"),
        (urllib3.exceptions.MaxRetryError(POOL, "/b", urllib3.exceptions.ProtocolError("reset")), "connection"),
        (OSError(28, "No space left on device"), "space"),
    ],
)
def test_the_wrong_part_is_named(error: Exception, named: str) -> None:
    made = translate_s3_error(error, SETTINGS, "stored", "s3://b/a")

    assert isinstance(made, NotPossible)
    assert named in made.what
    assert made.remedy
    assert "hush" not in str(made)
