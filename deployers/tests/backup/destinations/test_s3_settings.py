"""A bucket's settings: from the URL, then the environment; secrets from the environment or a private file."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.backup.destinations.s3_settings import AMAZON, parse_s3
from lab.errors import UsageError

KEY = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hush"}


def credentials(path: Path, *, mode: int = 0o600, text: str = "[default]\naws_access_key_id = me\naws_secret_access_key = hu%sh\n") -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_url_comes_before_the_environment(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    env = {**KEY, "AWS_ENDPOINT_URL": "https://other", "AWS_REGION": "other", "AWS_CA_BUNDLE": "/none"}

    found = parse_s3(f"s3://b/one/two/?endpoint=http://s3:9000/&region=eu&path-style=true&timeout=5s&ca={ca}", env)

    assert (found.bucket, found.prefix, found.endpoint, found.region) == ("b", "one/two", "http://s3:9000", "eu")
    assert (found.path_style, found.timeout, found.ca) == (True, 5.0, ca)


def test_the_environment_fills_what_the_url_leaves_out() -> None:
    found = parse_s3("s3://b", {**KEY, "AWS_ENDPOINT_URL_S3": "https://s3", "AWS_ENDPOINT_URL": "https://no", "AWS_DEFAULT_REGION": "eu"})

    assert (found.prefix, found.endpoint, found.region, found.path_style) == ("", "https://s3", "eu", None)
    assert parse_s3("s3://b", KEY).endpoint == AMAZON


def test_a_secret_is_in_no_text_of_the_settings() -> None:
    assert "hush" not in repr(parse_s3("s3://b", {**KEY, "AWS_SESSION_TOKEN": "hush too"}))


def test_credentials_come_from_a_private_file(tmp_path: Path) -> None:
    path = credentials(tmp_path / "credentials")

    assert parse_s3(f"s3://b?credentials={path}", KEY).credentials.secret_key == "hu%sh"
    assert parse_s3("s3://b", {"AWS_SHARED_CREDENTIALS_FILE": str(path)}).credentials.access_key == "me"


@pytest.mark.parametrize(
    ("url", "env", "named"),
    [
        ("s3://", KEY, "bucket"),
        ("s3://me:hush@b", KEY, "credentials"),
        ("s3://b?regoin=eu", KEY, "regoin"),
        ("s3://b?endpoint=s3:9000", KEY, "endpoint"),
        ("s3://b?endpoint=https://s3/path", KEY, "endpoint"),
        ("s3://b?path-style=yes", KEY, "path-style"),
        ("s3://b?timeout=soon", KEY, "timeout"),
        ("s3://b?ca=/none/ca.pem", KEY, "CA"),
        ("s3://b", {"HOME": "/none"}, "credentials"),
        ("s3://b", {"AWS_ACCESS_KEY_ID": "me"}, "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_what_is_wrong_or_missing_is_a_usage_error(url: str, env: dict[str, str], named: str) -> None:
    with pytest.raises(UsageError, match=named) as refused:
        parse_s3(url, env)
    assert "hush" not in str(refused.value)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = credentials(tmp_path / "credentials", mode=0o640)

    with pytest.raises(UsageError, match="0640"):
        parse_s3(f"s3://b?credentials={path}", {})


@pytest.mark.parametrize("text", ["[default\naws_secret_access_key = hush", "aws_secret_access_key = hush", "[other]\na = hush", "\xff"])
def test_a_file_that_cannot_be_read_is_not_quoted(text: str, tmp_path: Path) -> None:
    path = credentials(tmp_path / "credentials", text=text)

    with pytest.raises(UsageError) as refused:
        parse_s3(f"s3://b?credentials={path}", {})
    assert "hush" not in str(refused.value)
