"""What clients of others and a real server agree on: key exchange, host keys, and what fails."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from conch_insults.ssh.host_keys import host_key_path
from tests.observed_server import INPUT, OUTPUT, REKEY_OFTEN, DoorPlan, ObservedServer, long_pack
from tests.other_clients import CONCH, AsyncSsh, Dbclient, OpenSsh, Plink, Wishes
from tests.real_server import DEADLINE, Site, needs_openssh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real_server import Word

MODERN, STRICT = DoorPlan(), DoorPlan(profile="strict")
RESTLESS = DoorPlan(rekey_bytes=REKEY_OFTEN)

OPENSSH, ASYNCSSH = OpenSsh("OpenSSH"), AsyncSsh("asyncssh")
DBCLIENT = Dbclient("Dropbear", needs=("dbclient", "dropbearconvert"))
PLINK = Plink("PuTTY", needs=("plink", "puttygen"))

pytestmark = needs_openssh


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedServer]:
    site = Site(tmp_path_factory.mktemp("choices"))
    (site.folder / "long.txt").write_text(long_pack(), encoding="utf-8")
    site.configure('[insults]\nrating = "r"\npacks = ["long.txt"]\n')
    site.let_in("alice", "id_alice", "-t", "ed25519")
    make_rsa_host_key(site, 3072)
    with ObservedServer(site, MODERN, STRICT, RESTLESS) as server:
        yield server


class TestKeyExchange:
    def test_is_strict_with_openssh(self, server: ObservedServer) -> None:
        client = OPENSSH.finished(server.door(MODERN), Wishes(command="topic-5"))
        assert client.returncode == 0
        log = client.stderr.decode()
        # It does so under strict key exchange only, and only when both sides mean it.
        assert "resetting send seqnr" in log
        assert "resetting read seqnr" in log
        assert server.agreed().strict

    def test_is_told_what_users_may_sign_with(self, server: ObservedServer) -> None:
        client = OPENSSH.finished(server.door(MODERN), Wishes(command="topic-5"))
        said = client.stderr.decode().partition("server-sig-algs=<")[2].partition(">")[0]
        assert set(said.split(",")) == {
            "ssh-ed25519",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
            "sk-ssh-ed25519@openssh.com",
            "sk-ecdsa-sha2-nistp256@openssh.com",
            "rsa-sha2-256",
            "rsa-sha2-512",
        }

    @pytest.mark.parametrize("plan", [MODERN, STRICT], ids=["modern", "strict"])
    def test_is_post_quantum_where_the_client_is(
        self, server: ObservedServer, plan: DoorPlan
    ) -> None:
        assert ASYNCSSH.run(server.door(plan), Wishes(command="topic-5"))[1] == 0
        agreed = server.agreed()
        assert (agreed.kex, agreed.strict) == ("mlkem768x25519-sha256", True)

    def test_falls_back_on_curve25519_in_the_modern_profile(self, server: ObservedServer) -> None:
        door = server.door(MODERN)
        assert door.ssh("-o", "KexAlgorithms=curve25519-sha256", "topic-5").returncode == 0
        assert server.agreed().kex == "curve25519-sha256"

    def test_does_not_fall_back_in_the_strict_profile(self, server: ObservedServer) -> None:
        client = server.door(STRICT).ssh("-o", "KexAlgorithms=curve25519-sha256", "topic-5")
        assert (client.stdout, client.returncode) == (b"", 255)
        assert b"no matching key exchange method found" in client.stderr


class TestWhenBothBeginAtOnce:
    """A client's offer and the server's pass each other on the way, again and again.

    That is so where the client says that it began, and the server that it did not hear of that
    before it began, too.
    """

    def test_openssh_loses_nothing(self, server: ObservedServer) -> None:
        client = OPENSSH.finished(
            server.door(RESTLESS),
            Wishes("chacha20-poly1305@openssh.com", rekey_bytes=REKEY_OFTEN // 2, input=INPUT),
        )
        assert (client.stdout == OUTPUT, client.returncode) == (True, 0)
        agreed = server.agreed()
        assert agreed.exchanges > 50
        log = client.stderr.decode().splitlines()
        offers = [line.split()[-1] for line in log if "KEXINIT" in line]
        begun = offers[::2].count("sent")
        # The first exchange of all is begun by both.
        assert begun - 1 > agreed.asked_by_client

    @pytest.mark.skipif(bool(PLINK.missing), reason=f"needs {PLINK.missing}")
    def test_putty_loses_nothing(self, server: ObservedServer) -> None:
        client = PLINK.finished(
            server.door(RESTLESS), Wishes(rekey_bytes=REKEY_OFTEN // 2, input=INPUT)
        )
        assert (client.stdout == OUTPUT, client.returncode) == (True, 0)
        agreed = server.agreed()
        assert agreed.exchanges > 50
        assert client.stderr.count(b"Initiating key re-exchange") > agreed.asked_by_client


class TestHostKeys:
    @pytest.mark.parametrize("algorithm", ["rsa-sha2-512", "rsa-sha2-256"])
    def test_of_rsa_are_offered_from_3072_bits(
        self, server: ObservedServer, algorithm: str
    ) -> None:
        door = server.door(MODERN)
        trust_rsa(server.site, door.ssh_port)
        client = door.ssh("-o", f"HostKeyAlgorithms={algorithm}", "topic-5")
        assert client.returncode == 0, client.stderr
        assert server.agreed().host_key == algorithm

    def test_of_ed25519_come_first(self, server: ObservedServer) -> None:
        both = "HostKeyAlgorithms=ssh-ed25519,rsa-sha2-512"
        assert server.door(MODERN).ssh("-o", both, "topic-5").returncode == 0
        assert server.agreed().host_key == "ssh-ed25519"

    def test_never_sign_with_sha1(self, server: ObservedServer) -> None:
        client = server.door(MODERN).ssh("-o", "HostKeyAlgorithms=ssh-rsa", "topic-5")
        assert client.returncode == 255
        assert b"no matching host key type found" in client.stderr

    def test_of_rsa_are_not_offered_below(self, site: Site) -> None:
        make_rsa_host_key(site, 2048)
        with site.start() as server:
            client = server.ssh("-o", "HostKeyAlgorithms=rsa-sha2-512,rsa-sha2-256", "testing")
            assert client.returncode == 255
            assert client.stderr.decode().rstrip().endswith("Their offer: ssh-ed25519")
            assert server.ssh("testing").returncode == 0


class TestClientsWithNothingInCommon:
    @pytest.mark.skipif(bool(DBCLIENT.missing), reason=f"needs {DBCLIENT.missing}")
    def test_dropbear_without_chacha_says_so(self, server: ObservedServer) -> None:
        client = DBCLIENT.finished(server.door(MODERN), Wishes("aes256-ctr", command="topic-5"))
        assert client.returncode == 1
        assert b"No matching algo mac" in client.stderr

    def test_conchs_own_client_says_so(self, server: ObservedServer) -> None:
        """It has neither an AEAD cipher nor a MAC over what is encrypted."""
        client = CONCH.finished(server.door(MODERN), Wishes(command="topic-5"))
        assert (client.stdout, client.returncode) == (b"", 1)
        assert b"couldn't match all kex parts" in client.stderr


def make_rsa_host_key(site: Site, bits: int) -> None:
    path = host_key_path(site.keys_dir, "ssh-rsa")
    command: list[Word] = ["ssh-keygen", "-q", "-N", "", "-t", "rsa", "-b", str(bits), "-f", path]
    subprocess.run(command, check=True, capture_output=True, timeout=DEADLINE)


def trust_rsa(site: Site, port: int) -> None:
    public = host_key_path(site.keys_dir, "ssh-rsa").with_suffix(".pub")
    known_hosts = site.folder / f"known_hosts_{port}"
    line = f"[127.0.0.1]:{port} {public.read_text(encoding='utf-8')}"
    with known_hosts.open("a", encoding="utf-8") as file:
        file.write(line)
