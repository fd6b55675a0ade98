"""A bucket: which requests are made of which objects, and what their failures become. A real server is in scenarios/test_backup_s3.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from minio import Minio
from minio.error import S3Error

from deployers.backup.archive import UnusableBackup
from deployers.backup.destinations.s3 import Bucket
from deployers.backup.destinations.s3_settings import S3Settings, parse_s3
from deployers.tests.destination_fakes import NAMES, OTHER
from lab.errors import NotPossible, UsageError

KEY = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hush"}


def settings(url: str = "s3://b/one?endpoint=http://127.0.0.1:1") -> S3Settings:
    return parse_s3(url, KEY)


def refusal(code: str) -> S3Error:
    return S3Error(SimpleNamespace(headers={}), code, "no", "/b", None, None)  # type: ignore[arg-type]


@dataclass
class FakeClient:
    """What the client is asked; `refuses` is raised by each request."""

    names: list[str] = field(default_factory=list)
    refuses: Exception | None = None
    aborted: list[str] = field(default_factory=list)

    def list_objects(self, bucket: str, prefix: str, *, recursive: bool) -> list[Any]:
        if self.refuses:
            raise self.refuses
        assert (bucket, recursive) == ("b", False)
        return [SimpleNamespace(object_name=prefix + name, size=7, is_dir=name.endswith("/")) for name in self.names]

    def get_object(self, bucket: str, name: str) -> Any:
        raise refusal("NoSuchKey")

    def _list_multipart_uploads(self, bucket: str, *, prefix: str, max_uploads: int) -> Any:
        if self.refuses:
            raise self.refuses
        found = [f"one/{name}" for name in self.names]
        return SimpleNamespace(uploads=[SimpleNamespace(object_name=key, upload_id=key[-9:]) for key in found if key.startswith(prefix)])

    def _abort_multipart_upload(self, bucket: str, key: str, upload_id: str) -> None:
        self.aborted.append(key)


def bucket(client: FakeClient) -> Bucket:
    return Bucket(settings(), client)  # type: ignore[arg-type]


def test_only_archives_directly_below_the_prefix_are_listed() -> None:
    found = bucket(FakeClient([*NAMES, OTHER, "notes.txt", "deeper/"])).list_archives()

    assert [each.name for each in found] == [OTHER, *reversed(NAMES)]
    assert bucket(FakeClient()).locate(NAMES[0]) == f"s3://b/one/{NAMES[0]}"


def test_unfinished_uploads_of_the_plane_alone_are_aborted() -> None:
    client = FakeClient([NAMES[0], OTHER, "karmada-0123abcd-notes"])

    assert bucket(client).discard_unfinished("0123abcd" + "0" * 56) == [NAMES[0]]
    assert client.aborted == [f"one/{NAMES[0]}"]


@pytest.mark.parametrize("code", ["AccessDenied", "NotImplemented"])
def test_a_server_that_lists_no_uploads_is_no_fault(code: str) -> None:
    assert bucket(FakeClient(refuses=refusal(code))).discard_unfinished("0123abcd") == []
    with pytest.raises(NotPossible):
        bucket(FakeClient(refuses=refusal("NoSuchBucket"))).discard_unfinished("0123abcd")


def test_the_client_has_the_private_verbs_that_are_used() -> None:
    assert callable(Minio._list_multipart_uploads)
    assert callable(Minio._abort_multipart_upload)


def test_a_missing_archive_is_unusable_and_a_refusal_is_not_possible(tmp_path: Any) -> None:
    with pytest.raises(UnusableBackup):
        bucket(FakeClient()).get(NAMES[0], tmp_path / "copy")
    with pytest.raises(NotPossible, match="NoSuchBucket"):
        bucket(FakeClient(refuses=refusal("NoSuchBucket"))).list_archives()


@pytest.mark.parametrize(("flag", "address"), [("true", "http://s3.example/kept/a?"), ("false", "http://kept.s3.example/a?")])
def test_the_form_of_addresses_is_chosen(flag: str, address: str) -> None:
    made = Bucket.of(settings(f"s3://kept?endpoint=http://s3.example&region=us-east-1&path-style={flag}"))

    assert made.client.get_presigned_url("GET", "kept", "a").startswith(address)


def test_a_name_that_no_bucket_can_have_is_a_usage_error(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match="bucket name"):
        Bucket.of(settings("s3://b?endpoint=http://127.0.0.1:1&region=eu")).get(NAMES[0], tmp_path / "copy")
