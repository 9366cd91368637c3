"""`keys import`: from a real HTTPS server to a user's file, with a look in between."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from conch_insults.errors import ClientError, PublicKeyError
from tests.desk import Desk
from tests.https_server import HttpsServer, page
from tests.sample_keys import private_key_text, public_key
from tests.software_authenticator import SecurityKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

HOME = public_key(1)
WORK = public_key(2)
OLD = public_key(3)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsServer]:
    with HttpsServer(tmp_path_factory.mktemp("https")) as server:
        yield server


@pytest.fixture
def server(shared_server: HttpsServer, monkeypatch: pytest.MonkeyPatch) -> HttpsServer:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(shared_server.certificate))
    shared_server.pages.clear()
    shared_server.requests.clear()
    return shared_server


@pytest.fixture
def desk(tmp_path: Path, server: HttpsServer) -> Desk:
    return Desk(tmp_path / "keys")


class Page:
    """A page with somebody's keys, at `url`, and the command that imports it for alice."""

    def __init__(self, desk: Desk, server: HttpsServer, *lines: str) -> None:
        self.desk = desk
        self.url = server.url("/alice.keys")
        server.pages["/alice.keys"] = page("".join(f"{line}\n" for line in lines).encode())

    def imported(self, *arguments: str, typed: str = "y\n") -> Result:
        return self.desk.run("keys", "import", "alice", self.url, *arguments, typed=typed)

    def error(self) -> Exception:
        return self.desk.error("keys", "import", "alice", self.url, typed="y\n")


class TestLookedAt:
    def test_what_is_new_what_is_there_and_what_is_refused(
        self, desk: Desk, server: HttpsServer
    ) -> None:
        desk.let_in("alice", "# at first", f"no-pty {OLD.line}")
        published = Page(desk, server, HOME.line, "ssh-dss AAAA", OLD.line, WORK.line)
        result = published.imported(typed="n\n")
        assert result.stdout.splitlines()[:5] == [
            f"from {published.url}:",
            f"new: ssh-ed25519 {HOME.fingerprint}",
            f"new: ssh-ed25519 {WORK.fingerprint}",
            f"there already, on line 2: ssh-ed25519 {OLD.fingerprint}",
            (
                "cannot be added: line 2: DSA keys (ssh-dss) are too weak: make one with"
                " `ssh-keygen -t ed25519`"
            ),
        ]
        assert "add 2 for alice? [y/N]" in result.stdout

    @pytest.mark.parametrize("typed", ["n\n", "\n"])
    def test_who_does_not_say_yes_adds_nothing(
        self, desk: Desk, server: HttpsServer, typed: str
    ) -> None:
        result = Page(desk, server, HOME.line).imported(typed=typed)
        assert result.exit_code == 1
        assert result.stderr.endswith("nothing was added\n")
        assert not desk.file("alice").exists()

    def test_nobody_to_ask_is_no(self, desk: Desk, server: HttpsServer) -> None:
        assert Page(desk, server, HOME.line).imported(typed="").exit_code == 1
        assert not desk.file("alice").exists()


class TestAdded:
    def test_with_the_source_and_the_date(self, desk: Desk, server: HttpsServer) -> None:
        desk.let_in("alice", OLD.line)
        named = public_key(4, "alice@home")
        published = Page(desk, server, HOME.line, OLD.line, named.line)
        result = published.imported()
        assert (result.exit_code, result.stderr) == (0, "")
        mark = f"{published.url} {datetime.now(UTC):%Y-%m-%d}"
        path, named_line = desk.file("alice"), " ".join(named.line.split()[:2])
        assert path.read_text() == (
            f"{OLD.line}\n{HOME.line} {mark}\n{named_line} {mark} alice@home\n"
        )
        assert result.stdout.splitlines()[-4:] == [
            f"added for alice: ssh-ed25519 {HOME.fingerprint} {mark}",
            f"{path}:2: {HOME.line} {mark}",
            f"added for alice: ssh-ed25519 {named.fingerprint} {mark} alice@home",
            f"{path}:3: {named_line} {mark} alice@home",
        ]

    def test_without_asking(self, desk: Desk, server: HttpsServer) -> None:
        result = Page(desk, server, HOME.line).imported("--yes", typed="")
        assert result.exit_code == 0
        assert "[y/N]" not in result.stdout
        assert desk.file("alice").read_text().startswith(HOME.line)

    def test_on_terms(self, desk: Desk, server: HttpsServer) -> None:
        terms = ("--option", "restrict", "--from", "192.0.2.0/24", "--expires", "20991231Z")
        result = Page(desk, server, HOME.line).imported("--yes", *terms)
        options = 'restrict,from="192.0.2.0/24",expiry-time="20991231000000Z"'
        assert f"with the options: {options}" in result.stdout
        assert desk.file("alice").read_text().startswith(f"{options} {HOME.line}")

    def test_a_key_that_is_published_twice_is_added_once(
        self, desk: Desk, server: HttpsServer
    ) -> None:
        assert Page(desk, server, HOME.line, HOME.line).imported().exit_code == 0
        assert len(desk.file("alice").read_text().splitlines()) == 1

    def test_nothing_new_is_nothing_to_do(self, desk: Desk, server: HttpsServer) -> None:
        path = desk.let_in("alice", HOME.line)
        before = path.stat().st_mtime_ns
        result = Page(desk, server, HOME.line).imported(typed="")
        assert result.exit_code == 0
        assert result.stdout.endswith("nothing to add: alice has them already\n")
        assert path.stat().st_mtime_ns == before


