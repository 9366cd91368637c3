"""Clients of others at a real server: what they get, under every cipher, while keys change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.observed_server import INPUT, OUTPUT, DoorPlan, ObservedServer, long_pack
from tests.other_clients import CLIENTS, Client, Wishes, installed
from tests.real_server import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real_server import Doors

# In bytes: 6 MB are carried, and a client counts one direction at a time.
SERVER_REKEYS, CLIENT_REKEYS = 1024 * 1024, 512 * 1024

PLAIN = DoorPlan()
# For a client that cannot be told which size of key to use, those that it would not choose.
NARROW = ("aes128-ctr",), ("aes256-gcm@openssh.com",)
PLANS = [
    DoorPlan(ciphers, rekey_bytes=rekey_bytes)
    for ciphers in (None, *NARROW)
    for rekey_bytes in (PLAIN.rekey_bytes, SERVER_REKEYS)
]

EVERY_CLIENT = pytest.mark.parametrize("client", [installed(client) for client in CLIENTS])
EVERY_SHARED_CIPHER = pytest.mark.parametrize(
    ("client", "cipher", "mac"),
    [
        pytest.param(
            client,
            cipher,
            mac,
            id="-".join(filter(None, (client.name, cipher.split("@")[0], mac.split("@")[0]))),
            marks=pytest.mark.skipif(bool(client.missing), reason=f"needs {client.missing}"),
        )
        for client in CLIENTS
        for cipher, mac in client.shared
    ],
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedServer]:
    site = Site(tmp_path_factory.mktemp("interop"))
    (site.folder / "long.txt").write_text(long_pack(), encoding="utf-8")
    site.configure('[insults]\nrating = "r"\npacks = ["long.txt"]\n')
    site.let_in("alice", "id_alice", "-t", "ed25519")
    with ObservedServer(site, *PLANS) as server:
        yield server


@EVERY_CLIENT
class TestEveryClient:
    def test_runs_a_command(self, server: ObservedServer, client: Client) -> None:
        expected = long_pack().splitlines()[5].removeprefix("topic-5: ").encode() + b"\n"
        assert client.run(server.door(PLAIN), Wishes(command="topic-5")) == (expected, 0)
        agreed = server.agreed()
        assert agreed.host_key == "ssh-ed25519"
        assert agreed.exchanges == 1

    def test_gets_the_exit_status(self, server: ObservedServer, client: Client) -> None:
        assert client.run(server.door(PLAIN), Wishes(command=" "))[1] == 2

    def test_has_a_terminal(self, server: ObservedServer, client: Client) -> None:
        seen, status = client.terminal(server.door(PLAIN), "topic-5")
        _, prompt, talk = seen.partition(b"> ")
        assert prompt
        assert "\u4e05".encode() * 80 in talk.replace(b"\r\n", b"")
        assert b"Goodbye, loser.\r\n" in talk
        assert status == 0


@EVERY_SHARED_CIPHER
class TestThreeMegabytesEachWay:
    """Under every cipher, for each way in which keys can come to be changed."""

    def test_with_the_keys_changed_by_the_server(
        self, server: ObservedServer, client: Client, cipher: str, mac: str
    ) -> None:
        door = door_for(server, client, cipher, SERVER_REKEYS)
        assert client.run(door, Wishes(cipher, mac, input=INPUT)) == (OUTPUT, 0)
        agreed = server.agreed()
        assert (agreed.ciphers, agreed.macs) == ([cipher] * 2, [mac] * 2)
        assert agreed.asked_by_client == 0
        assert agreed.exchanges > 3

    def test_with_the_keys_changed_by_the_client(
        self, server: ObservedServer, client: Client, cipher: str, mac: str
    ) -> None:
        needs_to_rekey(client)
        door = door_for(server, client, cipher, PLAIN.rekey_bytes)
        wishes = Wishes(cipher, mac, CLIENT_REKEYS, input=INPUT)
        assert client.run(door, wishes) == (OUTPUT, 0)
        agreed = server.agreed()
        assert (agreed.ciphers, agreed.macs) == ([cipher] * 2, [mac] * 2)
        assert agreed.asked_by_client == agreed.exchanges - 1 > 2

    def test_with_the_keys_changed_by_both(
        self, server: ObservedServer, client: Client, cipher: str, mac: str
    ) -> None:
        needs_to_rekey(client)
        door = door_for(server, client, cipher, SERVER_REKEYS)
        wishes = Wishes(cipher, mac, CLIENT_REKEYS, input=INPUT)
        assert client.run(door, wishes) == (OUTPUT, 0)
        agreed = server.agreed()
        assert (agreed.ciphers, agreed.macs) == ([cipher] * 2, [mac] * 2)
        assert agreed.exchanges > 3


def door_for(server: ObservedServer, client: Client, cipher: str, rekey_bytes: int) -> Doors:
    """Return the door where a client will use this cipher."""
    narrow = not client.chooses and (cipher,) in NARROW
    return server.door(DoorPlan((cipher,) if narrow else None, rekey_bytes=rekey_bytes))


def needs_to_rekey(client: Client) -> None:
    if not client.rekeys:
        pytest.skip(f"{client.name} cannot be told when to change keys")
