"""Attestations of security keys: good ones, and everything that must not pass for one."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from base64 import encodebytes
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.attestation import Attested, verify_attestation
from conch_insults.access.attestation_certificate import read_roots
from conch_insults.access.public_key import parse_public_key
from conch_insults.access.signature import verify
from conch_insults.errors import PublicKeyError
from tests.sample_keys import public_key
from tests.software_authenticator import (
    AAGUID,
    CREDENTIAL_INCLUDED,
    EXTENSIONS_INCLUDED,
    NO_AUTHORITY,
    NOW,
    USER_PRESENT,
    USER_VERIFIED,
    SecurityKey,
    SoftwareAuthenticator,
    attestation_blob,
    authenticator_data,
    byte_string,
    make_attester,
    make_root,
    string,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conch_insults.access.public_key import PublicKey

CHALLENGE = b"enrolment 17 of alice\n"
ROOT = make_root()
ROOTS = read_roots(ROOT.pem, "roots.pem")
AUTHENTICATOR = SoftwareAuthenticator(make_attester(ROOT))
KEY = SecurityKey.ed25519()
GOOD = AUTHENTICATOR.attest(KEY, CHALLENGE)
SUBJECT = "CN=Software Authenticator 1,OU=Authenticator Attestation,O=Software Authenticators,C=XX"

EACH_KEY = pytest.mark.parametrize("key", [KEY, SecurityKey.ecdsa()], ids=["ed25519", "ecdsa"])


def check(
    attestation: bytes, challenge: bytes = CHALLENGE, key: PublicKey = KEY.public
) -> Attested:
    return verify_attestation(attestation, challenge, key, ROOTS, NOW)


def refused(
    reason: str, attestation: bytes, challenge: bytes = CHALLENGE, key: PublicKey = KEY.public
) -> None:
    with pytest.raises(PublicKeyError, match=reason):
        check(attestation, challenge, key)


def packed(data: bytes, **other: bytes) -> bytes:
    """Return an attestation with a good signature of this authenticator data."""
    signature = AUTHENTICATOR.attester.sign(data + sha256(CHALLENGE).digest())
    return attestation_blob(AUTHENTICATOR.attester.der, signature, byte_string(data), **other)


class TestAGoodAttestation:
    @EACH_KEY
    def test_names_the_model_and_the_maker(self, key: SecurityKey) -> None:
        attestation = AUTHENTICATOR.attest(key, CHALLENGE)
        attested = check(attestation, key=parse_public_key(f"{key.line} alice@laptop"))
        assert attested == Attested("c0ffee00-2010-4b1d-8bad-f00dfacade42", SUBJECT)

    @pytest.mark.parametrize(
        "application", ["ssh:work", "ssh:" + "x" * 500, "ssh:café"], ids=["other", "long", "UTF-8"]
    )
    def test_may_be_for_any_application(self, application: str) -> None:
        key = SecurityKey.ecdsa(application=application)
        check(AUTHENTICATOR.attest(key, CHALLENGE), key=key.public)

    @pytest.mark.parametrize("challenge", [b"\0", b"x" * 64 * 1024], ids=["short", "long"])
    def test_may_be_for_any_challenge(self, challenge: bytes) -> None:
        check(AUTHENTICATOR.attest(KEY, challenge), challenge)

    def test_may_be_for_a_key_that_wants_a_pin(self) -> None:
        flags = USER_PRESENT | USER_VERIFIED | CREDENTIAL_INCLUDED | EXTENSIONS_INCLUDED
        protected = b"\xa1\x6bcredProtect\x03"
        check(AUTHENTICATOR.attest(KEY, CHALLENGE, flags=flags, extensions=protected))

    def test_may_be_signed_by_a_certificate_that_is_trusted_itself(self) -> None:
        roots = [AUTHENTICATOR.attester.certificate]
        assert verify_attestation(GOOD, CHALLENGE, KEY.public, roots, NOW).subject == SUBJECT

    @pytest.mark.parametrize(
        "private",
        [ec.derive_private_key(5, ec.SECP256R1()), Ed25519PrivateKey.from_private_bytes(bytes(32))],
        ids=["ecdsa", "ed25519"],
    )
    def test_may_be_signed_with_either_kind_of_key(
        self, private: ec.EllipticCurvePrivateKey | Ed25519PrivateKey
    ) -> None:
        authenticator = SoftwareAuthenticator(make_attester(ROOT, private=private))
        check(authenticator.attest(KEY, CHALLENGE))


class TestAnAttestationOfSomethingElse:
    @pytest.mark.parametrize("challenge", [CHALLENGE.strip(), CHALLENGE + b"\n", b"another"])
    def test_for_another_challenge(self, challenge: bytes) -> None:
        refused("^attestation is not signed for this challenge: ", GOOD, challenge)

    def test_for_a_challenge_that_was_not_hashed(self) -> None:
        """OpenSSH 8.4 to 8.6 handed it to the authenticator as it was."""
        data = authenticator_data(KEY)
        challenge = sha256(b"anything").digest()
        signature = AUTHENTICATOR.attester.sign(data + challenge)
        old = attestation_blob(AUTHENTICATOR.attester.der, signature, byte_string(data))
        refused(r"\(of OpenSSH 8\.7 or later\)", old, challenge)

    @EACH_KEY
    def test_for_another_key(self, key: SecurityKey) -> None:
        attestation = AUTHENTICATOR.attest(key, CHALLENGE)
        for other in (SecurityKey.ed25519(2), SecurityKey.ecdsa(2)):
            refused("^attestation is for another key$", attestation, key=other.public)

    def test_for_another_application(self) -> None:
        other = SecurityKey.ed25519(application="ssh:work")
        refused("^attestation is for a key of another application", GOOD, key=other.public)

    def test_for_the_same_key_spelt_otherwise(self) -> None:
        pairs = KEY.cose[1:3], KEY.cose[3:5], KEY.cose[5:7], KEY.cose[7:]
        for cose in (
            b"\xa4" + b"".join(reversed(pairs)),
            b"\xa5" + b"".join(pairs) + b"\x22\x00",
            b"\xa5" + b"".join((pairs[0], *pairs)),
        ):
            attestation = packed(authenticator_data(KEY, cose=cose))
            refused("^attestation is for another key$", attestation)

    def test_for_a_key_that_is_in_no_authenticator(self) -> None:
        refused("^key is not held by a security key", GOOD, key=public_key(1))

    def test_by_an_authenticator_that_nobody_touched(self) -> None:
        for flags in (CREDENTIAL_INCLUDED, CREDENTIAL_INCLUDED | USER_VERIFIED):
            untouched = AUTHENTICATOR.attest(KEY, CHALLENGE, flags=flags)
            refused("^nobody touched the authenticator when the key was made$", untouched)

    def test_by_an_authenticator_that_gives_its_keys_away(self) -> None:
        flags = USER_PRESENT | CREDENTIAL_INCLUDED | 0x08
        shared = AUTHENTICATOR.attest(KEY, CHALLENGE, flags=flags)
        refused("^key may be copied out of its authenticator", shared)

    def test_by_an_authenticator_that_is_another_model_than_its_certificate_is_for(self) -> None:
        other = UUID("00000000-0000-4000-8000-000000000001")
        authenticator = SoftwareAuthenticator(AUTHENTICATOR.attester, other)
        reason = f"^authenticator says that it is a {other}, its certificate a {AAGUID}$"
        refused(reason, authenticator.attest(KEY, CHALLENGE))

    def test_by_an_authenticator_whose_certificate_names_no_model(self) -> None:
        authenticator = SoftwareAuthenticator(make_attester(ROOT, extensions=(NO_AUTHORITY,)))
        refused("names no AAGUID", authenticator.attest(KEY, CHALLENGE))

    def test_by_an_authenticator_without_a_model(self) -> None:
        authenticator = SoftwareAuthenticator(AUTHENTICATOR.attester, UUID(int=0))
        refused("^attestation is of a U2F token", authenticator.attest(KEY, CHALLENGE))


class TestAnAttestationThatNobodyVouchesFor:
    def test_signed_by_another_authenticator(self) -> None:
        data = authenticator_data(KEY)
        other = make_attester(ROOT, private=ec.derive_private_key(9, ec.SECP256R1()))
        signature = other.sign(data + sha256(CHALLENGE).digest())
        forged = attestation_blob(AUTHENTICATOR.attester.der, signature, byte_string(data))
        refused("^attestation is not signed for this challenge", forged)

    def test_with_a_certificate_of_nobody_we_trust(self) -> None:
        foreign = make_root(private=ec.derive_private_key(9, ec.SECP256R1()))
        authenticator = SoftwareAuthenticator(make_attester(foreign))
        refused("was not issued by any of the roots", authenticator.attest(KEY, CHALLENGE))

    def test_with_no_roots(self) -> None:
        with pytest.raises(PublicKeyError, match="was not issued by any of the roots"):
            verify_attestation(GOOD, CHALLENGE, KEY.public, [], NOW)

    def test_with_a_certificate_that_has_expired(self) -> None:
        with pytest.raises(PublicKeyError, match=r"^attestation certificate expired on 2027-01-01"):
            verify_attestation(
                GOOD,
                CHALLENGE,
                KEY.public,
                [AUTHENTICATOR.attester.certificate],
                NOW.replace(year=2028),
            )

    def test_with_no_certificate(self) -> None:
        """As of authenticators that sign with the new key itself, which anybody can."""
        data = authenticator_data(KEY)
        assert isinstance(KEY.private, Ed25519PrivateKey)
        signature = KEY.private.sign(data + sha256(CHALLENGE).digest())
        refused(
            "^attestation has no certificate", attestation_blob(b"", signature, byte_string(data))
        )


class TestAMalformedAttestation:
    NONE = "^attestation is none, or cut short: "

    def test_cut_short(self) -> None:
        for size in range(len(GOOD)):
            refused(self.NONE, GOOD[:size])

    def test_with_something_after_it(self) -> None:
        refused(self.NONE, GOOD + b"\0")

    @pytest.mark.parametrize("magic", [b"", b"ssh-sk-attest-v02", b"ssh-sk-attest-v01\0"])
    def test_of_another_kind(self, magic: bytes) -> None:
        refused(self.NONE, packed(authenticator_data(KEY), magic=magic))
        refused(self.NONE, ROOT.pem)

    def test_of_an_old_ssh_keygen(self) -> None:
        old = string(b"ssh-sk-attest-v00") + string(b"certificate") + string(b"signature")
        reason = r"^attestation was made by an old ssh-keygen: enrol the key again with one of Op"
        refused(reason, old + bytes(8))

    @pytest.mark.parametrize("reserved", [b"\0\0\0\1\0\0\0\0", bytes(4) + string(b"new")])
    def test_of_a_kind_to_come(self, reserved: bytes) -> None:
        later = packed(authenticator_data(KEY), reserved=reserved)
        refused("^attestation uses fields that are reserved", later)

    def test_that_is_too_large(self) -> None:
        refused("^attestation is larger than 65536 bytes$", GOOD.ljust(64 * 1024 + 1, b"\0"))
        refused(self.NONE, GOOD.ljust(64 * 1024, b"\0"))

    @pytest.mark.parametrize("challenge", [b"", bytes(64 * 1024 + 1)], ids=["empty", "long"])
    def test_for_a_challenge_that_is_none(self, challenge: bytes) -> None:
        attestation = AUTHENTICATOR.attest(KEY, challenge)
        refused("^challenge is not of 1 to 65536 bytes$", attestation, challenge)

    @settings(deadline=None, max_examples=300)
    @given(st.data())
    def test_with_a_byte_changed_anywhere(self, data: st.DataObject) -> None:
        changed = bytearray(GOOD)
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
        refused(".", bytes(changed))

    @settings(deadline=None, max_examples=200)
    @given(
        st.binary(max_size=60),
        st.binary(max_size=60) | st.just(AUTHENTICATOR.attester.der),
        st.binary(max_size=80),
        st.binary(max_size=200),
    )
    def test_of_any_bytes(
        self, whole: bytes, certificate: bytes, proof: bytes, data: bytes
    ) -> None:
        refused(".", whole)
        refused(".", attestation_blob(certificate, proof, data))

    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=120))
    def test_of_any_data_that_is_well_signed(self, tail: bytes) -> None:
        data = authenticator_data(KEY)[: -len(KEY.cose)]
        for signed in (tail, data + tail):
            with suppress(PublicKeyError):
                check(packed(signed))
                assert signed == authenticator_data(KEY)


@dataclass(frozen=True)
class Case:
    """An attestation that OpenSSH's own library can judge too."""

    attestation: bytes
    right: bool
    key: SecurityKey = KEY
    challenge: bytes = CHALLENGE


