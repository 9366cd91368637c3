"""Judging again who is in: what was taken away ends, for those it was taken from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from twisted.conch.ssh.common import NS

from conch_insults.access.grants import Grant, Refusal, Terms
from conch_insults.access.key_options import Role
from conch_insults.access.policy import AccessRules
from conch_insults.events import AccessEnded, SessionEnded
from conch_insults.rating import Rating
from tests import ssh_client as ssh
from tests.access_door import ALICE, BOB, MALLORY, AccessDoor, line
from tests.certificate_authority import Authority, blob_in, needs_ssh_keygen, ssh_keygen
from tests.ssh_client import no_failure_logged, uint32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conch_insults.access.grants import Offer
    from tests.ssh_client import SshClient

# In seconds; a change counts in less than this.
SOON = 5.0
# Of them, how long somebody has to read why.
LEAVING = 2.0


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    with no_failure_logged():
        yield


@pytest.fixture
def door(tmp_path: Path) -> AccessDoor:
    """Return a door that alice and bob may come in by."""
    door = AccessDoor(tmp_path)
    door.let_in("alice", ALICE)
    door.let_in("bob", BOB)
    return door


def ends(door: AccessDoor) -> list[AccessEnded]:
    return [event for event in door.events if isinstance(event, AccessEnded)]


def terminal(client: SshClient) -> SshClient:
    client.open()
    client.pty()
    client.request(b"shell")
    client.read()
    return client


def goes(door: AccessDoor, client: SshClient, seconds: float = SOON) -> AccessEnded:
    """See that somebody's access ends in time, and return the event."""
    waited = 0.0
    while not ends(door):
        assert waited < seconds
        door.pass_time(0.25)
        waited += 0.25
    (event,) = ends(door)
    assert event.connection == client.server.peer.connection
    return event


def hears(client: SshClient) -> bytes:
    """Return all that has come on channels since the last call, beside the answers too."""
    wanted = {ssh.DATA: 8, ssh.EXTENDED_DATA: 12}
    return b"".join(data[wanted[number] :] for number, data in client.read() if number in wanted)


# What takes access away


def remove_file(door: AccessDoor) -> str:
    door.user_file("alice").unlink()
    return "unknown user"


def remove_line(door: AccessDoor) -> str:
    door.let_in("alice", MALLORY)
    return "key not authorized for this user"


def empty_file(door: AccessDoor) -> str:
    door.write(door.user_file("alice"))
    return "key not authorized for this user"


def break_line(door: AccessDoor) -> str:
    door.let_in("alice", ALICE, "no-such-option")
    return "key not authorized for this user"


def come_from_elsewhere(door: AccessDoor) -> str:
    door.let_in("alice", ALICE, 'from="203.0.113.0/24"')
    return "not from 192.0.2.1 (from)"


def end_yesterday(door: AccessDoor) -> str:
    door.let_in("alice", ALICE, 'expiry-time="20200101Z"')
    return "expired at 2020-01-01T00:00:00Z (expiry-time)"


def let_others_write(door: AccessDoor) -> str:
    door.user_file("alice").chmod(0o666)
    return "the user's key file cannot be used"


def make_it_a_folder(door: AccessDoor) -> str:
    door.user_file("alice").unlink()
    door.user_file("alice").mkdir()
    return "the user's key file cannot be used"


def revoke_the_key(door: AccessDoor) -> str:
    door.write(door.keys_dir / "revoked_keys", line(ALICE))
    return "revoked: key listed on line 1"


WAYS = [
    remove_file,
    remove_line,
    empty_file,
    break_line,
    come_from_elsewhere,
    end_yesterday,
    let_others_write,
    make_it_a_folder,
    revoke_the_key,
]


@pytest.mark.parametrize("take_away", WAYS)
def test_who_may_not_come_in_any_more_hears_why_and_goes_and_nobody_else(
    door: AccessDoor, take_away: Callable[[AccessDoor], str]
) -> None:
    alice, bob = terminal(door.client("alice", ALICE)), terminal(door.client("bob", BOB))
    door.pass_time(10)
    assert not ends(door)
    reason = take_away(door)
    event = goes(door, alice)
    assert reason in event.reason
    assert (event.user, event.address) == ("alice", "192.0.2.1")
    file = "revoked_keys" if take_away is revoke_the_key else "authorized_keys.d/alice"
    assert event.source.startswith(str(door.keys_dir / file))
    said = f"Your access has ended: {event.reason}."
    # At a terminal of 80 columns it may take two rows.
    assert hears(alice).replace(b"\r\n", b" ").count(said.encode()) == 1
    door.pass_time(LEAVING)
    assert alice.disconnected() == (11, said.encode())
    door.pass_time(60)
    assert len(ends(door)) == 1
    bob.data(b"perl\r")
    assert b"Line noise." in hears(bob)


