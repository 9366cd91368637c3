"""Fetching what people publish: from a real server, over TLS, within bounds."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from conch_insults.cli.published_keys import MAXIMUM_BYTES, fetch, published_keys
from conch_insults.errors import ClientError
from tests.https_server import HttpsServer, page, redirect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = b"ssh-ed25519 AAAA alice\n"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsServer]:
    with HttpsServer(tmp_path_factory.mktemp("https")) as server:
        yield server


@pytest.fixture
def server(shared_server: HttpsServer, monkeypatch: pytest.MonkeyPatch) -> HttpsServer:
    """A server that this test's process trusts, with nothing on it."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(shared_server.certificate))
    shared_server.pages.clear()
    shared_server.requests.clear()
    return shared_server


def refusal(url: str, **limits: float) -> str:
    with pytest.raises(ClientError) as refused:
        fetch(url, **limits)
    assert "\n" not in str(refused.value)
    return str(refused.value)


class TestWhere:
    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("gh:alice", "https://github.com/alice.keys"),
            ("gh:Alice-B", "https://github.com/Alice-B.keys"),
            ("gh:alice_corp", "https://github.com/alice_corp.keys"),
            ("gl:alice.b_c-d", "https://gitlab.com/alice.b_c-d.keys"),
            ("https://example.org/~alice/keys?raw=1", "https://example.org/~alice/keys?raw=1"),
            ("https://[::1]:8443/keys", "https://[::1]:8443/keys"),
        ],
    )
    def test_is_understood(self, text: str, url: str) -> None:
        published = published_keys(text)
        assert (published.name, published.url) == (text, url)

    @pytest.mark.parametrize(
        "text",
        [
            *("", "alice", "gh:", "gl:", "gh:-alice", "gh:../alice", "gh:a/b", "gl:a/b", "gh:a?b"),
            *("gh:alice#", "gh:a%2e", "gh:älice", "gl:.keys", "gh:" + "a" * 40, "gl:" + "a" * 256),
            *("http://example.org/", "ftp://example.org/", "file:///etc/passwd", "https:///keys"),
            *("https://alice:secret@example.org/", "https://alice@example.org/", "https://a:b/"),
            *("https://example.org/a b", "https://example.org/\n", "https://exämple.org/"),
            *("https://[::1/", "https://example.org/" + "a" * 500, "HTTPS:example.org"),
        ],
    )
    def test_is_not(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"gh:NAME, gl:NAME or https|is no name that") as error:
            published_keys(text)
        assert str(error.value).isprintable()


class TestFetch:
    def test_a_page(self, server: HttpsServer) -> None:
        server.pages["/alice.keys"] = page(KEYS)
        assert fetch(server.url("/alice.keys")) == KEYS

    def test_says_nothing_about_who_asks(
        self, server: HttpsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        netrc = tmp_path / ".netrc"
        netrc.write_text("machine 127.0.0.1 login alice password secret\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        server.pages["/alice.keys"] = page(KEYS, Set_Cookie="who=alice")
        fetch(server.url("/alice.keys"))
        fetch(server.url("/alice.keys"))
        for _, headers in server.requests:
            assert set(headers) <= {"Host", "User-Agent", "Connection", "Accept-Encoding"}
            assert headers["User-Agent"] == "conch-insults"

    def test_a_redirect_over_https(self, server: HttpsServer) -> None:
        server.pages["/alice"] = redirect("/alice.keys")
        server.pages["/alice.keys"] = page(KEYS)
        assert fetch(server.url("/alice")) == KEYS

    def test_as_much_as_is_allowed(self, server: HttpsServer) -> None:
        server.pages["/long"] = page(b"#" * MAXIMUM_BYTES)
        assert len(fetch(server.url("/long"))) == MAXIMUM_BYTES


class TestRefusals:
    def test_a_server_that_nobody_vouches_for(
        self, server: HttpsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        server.pages["/alice.keys"] = page(KEYS)
        assert "CERTIFICATE_VERIFY_FAILED" in refusal(server.url("/alice.keys"))
        assert server.requests == []

    def test_a_server_with_a_certificate_of_another_name(self, server: HttpsServer) -> None:
        url = server.url("/alice.keys").replace("127.0.0.1", "localhost")
        assert "CERTIFICATE_VERIFY_FAILED" in refusal(url)

    def test_a_page_that_is_not_there(self, server: HttpsServer) -> None:
        url = server.url("/nobody.keys")
        assert refusal(url) == f"{url}: answers 404: is the name right?"

    @pytest.mark.parametrize(
        ("elsewhere", "reason"),
        [
            ("http://127.0.0.1/", "leads elsewhere: 'http://127.0.0.1/' is no https URL"),
            ("ftp://127.0.0.1/", "leads elsewhere: 'ftp://127.0.0.1/' is no https URL"),
            ("https://a:b@127.0.0.1/", "leads elsewhere: 'https://a:b@127.0.0.1/' has a name or"),
            ("file:///etc/passwd", "answers 302"),
        ],
    )
    def test_a_redirect_to_anything_but_https(
        self, server: HttpsServer, elsewhere: str, reason: str
    ) -> None:
        server.pages["/alice"] = redirect(elsewhere)
        url = server.url("/alice")
        assert refusal(url).startswith(f"{url}: {reason}")

    def test_a_redirect_too_many(self, server: HttpsServer) -> None:
        for step in range(5):
            server.pages[f"/{step}"] = redirect(f"/{step + 1}")
        server.pages["/3"] = page(KEYS)
        assert fetch(server.url("/0")) == KEYS
        server.pages["/3"] = redirect("/4")
        server.pages["/4"] = page(KEYS)
        assert "answers 302" in refusal(server.url("/0"))

    def test_a_circle(self, server: HttpsServer) -> None:
        server.pages["/round"] = redirect("/round")
        assert "answers 302" in refusal(server.url("/round"))

    def test_a_byte_too_many(self, server: HttpsServer) -> None:
        server.pages["/long"] = page(b"#" * (MAXIMUM_BYTES + 1))
        assert "more than 262144 bytes" in refusal(server.url("/long"))

    def test_an_answer_that_is_cut_short(self, server: HttpsServer) -> None:
        server.pages["/short"] = page(KEYS, Content_Length="1000")
        assert "was cut short" in refusal(server.url("/short"))

    def test_a_server_that_always_sends_a_little_more(self, server: HttpsServer) -> None:
        server.pages["/slow"] = server.drip
        url = server.url("/slow")
        assert refusal(url, time_limit=0.3) == f"{url}: no answer within 0.3 seconds"

    def test_a_server_that_never_says_anything(self, server: HttpsServer) -> None:
        server.pages["/silent"] = server.say_nothing
        assert refusal(server.url("/silent"), time_limit=0.2)

    def test_what_is_not_http(self, server: HttpsServer) -> None:
        server.pages["/odd"] = server.talk_nonsense
        assert "cannot be fetched" in refusal(server.url("/odd"))

    @pytest.mark.usefixtures("server")
    def test_nobody_listening(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"https://127.0.0.1:{unused.getsockname()[1]}/"
            assert refusal(url) == f"{url}: cannot be fetched: [Errno 111] Connection refused"

    @pytest.mark.usefixtures("server")
    def test_a_host_name_that_none_can_be(self) -> None:
        assert "cannot be fetched" in refusal(f"https://{'a' * 64}.invalid/")
