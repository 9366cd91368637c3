"""Every message in every state: what is taken, what is answered, what ends the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from twisted.conch.ssh.common import NS

from conch_insults.ssh.message_order import MessageOrder, Verdict
from conch_insults.wire import ProtocolError
from tests import ssh_client as ssh
from tests.ssh_client import SshClient, no_failure_logged, uint32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    # Numbers that come in answer, or what becomes of the connection.
    Outcome = str | list[int]

ENDS, LEAVES, NOISE, UNKNOWN = "ends", "leaves", "noise", "unknown"

# What each message that may come somewhere is sent with; the others are empty.
PAYLOADS = {
    ssh.DISCONNECT: uint32(11) + NS(b"bye") + NS(b""),
    ssh.IGNORE: NS(b"x"),
    ssh.UNIMPLEMENTED: uint32(0),
    ssh.DEBUG: b"\0" + NS(b"x") + NS(b""),
    ssh.SERVICE_REQUEST: NS(b"ssh-userauth"),
    ssh.EXT_INFO: uint32(1) + NS(b"x") + NS(b"y"),
    ssh.GLOBAL_REQUEST: NS(b"x") + b"\1",
    ssh.OPEN: NS(b"session") + uint32(1, 2**20, 32768),
    ssh.ADJUST: uint32(0, 1),
    ssh.DATA: uint32(0) + NS(b"x"),
    ssh.EXTENDED_DATA: uint32(0, 1) + NS(b"x"),
    ssh.EOF: uint32(0),
    ssh.CLOSE: uint32(0),
    ssh.REQUEST: uint32(0) + NS(b"env") + b"\1" + NS(b"A") + NS(b"b"),
}


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    with no_failure_logged():
        yield


# How to get into each state.


def before_version(client: SshClient) -> None:
    assert not client.server.gotVersion


def before_kexinit(client: SshClient) -> None:
    client.say_version()


def before_kex_init(client: SshClient) -> None:
    client.say_version()
    client.send_kexinit()


def before_newkeys(client: SshClient) -> None:
    before_kex_init(client)
    client.send(ssh.KEX_INIT, client.kex_init)


def authenticated(client: SshClient) -> None:
    client.log_in()
    client.open()


def rekey_before_kex_init(client: SshClient) -> None:
    authenticated(client)
    client.send_kexinit()


def rekey_before_newkeys(client: SshClient) -> None:
    rekey_before_kex_init(client)
    client.send(ssh.KEX_INIT, client.kex_init)


def rekey_by_server(client: SshClient) -> None:
    authenticated(client)
    client.server.sendKexInit()


# What may come there as the next step, and is to be answered with the number beside it.


def start(client: SshClient) -> None:
    if not client.version:
        client.say_version()
    client.send_kexinit()
    client.send(ssh.KEX_INIT, client.kex_init)


def offer_key(client: SshClient) -> None:
    client.send(ssh.KEX_INIT, client.kex_init)


def ask_for_service(client: SshClient) -> None:
    client.send(ssh.SERVICE_REQUEST, NS(b"ssh-userauth"))


def take_keys(client: SshClient) -> None:
    client.send_newkeys()
    ask_for_service(client)


def claim(client: SshClient) -> None:
    client.send(ssh.AUTH_REQUEST, client.claim())


def run(client: SshClient) -> None:
    client.request(b"exec", NS(b"perl"))


def take_keys_and_run(client: SshClient) -> None:
    client.send_newkeys()
    run(client)


IN_KEX = {1: LEAVES, 2: NOISE, 3: NOISE, 4: NOISE}
IN_PEACE = IN_KEX | dict.fromkeys(
    (0, *range(8, 20), *range(54, 60), *range(83, 90), *range(101, 256)), UNKNOWN
)
ON_CHANNEL = {
    20: [ssh.KEXINIT],
    80: [ssh.REQUEST_FAILURE],
    90: [ssh.OPENED],
    93: [],
    94: [],
    95: [],
    96: [],
    97: [ssh.EOF, ssh.REQUEST, ssh.CLOSE],
    98: [ssh.SUCCESS],
}


class State(NamedTuple):
    """How to get there, how to go on, what answers that, and what else is not an error."""

    enter: Callable[[SshClient], None]
    go_on: Callable[[SshClient], None]
    answer: int
    outcomes: Mapping[int, Outcome]


STATES = {
    "before the version": State(before_version, start, ssh.KEX_REPLY, {}),
    "before KEXINIT": State(before_kexinit, start, ssh.KEX_REPLY, IN_KEX | {20: []}),
    "before 30": State(before_kex_init, offer_key, ssh.KEX_REPLY, IN_KEX | {30: [31, 21]}),
    "before NEWKEYS": State(
        before_newkeys, take_keys, ssh.SERVICE_ACCEPT, IN_KEX | {21: [ssh.EXT_INFO]}
    ),
    "before the service": State(
        SshClient.get_keys,
        ask_for_service,
        ssh.SERVICE_ACCEPT,
        IN_PEACE | {5: [ssh.SERVICE_ACCEPT], 7: [], 20: [ssh.KEXINIT]},
    ),
    "authenticating": State(
        SshClient.request_service,
        claim,
        ssh.AUTH_SUCCESS,
        IN_PEACE | {20: [ssh.KEXINIT], 50: [ssh.AUTH_SUCCESS]},
    ),
    "authenticated": State(authenticated, run, ssh.DATA, IN_PEACE | ON_CHANNEL),
    "rekey, before 30": State(
        rekey_before_kex_init, offer_key, ssh.KEX_REPLY, IN_KEX | {30: [31, 21]}
    ),
    "rekey, before NEWKEYS": State(
        rekey_before_newkeys, take_keys_and_run, ssh.DATA, IN_KEX | {21: []}
    ),
    # Our own KEXINIT is out already; other answers wait for the new keys.
    "rekey by the server": State(
        rekey_by_server, start, ssh.KEX_REPLY, IN_PEACE | {number: [] for number in ON_CHANNEL}
    ),
}
FIRST_KEX = ("before KEXINIT", "before 30", "before NEWKEYS")


def send(client: SshClient, number: int) -> None:
    """Send a message of this number, well formed if it may come anywhere."""
    if number == ssh.KEXINIT:
        client.send_kexinit()
    elif number == ssh.KEX_INIT:
        offer_key(client)
    elif number == ssh.AUTH_REQUEST:
        client.send(number, client.claim() if client.session_id else b"")
    else:
        client.send(number, PAYLOADS.get(number, b""))


def enter(state: str, *, strict: bool) -> SshClient:
    client = SshClient()
    client.strict = strict
    STATES[state].enter(client)
    client.read()
    return client


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_each_message_has_its_outcome(state: str, strict: bool) -> None:
    for number in range(256):
        outcome: Outcome = STATES[state].outcomes.get(number, ENDS)
        if outcome == NOISE and strict and state in FIRST_KEX:
            outcome = ENDS
        client = enter(state, strict=strict)
        sequence = client.stream._outgoing_sequence
        with client.at_once():
            send(client, number)
            if isinstance(outcome, str):
                STATES[state].go_on(client)
        answers = client.read()
        numbers = [number for number, _ in answers]
        case = f"message {number} {state}, strict: {strict}"
        if outcome == ENDS:
            assert numbers == [ssh.DISCONNECT], case
            assert answers[0][1].startswith(uint32(2)), case
        elif outcome == LEAVES:
            assert numbers == [], case
        elif outcome == NOISE:
            assert STATES[state].answer in numbers, case
        elif outcome == UNKNOWN:
            assert answers[0] == (ssh.UNIMPLEMENTED, uint32(sequence)), case
            assert STATES[state].answer in numbers, case
        else:
            assert numbers == outcome, case
        assert client.link.lost == (outcome in (ENDS, LEAVES)), case
        client.link.lose()
        assert not client.clock.getDelayedCalls(), case


@pytest.mark.parametrize("state", STATES)
def test_the_next_step_is_answered_in_each_state(state: str) -> None:
    client = enter(state, strict=True)
    STATES[state].go_on(client)
    assert STATES[state].answer in client.numbers()
    assert not client.link.is_over


# What no state of the table shows.


def test_extensions_may_only_come_right_after_the_first_keys() -> None:
    client = SshClient()
    client.get_keys()
    send(client, ssh.IGNORE)
    send(client, ssh.EXT_INFO)
    assert client.disconnected() == (2, b"message 7 must not come now")
    client = SshClient()
    client.log_in()
    client.exchange_keys()
    send(client, ssh.EXT_INFO)
    assert client.disconnected() == (2, b"message 7 must not come now")


@pytest.mark.parametrize("number", [30, 34, 49])
def test_a_wrong_guess_is_dropped_once(number: int) -> None:
    client = SshClient()
    client.say_version()
    client.send_kexinit(ssh.kexinit(guess=True))
    client.send(number, b"a guess")
    client.send(ssh.KEX_INIT, client.kex_init)
    client.read()
    client.send_newkeys()
    ask_for_service(client)
    assert client.numbers() == [ssh.EXT_INFO, ssh.SERVICE_ACCEPT]


def test_what_was_guessed_right_counts() -> None:
    order = MessageOrder()
    assert order.judge(20) is Verdict.DISPATCH
    order.kexinit_agreed(wrong_guess=False)
    assert order.judge(30) is Verdict.DISPATCH


def test_the_second_wrong_guess_is_not_dropped() -> None:
    order = MessageOrder()
    order.kexinit_agreed(wrong_guess=True)
    assert order.judge(30) is Verdict.DROP
    assert order.judge(30) is Verdict.DISPATCH
    order.kexinit_agreed(wrong_guess=True)
    with pytest.raises(ProtocolError, match="message 50 must not come now"):
        order.judge(50)
