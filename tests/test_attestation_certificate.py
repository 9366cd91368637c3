"""Certificates of attestations: who vouches for them, and what they must and must not say."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from warnings import catch_warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.type.univ import BitString, ObjectIdentifier, Sequence

from conch_insults.access.attestation_certificate import (
    MAXIMUM_ROOTS,
    AttestationCertificate,
    read_roots,
)
from conch_insults.errors import PublicKeyError
from tests.software_authenticator import (
    AAGUID,
    AAGUID_EXTENSION,
    AUTHORITY,
    NO_AUTHORITY,
    NOW,
    VALID,
    Certified,
    make_attester,
    make_root,
)

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.hazmat.primitives.hashes import HashAlgorithm
    from pyasn1.type.base import Asn1Type

ROOT = make_root()
ATTESTER = make_attester(ROOT)
OTHER_KEY = ec.derive_private_key(7, ec.SECP256R1())
BEGIN, END = VALID
# The curve's object identifier, 1.2.840.10045.3.1.7, in DER.
P256 = bytes.fromhex("06082a8648ce3d030107")


def usage(**allowed: bool) -> tuple[x509.KeyUsage, bool]:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names}), True


def check(attester: Certified, *roots: Certified, now: datetime = NOW) -> None:
    certificates = [root.certificate for root in roots]
    AttestationCertificate(attester.der).check(certificates, now)


def refused(reason: str, attester: Certified, *roots: Certified, now: datetime = NOW) -> None:
    with pytest.raises(PublicKeyError, match=reason):
        check(attester, *roots, now=now)


def as_version_1(certified: Certified) -> Certified:
    """Make a certificate again as if extensions had not been invented."""
    serial, algorithm, *rest, _ = parts_of(certified)[1:]
    return signed(certified, [serial, algorithm, *rest], algorithm, SHA256())


def signed_with_sha1(certified: Certified, issuer: Certified) -> Certified:
    """Sign a certificate again as nobody should any more: cryptography's builder refuses to."""
    version, serial, _, *rest = parts_of(certified)
    algorithm = sequence([ObjectIdentifier("1.2.840.10045.4.1")])
    return signed(issuer, [version, serial, algorithm, *rest], algorithm, SHA1())


def parts_of(certified: Certified) -> list[Asn1Type]:
    return list(decode(certified.certificate.tbs_certificate_bytes)[0].values())


def signed(
    issuer: Certified, parts: list[Asn1Type], algorithm: Asn1Type, hashed: HashAlgorithm
) -> Certified:
    assert isinstance(issuer.private, ec.EllipticCurvePrivateKey)
    contents = sequence(parts)
    signature = issuer.private.sign(encode(contents), ec.ECDSA(hashed))
    whole = encode(sequence([contents, algorithm, BitString(hexValue=signature.hex())]))
    return Certified(issuer.private, x509.load_der_x509_certificate(whole))


def sequence(parts: list[Asn1Type]) -> Sequence:
    made = Sequence()
    for position, part in enumerate(parts):
        made.setComponentByPosition(position, part)
    return made


