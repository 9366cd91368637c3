"""What operators can do from a session, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.conch.ssh.common import NS

from conch_insults.access.policy import AccessRules
from conch_insults.ssh.operations import KICKED
from tests import ssh_client as ssh
from tests.access_door import ALICE, BOB, MALLORY, AccessDoor

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ssh_client import SshClient

OPERATOR = 'role@conch-insults="operator"'


@pytest.fixture
def door(tmp_path: Path) -> AccessDoor:
    """Return a door with an operator, alice, and a player, bob."""
    door = AccessDoor(tmp_path, AccessRules(guests="anyone"))
    door.let_in("alice", ALICE, OPERATOR)
    door.let_in("bob", BOB)
    return door


def with_shell(client: SshClient) -> SshClient:
    client.shell()
    return client


def says(client: SshClient, text: str) -> str:
    """Say a line in a shell and return the answer."""
    client.data(f"{text}\n".encode())
    return client.output().decode()


def test_an_operator_sees_who_is_in_the_longest_there_first(door: AccessDoor) -> None:
    alice = with_shell(door.client("alice", ALICE))
    door.pass_time(10)
    bob = with_shell(door.client("bob", BOB))
    door.pass_time(5)
    guest = with_shell(door.client("x\x1b[2J\nalice", None))
    door.visitor()
    names = [client.server.peer.connection for client in (alice, bob, guest)]
    assert says(alice, "who").splitlines() == [
        f"{names[0]} alice 192.0.2.1 for 15 s",
        f"{names[1]} bob 192.0.2.1 for 5 s",
        f"{names[2]} (guest) 192.0.2.1 for 0 s",
    ]
    bob.link.lose()
    assert len(says(alice, "who").splitlines()) == 2


def test_an_operator_sends_somebody_away(door: AccessDoor) -> None:
    alice, bob = with_shell(door.client("alice", ALICE)), door.client("bob", BOB)
    bob.open()
    bob.pty()
    bob.request(b"shell")
    bob.read()
    assert says(alice, f"kick {bob.server.peer.connection}") == "bob is gone.\n"
    assert KICKED in bob.output().decode()
    assert "bob" not in says(alice, "who")
    door.pass_time(2)
    assert bob.disconnected() == (11, KICKED.encode())
    assert says(alice, "perl") == "Line noise.\n"


@pytest.mark.parametrize("whom", ["", "0badc0de", "alice", "*", "\x1b[2J"])
def test_whoever_is_not_there_cannot_be_sent_away(door: AccessDoor, whom: str) -> None:
    alice = with_shell(door.client("alice", ALICE))
    answer = says(alice, f"kick {whom}".rstrip())
    assert answer.count("\n") == 1
    assert "gone" not in answer
    assert not alice.disconnected()


def test_somebody_is_sent_away_once(door: AccessDoor) -> None:
    alice, bob = with_shell(door.client("alice", ALICE)), with_shell(door.client("bob", BOB))
    kick = f"kick {bob.server.peer.connection}"
    assert says(alice, kick) == "bob is gone.\n"
    assert "gone" not in says(alice, kick)


def test_operators_can_send_themselves_away(door: AccessDoor) -> None:
    alice = with_shell(door.client("alice", ALICE))
    alice.data(f"kick {alice.server.peer.connection}\nperl\n".encode())
    numbers = alice.numbers()
    assert numbers == [ssh.EXTENDED_DATA, ssh.EOF, ssh.REQUEST, ssh.CLOSE]
    door.pass_time(2)
    assert alice.disconnected() == (11, KICKED.encode())


def test_an_operator_reloads(door: AccessDoor) -> None:
    alice, bob = with_shell(door.client("alice", ALICE)), with_shell(door.client("bob", BOB))
    door.let_in("bob", MALLORY)
    assert says(alice, "reload").startswith("Reloaded.")
    assert door.reloads == 1
    assert ssh.CLOSE in bob.numbers()


def test_a_command_of_an_operator_has_a_status(door: AccessDoor) -> None:
    for command, status in ((b"who", 0), (b"kick nobody", 2)):
        alice = door.client("alice", ALICE)
        alice.open()
        alice.request(b"exec", NS(command))
        messages = dict(alice.read())
        assert messages[ssh.REQUEST].endswith(status.to_bytes(4, "big"))


@pytest.mark.parametrize("who", ["a player", "a guest"])
@pytest.mark.parametrize("word", ["who", "reload", "kick {}"])
def test_for_everybody_else_these_are_topics(door: AccessDoor, who: str, word: str) -> None:
    alice = door.client("alice", ALICE)
    client = with_shell(door.client("bob", BOB) if who == "a player" else door.client("x", None))
    text = word.format(alice.server.peer.connection)
    answer = says(client, text)
    assert "alice" not in answer
    assert "Reloaded" not in answer
    assert not door.reloads
    assert not alice.disconnected()


def test_an_operator_who_is_one_no_more_has_no_such_words(door: AccessDoor) -> None:
    alice = with_shell(door.client("alice", ALICE))
    assert "alice" in says(alice, "who")
    door.let_in("alice", ALICE)
    door.rejudging.judge_all()
    assert "192.0.2.1" not in says(alice, "who")
    assert "Reloaded" not in says(alice, "reload")
