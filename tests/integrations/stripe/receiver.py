"""A webhook endpoint that remembers what it was sent."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Answers with the next of `answers`, then 200; `got` holds (body, signature header)."""

    def __init__(self, answers: list[int]) -> None:
        self.answers = answers
        self.got: list[tuple[bytes, str]] = []
        self.url = ""
        self._changed = threading.Condition()

    def take(self, body: bytes, header: str) -> int:
        with self._changed:
            self.got.append((body, header))
            self._changed.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def wait(self, count: int, timeout: float = 60) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.got) >= count, timeout)


@contextmanager
def receiving(*answers: int) -> Iterator[Receiver]:
    receiver = Receiver(list(answers))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver.take))
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hooks?from=stripe"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(take: Callable[[bytes, str], int]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(take(body, self.headers.get("Stripe-Signature", "")))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    return Handler