@needs_ssh_keygen
def test_a_krl_made_by_ssh_keygen_counts_at_once_too(door: AccessDoor) -> None:
    alice, bob = door.client("alice", ALICE), door.client("bob", BOB)
    public = door.write(door.keys_dir / "alice.pub", line(ALICE))
    ssh_keygen("-q", "-k", "-f", door.keys_dir / "revoked_keys", public)
    (door.keys_dir / "revoked_keys").chmod(0o644)
    assert "revoked" in goes(door, alice).reason
    door.pass_time(LEAVING)
    assert alice.disconnected()
    assert not bob.disconnected()


def test_a_list_that_cannot_be_read_ends_everybody_who_is_in(door: AccessDoor) -> None:
    clients = [door.client("alice", ALICE), door.client("bob", BOB)]
    door.write(door.keys_dir / "revoked_keys", "neither a key nor anything else")
    door.pass_time(SOON + LEAVING)
    assert {event.user for event in ends(door)} == {"alice", "bob"}
    assert {event.source for event in ends(door)} == {str(door.keys_dir / "revoked_keys")}
    assert {"revoked_keys" in event.reason for event in ends(door)} == {True}
    assert all(client.disconnected() for client in clients)
    assert any("nobody may come in" in report for report in door.reports)


def test_what_is_wrong_with_the_files_of_all_is_told_once_before_anybody_comes(
    tmp_path: Path,
) -> None:
    door = AccessDoor(tmp_path)
    revoked = door.write(tmp_path / "revoked_keys", "neither a key nor anything else")
    door.pass_time(SOON)
    (report,) = door.reports
    assert report.startswith(f"{revoked}: line 1: ")
    authorities = door.write(tmp_path / "user_ca.pub", "no authority")
    door.pass_time(60)
    assert [told.startswith(f"{authorities}:1: ") for told in door.reports] == [False, True]
    door.write(revoked, line(MALLORY), "half a key")
    door.pass_time(SOON)
    assert door.reports[2:] == [door.reports[2]]
    assert door.reports[2].startswith(f"{revoked}: line 2: ")


def test_and_in_a_reload_at_once(tmp_path: Path) -> None:
    door = AccessDoor(tmp_path)
    revoked = door.write(tmp_path / "revoked_keys", "neither a key nor anything else")
    door.rejudging.judge_all()
    (report,) = door.reports
    assert report.startswith(f"{revoked}: line 1: ")


def test_a_pipe_hears_why_beside_its_answers(door: AccessDoor) -> None:
    alice = door.client("alice", ALICE)
    alice.shell()
    alice.data(b"perl\n")
    assert alice.output() == b"Line noise.\n"
    remove_file(door)
    goes(door, alice)
    messages = alice.read()
    assert [number for number, _ in messages] == [
        ssh.EXTENDED_DATA,
        ssh.EOF,
        ssh.REQUEST,
        ssh.CLOSE,
    ]
    assert messages[0][1][12:] == b"Your access has ended: unknown user.\n"
    assert messages[2][1].endswith(b"exit-status\0\0\0\0\3")