class TestTheIssuer:
    def test_is_one_of_the_roots(self) -> None:
        check(ATTESTER, ROOT)
        check(ATTESTER, make_root("Another", private=OTHER_KEY), ROOT)

    def test_may_sign_with_another_kind_of_key(self) -> None:
        for private in (
            Ed25519PrivateKey.from_private_bytes(bytes(32)),
            ec.derive_private_key(5, ec.SECP384R1()),
            rsa.generate_private_key(65537, 2048),
        ):
            root = make_root(private=private)
            check(make_attester(root), root)

    def test_is_none_of_the_roots(self) -> None:
        reason = r"was not issued by any of the roots given, but by 'CN=Root of Software Authentica"
        refused(reason, ATTESTER)
        refused(reason, ATTESTER, make_root("Another", private=OTHER_KEY))

    def test_has_the_name_of_a_root_but_not_its_key(self) -> None:
        refused("not issued by any", ATTESTER, make_root(private=OTHER_KEY))
        other = make_root(private=rsa.generate_private_key(65537, 2048))
        refused("not issued by any", ATTESTER, other)

    def test_has_the_key_of_a_root_but_not_its_name(self) -> None:
        refused("not issued by any", ATTESTER, make_root("Another"))

    def test_is_not_needed_for_a_certificate_that_is_a_root_itself(self) -> None:
        check(ATTESTER, ATTESTER)

    @pytest.mark.parametrize(
        "extensions",
        [
            (),
            (NO_AUTHORITY,),
            (AUTHORITY, usage(digital_signature=True)),
        ],
        ids=["says-nothing", "is-none", "may-not-certify"],
    )
    def test_is_no_authority(self, extensions: tuple[tuple[x509.ExtensionType, bool], ...]) -> None:
        root = make_root(extensions=extensions)
        refused("^attestation root is not a certificate authority's$", make_attester(root), root)

    def test_may_be_an_authority_for_certificates_only(self) -> None:
        root = make_root(extensions=(AUTHORITY, usage(key_cert_sign=True)))
        check(make_attester(root), root)

    def test_may_be_from_before_there_were_extensions(self) -> None:
        root = as_version_1(ROOT)
        assert root.certificate.version is x509.Version.v1
        check(make_attester(root), root)

    def test_from_before_there_were_extensions_must_have_signed_itself(self) -> None:
        middle = as_version_1(make_attester(ROOT, private=OTHER_KEY))
        refused("is not a certificate authority's", make_attester(middle), middle)

    def test_is_another_attester(self) -> None:
        refused("is not a certificate authority's", make_attester(ATTESTER), ATTESTER)

    @pytest.mark.parametrize("order", [1, -1])
    def test_has_one_good_certificate_of_several(self, order: int) -> None:
        expired = make_root(valid=(BEGIN, NOW - timedelta(days=1)))
        check(ATTESTER, *[expired, ROOT][::order])

    def test_signed_with_a_hash_that_is_broken(self) -> None:
        weak = signed_with_sha1(ATTESTER, ROOT)
        refused("not issued by any", weak, ROOT)
        check(weak, weak)

    def test_is_one_of_too_many(self) -> None:
        check(ATTESTER, *[ROOT] * MAXIMUM_ROOTS)
        refused("^more than 100 attestation roots are given$", ATTESTER, *[ROOT] * 101)


class TestTheTime:
    @pytest.mark.parametrize("now", [BEGIN, END])
    def test_is_within_the_certificates(self, now: datetime) -> None:
        check(ATTESTER, ROOT, now=now)

    def test_is_before_or_after_the_attesters(self) -> None:
        early = make_attester(ROOT, valid=(NOW, END))
        late = make_attester(ROOT, valid=(BEGIN, NOW))
        second = timedelta(seconds=1)
        for roots in ((ROOT,), (early, late)):
            reason = r"^attestation certificate is not valid before 2026-06-01 00:00:00\+00:00$"
            refused(reason, early, *roots, now=NOW - second)
            reason = r"^attestation certificate expired on 2026-06-01 00:00:00\+00:00$"
            refused(reason, late, *roots, now=NOW + second)

    def test_is_before_or_after_the_roots(self) -> None:
        second = timedelta(seconds=1)
        early = make_root(valid=(NOW, END))
        refused("^attestation root is not valid before 2026", ATTESTER, early, now=NOW - second)
        late = make_root(valid=(BEGIN, NOW))
        refused("^attestation root expired on 2026", ATTESTER, late, now=NOW + second)