def fields_of(attestation: bytes) -> list[bytes]:
    fields = []
    for _ in range(4):
        size = int.from_bytes(attestation[:4], "big")
        fields.append(attestation[4 : 4 + size])
        attestation = attestation[4 + size :]
    return fields[1:]


def libfido2_says(library: Any, case: Case) -> bool:
    """Ask in the order of ssh-verify-attestation, which comes with OpenSSH's sources."""
    ed25519 = isinstance(case.key.private, Ed25519PrivateKey)
    certificate, signature, data = fields_of(case.attestation)
    hashed = sha256(case.challenge).digest()
    library.fido_cred_new.restype = ctypes.c_void_p
    library.fido_cred_pubkey_ptr.restype = ctypes.c_void_p
    library.fido_cred_pubkey_len.restype = ctypes.c_size_t
    library.fido_init(0)
    made = ctypes.c_void_p(library.fido_cred_new())

    def put(name: str, value: bytes) -> bool:
        put_in = getattr(library, f"fido_cred_set_{name}")
        return bool(put_in(made, value, ctypes.c_size_t(len(value))) == 0)

    try:
        good = (
            library.fido_cred_set_type(made, -8 if ed25519 else -7) == 0
            and library.fido_cred_set_fmt(made, b"packed") == 0
            and put("clientdata_hash", hashed)
            and library.fido_cred_set_rp(made, case.key.application.encode(), None) == 0
            and put("authdata", data)
            and put("x509", certificate)
            and put("sig", signature)
            and library.fido_cred_verify(made) == 0
        )
        size = library.fido_cred_pubkey_len(made)
        point = ctypes.string_at(library.fido_cred_pubkey_ptr(made), size) if good else b""
    finally:
        library.fido_cred_free(ctypes.byref(made))
    return bool(point) and point in case.key.blob


