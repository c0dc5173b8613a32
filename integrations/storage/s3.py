"""Objects in a private S3 bucket (or a compatible one); links are presigned by the store's own scheme."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from integrations.storage.types import (
    BadParts,
    Missing,
    Part,
    Storage,
    Stored,
    Unavailable,
    check_key,
    check_link_seconds,
    check_parts,
)

_CHUNK = 256 * 1024
_MISSING = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}
_BAD_PARTS = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "InvalidRequest"}


class S3Storage(Storage):
    """One bucket. `endpoint_url` is for compatible stores; keys and region as the store gives them."""

    def __init__(
        self,
        *,
        bucket: str,
        access_key: str = "",
        secret_key: str = "",
        region: str = "",
        endpoint_url: str = "",
        timeout: float = 10.0,
    ) -> None:
        self.bucket = bucket
        self.client: Any = boto3.client(
            "s3",
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            region_name=region or None,
            endpoint_url=endpoint_url or None,
            config=Config(
                signature_version="s3v4",
                connect_timeout=timeout,
                read_timeout=timeout * 3,
                retries={"max_attempts": 3, "mode": "standard"},
                # The store's own checksum headers would have to be repeated by whoever sends the parts.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path" if endpoint_url else "auto"},
            ),
        )

    def start_upload(self, key: str, *, content_type: str, bytes: int, part_bytes: int) -> str:
        with _Errors(key):
            answer = self.client.create_multipart_upload(
                Bucket=self.bucket, Key=check_key(key), ContentType=content_type
            )
        return str(answer["UploadId"])

    def part_url(self, key: str, reference: str, *, number: int, bytes: int, seconds: int) -> str:
        params: dict[str, Any] = {"Bucket": self.bucket, "Key": check_key(key), "UploadId": reference}
        params |= {"PartNumber": number, "ContentLength": bytes}
        return str(self.client.generate_presigned_url("upload_part", Params=params, ExpiresIn=seconds))

    def list_parts(self, key: str, reference: str) -> list[Part]:
        parts: list[Part] = []
        with _Errors(key):
            pages = self.client.get_paginator("list_parts").paginate(
                Bucket=self.bucket, Key=check_key(key), UploadId=reference
            )
            for page in pages:
                parts += [
                    Part(number=part["PartNumber"], etag=part["ETag"].strip('"'), bytes=part["Size"])
                    for part in page.get("Parts", [])
                ]
        return sorted(parts, key=lambda part: part.number)

    def complete_upload(self, key: str, reference: str, parts: Sequence[tuple[int, str]]) -> Stored:
        check_parts(parts, self.list_parts(key, reference))
        named = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
        with _Errors(key):
            self.client.complete_multipart_upload(
                Bucket=self.bucket, Key=check_key(key), UploadId=reference, MultipartUpload={"Parts": named}
            )
        return self.stat(key)

    def abort_upload(self, key: str, reference: str) -> None:
        try:
            with _Errors(key):
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=check_key(key), UploadId=reference)
        except Missing:
            return

    def save(self, key: str, content: BinaryIO, *, content_type: str) -> Stored:
        with _Errors(key):
            self.client.upload_fileobj(content, self.bucket, check_key(key), ExtraArgs={"ContentType": content_type})
        return self.stat(key)

    def stat(self, key: str) -> Stored:
        with _Errors(key):
            answer = self.client.head_object(Bucket=self.bucket, Key=check_key(key))
        return Stored(key=key, bytes=int(answer["ContentLength"]))

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        if length == 0:
            self.stat(key)
            return iter(())
        wanted: dict[str, str] = {}
        if start or length is not None:
            end = "" if length is None else str(start + length - 1)
            wanted = {"Range": f"bytes={start}-{end}"}
        with _Errors(key):
            answer = self.client.get_object(Bucket=self.bucket, Key=check_key(key), **wanted)
        return _chunks(answer["Body"])

    @contextmanager
    def as_file(self, key: str, workspace: Path) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="object-", dir=workspace) as place:
            path = Path(place) / "content"
            with _Errors(key):
                self.client.download_file(self.bucket, check_key(key), str(path))
            yield path

    def delete(self, key: str) -> None:
        with _Errors(key):
            self.client.delete_object(Bucket=self.bucket, Key=check_key(key))

    def delete_below(self, prefix: str) -> None:
        with _Errors(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=f"{check_key(prefix)}/"
            )
            for page in pages:
                keys = [{"Key": found["Key"]} for found in page.get("Contents", [])]
                if keys:
                    self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True})

    def move(self, key: str, target: str) -> None:
        with _Errors(key):
            source = {"Bucket": self.bucket, "Key": check_key(key)}
            # The managed copy goes in parts where the object is too large for one request.
            self.client.copy(source, self.bucket, check_key(target))
            self.client.delete_object(**source)

    def url(self, key: str, *, seconds: int, filename: str, content_type: str, inline: bool) -> str:
        disposition = f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(filename, safe='')}"
        params = {
            "Bucket": self.bucket,
            "Key": check_key(key),
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition,
        }
        seconds = check_link_seconds(seconds)
        return str(self.client.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds))


class _Errors:
    """Turns the store's errors into ours."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise Missing(f"no object or upload {self.key}") from error
            if code in _BAD_PARTS:
                raise BadParts(str(error)) from error
            raise Unavailable(f"The file store refused: {code}") from error
        if isinstance(error, BotoCoreError):
            raise Unavailable("The file store does not answer.") from error


def _chunks(body: Any) -> Iterator[bytes]:
    with body:
        yield from body.iter_chunks(_CHUNK)