class TestTheProfile:
    @pytest.mark.parametrize("unit", [None, "Web Servers", "authenticator attestation"])
    def test_is_for_attestations(self, unit: str | None) -> None:
        refused("is for something else than attestations$", make_attester(ROOT, unit=unit), ROOT)

    def test_may_sign(self) -> None:
        extensions = (NO_AUTHORITY, usage(digital_signature=True), AAGUID_EXTENSION)
        check(make_attester(ROOT, extensions=extensions), ROOT)
        extensions = (NO_AUTHORITY, usage(key_agreement=True), AAGUID_EXTENSION)
        reason = "is for something else than attestations$"
        refused(reason, make_attester(ROOT, extensions=extensions), ROOT)

    @pytest.mark.parametrize(
        "extensions", [(AAGUID_EXTENSION,), (AUTHORITY, AAGUID_EXTENSION)], ids=["silent", "is"]
    )
    def test_is_no_authority(self, extensions: tuple[tuple[x509.ExtensionType, bool], ...]) -> None:
        attester = make_attester(ROOT, extensions=extensions)
        refused("does not say that it is no authority's$", attester, ROOT)
        refused("does not say that it is no authority's$", attester, attester)

    def test_has_nothing_critical_that_is_not_understood(self) -> None:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        check(make_attester(ROOT, extensions=(NO_AUTHORITY, (unknown, False))), ROOT)
        attester = make_attester(ROOT, extensions=(NO_AUTHORITY, (unknown, True)))
        refused(r"critical extension that is not understood: 1\.2\.3\.4$", attester, ROOT)

    def test_has_extensions_that_can_be_read(self) -> None:
        junk = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.19"), b"junk")
        attester = make_attester(ROOT, extensions=((junk, True),))
        refused("^attestation certificate cannot be read: ask", attester, ROOT)
        with pytest.raises(PublicKeyError, match=r"^attestation certificate cannot be read: ask"):
            AttestationCertificate(attester.der).aaguid()


