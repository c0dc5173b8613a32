"""ClamAV over its socket (INSTREAM). Used only when an address is configured."""

from __future__ import annotations

import socket
import struct
import time
from typing import BinaryIO

from integrations.antivirus.types import ScannerUnavailable, Verdict

_CHUNK = 256 * 1024


class ClamAV:
    """A clamd reached at `address`: "/path/to.sock", "unix:/path/to.sock" or "host:port".

    `timeout` seconds is what one scan may take from the first byte to the verdict.
    """

    def __init__(self, address: str, *, timeout: float = 60.0) -> None:
        self.address = address
        self.timeout = timeout

    def ping(self) -> bool:
        """Whether the scanner answers. Raises ScannerUnavailable when it cannot be reached."""
        return self._talk(b"zPING\0") == "PONG"

    def scan(self, stream: BinaryIO) -> Verdict:
        """Send `stream` to the scanner; its verdict. Raises ScannerUnavailable on any other answer."""
        answer = self._talk(b"zINSTREAM\0", stream)
        outcome = answer.removeprefix("stream: ")
        if outcome == "OK":
            return Verdict()
        if outcome.endswith(" FOUND"):
            return Verdict(signature=outcome.removesuffix(" FOUND"))
        raise ScannerUnavailable(f"The virus scanner answered: {answer or 'nothing'}")

    def _talk(self, command: bytes, stream: BinaryIO | None = None) -> str:
        end = time.monotonic() + self.timeout
        try:
            with self._connect() as connection:
                connection.sendall(command)
                if stream is not None:
                    self._send(connection, stream, end)
                return self._receive(connection, end)
        except OSError as error:
            raise ScannerUnavailable(f"The virus scanner at {self.address} cannot be reached: {error}") from error

    def _connect(self) -> socket.socket:
        path = self.address.removeprefix("unix:")
        if path.startswith("/"):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(self.timeout)
            try:
                connection.connect(path)
            except OSError:
                connection.close()
                raise
            return connection
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=self.timeout)

    @staticmethod
    def _send(connection: socket.socket, stream: BinaryIO, end: float) -> None:
        try:
            while chunk := stream.read(_CHUNK):
                _leave(connection, end)
                connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
        except (BrokenPipeError, ConnectionResetError):
            # The scanner answers before the end when its size limit is reached; that answer is read next.
            return

    @staticmethod
    def _receive(connection: socket.socket, end: float) -> str:
        answer = b""
        while not answer.endswith(b"\0"):
            _leave(connection, end)
            received = connection.recv(4096)
            if not received:
                break
            answer += received
        return answer.rstrip(b"\0").decode("utf-8", "replace").strip()


def _leave(connection: socket.socket, end: float) -> None:
    """Lets the next step take what is left of the time. Raises TimeoutError when nothing is."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    connection.settimeout(left)
