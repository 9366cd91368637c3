from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.krl import MAGIC
from conch_insults.access.revocation import (
    MAXIMUM_BYTES,
    MAXIMUM_LINE_BYTES,
    is_krl,
    parse_fingerprint,
    parse_list,
    parse_revoked,
)
from conch_insults.errors import KeyFileError, PublicKeyError
from tests.real_keygen import NEEDS_KEYGEN, Keygen, blob_of, certificate_of
from tests.sample_keys import public_key, public_rsa_key

if TYPE_CHECKING:
    from conch_insults.access.certificate import Certificate
    from conch_insults.access.public_key import PublicKey

ALICE = public_key(1, "alice@home")
BOB = public_key(2)
RSA = public_rsa_key()


def reasons(content: str) -> list[str | None]:
    """Return why Alice's, Bob's and the RSA key are revoked."""
    revoked = parse_revoked(content.encode())
    return [revoked.reason(key.blob) for key in (ALICE, BOB, RSA)]


class TestLists:
    def test_an_empty_one_revokes_nobody(self) -> None:
        for content in ("", "\n", "\n# nobody yet\n  \t\n\r\n  # truly"):
            assert reasons(content) == [None, None, None]

    def test_a_key_on_a_line_is_revoked(self) -> None:
        content = f"# lost\n\n{ALICE.line}\n{RSA.line}"
        assert reasons(content) == [
            "revoked: key listed on line 3",
            None,
            "revoked: key listed on line 4",
        ]

    def test_a_fingerprint_is_as_good_as_its_key(self) -> None:
        content = f"{BOB.fingerprint} bob's old laptop\n\t{ALICE.fingerprint}\n"
        assert reasons(content) == [
            "revoked: key listed on line 2",
            "revoked: key listed on line 1",
            None,
        ]

    @pytest.mark.parametrize(
        "line",
        [
            ALICE.line.replace(" ", "  \t "),
            f"  {ALICE.line}\r",
            ALICE.line.replace("alice@home", 'a "comment" # with \t anything'),
            ALICE.line.removesuffix(" alice@home"),
        ],
    )
    def test_blanks_and_comments_do_not_matter(self, line: str) -> None:
        assert reasons(line)[0] == "revoked: key listed on line 1"

    def test_a_comment_may_be_in_any_encoding(self) -> None:
        revoked = parse_revoked(b"# caf\xe9\n" + ALICE.line.encode() + b" caf\xe9\n")
        assert revoked.reason(ALICE.blob) == "revoked: key listed on line 2"

    def test_the_first_of_two_lines_is_named(self) -> None:
        assert reasons(f"{BOB.line}\n{BOB.fingerprint}\n")[1] == "revoked: key listed on line 1"

    def test_another_key_is_not_revoked(self) -> None:
        assert parse_revoked(ALICE.line.encode()).reason(public_key(3).blob) is None


class TestLinesThatCannotBeRead:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("garbage", "is neither a public key nor a SHA256 fingerprint"),
            ("ssh-ed25519", "is neither a public key nor a SHA256 fingerprint"),
            (ALICE.line.split()[1], "is neither a public key nor a SHA256 fingerprint"),
            (f"restrict {ALICE.line}", "is neither a public key nor a SHA256 fingerprint"),
            (f"ssh-rsa {ALICE.line.split()[1]}", "is neither a public key nor a SHA256"),
            (ALICE.line.replace("AAAA", "AAA*"), "is neither a public key nor a SHA256"),
            (ALICE.line.split(" alice")[0][:-4], "key is too short or too long"),
            (" AAAAAA==", "is neither a public key nor a SHA256 fingerprint"),
            ("ssh-new AAAAB3NzaC1uZXc=", "unknown key type 'ssh-new'"),
            (ALICE.fingerprint[:-1], "is no SHA256 fingerprint: `ssh-keygen -lf FILE` prints"),
            ("SHA256:", "is no SHA256 fingerprint"),
            ("MD5:00:11", "is neither a public key nor a SHA256 fingerprint"),
            (f"{ALICE.line}\0", "has a zero byte"),
            (f"{ALICE.line} {'x' * MAXIMUM_LINE_BYTES}", "is longer than 65536 bytes"),
            ("SSHKRL", "is neither a public key nor a SHA256 fingerprint"),
        ],
    )
    def test_one_refuses_the_whole_list(self, line: str, reason: str) -> None:
        with pytest.raises(KeyFileError) as caught:
            parse_revoked(f"{BOB.line}\n\n{line}\n".encode())
        assert str(caught.value).startswith("line 3: ")
        assert reason in str(caught.value)

    def test_a_comment_may_be_as_long_as_it_likes(self) -> None:
        assert reasons("#" + "x" * MAXIMUM_LINE_BYTES) == [None, None, None]

    def test_a_list_too_large_is_not_read(self) -> None:
        with pytest.raises(KeyFileError, match="is larger than 4194304 bytes"):
            parse_revoked(b"\n" * (MAXIMUM_BYTES + 1))

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_bytes_of_any_kind_raise_nothing_else(self, content: bytes) -> None:
        for whole in (content, ALICE.line.encode()[:40] + content, MAGIC + content):
            with contextlib.suppress(KeyFileError):
                parse_revoked(whole)

    @pytest.mark.parametrize("key", [ALICE, RSA])
    def test_a_line_cut_short_is_noticed_wherever_it_was_cut(self, key: PublicKey) -> None:
        line = key.line.removesuffix(f" {key.comment}")
        for end in range(1, len(line)):
            with pytest.raises(KeyFileError, match="line 1: "):
                parse_revoked(line[:end].encode())


