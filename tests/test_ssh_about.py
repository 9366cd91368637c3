"""What people are told about their own login."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from twisted.conch.ssh.common import NS

from conch_insults.access.certificate import parse_certificate
from conch_insults.access.grants import ANYBODY, Grant, Offer, Terms
from conch_insults.access.key_options import Role
from conch_insults.access.policy import AccessRules
from conch_insults.core.dialogue import Dialogue
from conch_insults.core.insulter import Insulter
from conch_insults.core.person import Person
from conch_insults.rating import Rating
from conch_insults.ssh.about import AboutLogin, Protection
from tests.access_door import ALICE, AccessDoor
from tests.certificate_authority import Draft
from tests.sample_keys import public_key
from tests.ssh_peer import insult_pack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEY = public_key(1)
PROTECTION = Protection(
    "mlkem768x25519-sha256",
    "ssh-ed25519",
    "SHA256:host",
    "aes256-gcm@openssh.com",
    "",
    "aes256-gcm@openssh.com",
    "",
)


class Avatar:
    """What of an avatar is told about."""

    def __init__(self, grant: Grant, protection: Protection = PROTECTION) -> None:
        self.grant = grant
        self.protection = protection


def about(grant: Grant, protection: Protection = PROTECTION) -> AboutLogin:
    return AboutLogin(Avatar(grant, protection))  # type: ignore[arg-type]


def by_key(terms: Terms = Terms()) -> Grant:  # noqa: B008 - it is immutable
    offer = Offer("alice", "ssh-ed25519", KEY.blob, "192.0.2.1")
    return Grant(offer, "/etc/keys/authorized_keys.d/alice:3", terms)


def by_certificate(key_id: bytes = b"alice@laptop") -> Grant:
    blob = Draft(key_id=key_id, serial=42).signed()
    offer = Offer("alice", "ssh-ed25519-cert-v01@openssh.com", blob, "192.0.2.1")
    certificate = parse_certificate(blob)
    return Grant(offer, "/etc/keys/user_ca.pub:1", Terms(), certificate)


def test_somebody_by_a_key() -> None:
    assert about(by_key()).whoami() == (
        f"You are alice, by the key ssh-ed25519 {KEY.fingerprint}.",
        "No end is set.",
        "Restrictions: none.",
    )


def test_an_rsa_key_is_called_by_its_type() -> None:
    offer = Offer("alice", "rsa-sha2-512", KEY.blob, "192.0.2.1")
    assert "by the key ssh-rsa SHA256:" in about(Grant(offer, "alice:1")).whoami()[0]


def test_somebody_whose_key_has_terms() -> None:
    terms = Terms(
        pty=False,
        command='say "hello"',
        rating=Rating.G,
        role=Role.OPERATOR,
        expires=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC),
        sources=("192.0.2.0/24,!192.0.2.9",),
    )
    who, until, restrictions = about(by_key(terms)).whoami()
    assert who.startswith("You are alice, operator, by the key ")
    assert until == "Until 2027-01-02 03:04:05 UTC."
    assert restrictions == (
        "Restrictions: only from 192.0.2.0/24,!192.0.2.9; no terminal;"
        " only the input 'say \"hello\"'; nothing ruder than g."
    )


def test_somebody_by_a_certificate() -> None:
    grant = by_certificate()
    assert grant.certificate is not None
    assert about(grant).whoami()[0] == (
        "You are alice, by certificate 'alice@laptop' (serial 42) of"
        f" {grant.certificate.authority.fingerprint} for the key ssh-ed25519 {KEY.fingerprint}."
    )


def test_a_guest_without_a_key() -> None:
    terms = Terms(rating=Rating.G, lines_per_minute=30, session_limit=600)
    offer = Offer("visitor", ANYBODY, b"", "192.0.2.1")
    grant = Grant(offer, "access.guests = anyone", terms, is_guest=True)
    assert about(grant).whoami() == (
        "You are a guest.",
        "No end is set.",
        "Restrictions: nothing ruder than g; 30 lines a minute; 600 seconds at a time.",
    )
    assert "Let in by: access.guests = anyone." in about(grant).explain()


def test_a_guest_with_a_key() -> None:
    offer = Offer("visitor", "ssh-ed25519", KEY.blob, "192.0.2.1")
    grant = Grant(offer, "access.guests = key", is_guest=True)
    assert about(grant).whoami()[0] == (
        f"You are a guest, with the key ssh-ed25519 {KEY.fingerprint}, which means nothing here."
    )


def test_what_protects_them_is_explained_without_the_operators_folders() -> None:
    person = about(by_key())
    assert person.explain() == (
        *person.whoami(),
        "Let in by: authorized_keys.d/alice:3.",
        "Key exchange: mlkem768x25519-sha256.",
        "Cipher: aes256-gcm@openssh.com.",
        "Host key: ssh-ed25519 SHA256:host.",
    )
    assert not any("/etc" in text for text in about(by_certificate()).explain())


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        (("aes128-ctr", "mac", "aes128-ctr", "mac"), "aes128-ctr with mac"),
        (
            ("aes128-ctr", "mac", "chacha20-poly1305@openssh.com", ""),
            "aes128-ctr with mac to here, chacha20-poly1305@openssh.com to you",
        ),
        (
            ("aes128-ctr", "mac", "aes128-ctr", "other"),
            "aes128-ctr with mac to here, aes128-ctr with other to you",
        ),
    ],
)
def test_each_way_is_told_where_they_differ(ways: Sequence[str], said: str) -> None:
    protection = Protection("kex", "ssh-ed25519", "SHA256:host", *ways)
    assert f"Cipher: {said}." in about(by_key(), protection).explain()


@pytest.mark.parametrize("word", [b"whoami", b"explain"])
def test_hostile_names_come_out_clean(word: bytes) -> None:
    hostile = "\x1b[31mroot\x07\r\nYou are root.\u202e\x9b2J"
    person = Person(Rating.PG, about(by_certificate(hostile.encode())))
    reply = Dialogue(Insulter(insult_pack(), None), person).answer(word)  # type: ignore[arg-type]
    assert "root" in reply.lines[0]
    for text in reply.lines:
        assert text.isprintable()
        assert not text.startswith("You are root")


# As people see it


def said(
    door: AccessDoor, user: str, *, guest: bool = False, line: bytes = b"explain"
) -> list[str]:
    client = door.client(user, None if guest else ALICE)
    client.open()
    client.request(b"exec", NS(line))
    return client.output().decode().splitlines()


def test_over_a_connection_it_is_what_was_agreed_on(tmp_path: Path) -> None:
    door = AccessDoor(tmp_path)
    path = door.let_in("alice", ALICE)
    lines = said(door, "alice")
    assert lines[0].startswith("You are alice, by the key ssh-ed25519 SHA256:")
    assert lines[3:6] == [
        f"Let in by: {path.parent.name}/alice:1.",
        "Key exchange: curve25519-sha256.",
        "Cipher: aes128-gcm@openssh.com.",
    ]
    assert lines[6].startswith("Host key: ssh-ed25519 SHA256:")
    assert said(door, "alice", line=b"whoami") == lines[:3]


@pytest.mark.parametrize("user", ["\x1b]0;root\x07", "Ä\u202e", "../alice", "", "x" * 5000])
def test_a_guest_never_hears_the_name_that_they_gave(tmp_path: Path, user: str) -> None:
    door = AccessDoor(tmp_path, AccessRules(guests="anyone"))
    lines = said(door, user, guest=True)
    assert lines[0] == "You are a guest."
    assert lines[3] == "Let in by: access.guests = anyone."
    assert all(line.isprintable() for line in lines)
    assert not user or user not in "\n".join(lines)


def test_a_key_that_was_only_offered_is_no_part_of_it(tmp_path: Path) -> None:
    door = AccessDoor(tmp_path, AccessRules(guests="anyone"))
    shown = "\n".join(said(door, "visitor", guest=True))
    assert shown.count("SHA256:") == 1
