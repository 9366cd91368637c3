"""An HTTPS server on loopback whose certificate only those trust who are told to.

with HttpsServer(folder) as server:
    server.pages["/alice.keys"] = page(b"ssh-ed25519 …")
    server.url("/alice.keys")
    server.certificate                  # a PEM file, for SSL_CERT_FILE
"""

from __future__ import annotations

import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    Page: TypeAlias = "Callable[[BaseHTTPRequestHandler], None]"

__all__ = ["HttpsServer", "page", "redirect"]


def page(content: bytes, status: int = 200, **headers: str) -> Page:
    """Return a page with this content; headers are named with `_` for `-`."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in ({"Content_Length": str(len(content))} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content)

    return answer


def redirect(url: str) -> Page:
    """Return a page that leads elsewhere."""
    return page(b"", status=302, Location=url)


class HttpsServer:
    """Serves `pages` by their path, and notes the headers of each request in `requests`."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "localhost.pem"
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stopping = threading.Event()
        private = folder / "localhost.key"
        _make_certificate(self.certificate, private)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, private)
        # The handshake is for the thread of the connection: a client may break it off.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self._server.server_port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def drip(self, request: BaseHTTPRequestHandler) -> None:
        """Be a page that takes for ever, ten seconds here, and always sends a little more."""
        request.send_response(200)
        request.end_headers()
        for _ in range(500):
            if self.stopping.wait(0.02):
                break
            request.wfile.write(b"#")

    def say_nothing(self, request: BaseHTTPRequestHandler) -> None:
        """Be a page that is never answered with."""
        self.stopping.wait()

    def talk_nonsense(self, request: BaseHTTPRequestHandler) -> None:
        """Be a page of a server that knows no HTTP."""
        request.wfile.write(b"\x1b[2J\r\n\r\n")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append((self.path, dict(self.headers)))
                outer.pages.get(self.path, page(b"", status=404))(self)

            @override
            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    # So that closing it waits for its threads.
    daemon_threads = False

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def _make_certificate(path: Path, private: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A server for tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