class TestFingerprints:
    def test_one_is_read_as_keygen_prints_it(self) -> None:
        assert parse_list(ALICE.line.encode()) == {parse_fingerprint(ALICE.fingerprint): 1}

    @pytest.mark.parametrize(
        "text",
        [
            "",
            ALICE.fingerprint.removeprefix("SHA256:"),
            ALICE.fingerprint.lower(),
            f"{ALICE.fingerprint}=",
            f"{ALICE.fingerprint} ",
            f"{ALICE.fingerprint}\n",
            "SHA256:ü",
            "MD5:00:11:22",
        ],
    )
    def test_what_is_none(self, text: str) -> None:
        with pytest.raises(PublicKeyError, match="is no SHA256 fingerprint"):
            parse_fingerprint(text)


@pytest.fixture(scope="session")
def keygen(tmp_path_factory: pytest.TempPathFactory) -> Keygen:
    keygen = Keygen(tmp_path_factory.mktemp("revocation"))
    keygen.key("ca")
    keygen.key("other")
    key = keygen.key("alice", "-t", "ecdsa")
    keygen.certificate(key, "ca", "seven", "-I", "alice@work", "-z", "7")
    keygen.certificate(key, "other", "eight", "-I", "alice@home", "-z", "8")
    return keygen


@NEEDS_KEYGEN
class TestCertificates:
    def reasons(self, keygen: Keygen, content: bytes) -> list[str | None]:
        """Return why the certificates of the two CAs are revoked."""
        revoked = parse_revoked(content)
        certificates = [self.named(keygen, name) for name in ("seven", "eight")]
        return [revoked.reason(each.blob, each) for each in certificates]

    def named(self, keygen: Keygen, name: str) -> Certificate:
        certificate = certificate_of(keygen.folder / f"{name}-cert.pub")
        assert certificate is not None
        return certificate

    def test_a_certificate_is_revoked_with_its_key(self, keygen: Keygen) -> None:
        line = (keygen.folder / "alice.pub").read_bytes()
        assert self.reasons(keygen, line) == ["revoked: key listed on line 1"] * 2

    def test_a_listed_certificate_revokes_its_key_as_in_sshd(self, keygen: Keygen) -> None:
        line = (keygen.folder / "seven-cert.pub").read_bytes()
        assert self.reasons(keygen, line) == ["revoked: key listed on line 1"] * 2
        plain = blob_of(keygen.folder / "alice.pub")
        assert parse_revoked(line).reason(plain) == "revoked: key listed on line 1"

    def test_a_certificate_is_revoked_with_its_ca(self, keygen: Keygen) -> None:
        line = b"\n" + (keygen.folder / "ca.pub").read_bytes()
        said = "revoked: its CA is revoked (key listed on line 2)"
        assert self.reasons(keygen, line) == [said, None]
        assert parse_revoked(line).reason(blob_of(keygen.folder / "alice.pub")) is None

    @pytest.mark.parametrize(
        ("directives", "options", "expected"),
        [
            ("serial: 7", ["-s", "ca.pub"], ["revoked: certificate serial 7", None]),
            ("id: alice@home", ["-s", "none"], [None, "revoked: key ID 'alice@home'"]),
            ("", ["alice.pub"], ["revoked: key listed in the KRL"] * 2),
            (
                "",
                ["other.pub"],
                [None, "revoked: its CA is revoked (key listed in the KRL)"],
            ),
        ],
    )
    def test_a_krl_says_why(
        self, keygen: Keygen, directives: str, options: list[str], expected: list[str | None]
    ) -> None:
        content = keygen.krl("list.krl", directives, *options).read_bytes()
        assert is_krl(content)
        assert self.reasons(keygen, content) == expected

    def test_a_key_in_a_krl(self, keygen: Keygen) -> None:
        revoked = parse_revoked(keygen.krl("key.krl", "", "alice.pub").read_bytes())
        plain = blob_of(keygen.folder / "alice.pub")
        assert revoked.reason(plain) == "revoked: key listed in the KRL"
        assert revoked.reason(ALICE.blob) is None

    def test_a_krl_that_cannot_be_read_is_no_list(self, keygen: Keygen) -> None:
        content = keygen.krl("cut.krl", "serial: 7", "-s", "ca.pub").read_bytes()
        with pytest.raises(KeyFileError, match="KRL is cut short or damaged"):
            parse_revoked(content[:-1])

    @pytest.mark.parametrize("options", [("-t", "rsa", "-b", "1024"), ("-t", "dsa")])
    def test_keys_too_weak_to_come_in_can_be_listed(
        self, keygen: Keygen, options: tuple[str, ...]
    ) -> None:
        name = "-".join(options)
        try:
            path = keygen.key(name.strip("-"), *options)
        except AssertionError:
            pytest.skip("this ssh-keygen makes no such keys")
        assert parse_revoked(path.read_bytes()).reason(blob_of(path)) is not None