class TestRefused:
    """Nothing on the page can say more than whose keys they are."""

    @pytest.mark.parametrize(
        "options", ['role@conch-insults="operator"', "cert-authority", "restrict"]
    )
    def test_a_line_with_options(self, desk: Desk, server: HttpsServer, options: str) -> None:
        published = Page(desk, server, HOME.line, f"{options} {WORK.line}")
        result = published.imported()
        assert "cannot be added: line 2: has options, which are yours to give" in result.stdout
        assert WORK.line not in desk.file("alice").read_text()

    def test_a_revoked_key(self, desk: Desk, server: HttpsServer) -> None:
        desk.write(desk.revoked, WORK.line)
        result = Page(desk, server, HOME.line, WORK.line).imported()
        assert "cannot be added: line 2: revoked: key listed on line 1" in result.stdout
        assert WORK.line not in desk.file("alice").read_text()

    def test_a_security_key_that_must_be_attested(self, desk: Desk, server: HttpsServer) -> None:
        desk.rule(require_attestation=True)
        error = Page(desk, server, SecurityKey.ed25519().line).error()
        assert "has no key that can be added" in str(error)

    @pytest.mark.parametrize(
        "lines", [(), ("<html>", "<p>Not found"), (private_key_text(1).decode(),)]
    )
    def test_a_page_without_a_key(
        self, desk: Desk, server: HttpsServer, lines: tuple[str, ...]
    ) -> None:
        published = Page(desk, server, *lines)
        error = published.error()
        assert isinstance(error, PublicKeyError)
        assert str(error) == f"{published.url}: has no key that can be added"
        assert not desk.file("alice").exists()

    def test_a_long_page_without_a_key(self, desk: Desk, server: HttpsServer) -> None:
        result = Page(desk, server, *["<p>"] * 1000).imported()
        assert len(result.stdout.splitlines()) == 22
        assert result.stdout.endswith("cannot be added: 980 more lines\n")

    def test_what_a_stranger_publishes_does_not_reach_the_terminal(
        self, desk: Desk, server: HttpsServer
    ) -> None:
        hostile = public_key(5, "\x1b[2J\u202eyou")
        result = Page(desk, server, hostile.line, "\x1b[2Jrubbish").imported()
        assert result.exit_code == 0
        for text in (result.stdout, result.stderr, desk.file("alice").read_text()):
            assert "\x1b" not in text
            assert "\u202e" not in text


class TestBeforeAnythingIsFetched:
    @pytest.mark.parametrize("source", ["alice", "gh:a/b", "http://example.org/", "file:///etc"])
    def test_a_source_that_is_none_is_bad_usage(self, desk: Desk, source: str) -> None:
        assert "Invalid value for SOURCE" in desk.misused("keys", "import", "alice", source)

    def test_options_that_are_none_are_bad_usage(self, desk: Desk, server: HttpsServer) -> None:
        source = server.url("/alice.keys")
        said = desk.misused("keys", "import", "alice", source, "--option", "nonsense")
        assert "option 'nonsense' is not understood" in said
        assert server.requests == []

    def test_a_page_that_is_not_there(self, desk: Desk, server: HttpsServer) -> None:
        error = desk.error("keys", "import", "alice", server.url("/nobody.keys"))
        assert isinstance(error, ClientError)
        assert "answers 404" in str(error)
