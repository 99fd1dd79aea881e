"""Serves the three functions and the page of the chat. It needs Python 3.9 or later, and no package."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from carillon import Carillon
from chat import Chat
from signature import is_signed

MAX_BODY_BYTES = 2**20


def required(name):
    value = os.environ.get(name)
    if not value:
        sys.exit(f"{name} is not set. README.md says what it is.")
    return value


url = os.environ.get("CARILLON_URL", "http://localhost:3000")
websocket_url = os.environ.get("CARILLON_WEBSOCKET_URL", url.replace("http", "ws", 1) + "/chat")
signing_secret = required("SIGNING_SECRET")
chat = Chat(Carillon(url, required("CARILLON_API_KEY"), required("PUSH_SECRET")))
functions = {"/register": chat.register, "/transport": chat.transport, "/cleanup": chat.cleanup}

public = Path(__file__).resolve().parent.parent / "public"
types = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
names = ["index.html", "chat.css", "chat.js", "connection.js", "log.js", "icon.svg"]
pages = {
    "/" if name == "index.html" else f"/{name}": (
        f"{types[Path(name).suffix]}; charset=utf-8",
        (public / name).read_bytes(),
    )
    for name in names
}
pages["/settings.json"] = ("application/json", json.dumps({"webSocketUrl": websocket_url}).encode())

scheme, host = urlsplit(websocket_url)[:2]
page_headers = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            f"connect-src 'self' {scheme}://{host}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Handler(BaseHTTPRequestHandler):
    # Keeps connections open between requests.
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self):
        page = pages.get(urlsplit(self.path).path)
        if page is None:
            self.answer(404, b"not found\n", {"Content-Type": "text/plain"})
        else:
            content_type, body = page
            self.answer(200, body, {**page_headers, "Content-Type": content_type})

    do_HEAD = do_GET

    def do_POST(self):
        status, answer = self.call()
        self.answer(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def call(self):
        function = functions.get(self.path)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            # Where the body ends is unknown, so no other request can follow it.
            self.close_connection = True
            return 411, {"errNo": 411}
        body = self.read(int(length))
        if function is None or body is None:
            status = 404 if function is None else 413
            return status, {"errNo": status}
        if not is_signed(self.headers, body, signing_secret):
            return 401, {"errNo": 401, "errMsg": "the signature is not from Carillon"}
        try:
            return 200, function(json.loads(body))
        except Exception as error:
            print(f"{self.path} failed: {error}", file=sys.stderr, flush=True)
            return 500, {"errNo": 500}

    def read(self, length):
        """Returns None if the body is too large. It is read all the same, so that the answer arrives."""
        if length <= MAX_BODY_BYTES:
            return self.rfile.read(length)
        while length > 0 and self.rfile.read(min(length, 65_536)):
            length -= 65_536
        return None

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # Carillon opens many connections at the same time.
    request_queue_size = 128

    def handle_error(self, request, client_address):
        # A caller may leave at any time.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


address = (os.environ.get("CHAT_HOST", "127.0.0.1"), int(os.environ.get("CHAT_PORT", "4000")))
with Server(address, Handler) as server:
    print(f"The chat is at http://localhost:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
