"""The key inside a certificate: found whatever else the certificate says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.certified_key import (
    CERTIFICATE_SUFFIX,
    MAXIMUM_CERTIFICATE_BYTES,
    certificate_name,
    certified_key,
    plain_type,
)
from conch_insults.errors import PublicKeyError
from tests.certificate_authority import (
    KEY_OPTIONS,
    Authority,
    Draft,
    blob_in,
    needs_ssh_keygen,
    ssh_keygen,
)
from tests.sample_keys import public_key, public_rsa_key
from tests.software_authenticator import SecurityKey, string

if TYPE_CHECKING:
    from pathlib import Path

# As PROTOCOL.certkeys and PROTOCOL.u2f write them.
TYPES = {
    "ssh-ed25519-cert-v01@openssh.com": "ssh-ed25519",
    "ssh-rsa-cert-v01@openssh.com": "ssh-rsa",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com": "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com": "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com": "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519-cert-v01@openssh.com": "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com": "sk-ecdsa-sha2-nistp256@openssh.com",
}


class TestNames:
    @pytest.mark.parametrize(("certificate", "plain"), TYPES.items())
    def test_there_and_back(self, certificate: str, plain: str) -> None:
        assert certificate.endswith(CERTIFICATE_SUFFIX)
        assert plain_type(certificate) == plain
        assert certificate_name(plain) == certificate

    @pytest.mark.parametrize(
        "name",
        [
            *TYPES.values(),
            "ssh-dss-cert-v01@openssh.com",
            "rsa-sha2-512-cert-v01@openssh.com",
            "ssh-ed25519-cert-v00@openssh.com",
            "SSH-ED25519-CERT-V01@OPENSSH.COM",
            "-cert-v01@openssh.com",
            "",
        ],
    )
    def test_that_are_no_type_of_certificate(self, name: str) -> None:
        assert plain_type(name) is None


@needs_ssh_keygen
class TestACertificateBySshKeygen:
    @pytest.mark.parametrize("key_type", KEY_OPTIONS)
    def test_holds_the_key_that_was_certified(self, tmp_path: Path, key_type: str) -> None:
        authority = Authority(tmp_path, "ca", "-t", "ed25519")
        ssh_keygen("-q", "-N", "", "-f", tmp_path / "key", *KEY_OPTIONS[key_type])
        certificate = authority.certify(tmp_path / "key.pub", "-I", "x", "-n", "alice")
        assert certified_key(blob_in(certificate)) == blob_in(tmp_path / "key.pub")

    @pytest.mark.parametrize("key", [SecurityKey.ed25519(), SecurityKey.ecdsa()])
    def test_holds_the_security_key_that_was_certified(
        self, tmp_path: Path, key: SecurityKey
    ) -> None:
        authority = Authority(tmp_path, "ca", "-t", "ed25519")
        (tmp_path / "sk.pub").write_text(key.line, encoding="utf-8")
        certificate = authority.certify(tmp_path / "sk.pub", "-I", "x", "-n", "alice")
        assert certified_key(blob_in(certificate)) == key.blob


class TestADraft:
    def test_needs_no_signature(self) -> None:
        key = public_key(1).blob
        size = len(
            string(b"ssh-ed25519-cert-v01@openssh.com") + string(b"n" * 32) + string(b"k" * 32)
        )
        assert certified_key(Draft(key).body[:size]) == key

    def test_cut_before_the_end_of_its_key(self) -> None:
        blob = Draft(public_rsa_key().blob).body
        nonce = len(string(b"ssh-rsa-cert-v01@openssh.com") + string(b"n" * 32))
        for size in range(nonce + len(public_rsa_key().blob) - len(string(b"ssh-rsa"))):
            with pytest.raises(PublicKeyError, match=r"^(unknown|certificate is too short)"):
                certified_key(blob[:size])

    @pytest.mark.parametrize("blob", [public_key(1).blob, b"", string(b"\xff\n"), b"\xff" * 40])
    def test_that_is_none(self, blob: bytes) -> None:
        with pytest.raises(PublicKeyError):
            certified_key(blob)

    def test_of_an_unknown_type_is_named_in_one_line(self) -> None:
        with pytest.raises(PublicKeyError) as caught:
            certified_key(string(b"x\n\x1b[31m\xff" * 30))
        assert str(caught.value).startswith(r"unknown certificate type 'x\n\x1b[31m\xffx\n")
        assert str(caught.value).isascii()
        assert len(str(caught.value)) < 250

    def test_that_is_too_long(self) -> None:
        longest = Draft(nonce=b"n" * MAXIMUM_CERTIFICATE_BYTES).body
        with pytest.raises(PublicKeyError, match=r"^certificate is longer than 32768 bytes$"):
            certified_key(longest)

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from(sorted(TYPES)), st.binary(), st.binary())
    def test_of_any_bytes_is_an_error_or_a_key_of_its_type(
        self, name: str, nonce: bytes, rest: bytes
    ) -> None:
        try:
            key = certified_key(string(name.encode()) + string(nonce) + rest)
        except PublicKeyError:
            return
        assert key.startswith(string(TYPES[name].encode()))
        assert rest.startswith(key[4 + len(TYPES[name]) :])