def cases() -> dict[str, Case]:
    data = authenticator_data(KEY)
    ecdsa = SecurityKey.ecdsa()
    work = SecurityKey.ed25519(application="web:")
    stranger = make_attester(ROOT, private=ec.derive_private_key(9, ec.SECP256R1()))
    certificate, signature, _ = fields_of(GOOD)
    wrong_signer = attestation_blob(stranger.der, signature, byte_string(data))
    attest: Callable[..., bytes] = AUTHENTICATOR.attest
    return {
        "ed25519": Case(GOOD, right=True),
        "ecdsa": Case(attest(ecdsa, CHALLENGE), right=True, key=ecdsa),
        "with a PIN": Case(attest(KEY, CHALLENGE, flags=0x45), right=True),
        "other challenge": Case(GOOD, right=False, challenge=b"another"),
        "other key": Case(GOOD, right=False, key=SecurityKey.ed25519(2)),
        "other type of key": Case(GOOD, right=False, key=ecdsa),
        "other application": Case(GOOD, right=False, key=work),
        "not touched": Case(attest(KEY, CHALLENGE, flags=0x40), right=False),
        "no key in it": Case(attest(KEY, CHALLENGE, flags=0x01), right=False),
        "other signer": Case(wrong_signer, right=False),
        "other counter": Case(
            attestation_blob(
                certificate, signature, byte_string(authenticator_data(KEY, counter=2))
            ),
            right=False,
        ),
        "cut short": Case(
            attestation_blob(certificate, signature, byte_string(data[:-1])), right=False
        ),
        "no CBOR around it": Case(attestation_blob(certificate, signature, data), right=False),
    }


