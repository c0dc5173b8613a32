"""The HTTP side of the fake: one thread per connection, kept alive."""

import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from integrations.stripe.fake import control, page
from integrations.stripe.fake.api import Answer, Api
from integrations.stripe.fake.control import Control
from integrations.stripe.fake.delivery import Background
from integrations.stripe.fake.engine import Engine, Settings, to_json
from integrations.stripe.fake.store import Store

MAX_BODY = 1_000_000


class FakeServer(ThreadingHTTPServer):
    """The whole fake: listens once made, answers after `start()`."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str, port: int, settings: Settings, state: str = ":memory:") -> None:
        super().__init__((host, port), Handler)
        self.url = f"http://{host}:{self.server_address[1]}"
        if not settings.public_url:
            settings.public_url = self.url
        self.stopping = threading.Event()
        self.store = Store(state)
        self.engine = Engine(settings, self.store)
        self.api = Api(self.engine, self.stopping)
        self.background = Background(self.engine, self.stopping)
        self.control = Control(self.engine, self.api, self.background)
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="stripe-http", daemon=True
        )

    def start(self) -> None:
        self.background.start()
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.background.join()
        self.server_close()
        self.store.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error here; anything else is shown."""
        if not self.stopping.is_set() and not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Backlot-Stripe-Fake"
    # One write per answer: without this each header line is a packet and delayed acknowledgements cost 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: FakeServer

    def do_GET(self) -> None:
        self._serve("")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            self._send(Answer(413, to_json({"error": {"message": "The body is too large.", "type": "api_error"}})))
            return
        self._serve(self.rfile.read(int(length)).decode("utf-8", "replace"))

    def _serve(self, body: str) -> None:
        answer = self._answer(body)
        if answer.delay:
            self.server.stopping.wait(answer.delay)
        if answer.drop:
            self._drop(answer.drop)
        else:
            self._send(answer)

    def _answer(self, body: str) -> Answer:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if parts.path.startswith("/v1/"):
            return self.server.api.handle(self.command, parts.path, parts.query, body, headers)
        if parts.path.startswith(control.PREFIX):
            if not self.server.api.authorised(headers.get("authorization", "")):
                return Answer(401, to_json({"error": {"message": "The secret key is needed here."}}))
            return self.server.control.handle(self.command, parts.path, body)
        if parts.path.startswith(page.PREFIX):
            session_id = parts.path.removeprefix(page.PREFIX)
            if self.command == "POST":
                return page.submit(self.server.engine, session_id, body)
            return page.show(self.server.engine, session_id)
        if parts.path == "/healthz":
            return Answer(200, b"ok", content_type="text/plain")
        return Answer(404, to_json({"error": {"message": "Nothing here.", "type": "invalid_request_error"}}))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _drop(self, how: str) -> None:
        """Ends the connection without an answer; with a zero linger the other side sees a reset."""
        self.close_connection = True
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: calls can be read from `/_fake/calls`."""