class TestWhatItHolds:
    def test_is_the_model(self) -> None:
        assert AttestationCertificate(ATTESTER.der).aaguid() == AAGUID

    def test_is_a_subject(self) -> None:
        assert AttestationCertificate(ATTESTER.der).subject() == (
            "CN=Software Authenticator 1,OU=Authenticator Attestation,O=Software Authenticators,"
            "C=XX"
        )

    def test_is_a_subject_fit_to_be_shown(self) -> None:
        name = "Zürich\x1b[2J\n\u202e"
        subject = AttestationCertificate(make_attester(ROOT, name=name).der).subject()
        assert subject.startswith("CN=Z?rich?[2J??,OU=")
        long = AttestationCertificate(make_attester(ROOT, name="\0" * 64).der).subject()
        assert len(long) == 200

    def test_is_an_issuer_fit_to_be_shown(self) -> None:
        root = make_root("\x1b]0;\u202e" + "\0" * 50)
        with pytest.raises(PublicKeyError) as refusal:
            check(make_attester(root), ROOT)
        assert str(refusal.value).isascii()
        assert str(refusal.value).isprintable()

    @pytest.mark.parametrize(
        "private",
        [ec.derive_private_key(5, ec.SECP256R1()), Ed25519PrivateKey.from_private_bytes(bytes(32))],
        ids=["ecdsa", "ed25519"],
    )
    def test_is_a_key(self, private: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> None:
        attester = make_attester(ROOT, private=private)
        certificate = AttestationCertificate(attester.der)
        certificate.check_signature(attester.sign(b"data"), b"data")
        for signature, data in (
            (attester.sign(b"data"), b"other data"),
            (ROOT.sign(b"data"), b"data"),
            (b"", b"data"),
        ):
            with pytest.raises(PublicKeyError, match=r"^attestation is not signed for this chall"):
                certificate.check_signature(signature, data)

    @pytest.mark.parametrize(
        "private",
        [ec.derive_private_key(5, ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
        ids=["p384", "rsa"],
    )
    def test_is_no_other_kind_of_key(
        self, private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    ) -> None:
        certificate = AttestationCertificate(make_attester(ROOT, private=private).der)
        with pytest.raises(PublicKeyError, match=r"key is not ECDSA P-256 or Ed25519$"):
            certificate.check_signature(b"", b"")


class TestWhatIsNoCertificate:
    def test_nothing(self) -> None:
        with pytest.raises(PublicKeyError, match=r"^attestation has no certificate: "):
            AttestationCertificate(b"")

    @pytest.mark.parametrize(
        "encoded",
        [b"junk", ATTESTER.pem, ATTESTER.der + b"\0", ATTESTER.der[:-1]],
        ids=["junk", "pem", "a-byte-after-it", "cut-short"],
    )
    def test_anything_else(self, encoded: bytes) -> None:
        with pytest.raises(PublicKeyError, match=r"^attestation certificate cannot be read: copy"):
            AttestationCertificate(encoded)

    def test_one_whose_signature_is_not_of_whole_bytes(self) -> None:
        while (attester := make_attester(ROOT)).certificate.signature[-1] & 0x01:
            pass
        whole = b"\0" + attester.certificate.signature
        changed = attester.der.replace(whole, b"\1" + attester.certificate.signature)
        assert changed != attester.der
        with pytest.raises(PublicKeyError, match=r"^attestation certificate cannot be read: copy"):
            AttestationCertificate(changed)

    @pytest.mark.parametrize("flipped", [0x01, 0x0F, 0x80])
    def test_one_with_a_byte_changed_anywhere(self, flipped: int) -> None:
        for at in range(len(ATTESTER.der)):
            changed = bytearray(ATTESTER.der)
            changed[at] ^= flipped
            with pytest.raises(PublicKeyError):
                AttestationCertificate(bytes(changed)).check([ROOT.certificate], NOW)
            with suppress(PublicKeyError):
                certificate = AttestationCertificate(bytes(changed))
                certificate.subject()
                certificate.check_signature(b"", b"")
            # As a root, which nobody need have signed.
            with suppress(PublicKeyError), catch_warnings(action="ignore"):
                certificate = AttestationCertificate(bytes(changed))
                certificate.check([x509.load_der_x509_certificate(bytes(changed))], NOW)
                certificate.aaguid()


class TestTheRootsFile:
    def test_holds_one_or_more(self) -> None:
        other = make_root("Another", private=OTHER_KEY)
        assert read_roots(ROOT.pem, "roots.pem") == (ROOT.certificate,)
        content = b"# Makers we trust\n" + ROOT.pem + b"\n# and\n" + other.pem + b"\n"
        assert read_roots(content, "roots.pem") == (ROOT.certificate, other.certificate)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"# nobody\n",
            ROOT.der,
            ROOT.pem[:-10],
            ROOT.pem.replace(b"M", b"N", 1),
            b"-----BEGIN CERTIFICATE-----\nanVuaw==\n-----END CERTIFICATE-----\n",
            b"-----BEGIN PUBLIC KEY-----\nanVuaw==\n-----END PUBLIC KEY-----\n",
            b"\xff\xfe" * 100,
        ],
        ids=["empty", "comment", "der", "cut-short", "broken", "junk", "key", "binary"],
    )
    def test_holds_nothing_that_can_be_used(self, content: bytes) -> None:
        reason = r"^roots\.pem: certificates cannot be read: give one PEM file, `-----BEGIN"
        with pytest.raises(PublicKeyError, match=reason):
            read_roots(content, "roots.pem")

    def test_holds_one_that_cannot_be_used(self) -> None:
        junk = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.19"), b"junk")
        broken = make_root(extensions=((junk, True),))
        unknown_curve = ROOT.der.replace(P256, P256[:-1] + b"\x08")
        of_no_key = Certified(ROOT.private, x509.load_der_x509_certificate(unknown_curve))
        reason = r"^roots\.pem: certificate 2 cannot be read: take it out$"
        for other in (broken, of_no_key):
            with pytest.raises(PublicKeyError, match=reason):
                read_roots(ROOT.pem + other.pem, "roots.pem")

    def test_holds_too_much(self) -> None:
        assert len(read_roots(ROOT.pem * 100, "roots.pem")) == 100
        with pytest.raises(PublicKeyError, match=r"^roots\.pem: has more than 100 certificates$"):
            read_roots(ROOT.pem * 101, "roots.pem")
        assert len(read_roots(ROOT.pem.ljust(1024 * 1024, b"\n"), "roots.pem")) == 1
        with pytest.raises(PublicKeyError, match=r"^roots\.pem: is larger than 1048576 bytes$"):
            read_roots(ROOT.pem.ljust(1024 * 1024 + 1, b"\n"), "roots.pem")

    @settings(deadline=None, max_examples=100)
    @given(st.data())
    def test_with_a_byte_changed_anywhere_raises_nothing_else(self, data: st.DataObject) -> None:
        changed = bytearray(ROOT.certificate.public_bytes(Encoding.PEM))
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
        with suppress(PublicKeyError):
            assert len(read_roots(bytes(changed), "roots.pem")) == 1