class TestBesideOthers:
    @pytest.mark.parametrize("case", cases().values(), ids=cases().keys())
    def test_libfido2_agrees(self, case: Case) -> None:
        try:
            library = ctypes.CDLL("libfido2.so.1")
        except OSError:
            pytest.skip("libfido2 is not installed")
        try:
            check(case.attestation, case.challenge, case.key.public)
        except PublicKeyError:
            ours = False
        else:
            ours = True
        assert (ours, libfido2_says(library, case)) == (case.right, case.right)

    @pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
    @EACH_KEY
    def test_ssh_keygen_takes_the_software_keys_for_real(
        self, key: SecurityKey, tmp_path: Path
    ) -> None:
        (tmp_path / "id.pub").write_text(f"{key.line}\n", encoding="utf-8")
        shown = subprocess.run(
            ["ssh-keygen", "-l", "-f", tmp_path / "id.pub"], check=True, capture_output=True
        )
        assert key.public.fingerprint.encode() in shown.stdout
        terms = string(b"file") + string(b"") + string(b"sha512")
        signed = b"SSHSIG" + terms + string(sha512(b"message").digest())
        signature = key.sign(signed, flags=USER_PRESENT | USER_VERIFIED, counter=2**31)
        verify(key.key_type, key.blob, signature, signed)
        content = b"SSHSIG" + (1).to_bytes(4, "big") + string(key.blob) + terms + string(signature)
        (tmp_path / "message.sig").write_bytes(
            b"-----BEGIN SSH SIGNATURE-----\n"
            + encodebytes(content)
            + b"-----END SSH SIGNATURE-----\n"
        )
        command = ["ssh-keygen", "-Y", "check-novalidate", "-n", "file"]
        for message, status in ((b"message", 0), (b"another", 255)):
            checked = subprocess.run(
                [*command, "-s", tmp_path / "message.sig"],
                input=message,
                capture_output=True,
                check=False,
            )
            assert checked.returncode == status, checked.stderr