def test_a_reason_reaches_no_terminal_unclean(
    door: AccessDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = terminal(door.client("alice", ALICE))
    refusal = Refusal("for \x1b[31mroot\x07\u202e only", "")
    monkeypatch.setattr(door.policy, "decide", lambda *_: refusal)
    door.rejudging.judge_all()
    assert b"Your access has ended: for [31mroot only." in hears(alice)


def test_who_has_nothing_open_is_told_by_the_disconnect(door: AccessDoor) -> None:
    alice = door.client("alice", ALICE)
    remove_file(door)
    goes(door, alice)
    alice.open()
    assert alice.numbers() == [ssh.OPEN_FAILURE]
    door.pass_time(LEAVING)
    assert alice.disconnected() == (11, b"Your access has ended: unknown user.")
    alice.link.lose()
    assert isinstance(door.events[-1], SessionEnded)


def test_who_does_not_read_is_not_waited_for(door: AccessDoor) -> None:
    alice = door.client("alice", ALICE)
    alice.shell(window=4)
    alice.data(b"perl\n")
    remove_file(door)
    goes(door, alice)
    door.pass_time(LEAVING)
    assert alice.disconnected()


def test_all_connections_of_one_person_end(door: AccessDoor) -> None:
    clients = [door.client("alice", ALICE) for _ in range(3)]
    remove_file(door)
    door.pass_time(SOON + LEAVING)
    assert len(ends(door)) == 3
    assert all(client.disconnected() for client in clients)


def test_of_two_keys_of_one_person_only_the_one_that_was_taken_ends(door: AccessDoor) -> None:
    path = door.user_file("alice")
    door.write(path, line(ALICE), line(BOB))
    one, other = door.client("alice", ALICE), door.client("alice", BOB)
    door.pass_time(SOON)
    door.write(path, line(BOB))
    goes(door, one)
    door.pass_time(LEAVING)
    assert not other.disconnected()
    # The line is another one now.
    assert door.avatar_of(other).grant.source == f"{path}:1"


def test_who_may_not_come_in_any_more_begins_nothing_on_what_is_open(door: AccessDoor) -> None:
    door.let_in("alice", ALICE, 'role@conch-insults="operator"')
    alice, bob = door.client("alice", ALICE), door.client("bob", BOB)
    for channel in range(4):
        alice.open(channel)
    alice.request(b"shell", channel=0)
    person = door.avatar_of(alice)._person
    assert person.operations is not None
    remove_line(door)
    goes(door, alice)
    alice.read()
    kick = f"kick {bob.server.peer.connection}".encode()
    alice.request(b"exec", NS(kick), 1)
    alice.request(b"shell", channel=2)
    alice.pty(3)
    alice.request(b"shell", channel=3)
    numbers = alice.numbers()
    assert numbers.count(ssh.FAILURE) == 3
    assert ssh.DATA not in numbers
    assert person.operations is None
    door.pass_time(LEAVING)
    assert alice.disconnected()
    assert not bob.server.is_leaving


def test_a_command_that_had_to_wait_is_not_carried_out_any_more(door: AccessDoor) -> None:
    door.let_in("alice", ALICE, 'role@conch-insults="operator"')
    alice, bob = door.client("alice", ALICE), door.client("bob", BOB)
    alice.open(window=0)
    alice.request(b"exec", NS(f"kick {bob.server.peer.connection}".encode()))
    alice.read()
    remove_line(door)
    goes(door, alice)
    alice.send(ssh.ADJUST, uint32(0, 2**20))
    numbers = alice.numbers()
    assert ssh.CLOSE in numbers
    assert ssh.DATA not in numbers
    assert not bob.server.is_leaving


# The end of a time


def test_a_key_ends_a_session_when_its_time_is_up(door: AccessDoor) -> None:
    until = (door.now() + timedelta(seconds=30)).replace(microsecond=0)
    door.let_in("alice", ALICE, f'expiry-time="{until:%Y%m%d%H%M%SZ}"')
    alice = terminal(door.client("alice", ALICE))
    while door.now() < until:
        assert not ends(door)
        door.pass_time(0.25)
    goes(door, alice, 2.25)
    assert b"Your access has ended: expired at" in hears(alice)


@needs_ssh_keygen
def test_a_certificate_ends_a_session_when_its_time_is_up(door: AccessDoor, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca", "-t", "ed25519")
    door.write(door.keys_dir / "user_ca.pub", authority.public.read_text().strip())
    public = door.write(tmp_path / "id.pub", line(MALLORY))
    until = (door.now() + timedelta(minutes=5)).replace(microsecond=0)
    period = f"-V{until - timedelta(hours=1):%Y%m%d%H%M%SZ}:{until:%Y%m%d%H%M%SZ}"
    blob = blob_in(authority.certify(public, "-I", "an id", "-n", "carol", "-z", "9", period))
    carol = terminal(door.client("carol", MALLORY, blob))
    while door.now() < until:
        assert not ends(door)
        door.pass_time(0.25)
    event = goes(door, carol, 1.25)
    assert "certificate expired" in event.reason
    assert b"Your access has ended: certificate expired" in hears(carol)


@needs_ssh_keygen
def test_a_certificate_ends_with_its_authority_and_a_plain_key_does_not(
    door: AccessDoor, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "ca", "-t", "ed25519")
    door.write(door.keys_dir / "user_ca.pub", authority.public.read_text().strip())
    public = door.write(tmp_path / "id.pub", line(MALLORY))
    blob = blob_in(authority.certify(public, "-I", "an id", "-n", "carol"))
    carol, alice = door.client("carol", MALLORY, blob), door.client("alice", ALICE)
    door.pass_time(SOON)
    (door.keys_dir / "user_ca.pub").unlink()
    assert "not trusted" in goes(door, carol).reason
    door.pass_time(LEAVING)
    assert not alice.disconnected()


def test_a_time_that_was_made_longer_is_not_up(door: AccessDoor) -> None:
    until = door.now() + timedelta(seconds=30)
    door.let_in("alice", ALICE, f'expiry-time="{until:%Y%m%d%H%M%SZ}"')
    door.client("alice", ALICE)
    door.let_in("alice", ALICE)
    door.pass_time(50)
    assert not ends(door)


# When a change counts


def test_a_reload_counts_at_once(door: AccessDoor) -> None:
    alice, bob = door.client("alice", ALICE), door.client("bob", BOB)
    remove_file(door)
    door.rejudging.judge_all()
    goes(door, alice, 0)
    assert not bob.disconnected()


def test_a_file_that_is_written_in_two_steps_ends_nobody(door: AccessDoor) -> None:
    path = door.user_file("alice")
    content = path.read_text(encoding="utf-8")
    alice = door.client("alice", ALICE)
    # Whatever moment the looks come at.
    for offset in range(8):
        door.write_in_place(path, "")
        door.pass_time(0.5)
        door.write_in_place(path, content[:20])
        door.pass_time(0.5)
        door.write_in_place(path, content + f"# {offset}\n")
        door.pass_time(5.25)
    assert not ends(door)
    assert not alice.disconnected()


def test_a_list_that_is_taken_away_and_put_back_ends_nobody(door: AccessDoor) -> None:
    revoked = door.write(door.keys_dir / "revoked_keys", line(MALLORY))
    door.client("alice", ALICE)
    door.pass_time(SOON)
    for _ in range(4):
        door.write_in_place(revoked, "half a li")
        door.pass_time(0.75)
        door.write_in_place(revoked, line(MALLORY))
        door.pass_time(5.5)
    assert not ends(door)


def test_who_has_just_come_in_is_not_sent_away_for_half_a_file(door: AccessDoor) -> None:
    path = door.user_file("alice")
    content = path.read_text(encoding="utf-8")
    for quarter in range(8):
        door.client("alice", ALICE)
        door.pass_time(quarter / 4)
        door.write_in_place(path, "")
        door.pass_time(0.75)
        door.write_in_place(path, content)
        door.pass_time(SOON)
    assert not ends(door)


def test_what_changed_between_the_login_and_the_first_look_counts(door: AccessDoor) -> None:
    alice = door.client("alice", ALICE)
    remove_file(door)
    goes(door, alice)


def test_files_that_never_stop_changing_count_all_the_same(door: AccessDoor) -> None:
    alice = door.client("alice", ALICE)
    door.pass_time(SOON)
    for count in range(int(SOON * 4)):
        door.write(door.user_file("alice"), line(MALLORY), f"# {count}")
        door.pass_time(0.25)
    goes(door, alice, 0)


def test_a_change_too_quick_for_the_file_systems_clock_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As long as the last change is this young, another one might look like it.
    door = AccessDoor(tmp_path, ahead=-timedelta(minutes=1))
    door.let_in("alice", ALICE)
    alice = door.client("alice", ALICE)
    door.pass_time(SOON)
    remove_line_unseen(door, monkeypatch)
    goes(door, alice)


def remove_line_unseen(door: AccessDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the line, and let the watch see what it saw before."""
    before = door.rejudging._keys.look(["alice"], door.now())
    assert not before["alice"].settled
    monkeypatch.setattr(door.rejudging._keys, "look", lambda *_: before)
    remove_line(door)


def test_nobody_is_judged_who_need_not_be(
    door: AccessDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(door.client("alice", ALICE))
    terminal(door.client("bob", BOB))
    door.pass_time(SOON)
    asked: list[str] = []
    decide = door.policy.decide

    def asking(offer: Offer, now: datetime) -> Grant | Refusal:
        asked.append(offer.user)
        return decide(offer, now)

    monkeypatch.setattr(door.policy, "decide", asking)
    door.pass_time(60)
    assert asked == []
    door.let_in("alice", ALICE)
    door.pass_time(60)
    assert asked == ["alice"]


def test_who_has_gone_or_is_going_is_not_judged(door: AccessDoor) -> None:
    alice, bob = door.client("alice", ALICE), door.client("bob", BOB)
    door.visitor()
    alice.link.lose()
    bob.server.send_away("Go.")
    remove_file(door)
    door.user_file("bob").unlink()
    door.rejudging.judge_all()
    door.pass_time(SOON)
    assert not ends(door)


# What counts for those who stay


def test_terms_that_change_count_at_once(door: AccessDoor) -> None:
    alice = door.client("alice", ALICE)
    avatar = door.avatar_of(alice)
    assert avatar._person.ceiling == door.conversations.ceiling > Rating.G
    assert avatar._person.operations is None
    door.let_in("alice", ALICE, 'rating@conch-insults="g",role@conch-insults="operator"')
    door.pass_time(SOON)
    assert avatar._person.ceiling == Rating.G
    assert avatar._person.operations is door.operations
    assert avatar.grant.terms == Terms(rating=Rating.G, role=Role.OPERATOR)
    door.let_in("alice", ALICE)
    door.pass_time(SOON)
    assert avatar._person.ceiling == door.conversations.ceiling
    assert avatar._person.operations is None
    assert not ends(door)


@pytest.mark.parametrize("options", ['command="perl"', "no-pty", "restrict"])
def test_what_was_begun_on_better_terms_ends(door: AccessDoor, options: str) -> None:
    alice = terminal(door.client("alice", ALICE))
    door.let_in("alice", ALICE, options)
    event = goes(door, alice)
    assert event.reason == "its terms have changed, come in again"
    assert event.source == f"{door.user_file('alice')}:1"


def test_what_was_begun_on_worse_terms_goes_on(door: AccessDoor) -> None:
    door.let_in("alice", ALICE, "no-pty")
    alice = door.client("alice", ALICE)
    door.let_in("alice", ALICE)
    door.pass_time(SOON)
    assert not ends(door)
    assert b"alice" in hears_a_greeting(alice)


def hears_a_greeting(client: SshClient) -> bytes:
    client.open()
    client.pty()
    client.request(b"shell")
    return hears(client)


# Guests


def test_a_user_who_is_removed_does_not_become_a_guest(tmp_path: Path) -> None:
    door = AccessDoor(tmp_path, AccessRules(guests="anyone"))
    door.let_in("alice", ALICE)
    alice, guest = door.client("alice", ALICE), door.client("visitor", None)
    remove_file(door)
    event = goes(door, alice)
    assert (event.user, event.reason) == ("alice", "what you came with makes you (guest) now")
    door.pass_time(LEAVING)
    assert not guest.disconnected()
    # By themselves they may come again as one.
    assert door.avatar_of(door.client("alice", ALICE)).grant.is_guest


def test_a_guest_whose_name_is_given_to_somebody_ends(tmp_path: Path) -> None:
    door = AccessDoor(tmp_path, AccessRules(guests="anyone"))
    guest, other = door.client("bob", None), door.client("visitor", None)
    door.let_in("bob", BOB)
    event = goes(door, guest)
    assert (event.user, event.reason) == ("(guest)", "no key was offered")
    door.pass_time(LEAVING)
    assert not other.disconnected()


def test_a_guest_whose_key_is_let_in_does_not_become_its_user(tmp_path: Path) -> None:
    door = AccessDoor(tmp_path, AccessRules(guests="key"))
    guest = door.client("bob", BOB)
    door.let_in("bob", BOB, 'role@conch-insults="operator"')
    event = goes(door, guest)
    assert (event.user, event.reason) == ("(guest)", "what you came with makes you bob now")
    assert door.avatar_of(guest).grant.is_guest
    assert door.avatar_of(guest)._person.operations is None


def test_a_guest_whose_key_is_revoked_ends(tmp_path: Path) -> None:
    door = AccessDoor(tmp_path, AccessRules(guests="anyone"))
    guest, nobody = door.client("visitor", ALICE), door.client("visitor", None)
    revoke_the_key(door)
    assert "revoked" in goes(door, guest).reason
    door.pass_time(LEAVING)
    assert not nobody.disconnected()


# Errors of ours, and the end


def test_an_error_of_ours_is_logged_and_the_looks_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = AccessDoor(tmp_path)
    door.let_in("alice", ALICE)
    alice = door.client("alice", ALICE)
    logged: list[str] = []
    monkeypatch.setattr(door.rejudging._log, "failure", lambda text, _: logged.append(text))

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(door.policy, "decide", broken)
        door.pass_time(SOON)
    assert set(logged) == {"while judging again who is in"}
    remove_file(door)
    goes(door, alice)


@pytest.fixture
def logged(door: AccessDoor, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is logged of errors of ours, each in a word."""
    logged: list[str] = []
    monkeypatch.setattr(
        door.rejudging._log, "failure", lambda _, failure: logged.append(str(failure.value))
    )
    return logged


def break_for_alice(door: AccessDoor, patch: pytest.MonkeyPatch) -> None:
    decide = door.policy.decide

    def breaking(offer: Offer, now: datetime) -> Grant | Refusal:
        if offer.user == "alice":
            raise RuntimeError("broken")
        return decide(offer, now)

    patch.setattr(door.policy, "decide", breaking)


def test_an_error_with_one_person_keeps_nobody_else(
    door: AccessDoor, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    alice, bob = door.client("alice", ALICE), door.client("bob", BOB)
    door.pass_time(SOON)
    with monkeypatch.context() as patch:
        break_for_alice(door, patch)
        remove_file(door)
        door.user_file("bob").unlink()
        goes(door, bob)
        door.pass_time(SOON)
        assert bob.disconnected()
        assert not alice.disconnected()
    # Nothing changes any more, and alice is judged all the same.
    assert set(logged) == {"broken"}
    door.pass_time(1)
    assert [event.user for event in ends(door)] == ["bob", "alice"]


def test_an_error_in_a_look_keeps_nobody_from_looking_again(
    door: AccessDoor, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    alice = door.client("alice", ALICE)
    door.pass_time(SOON)

    def broken(*_: object) -> None:
        raise RuntimeError("no more descriptors")

    with monkeypatch.context() as patch:
        patch.setattr(door.rejudging._keys, "look", broken)
        door.pass_time(3)
    assert logged == ["no more descriptors"] * 3
    remove_file(door)
    goes(door, alice)


def test_an_error_in_a_reload_keeps_nobody_else(
    door: AccessDoor, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    door.client("alice", ALICE)
    bob = door.client("bob", BOB)
    door.pass_time(SOON)
    decide = door.policy.decide
    with monkeypatch.context() as patch:
        break_for_alice(door, patch)
        door.user_file("bob").unlink()
        door.rejudging.judge_all()
        goes(door, bob, 0)
    assert logged == ["broken"]
    # Her files have not changed, and the next look makes up for it.
    assert door.policy.decide == decide
    monkeypatch.setattr(door.policy, "decide", lambda *_: Refusal("no more", ""))
    door.pass_time(1)
    assert [event.user for event in ends(door)] == ["bob", "alice"]


def test_an_event_that_cannot_be_told_lets_nobody_stay(
    door: AccessDoor, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    alice = door.client("alice", ALICE)

    def broken(_: object) -> None:
        raise RuntimeError("disk is full")

    monkeypatch.setattr(door.rejudging, "_emit", broken)
    remove_file(door)
    door.pass_time(SOON + LEAVING)
    assert alice.disconnected()
    assert logged == ["disk is full"]


def test_a_session_that_cannot_be_ended_ends_with_its_connection(
    door: AccessDoor, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    alice = terminal(door.client("alice", ALICE))

    def broken(_: object) -> None:
        raise RuntimeError("stuck")

    monkeypatch.setattr(alice.server.service, "end_sessions", broken)
    remove_file(door)
    goes(door, alice)
    door.pass_time(LEAVING)
    assert alice.disconnected()
    assert logged == ["stuck"]


def test_at_the_end_it_looks_no_more(door: AccessDoor) -> None:
    door.rejudging.stopService()
    assert not door.rejudging.running
    alice = door.client("alice", ALICE)
    remove_file(door)
    door.pass_time(SOON)
    assert not ends(door)
    alice.link.lose()
    assert not door.clock.getDelayedCalls()
