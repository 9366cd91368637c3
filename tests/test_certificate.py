"""Certificates: made by ssh-keygen, then bent in every way."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA512
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.certificate import (
    Certificate,
    CertificateKind,
    parse_certificate,
    parse_certificate_line,
)
from conch_insults.access.certified_key import MAXIMUM_CERTIFICATE_BYTES, certificate_name
from conch_insults.errors import PublicKeyError
from tests.certificate_authority import (
    KEY_OPTIONS,
    Authority,
    Draft,
    blob_in,
    needs_ssh_keygen,
    pairs,
    ssh_keygen,
)
from tests.sample_keys import public_key
from tests.software_authenticator import SecurityKey, string

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = 2**64 - 1
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SECURITY_KEYS = {key.key_type: key for key in (SecurityKey.ed25519(), SecurityKey.ecdsa())}
TYPES = (*KEY_OPTIONS, *SECURITY_KEYS)


@dataclass(frozen=True)
class Bench:
    """Authorities of every type that ssh-keygen makes, and keys to certify."""

    folder: Path
    authorities: dict[str, Authority]

    def certify(self, key_type: str, authority: str = "ssh-ed25519", *options: str) -> Path:
        options = options or ("-I", "alice@laptop", "-n", "alice")
        return self.authorities[authority].certify(self.folder / f"{key_type}.pub", *options)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("certificates")
    for key_type, options in KEY_OPTIONS.items():
        ssh_keygen("-q", "-N", "", "-C", "x", "-f", folder / key_type, *options)
    for key_type, key in SECURITY_KEYS.items():
        (folder / f"{key_type}.pub").write_text(f"{key.line}\n", encoding="utf-8")
    return Bench(
        folder,
        {name: Authority(folder, f"ca-{name}", *options) for name, options in KEY_OPTIONS.items()},
    )


def refusal(blob: bytes) -> str:
    with pytest.raises(PublicKeyError) as caught:
        parse_certificate(blob)
    return str(caught.value)


@needs_ssh_keygen
class TestACertificateBySshKeygen:
    @pytest.mark.parametrize("key_type", TYPES)
    def test_is_read(self, bench: Bench, key_type: str) -> None:
        path = bench.certify(
            key_type,
            "ssh-ed25519",
            *("-I", "alice's laptop", "-n", "alice,root", "-z", "18446744073709551615"),
            *("-V", "19700101000001Z:20300101000000Z", "-O", "clear", "-O", "permit-pty"),
            *("-O", "force-command=perl"),
        )
        certificate = parse_certificate(blob_in(path))
        assert certificate == Certificate(
            key=certificate.key,
            kind=CertificateKind.USER,
            serial=FOREVER,
            key_id="alice's laptop",
            principals=("alice", "root"),
            valid_after=1,
            valid_before=1893456000,
            authority=certificate.authority,
            critical=((b"force-command", string(b"perl")),),
            extensions=((b"permit-pty", b""),),
            blob=blob_in(path),
        )
        assert certificate.key.key_type == key_type
        assert certificate.key.blob == blob_in(bench.folder / f"{key_type}.pub")
        assert certificate.authority.blob == blob_in(bench.authorities["ssh-ed25519"].public)
        assert certificate.expires == datetime(2030, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize("authority", KEY_OPTIONS)
    def test_may_be_signed_by_any_type_of_key(self, bench: Bench, authority: str) -> None:
        certificate = parse_certificate(blob_in(bench.certify("ssh-ed25519", authority)))
        assert certificate.authority.key_type == authority
        assert certificate.authority.blob == blob_in(bench.authorities[authority].public)

    @pytest.mark.parametrize("algorithm", ["rsa-sha2-256", "rsa-sha2-512"])
    def test_may_be_signed_by_rsa_with_sha2(self, bench: Bench, algorithm: str) -> None:
        path = bench.certify("ssh-rsa", "ssh-rsa", "-t", algorithm, "-I", "x", "-n", "alice")
        assert string(algorithm.encode()) in blob_in(path)
        assert parse_certificate(blob_in(path)).authority.key_type == "ssh-rsa"

    def test_must_not_be_signed_with_sha1(self, bench: Bench) -> None:
        path = bench.certify("ssh-ed25519", "ssh-rsa", "-t", "ssh-rsa", "-I", "x", "-n", "alice")
        assert refusal(blob_in(path)) == (
            "certificate is signed with SHA-1: sign it again with `ssh-keygen -t rsa-sha2-512`"
        )

    def test_may_be_for_a_host(self, bench: Bench) -> None:
        path = bench.certify("ssh-ed25519", "ssh-ed25519", "-h", "-I", "host", "-n", "a.b,c")
        certificate = parse_certificate(blob_in(path))
        assert certificate.kind is CertificateKind.HOST
        assert certificate.principals == ("a.b", "c")

    def test_may_be_for_ever_and_for_nobody(self, bench: Bench) -> None:
        path = bench.certify("ssh-ed25519", "ssh-ed25519", "-I", "")
        certificate = parse_certificate(blob_in(path))
        assert (certificate.valid_after, certificate.valid_before) == (0, FOREVER)
        assert certificate.expires is None
        assert (certificate.key_id, certificate.serial, certificate.principals) == ("", 0, ())

    def test_is_read_from_its_file(self, bench: Bench) -> None:
        path = bench.certify("ssh-ed25519")
        text = path.read_text(encoding="utf-8")
        certificate = parse_certificate(blob_in(path))
        for line in (text, f"  {text}\r\n", " ".join(text.split()[:2]), text.replace(" ", "\t")):
            assert parse_certificate_line(line) == certificate

    def test_of_a_short_rsa_key_is_refused(self, bench: Bench) -> None:
        path = bench.certify("ssh-rsa")
        with pytest.raises(PublicKeyError, match=r"^certificate's key: RSA key of 2048 bits is to"):
            parse_certificate(blob_in(path), minimum_rsa_bits=3072)
        with pytest.raises(PublicKeyError, match=r"^certificate's key: RSA key of 2048 bits is to"):
            parse_certificate_line(path.read_text(encoding="utf-8"), minimum_rsa_bits=3072)

    def test_by_a_short_rsa_key_is_refused(self, bench: Bench) -> None:
        blob = blob_in(bench.certify("ssh-ed25519", "ssh-rsa"))
        with pytest.raises(PublicKeyError, match=r"^certificate's authority: RSA key of 2048 bits"):
            parse_certificate(blob, minimum_rsa_bits=3072)


class TestALine:
    def test_that_is_no_certificate(self) -> None:
        good = f"ssh-ed25519-cert-v01@openssh.com {b64encode(Draft().signed()).decode()}"
        assert parse_certificate_line(good).serial == 7
        for text, said in {
            "": "is not one line with a certificate",
            "ssh-ed25519-cert-v01@openssh.com": "is not one line with a certificate",
            f"{good}\n{good}": "is not one line with a certificate",
            f"{good}=": "is not valid base64: copy the whole line again",
            good[:-9] + "\xe9": "is not valid base64: copy the whole line again",
            good.replace("25519", "448"): (
                "says 'ssh-ed448-cert-v01@openssh.com' but holds a certificate of another type"
            ),
            "\ud800" + good: (
                r"says '\ud800ssh-ed25519-cert-v01@openssh.com'"
                " but holds a certificate of another type"
            ),
            public_key(1).line: "unknown certificate type 'ssh-ed25519'",
        }.items():
            with pytest.raises(PublicKeyError) as caught:
                parse_certificate_line(text)
            assert str(caught.value) == said


class TestADraft:
    """Certificates by hand, which only differ from good ones by what a test says."""

    @needs_ssh_keygen
    def test_is_read_by_ssh_keygen_too(self, tmp_path: Path) -> None:
        draft = Draft(critical=pairs((b"force-command", string(b"perl"))), kind=2)
        line = f"ssh-ed25519-cert-v01@openssh.com {b64encode(draft.signed()).decode()}\n"
        (tmp_path / "x-cert.pub").write_text(line, encoding="utf-8")
        listing = ssh_keygen("-L", "-f", tmp_path / "x-cert.pub")
        assert 'Key ID: "alice@laptop"' in listing
        assert "host certificate" in listing
        assert "force-command perl" in listing

    @pytest.mark.parametrize("kind", [0, 3, 2**32 - 1])
    def test_for_neither_users_nor_hosts(self, kind: int) -> None:
        assert refusal(Draft(kind=kind).signed()) == (
            "certificate is neither for users nor for hosts"
        )

    @pytest.mark.parametrize("cut", [1, 64, 200])
    def test_cut_short(self, cut: int) -> None:
        assert refusal(Draft().signed()[:-cut]) == (
            "certificate is too short or too long: copy the whole line again"
        )

    def test_with_something_after_it(self) -> None:
        assert refusal(Draft().signed() + b"\0") == (
            "certificate is too short or too long: copy the whole line again"
        )

    def test_with_text_beyond_ascii(self) -> None:
        certificate = parse_certificate(
            Draft(key_id="Zoë\n".encode(), principals=("zoë".encode(),)).signed()
        )
        assert (certificate.key_id, certificate.principals) == ("Zoë\n", ("zoë",))

    @pytest.mark.parametrize("text", [b"alice\0", b"\0", b"alice\0bob"])
    def test_with_a_zero_byte(self, text: bytes) -> None:
        said = "certificate has a zero byte in its key ID or principals"
        assert refusal(Draft(key_id=text).signed()) == said
        assert refusal(Draft(principals=(b"alice", text)).signed()) == said

    def test_with_text_that_is_none(self) -> None:
        said = "certificate's key ID or principals are not UTF-8 text"
        assert refusal(Draft(key_id=b"\xff").signed()) == said
        assert refusal(Draft(principals=(b"alice", b"\xc0\x80")).signed()) == said

    def test_with_as_many_principals_as_openssh_takes(self) -> None:
        names = tuple(b"%d" % number for number in range(257))
        assert len(parse_certificate(Draft(principals=names[:256]).signed()).principals) == 256
        assert refusal(Draft(principals=names).signed()) == (
            "certificate has more than 256 principals"
        )

    def test_with_too_many_principals_is_read_no_further(self) -> None:
        """A cheap question must not have a dear answer; what follows here is not even text."""
        names = (b"",) * 257 + (b"\xff",) * 1000
        assert refusal(Draft(principals=names).signed()) == (
            "certificate has more than 256 principals"
        )

    def test_with_more_options_than_anybody_has(self) -> None:
        most = pairs(*((b"%d" % number, b"") for number in range(64)))
        certificate = parse_certificate(Draft(critical=most, extensions=most).signed())
        assert len(certificate.critical) == len(certificate.extensions) == 64
        # Read no further than that: a name with a zero byte comes later.
        more = most + pairs((b"64", b""), (b"\0", b""))
        assert refusal(Draft(critical=more).signed()) == (
            "certificate has more than 64 critical options"
        )
        assert refusal(Draft(extensions=more).signed()) == "certificate has more than 64 extensions"

    def test_of_the_greatest_length(self) -> None:
        spare = MAXIMUM_CERTIFICATE_BYTES - len(Draft().signed())
        longest = Draft(reserved=b"r" * spare).signed()
        assert len(longest) == MAXIMUM_CERTIFICATE_BYTES
        assert parse_certificate(longest).serial == 7
        assert refusal(longest + b"\0") == "certificate is longer than 32768 bytes"

    def test_with_options_in_any_order(self) -> None:
        options = ((b"b", b"\0"), (b"a", b""), (b"b", b"raw"))
        certificate = parse_certificate(
            Draft(critical=pairs(*options), extensions=pairs(*options[1:])).signed()
        )
        assert (certificate.critical, certificate.extensions) == (options, options[1:])

    @pytest.mark.parametrize(
        "options", [b"\0", string(b"name"), pairs((b"a", b"")) + string(b"b"), b"\0\0\0\2a"]
    )
    def test_with_options_that_are_cut(self, options: bytes) -> None:
        said = "certificate is too short or too long: copy the whole line again"
        assert refusal(Draft(critical=options).signed()) == said
        assert refusal(Draft(extensions=options).signed()) == said

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            (
                string(b"ssh-ed25519") + string(b"k" * 31),
                "certificate's key: key is not a valid Ed25519 key",
            ),
            (string(b"ssh-dss") + string(b"x"), "unknown certificate type 'ssh-dss-cert-v01@open"),
            (
                string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b"\4" + bytes(64)),
                "certificate's key: key is not a point of its curve",
            ),
            (
                string(b"sk-ssh-ed25519@openssh.com") + string(b"k" * 32) + string(b"ssh:\0"),
                "certificate's key: key has a zero byte in its application",
            ),
        ],
    )
    def test_of_a_bad_key(self, key: bytes, said: str) -> None:
        assert refusal(Draft(key).signed()).startswith(said)

    @pytest.mark.parametrize("name", [b"permit-pty\0", b"a\0b", b"\0"])
    def test_with_a_zero_byte_in_an_options_name(self, name: bytes) -> None:
        said = "certificate has a zero byte in an option's name"
        options = pairs((b"a", b"\0"), (name, b""))
        assert refusal(Draft(critical=options).signed()) == said
        assert refusal(Draft(extensions=options).signed()) == said


class TestAnAuthority:
    @pytest.mark.parametrize("key", SECURITY_KEYS.values(), ids=SECURITY_KEYS)
    @pytest.mark.parametrize("flags", [0, 1, 5])
    def test_may_be_a_security_key(self, key: SecurityKey, flags: int) -> None:
        draft = Draft(authority=key.blob)
        certificate = parse_certificate(draft.signed(lambda data: key.sign(data, flags)))
        assert certificate.authority == key.public

    def test_is_no_certificate(self) -> None:
        chained = Draft(authority=Draft().signed())
        assert refusal(chained.signed()) == (
            "certificate's authority: certificates are not accepted: give the plain public key"
        )

    @pytest.mark.parametrize(
        "authority", [b"", b"\0", string(b"ssh-dss") + string(b"x"), public_key(1).blob + b"\0"]
    )
    def test_is_a_good_key(self, authority: bytes) -> None:
        assert refusal(Draft(authority=authority).signed()).startswith("certificate's authority: ")

    def test_has_signed_it(self) -> None:
        said = "certificate is not signed by the authority that it names"
        assert refusal(Draft(authority=public_key(2).blob).signed()) == said
        signature = Draft().signed().removeprefix(Draft().body)
        for changed in (
            Draft(public_key(2).blob),
            Draft(nonce=b"m" * 32),
            Draft(serial=8),
            Draft(kind=2),
            Draft(key_id=b"bob"),
            Draft(principals=(b"alice", b"root")),
            Draft(valid_after=1),
            Draft(valid_before=2**63),
            Draft(critical=pairs((b"x", b""))),
            Draft(extensions=pairs((b"permit-pty", b""))),
            Draft(reserved=b"r"),
        ):
            assert refusal(changed.body + signature) == said

    @pytest.mark.parametrize(
        "label",
        [b"", b"ssh-dss", b"rsa-sha2-512", b"ssh-ed25519-cert-v01@openssh.com", b"\xff", b"x" * 99],
    )
    def test_signs_as_its_type_does(self, label: bytes) -> None:
        signature = Draft().signed()[-68:]
        assert refusal(Draft().signed(lambda _: string(label) + signature)) == (
            "certificate is not signed by the authority that it names"
        )

    def test_cannot_sign_with_sha1_under_another_label(self) -> None:
        private = rsa.generate_private_key(65537, 2048)
        numbers = private.public_key().public_numbers()
        authority = (
            string(b"ssh-rsa") + string(b"\1\0\1") + string(b"\0" + numbers.n.to_bytes(256, "big"))
        )
        draft = Draft(authority=authority)

        def signed(label: bytes, hashed: SHA1 | SHA512) -> bytes:
            return draft.signed(
                lambda data: string(label) + string(private.sign(data, padding.PKCS1v15(), hashed))
            )

        assert parse_certificate(signed(b"rsa-sha2-512", SHA512())).authority.blob == authority
        for label in (b"rsa-sha2-512", b"rsa-sha2-256", b"ssh-rsa-cert-v01@openssh.com"):
            assert refusal(signed(label, SHA1())) == (
                "certificate is not signed by the authority that it names"
            )

    def test_signature_is_not_empty(self) -> None:
        assert refusal(Draft().signed(lambda _: b"")) == (
            "certificate is too short or too long: copy the whole line again"
        )


def certificate(**fields: object) -> Certificate:
    return parse_certificate(Draft(**fields).signed())  # type: ignore[arg-type]


class TestForAUser:
    ALICE = frozenset({"alice"})

    def test_who_is_a_principal(self) -> None:
        good = certificate(principals=(b"root", b"alice"))
        assert good.problem_for_user(self.ALICE, NOON) is None
        assert good.problem_for_user({"nobody", "root"}, NOON) is None

    @pytest.mark.parametrize("name", ["bob", "Alice", "alic", "alice ", "*", "", "a"])
    def test_who_is_none(self, name: str) -> None:
        said = "certificate is for other principals: 'alice'"
        assert certificate().problem_for_user({name}, NOON) == said
        assert certificate(principals=(b"alice*", b"a?ice")).problem_for_user(self.ALICE, NOON)

    def test_when_nobody_is_asked_for(self) -> None:
        assert certificate().problem_for_user(frozenset(), NOON)

    def test_without_principals_is_for_nobody(self) -> None:
        said = "certificate names no principal: sign it again with `ssh-keygen -n`"
        for names in (self.ALICE, {""}, frozenset[str]()):
            assert certificate(principals=()).problem_for_user(names, NOON) == said

    def test_some_of_many_principals_are_told_in_one_clean_line(self) -> None:
        names = (b"bob\n", "zo\xeb\x1b".encode(), b"x" * 300, b"dave", b"eve")
        said = certificate(principals=names).problem_for_user(self.ALICE, NOON)
        assert said == (
            "certificate is for other principals: 'bob\\n', 'zo\\xeb\\x1b', "
            f"'{'x' * 40}' and 2 more"
        )

    def test_does_not_take_a_hosts(self) -> None:
        said = certificate(kind=2).problem_for_user(self.ALICE, NOON)
        assert said == "certificate is for a host, not for a user"


class TestInTime:
    def test_from_the_first_second_to_before_the_last(self) -> None:
        start = int(NOON.timestamp())
        limited = certificate(valid_after=start, valid_before=start + 60)
        minute = timedelta(minutes=1)
        early = "certificate is not valid before 2026-06-01T12:00:00Z"
        late = "certificate expired at 2026-06-01T12:01:00Z"
        for moment, said in (
            (NOON - SECOND, early),
            (NOON - SECOND / 1000, early),
            (NOON, None),
            (NOON + minute - SECOND / 1000, None),
            (NOON + minute, late),
            (NOON + minute + SECOND, late),
        ):
            assert limited.problem_for_user({"alice"}, moment) == said
            host = replace(limited, kind=CertificateKind.HOST)
            assert host.problem_for_host(moment) == said
        assert limited.expires == NOON + minute

    def test_beyond_what_a_date_can_say(self) -> None:
        assert certificate(valid_before=253402300799).expires == datetime(
            9999, 12, 31, 23, 59, 59, tzinfo=UTC
        )
        assert certificate(valid_before=253402300800).expires is None
        never = certificate(valid_after=FOREVER).problem_for_user({"alice"}, NOON)
        assert never == "certificate is not valid before the end of time"

    def test_that_runs_backwards_never_holds(self) -> None:
        start = int(NOON.timestamp())
        backwards = certificate(valid_after=start + 60, valid_before=start)
        for moment in (NOON - SECOND, NOON, NOON + SECOND, NOON + timedelta(minutes=2)):
            assert backwards.problem_for_user({"alice"}, moment)


class TestForAHost:
    def test_names_and_extensions_are_the_clients_to_judge(self) -> None:
        good = certificate(kind=2, principals=(), extensions=pairs((b"x@y", b"")))
        assert good.problem_for_host(NOON) is None

    def test_does_not_take_a_users(self) -> None:
        said = "certificate is for a user: sign it again with `ssh-keygen -h`"
        assert certificate().problem_for_host(NOON) == said

    def test_has_no_critical_options(self) -> None:
        said = certificate(kind=2, critical=pairs((b"x", b""))).problem_for_host(NOON)
        assert said == "certificate has critical options, which no client knows for hosts"


# One of each type, with a security key as authority for some.
DRAFTS = {
    "ssh-ed25519": Draft(critical=pairs((b"force-command", string(b"perl")))).signed(),
    **{
        key.key_type: Draft(key.blob, authority=key.blob).signed(key.sign)
        for key in SECURITY_KEYS.values()
    },
}


class TestHostileBytes:
    @needs_ssh_keygen
    @settings(deadline=None, max_examples=300)
    @given(data=st.data())
    def test_a_real_certificate_with_bytes_changed_is_refused(
        self, bench: Bench, data: st.DataObject
    ) -> None:
        key_type = data.draw(st.sampled_from(TYPES))
        authority = data.draw(st.sampled_from(sorted(KEY_OPTIONS)))
        path = bench.folder / f"{certificate_name(key_type)} by {authority}"
        if not path.exists():
            bench.certify(key_type, authority).rename(path)
        self.bend(blob_in(path), data)

    @settings(deadline=None, max_examples=200)
    @given(draft=st.sampled_from(sorted(DRAFTS)), data=st.data())
    def test_a_draft_with_bytes_changed_is_refused(self, draft: str, data: st.DataObject) -> None:
        self.bend(DRAFTS[draft], data)

    def bend(self, blob: bytes, data: st.DataObject) -> None:
        assert parse_certificate(blob)
        changed = bytearray(blob)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(blob) - 1))
            changed[at] = data.draw(st.integers(0, 255))
        if changed != blob:
            assert refusal(bytes(changed))

    @pytest.mark.parametrize("draft", DRAFTS.values(), ids=DRAFTS)
    def test_a_certificate_cut_anywhere_is_refused(self, draft: bytes) -> None:
        for size in range(len(draft)):
            assert refusal(draft[:size])

    @settings(deadline=None, max_examples=200)
    @given(st.binary())
    def test_any_bytes_are_refused(self, blob: bytes) -> None:
        assert refusal(blob)

    @settings(deadline=None, max_examples=200)
    @given(st.text())
    def test_any_text_is_refused(self, text: str) -> None:
        with pytest.raises(PublicKeyError):
            parse_certificate_line(text)

    @settings(deadline=None, max_examples=200)
    @given(
        st.builds(
            Draft,
            serial=st.integers(0, FOREVER),
            kind=st.integers(0, 3),
            key_id=st.binary(max_size=20),
            principals=st.lists(st.binary(max_size=9), max_size=4).map(tuple),
            valid_after=st.integers(0, FOREVER),
            valid_before=st.integers(0, FOREVER),
            critical=st.binary(max_size=20),
            extensions=st.binary(max_size=20),
            reserved=st.binary(max_size=20),
        )
    )
    def test_whatever_an_authority_signs_is_an_error_or_says_what_was_signed(
        self, draft: Draft
    ) -> None:
        try:
            found = parse_certificate(draft.signed())
        except PublicKeyError:
            return
        assert found.kind.value == draft.kind
        assert found.key_id.encode() == draft.key_id
        assert tuple(name.encode() for name in found.principals) == draft.principals
        assert (found.serial, found.valid_after) == (draft.serial, draft.valid_after)
        assert found.valid_before == draft.valid_before
        assert pairs(*found.critical) == draft.critical
        assert pairs(*found.extensions) == draft.extensions
        found.problem_for_user({"alice"}, NOON)
        found.problem_for_host(NOON)
