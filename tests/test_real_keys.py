"""Who a real server lets in: OpenSSH clients with keys of every kind, and without."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.real_server import DEADLINE, PipedSsh, needs_openssh

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real_server import RealServer, Site

pytestmark = needs_openssh

TESTING = b"You test in production, on behalf of everyone.\n"
REFUSED = 255


def said(client: subprocess.CompletedProcess[bytes]) -> tuple[bytes, int]:
    return client.stdout, client.returncode


def fingerprint(public: Path) -> str:
    listing = subprocess.run(
        ["ssh-keygen", "-l", "-f", public], check=True, capture_output=True, timeout=DEADLINE
    )
    return listing.stdout.decode().split()[1]


class TestAKeyThatIsAuthorized:
    @pytest.mark.parametrize(
        "options",
        [
            ("-t", "rsa", "-b", "3072"),
            ("-t", "ecdsa", "-b", "256"),
            ("-t", "ecdsa", "-b", "384"),
            ("-t", "ecdsa", "-b", "521"),
        ],
        ids=["rsa-3072", "ecdsa-256", "ecdsa-384", "ecdsa-521"],
    )
    def test_lets_its_holder_in(self, server: RealServer, options: tuple[str, ...]) -> None:
        name = "id_" + "_".join(options)
        key = server.site.let_in("alice", name, *options)
        assert said(server.ssh("testing", key=name)) == (TESTING, 0)
        assert fingerprint(key.with_name(f"{name}.pub")) in server.logged("login: user=alice")

    def test_signs_with_either_hash_if_it_is_rsa(self, server: RealServer) -> None:
        server.site.let_in("alice", "id_hashes", "-t", "rsa", "-b", "2048")
        for algorithm in ("rsa-sha2-256", "rsa-sha2-512"):
            option = ("-o", f"PubkeyAcceptedAlgorithms={algorithm}")
            assert said(server.ssh(*option, "testing", key="id_hashes")) == (TESTING, 0)


class TestARefusal:
    """Exit status 255 for the client, one line in the log, nothing else."""

    def refused(self, server: RealServer, reason: str) -> None:
        line = server.logged("refused: ")
        assert f' reason="{reason}" attempts=1 ' in line
        assert server.count_logged("refused: ") == 1
        assert server.count_logged("login: ") == 0

    def test_of_a_wrong_key(self, server: RealServer) -> None:
        server.site.make_key("id_stranger", "-t", "ed25519")
        client = server.ssh("testing", key="id_stranger")
        assert said(client) == (b"", REFUSED)
        assert b"Permission denied (publickey)" in client.stderr
        self.refused(server, "key not authorized for this user")

    def test_of_an_unknown_user(self, server: RealServer) -> None:
        assert said(server.ssh("testing", user="mallory")) == (b"", REFUSED)
        self.refused(server, "unknown user")

    @pytest.mark.parametrize(
        ("user", "logged"),
        [
            ("../../id_alice.pub", "../../id_alice.pub"),
            ("Alice", "Alice"),
            (".", "."),
            ("\u202eecila", r'"\\xe2\\x80\\xaeecila"'),
        ],
    )
    def test_of_a_name_that_nobody_can_have(
        self, server: RealServer, user: str, logged: str
    ) -> None:
        assert said(server.ssh("testing", user=user)) == (b"", REFUSED)
        assert f"refused: user={logged} from=127.0.0.1 " in server.logged("refused: ")
        self.refused(server, "not a valid user name")

    def test_of_a_weak_key_that_a_file_holds(self, server: RealServer) -> None:
        key = server.site.make_key("id_weak", "-t", "rsa", "-b", "1024")
        file = server.site.keys_dir / "authorized_keys.d" / "weak"
        file.write_bytes(key.with_name("id_weak.pub").read_bytes())
        assert said(server.ssh("testing", user="weak", key="id_weak")) == (b"", REFUSED)
        assert f"{file}:1: " in server.logged("key skipped: ")
        reason = "key not authorized for this user, and 1 line of the file cannot be used"
        self.refused(server, reason)

    def test_of_a_signature_with_sha1(self, server: RealServer) -> None:
        server.site.let_in("alice", "id_sha1", "-t", "rsa", "-b", "2048")
        option = ("-o", "PubkeyAcceptedAlgorithms=ssh-rsa")
        assert said(server.ssh(*option, "testing", key="id_sha1")) == (b"", REFUSED)
        server.settle()
        assert server.count_logged("login: ") == 0

    def test_of_somebody_without_a_key(self, server: RealServer) -> None:
        for method in ("password", "keyboard-interactive", "none"):
            options = ("-o", "PubkeyAuthentication=no", "-o", f"PreferredAuthentications={method}")
            assert said(server.ssh(*options, "testing")) == (b"", REFUSED)
        assert server.count_logged("login: ") == 0


class TestAChangeWhileTheServerRuns:
    def test_counts_from_the_next_login_on(self, site: Site) -> None:
        key = site.make_key("id_bob", "-t", "ed25519")
        public = key.with_name("id_bob.pub")
        with site.start() as server:
            assert said(server.ssh("testing", user="bob", key="id_bob")) == (b"", REFUSED)
            added = site.run("conch-insults", "keys", "add", "bob", public)
            assert (added.returncode, added.stderr) == (0, "")
            assert said(server.ssh("testing", user="bob", key="id_bob")) == (TESTING, 0)
            removed = site.run("conch-insults", "keys", "remove", "bob", fingerprint(public))
            assert (removed.returncode, removed.stderr) == (0, "")
            assert said(server.ssh("testing", user="bob", key="id_bob")) == (b"", REFUSED)
            assert said(server.ssh("testing")) == (TESTING, 0)
            assert server.count_logged("login: user=bob") == 1

    def test_does_not_end_a_session_that_is_open(self, site: Site) -> None:
        with site.start() as server, PipedSsh(server, "-T") as alice:
            alice.says("testing")
            assert alice.hears() == TESTING.decode().strip()
            (site.keys_dir / "authorized_keys.d" / "alice").unlink()
            assert said(server.ssh("testing")) == (b"", REFUSED)
            assert "unknown user" in server.logged("refused: user=alice")
            alice.says("testing")
            assert alice.hears() == TESTING.decode().strip()
            assert alice.leaves() == ("", 0, "")


class TestALineThatCannotBeUsed:
    @pytest.mark.parametrize(
        "line",
        [
            "ssh-ed25519 AAAAbroken",
            "no key at all",
            'environment="A=b" {key}',
            "ssh-dss AAAAB3NzaC1kc3M=",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
        ],
    )
    def test_is_logged_and_leaves_the_others_alone(self, server: RealServer, line: str) -> None:
        public = server.site.folder / "id_alice.pub"
        key = public.read_text(encoding="utf-8")
        file = server.site.keys_dir / "authorized_keys.d" / "carol"
        file.write_text(f"# one\n{line.format(key=key.strip())}\n{key}", encoding="utf-8")
        assert said(server.ssh("testing", user="carol")) == (TESTING, 0)
        assert server.logged("key skipped: ").partition("key skipped: ")[2].startswith(f"{file}:2:")
        assert server.count_logged("key skipped: ") == 1
