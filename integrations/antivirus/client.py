"""ClamAV over its socket (INSTREAM). Used only when an address is configured."""

from __future__ import annotations

import socket
import struct
from typing import BinaryIO

from integrations.antivirus.types import ScannerUnavailable, Verdict

_CHUNK = 256 * 1024


class ClamAV:
    """A clamd reached at `address`: "/path/to.sock", "unix:/path/to.sock" or "host:port"."""

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
        try:
            with self._connect() as connection:
                connection.sendall(command)
                if stream is not None:
                    self._send(connection, stream)
                return self._receive(connection)
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
    def _send(connection: socket.socket, stream: BinaryIO) -> None:
        try:
            while chunk := stream.read(_CHUNK):
                connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
        except (BrokenPipeError, ConnectionResetError):
            # The scanner answers before the end when its size limit is reached; that answer is read next.
            return

    @staticmethod
    def _receive(connection: socket.socket) -> str:
        answer = b""
        while not answer.endswith(b"\0"):
            received = connection.recv(4096)
            if not received:
                break
            answer += received
        return answer.rstrip(b"\0").decode("utf-8", "replace").strip()
