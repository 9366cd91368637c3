"""Host certificates: clients that know an authority, and those that never heard of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncssh
import pytest

from conch_insults.ssh.host_keys import host_certificate_path, host_key_path
from tests.certificate_authority import KEY_OPTIONS, Authority, ssh_keygen
from tests.observed_server import INPUT, OUTPUT, REKEY_OFTEN, DoorPlan, ObservedServer, long_pack
from tests.other_clients import CLIENTS, Client, OpenSsh, Wishes, installed
from tests.real_server import DEADLINE, Site, needs_openssh

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real_server import Doors

pytestmark = needs_openssh

MODERN = DoorPlan()
RESTLESS = DoorPlan(rekey_bytes=REKEY_OFTEN)
OPENSSH = OpenSsh("OpenSSH")
ED25519 = "ssh-ed25519-cert-v01@openssh.com"
ALGORITHMS = (
    ED25519,
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
)
HOST = ("-h", "-I", "test host", "-n", "127.0.0.1,localhost")


def site_with(folder: Path) -> tuple[Site, Authority]:
    site = Site(folder)
    (folder / "long.txt").write_text(long_pack(), encoding="utf-8")
    site.configure('[insults]\nrating = "r"\npacks = ["long.txt"]\n')
    site.let_in("alice", "id_alice", "-t", "ed25519")
    return site, Authority(folder, "ca", *KEY_OPTIONS["ssh-ed25519"])


def public_half(site: Site, key_type: str = "ssh-ed25519") -> Path:
    private = host_key_path(site.keys_dir, key_type)
    return private.with_name(f"{private.name}.pub")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certified")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ObservedServer]:
    site, authority = site_with(folder)
    rsa = host_key_path(site.keys_dir, "ssh-rsa")
    ssh_keygen("-q", "-N", "", "-t", "rsa", "-b", "3072", "-f", str(rsa))
    for key_type in ("ssh-ed25519", "ssh-rsa"):
        made = authority.certify(public_half(site, key_type), *HOST)
        assert made == host_certificate_path(site.keys_dir, key_type)
    with ObservedServer(site, MODERN, RESTLESS) as server:
        yield server


def knows(doors: Doors, line: str) -> None:
    """Let the client know this line of known_hosts and no other."""
    (doors.site.folder / f"known_hosts_{doors.ssh_port}").write_text(line, encoding="utf-8")


def knows_authority(doors: Doors, hosts: str = "*") -> None:
    authority = (doors.site.folder / "ca.pub").read_text(encoding="utf-8")
    knows(doors, f"@cert-authority {hosts} {authority}")


def knows_key(doors: Doors) -> None:
    knows(doors, f"* {public_half(doors.site).read_text(encoding='utf-8')}")


def answered(client: subprocess.CompletedProcess[bytes]) -> bool:
    assert client.returncode in {0, 255}, client.stderr
    return client.returncode == 0


class TestAClientThatKnowsTheAuthority:
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_believes_the_host_key(self, server: ObservedServer, algorithm: str) -> None:
        door = server.door(MODERN)
        knows_authority(door)
        assert answered(door.ssh("-o", f"HostKeyAlgorithms={algorithm}", "topic-5"))
        assert server.agreed().host_key == algorithm

    def test_needs_no_wish_for_certificates(self, server: ObservedServer) -> None:
        door = server.door(MODERN)
        knows_authority(door, "127.0.0.*")
        assert answered(door.ssh("topic-5"))
        assert server.agreed().host_key == ED25519

    def test_believes_it_again_when_keys_change(self, server: ObservedServer) -> None:
        door = server.door(RESTLESS)
        knows_authority(door)
        client = OPENSSH.finished(door, Wishes(rekey_bytes=REKEY_OFTEN // 2, input=INPUT))
        assert (client.stdout == OUTPUT, client.returncode) == (True, 0)
        agreed = server.agreed()
        assert agreed.host_key == ED25519
        assert agreed.exchanges > 20
        log = client.stderr.decode()
        assert log.count(f"Server host certificate: {ED25519}") == agreed.exchanges

    def test_does_not_believe_it_of_another_host(self, server: ObservedServer) -> None:
        door = server.door(MODERN)
        knows_authority(door)
        client = door.ssh("-o", "HostKeyAlias=elsewhere.example", "topic-5")
        assert not answered(client)
        assert b"Certificate invalid: name is not a listed principal" in client.stderr

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_may_be_asyncssh(self, server: ObservedServer, algorithm: str) -> None:
        door = server.door(MODERN)
        authority = asyncssh.read_public_key(str(door.site.folder / "ca.pub"))

        async def run() -> str:
            async with asyncssh.connect(
                "127.0.0.1",
                door.ssh_port,
                config=None,
                username="alice",
                client_keys=[str(door.site.folder / "id_alice")],
                agent_path=None,
                known_hosts=([], [authority], []),
                server_host_key_algs=[algorithm],
            ) as connection:
                result = await connection.run("topic-5", check=True)
                return str(result.stdout)

        answer = asyncio.run(asyncio.wait_for(run(), DEADLINE))
        assert answer.encode() in OUTPUT
        agreed = server.agreed()
        # What the OpenSSH here may be too old for.
        assert (agreed.host_key, agreed.kex) == (algorithm, "mlkem768x25519-sha256")


class TestAClientThatDoesNot:
    def test_finds_the_host_key_that_it_knows_in_the_certificate(
        self, server: ObservedServer
    ) -> None:
        door = server.door(MODERN)
        knows_key(door)
        assert answered(door.ssh("topic-5"))
        assert server.agreed().host_key == ED25519

    def test_may_ask_for_the_host_key_alone(self, server: ObservedServer) -> None:
        door = server.door(MODERN)
        knows_key(door)
        assert answered(door.ssh("-o", "HostKeyAlgorithms=ssh-ed25519", "topic-5"))
        assert server.agreed().host_key == "ssh-ed25519"

    def test_knows_nobody_here_by_another_authority(self, server: ObservedServer) -> None:
        door = server.door(MODERN)
        knows(door, f"@cert-authority * {public_half(door.site).read_text(encoding='utf-8')}")
        client = door.ssh("topic-5")
        assert not answered(client)
        assert b"Host key verification failed" in client.stderr

    @pytest.mark.parametrize("client", [installed(client) for client in CLIENTS])
    def test_gets_in_as_before(self, server: ObservedServer, client: Client) -> None:
        door = server.door(MODERN)
        knows_key(door)
        output, status = client.run(door, Wishes(command="topic-5"))
        assert output in OUTPUT
        assert status == 0


class TestACertificateThatDoesNotHold:
    def test_keeps_the_server_from_starting(self, tmp_path: Path) -> None:
        site, authority = site_with(tmp_path)
        path = authority.certify(public_half(site), *HOST, "-V", "20200101Z:20210101Z")
        finished = site.run("twist", "conch-insults")
        assert finished.returncode == 1
        said = finished.stdout + finished.stderr
        assert f"{path}: certificate expired at 2021-01-01T00:00:00Z; " in said
        assert "Traceback" not in said
