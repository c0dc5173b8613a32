"""A small clamd on a loopback socket: same protocol, one known virus (the EICAR test file)."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Split so that this source file is not itself taken for the test virus.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()
STREAM_LIMIT = 25 * 1024 * 1024


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            received = self.rfile.read(1)
            if not received:
                return
            command += received
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
        elif command == b"zINSTREAM\0":
            self.wfile.write(self._scan() + b"\0")
        else:
            self.wfile.write(b"UNKNOWN COMMAND\0")

    def _scan(self) -> bytes:
        content = b""
        while True:
            (length,) = struct.unpack("!I", self.rfile.read(4))
            if length == 0:
                break
            content += self.rfile.read(length)
            if len(content) > STREAM_LIMIT:
                return b"INSTREAM size limit exceeded. ERROR"
        return b"stream: Eicar-Test-Signature FOUND" if EICAR in content else b"stream: OK"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def running() -> Iterator[str]:
    """Serve on a free loopback port while the block runs; yields the address "host:port"."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
