"""A bucket of S3, or of a server that speaks S3.

The client is MinIO's `minio` (extra `s3`): one small package for any server, with types, path-style addresses and server-checked
digests. Amazon's boto3 pins a python-dateutil that the package `kubernetes` does not take, and is seventeen times as large.

An object appears whole or not at all: small ones are one request, larger ones an upload of parts that is completed at the end. Parts of an
upload that was killed are invisible but cost room; `discard_unfinished` aborts them. The client has no public verb for that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from deployers.backup.archive import CHUNK, NAME
from deployers.backup.destinations.protocol import StoredArchive, missing_archive, sort_archives
from deployers.backup.destinations.s3_errors import has_code, translate_s3_error
from deployers.backup.destinations.s3_settings import S3Settings

PART = 16 << 20
"""Bytes of one part: as much is in memory at a time."""
CONNECT_WITHIN = 10.0
RETRIES = 2
UPLOADS = 1000
"""Unfinished uploads that are read at a time."""
UNASKED = frozenset({"AccessDenied", "NotImplemented", "MethodNotAllowed"})
"""The answers of a server, or to a key, that lists no unfinished uploads: a backup does not fail for it."""


@dataclass(frozen=True)
class Bucket:
    """A destination: archives are objects under a prefix."""

    settings: S3Settings
    client: Minio
    part: int = PART

    @classmethod
    def of(cls, settings: S3Settings) -> Bucket:
        """Return the bucket; nothing is asked of the server yet."""
        endpoint, key = urlsplit(settings.endpoint), settings.credentials
        client = Minio(
            endpoint.netloc,
            key.access_key,
            key.secret_key,
            session_token=key.session_token,
            secure=endpoint.scheme == "https",
            region=settings.region,
            http_client=make_http(settings),
        )
        if settings.path_style is True:
            client.disable_virtual_style_endpoint()
        elif settings.path_style is False:
            client.enable_virtual_style_endpoint()
        return cls(settings, client)

    @property
    def url(self) -> str:
        return self.settings.url

    @property
    def folder(self) -> str:
        """What names of objects begin with."""
        return f"{self.settings.prefix}/" if self.settings.prefix else ""

    def locate(self, name: str) -> str:
        return f"s3://{self.settings.bucket}/{self.folder}{name}"

    def put(self, file: Path, name: str) -> None:
        with self.explain("stored", name), file.open("rb") as source:
            self.client.put_object(
                self.settings.bucket, self.folder + name, source, file.stat().st_size, part_size=self.part, num_parallel_uploads=1
            )

    def get(self, name: str, to: Path) -> None:
        with self.explain("fetched", name), to.open("wb") as out:
            response = self.client.get_object(self.settings.bucket, self.folder + name)
            try:
                for block in response.stream(CHUNK):
                    out.write(block)
            finally:
                response.close()
                response.release_conn()

    def list_archives(self) -> list[StoredArchive]:
        with self.explain("listed"):
            found = self.client.list_objects(self.settings.bucket, self.folder, recursive=False)
            sizes = {(each.object_name or "").removeprefix(self.folder): each.size or 0 for each in found if not each.is_dir}
        return sort_archives(sizes)

    def delete(self, name: str) -> None:
        with self.explain("deleted", name):
            self.client.remove_object(self.settings.bucket, self.folder + name)

    def discard_unfinished(self, plane: str) -> list[str]:
        bucket, prefix = self.settings.bucket, f"{self.folder}karmada-{plane[:8]}-"
        discarded = []
        with self.explain("cleaned up"):
            try:
                found = self.client._list_multipart_uploads(bucket, prefix=prefix, max_uploads=UPLOADS)  # noqa: SLF001 (see above)
            except S3Error as error:
                if error.code in UNASKED:
                    return []
                raise
            for upload in found.uploads:
                key = upload.object_name or ""
                if upload.upload_id and key.startswith(prefix) and NAME.fullmatch(key.removeprefix(self.folder)):
                    self.client._abort_multipart_upload(bucket, key, upload.upload_id)  # noqa: SLF001 (see above)
                    discarded.append(key.removeprefix(self.folder))
        return discarded

    @contextlib.contextmanager
    def explain(self, done: str, name: str = "") -> Iterator[None]:
        """Translate what the client raises."""
        try:
            yield
        except (MinioException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if name and has_code(error, "NoSuchKey"):
                raise missing_archive(self.locate(name)) from error
            raise translate_s3_error(error, self.settings, done, self.locate(name)) from error


def make_http(settings: S3Settings) -> urllib3.PoolManager:
    """Return the connections to a server. A request that may be repeated is repeated twice, with a pause."""
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=min(CONNECT_WITHIN, settings.timeout), read=settings.timeout),
        cert_reqs="CERT_REQUIRED",
        ca_certs=str(settings.ca or certifi.where()),
        retries=urllib3.Retry(total=RETRIES, backoff_factor=0.5, status_forcelist=(500, 502, 503, 504), raise_on_status=False),
    )
