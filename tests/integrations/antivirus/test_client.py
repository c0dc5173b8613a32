"""The ClamAV client against a server that speaks its protocol."""

import io
from collections.abc import Iterator

import pytest

from integrations.antivirus import fake
from integrations.antivirus.client import ClamAV
from integrations.antivirus.types import ScannerUnavailable


@pytest.fixture
def scanner() -> Iterator[ClamAV]:
    with fake.running() as address:
        yield ClamAV(address, timeout=5)


def test_the_scanner_answers(scanner: ClamAV) -> None:
    assert scanner.ping()


def test_clean_and_infected_are_told_apart(scanner: ClamAV) -> None:
    assert not scanner.scan(io.BytesIO(b"x" * 1_000_000)).infected
    verdict = scanner.scan(io.BytesIO(b"x" * 300_000 + fake.EICAR))
    assert verdict.infected
    assert verdict.signature == "Eicar-Test-Signature"


def test_a_file_beyond_the_scanner_is_never_called_clean(scanner: ClamAV) -> None:
    with pytest.raises(ScannerUnavailable, match="size limit"):
        scanner.scan(io.BytesIO(bytes(fake.STREAM_LIMIT + 1)))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd.sock", "unix:/nowhere/clamd.sock"])
def test_a_scanner_that_is_down_is_named(address: str) -> None:
    with pytest.raises(ScannerUnavailable, match="cannot be reached"):
        ClamAV(address, timeout=1).scan(io.BytesIO(b"x"))
