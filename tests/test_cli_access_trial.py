"""`access test`: yes or no, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.public_key import parse_public_key
from tests.certificate_authority import KEY_OPTIONS, Authority, needs_ssh_keygen
from tests.desk import Desk
from tests.real_keygen import NEEDS_KEYGEN, Keygen
from tests.sample_keys import private_key_text, public_key
from tests.software_authenticator import SecurityKey

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

ALICE = public_key(1, "alice@home")
BOB = public_key(3)
AT = ("--at", "20300601120000Z")
WHEN = "at: 2030-06-01 12:00:00 UTC"
NO_ADDRESS = "from: not said, so whatever asks for an address refuses"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "keys")
    desk.let_in("alice", ALICE.line)
    (tmp_path / "alice.pub").write_text(ALICE.line)
    (tmp_path / "bob.pub").write_text(BOB.line)
    return desk


def ask(desk: Desk, user: str, key: Path | str, *more: str) -> Result:
    path = str(desk.keys_dir.parent / key)
    return desk.run("access", "test", "--user", user, "--key", path, *AT, *more)


def lines(result: Result, status: int) -> list[str]:
    assert (result.exit_code, result.stderr) == (status, "")
    return result.stdout.splitlines()


def yes(result: Result) -> list[str]:
    return lines(result, 0)


def no(result: Result) -> list[str]:
    return lines(result, 1)


class TestKeys:
    def test_yes_and_by_which_line(self, desk: Desk) -> None:
        assert yes(ask(desk, "alice", "alice.pub")) == [
            "yes: alice may come in",
            f"decided by: {desk.file('alice')}:1",
            f"key: ssh-ed25519 {ALICE.fingerprint} alice@home",
            NO_ADDRESS,
            WHEN,
            "until: no end is set",
            "role: player",
            "restrictions: none",
        ]

    def test_yes_and_on_which_terms(self, desk: Desk) -> None:
        desk.let_in(
            "alice",
            'restrict,from="192.0.2.0/24",expiry-time="20310101Z",'
            f'role@conch-insults="operator" {ALICE.line}',
        )
        assert yes(ask(desk, "alice", "alice.pub", "--from", "192.0.2.7"))[3:] == [
            "from: 192.0.2.7",
            WHEN,
            "until: 2031-01-01 00:00:00 UTC",
            "role: operator",
            "restrictions: only from 192.0.2.0/24; no terminal",
        ]

    def test_no_and_by_which_file(self, desk: Desk) -> None:
        assert no(ask(desk, "alice", "bob.pub")) == [
            "no: key not authorized for this user",
            f"decided by: {desk.file('alice')}",
            f"key: ssh-ed25519 {BOB.fingerprint}",
            NO_ADDRESS,
            WHEN,
        ]

    @pytest.mark.parametrize(
        ("line", "arguments", "reason"),
        [
            ('from="192.0.2.0/24" ', ("--from", "2001:db8::1"), "not from 2001:db8::1 (from)"),
            ('from="192.0.2.0/24" ', (), "not from an unknown address (from)"),
            (
                'expiry-time="20300601115959Z" ',
                (),
                "expired at 2030-06-01T11:59:59Z (expiry-time)",
            ),
        ],
    )
    def test_no_and_by_which_option(
        self, desk: Desk, line: str, arguments: tuple[str, ...], reason: str
    ) -> None:
        path = desk.let_in("alice", "", f"{line}{ALICE.line}")
        answer = no(ask(desk, "alice", "alice.pub", *arguments))
        assert answer[:2] == [f"no: {reason}", f"decided by: {path}:2"]

    def test_the_time_that_is_asked_about_counts(self, desk: Desk) -> None:
        desk.let_in("alice", f'expiry-time="20300601115959Z" {ALICE.line}')
        yes(ask(desk, "alice", "alice.pub", "--at", "2030-06-01T13:59:59+02:00"))
        no(ask(desk, "alice", "alice.pub", "--at", "2030-06-01T14:00:00+02:00"))

    def test_now_is_when_nothing_is_said(self, desk: Desk) -> None:
        desk.let_in("alice", f'expiry-time="20200101Z" {ALICE.line}')
        key = str(desk.keys_dir.parent / "alice.pub")
        result = desk.run("access", "test", "--user", "alice", "--key", key)
        assert no(result)[0].startswith("no: expired at 2020-01-01")

    def test_a_revoked_key(self, desk: Desk) -> None:
        desk.write(desk.revoked, ALICE.line)
        assert no(ask(desk, "alice", "alice.pub"))[:2] == [
            "no: revoked: key listed on line 1",
            f"decided by: {desk.revoked}",
        ]

    @pytest.mark.parametrize("options", ["", "verify-required "])
    def test_a_security_key_is_taken_to_be_touched_by_its_holder(
        self, desk: Desk, tmp_path: Path, options: str
    ) -> None:
        token = SecurityKey.ecdsa()
        (tmp_path / "token.pub").write_text(token.line)
        desk.let_in("alice", f"{options}{token.line}")
        yes(ask(desk, "alice", "token.pub"))

    @NEEDS_KEYGEN
    def test_an_rsa_key_is_offered_as_clients_of_today_do(self, desk: Desk, tmp_path: Path) -> None:
        public = Keygen(tmp_path).key("rsa", "-t", "rsa", "-b", "2048")
        desk.let_in("alice", public.read_text().strip())
        yes(ask(desk, "alice", "rsa.pub"))

    def test_a_setting_counts(self, desk: Desk) -> None:
        desk.file("alice").chmod(0o664)
        refused = ask(desk, "alice", "alice.pub")
        assert refused.exit_code == 1
        assert refused.stderr.startswith(f"{desk.file('alice')}: others may write to it")
        desk.rule(strict_modes=False)
        yes(ask(desk, "alice", "alice.pub"))

    def test_what_is_wrong_in_the_file_is_told_apart(self, desk: Desk) -> None:
        desk.let_in("alice", "rubbish", ALICE.line)
        result = ask(desk, "alice", "alice.pub")
        assert result.exit_code == 0
        assert result.stderr.startswith(f"{desk.file('alice')}:1: option 'rubbish'")


class TestGuests:
    def test_yes_as_a_guest(self, desk: Desk) -> None:
        desk.rule(guests="key")
        answer = yes(ask(desk, "any\x1bbody", "bob.pub"))
        assert answer[:2] == [
            "yes: 'any\\x1bbody' may come in as a guest",
            "decided by: access.guests = key",
        ]

    def test_not_under_a_users_name(self, desk: Desk) -> None:
        desk.rule(guests="anyone")
        assert no(ask(desk, "alice", "bob.pub"))[0] == "no: key not authorized for this user"


class TestWhatIsNoKey:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "no: unknown key type ''"),
            (b"\xff\x00", "no: unknown key type"),
            (b"ssh-ed25519-cert-v01@openssh.com", "no: is not one line with a certificate"),
            (private_key_text(1), "no: that is a private key: give the .pub file"),
        ],
    )
    def test_lets_nobody_in(self, desk: Desk, tmp_path: Path, content: bytes, reason: str) -> None:
        (tmp_path / "file").write_bytes(content)
        answer = no(ask(desk, "alice", "file"))
        assert answer[0].startswith(reason)
        assert answer[1] == f"decided by: {tmp_path / 'file'}"

    def test_nor_does_it_for_programs(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("rubbish")
        result = ask(desk, "alice", "file", "--json")
        assert result.exit_code == 1
        answer = json.loads(result.stdout)
        assert (answer["allowed"], answer["key"]) == (False, None)


@needs_ssh_keygen
class TestCertificates:
    @pytest.fixture
    def authority(self, desk: Desk, tmp_path: Path) -> Authority:
        authority = Authority(tmp_path, "ca", "-t", "ed25519")
        desk.write(desk.user_ca, "# ours", authority.public.read_text().strip())
        return authority

    def test_yes_by_which_authority_and_serial(
        self, desk: Desk, tmp_path: Path, authority: Authority
    ) -> None:
        certificate = authority.certify(
            *(tmp_path / "bob.pub", "-I", "bob@laptop", "-n", "bob,ops", "-z", "7"),
            *("-V", "20300101Z:20310101Z", "-O", "clear", "-O", "source-address=192.0.2.0/24"),
        )
        answer = yes(ask(desk, "bob", certificate, "--from", "192.0.2.1"))
        fingerprint = parse_public_key(authority.public.read_text()).fingerprint
        assert answer == [
            "yes: bob may come in",
            f"decided by: {desk.user_ca}:2",
            f"key: ssh-ed25519 {BOB.fingerprint}",
            f"certificate: 'bob@laptop' (serial 7) of {fingerprint} for 'bob', 'ops'",
            "from: 192.0.2.1",
            WHEN,
            "until: 2031-01-01 00:00:00 UTC",
            "role: player",
            "restrictions: only from 192.0.2.0/24; no terminal",
        ]

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (("-n", "carol"), "certificate is for other principals: 'carol'"),
            (("-n", "bob", "-V", "20200101Z:20210101Z"), "certificate expired at 2021-01-01T00"),
            (("-n", "bob", "-h"), "certificate is for a host, not for a user"),
        ],
    )
    def test_no_and_why(
        self,
        desk: Desk,
        tmp_path: Path,
        authority: Authority,
        options: tuple[str, ...],
        reason: str,
    ) -> None:
        certificate = authority.certify(tmp_path / "bob.pub", "-I", "bob", *options)
        answer = no(ask(desk, "bob", certificate))
        assert answer[0].startswith(f"no: {reason}")
        assert answer[1] == f"decided by: {desk.user_ca}:2"

    def test_no_by_the_serial_in_a_krl(
        self, desk: Desk, tmp_path: Path, authority: Authority
    ) -> None:
        certificate = authority.certify(tmp_path / "bob.pub", "-I", "bob", "-n", "bob", "-z", "7")
        krl = Keygen(tmp_path).krl("krl", "serial: 7\n", "-s", str(authority.public))
        krl.chmod(0o644)
        krl.rename(desk.revoked)
        assert no(ask(desk, "bob", certificate))[:2] == [
            "no: revoked: certificate serial 7",
            f"decided by: {desk.revoked}",
        ]

    @pytest.mark.parametrize("key_type", ["ssh-rsa", "ecdsa-sha2-nistp384"])
    def test_of_other_types(
        self, desk: Desk, tmp_path: Path, authority: Authority, key_type: str
    ) -> None:
        public = Keygen(tmp_path).key("other", *KEY_OPTIONS[key_type])
        certificate = authority.certify(public, "-I", "bob", "-n", "bob")
        yes(ask(desk, "bob", certificate))

    def test_json(self, desk: Desk, tmp_path: Path, authority: Authority) -> None:
        certificate = authority.certify(
            tmp_path / "bob.pub", "-I", "bob@laptop", "-n", "bob", "-z", "7"
        )
        answer = json.loads("\n".join(yes(ask(desk, "bob", certificate, "--json"))))
        fingerprint = parse_public_key(authority.public.read_text()).fingerprint
        assert answer == {
            "allowed": True,
            "reason": None,
            "source": f"{desk.user_ca}:2",
            "user": "bob",
            "key": {"type": "ssh-ed25519", "fingerprint": BOB.fingerprint},
            "certificate": {
                "key_id": "bob@laptop",
                "serial": 7,
                "principals": ["bob"],
                "expires": None,
                "authority": fingerprint,
            },
            "from": None,
            "at": "2030-06-01T12:00:00Z",
            "guest": False,
            "expires": None,
            "role": "player",
            "rating": None,
            "pty": True,
            "command": None,
            "environment": {},
            "restrictions": [],
        }


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ((), "Missing option '--user'"),
            (("--user", "alice"), "Missing option '--key'"),
            (("--user", "alice", "--key", "/nowhere"), "No such file"),
            (("--user", "alice", "--key", "-", "--from", "here"), "'here' is no IP address"),
            (("--user", "alice", "--key", "-", "--at", "soon"), "'soon' is no time"),
        ],
    )
    def test_that_is_bad_is_status_2(
        self, desk: Desk, arguments: tuple[str, ...], reason: str
    ) -> None:
        assert reason in desk.misused("access", "test", *arguments, typed=ALICE.line)
