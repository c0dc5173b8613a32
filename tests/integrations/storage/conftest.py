"""Both storages behind one set of tests: a directory, and a real S3 server process on loopback."""

import io
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from integrations.storage.local import PART_PURPOSE, LocalStorage
from integrations.storage.s3 import S3Storage
from integrations.storage.tokens import Tokens
from integrations.storage.types import Storage

BUCKET = "private-media"


@dataclass
class Sender:
    """Sends the bytes of one part to its link, as a client would; answers the etag."""

    storage: Storage

    def put(self, url: str, content: bytes) -> str:
        if isinstance(self.storage, LocalStorage):
            token = url.rpartition("/")[2]
            claims = self.storage.tokens.read(PART_PURPOSE, token, now=self.storage.clock())
            part = self.storage.receive_part(
                claims["ref"], number=claims["n"], bytes=claims["bytes"], stream=io.BytesIO(content)
            )
            return part.etag
        headers = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(url, data=content, method="PUT", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(response.headers["ETag"])


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str) -> S3Storage:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=s3_server, **keys).create_bucket(Bucket=BUCKET)
    return S3Storage(bucket=BUCKET, access_key="test", secret_key="test", region="us-east-1", endpoint_url=s3_server)


@pytest.fixture
def local(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "files", tokens=Tokens("secret"), base_url="/storage")


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def sender(storage: Storage) -> Sender:
    return Sender(storage)
