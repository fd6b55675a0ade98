"""How a bucket is reached: from its URL, the environment and a credentials file. Secrets are never part of a URL.

    s3://bucket/prefix?endpoint=https://s3.example:9000&region=eu-1&path-style=true&ca=/etc/s3-ca.pem&timeout=30s&credentials=FILE&profile=NAME

What the URL leaves out comes from the variables that S3's own tools read: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION,
AWS_DEFAULT_REGION, AWS_CA_BUNDLE; the credentials from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or from a file
of the form of ~/.aws/credentials (AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE), which must be readable by its owner alone.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from deployers.backup.private_files import require_private
from lab.duration import parse_positive_duration
from lab.errors import UsageError

KEYS = ("endpoint", "region", "path-style", "ca", "timeout", "credentials", "profile")
AMAZON = "https://s3.amazonaws.com"
TIMEOUT = 60.0
"""Seconds without a byte after which a request is given up."""


@dataclass(frozen=True)
class S3Credentials:
    """A key, which `repr` does not show."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class S3Settings:
    """A bucket, the prefix of the names in it, and how its server is reached."""

    url: str
    bucket: str
    prefix: str
    endpoint: str
    credentials: S3Credentials
    region: str | None = None
    path_style: bool | None = None
    ca: Path | None = None
    timeout: float = TIMEOUT


def parse_s3(url: str, env: Mapping[str, str] = os.environ) -> S3Settings:
    """Return the settings of an s3:// URL. UsageError names the part that is wrong or missing."""
    split = urlsplit(url)
    if split.username or split.password:
        raise UsageError("credentials do not belong into a URL", where="s3://…@…", remedy="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    query = dict(parse_qsl(split.query, keep_blank_values=True))
    if unknown := sorted(query.keys() - set(KEYS)):
        raise UsageError(f"unknown setting {unknown[0]!r} of a bucket", where=url, remedy=f"one of: {', '.join(KEYS)}")
    if not split.hostname:
        raise UsageError("this URL names no bucket", where=url, remedy="as in s3://bucket/prefix")
    endpoint = query.get("endpoint") or env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or AMAZON
    require_endpoint(endpoint, url)
    ca = query.get("ca") or env.get("AWS_CA_BUNDLE")
    if ca and not Path(ca).is_file():
        raise UsageError("the CA file of S3 does not exist", where=ca, remedy="name a file of PEM certificates (ca=FILE, AWS_CA_BUNDLE)")
    return S3Settings(
        url=url,
        bucket=split.netloc,
        prefix=split.path.strip("/"),
        endpoint=endpoint.rstrip("/"),
        credentials=read_credentials(query, env),
        region=query.get("region") or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
        path_style=parse_flag(query["path-style"], url) if "path-style" in query else None,
        ca=Path(ca) if ca else None,
        timeout=parse_timeout(query["timeout"], url) if "timeout" in query else TIMEOUT,
    )


def require_endpoint(endpoint: str, url: str) -> None:
    """Return when this is an endpoint: scheme and host, and nothing more."""
    split = urlsplit(endpoint)
    if split.scheme not in {"http", "https"} or not split.hostname or split.path.strip("/") or split.query or split.username:
        raise UsageError(f"invalid S3 endpoint {endpoint!r}", where=url, remedy="scheme, host and port, as in https://s3.example:9000")


def parse_flag(text: str, url: str) -> bool:
    """Return whether a flag of a URL is set."""
    if text not in {"true", "false"}:
        raise UsageError(f"invalid path-style {text!r}", where=url, remedy="true or false")
    return text == "true"


def parse_timeout(text: str, url: str) -> float:
    """Return a duration of a URL in seconds."""
    try:
        return parse_positive_duration(text)
    except ValueError as error:
        raise UsageError(f"invalid timeout: {error}", where=url, remedy="as in timeout=30s") from error


def read_credentials(query: Mapping[str, str], env: Mapping[str, str]) -> S3Credentials:
    """Return the key: of the file that the URL names, else of the environment, else of the credentials file of S3's own tools."""
    if "credentials" not in query and "profile" not in query and env.get("AWS_ACCESS_KEY_ID"):
        secret = env.get("AWS_SECRET_ACCESS_KEY")
        if not secret:
            raise UsageError("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not", remedy="set both, or neither")
        return S3Credentials(env["AWS_ACCESS_KEY_ID"], secret, env.get("AWS_SESSION_TOKEN") or None)
    named = query.get("credentials") or env.get("AWS_SHARED_CREDENTIALS_FILE")
    path = Path(named).expanduser() if named else Path(env.get("HOME", "/")) / ".aws" / "credentials"
    if not path.is_file():
        raise UsageError(
            "no credentials for S3",
            where=str(path),
            remedy="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a credentials file (mode 0600)",
        )
    require_private(path)
    return read_profile(path, query.get("profile") or env.get("AWS_PROFILE") or "default")


def read_profile(path: Path, profile: str) -> S3Credentials:
    """Return the key of one profile of a credentials file. Errors do not quote the file."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text())
    except (configparser.Error, OSError, UnicodeDecodeError) as error:
        raise UsageError("the credentials file of S3 cannot be read", where=str(path), remedy="sections and lines `key = value`") from error
    known = parser[profile] if parser.has_section(profile) else {}
    try:
        return S3Credentials(known["aws_access_key_id"], known["aws_secret_access_key"], known.get("aws_session_token"))
    except KeyError as error:
        raise UsageError(f"profile {profile} has no {error.args[0]}", where=str(path), remedy="add it, or name another profile") from error
