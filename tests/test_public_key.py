from __future__ import annotations

import shutil
import subprocess
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.public_key import (
    PublicKey,
    looks_like_a_key,
    parse_blob,
    parse_public_key,
)
from conch_insults.errors import PublicKeyError

if TYPE_CHECKING:
    from pathlib import Path

needs_ssh_keygen = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed"
)


def string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def number(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


POINT = (
    ec.derive_private_key(7, ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
)
COMPRESSED = (
    ec.derive_private_key(7, ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
)
ED25519 = (
    ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    .public_key()
    .public_bytes(Encoding.Raw, PublicFormat.Raw)
)
MODULUS = (1 << 2047) + 1

ED25519_BLOB = string(b"ssh-ed25519") + string(ED25519)
ECDSA_BLOB = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(POINT)
RSA_BLOB = string(b"ssh-rsa") + number(65537) + number(MODULUS)
SK_ED25519_BLOB = string(b"sk-ssh-ed25519@openssh.com") + string(ED25519) + string(b"ssh:")
SK_ECDSA_BLOB = (
    string(b"sk-ecdsa-sha2-nistp256@openssh.com")
    + string(b"nistp256")
    + string(POINT)
    + string(b"ssh:")
)
GOOD_BLOBS = {
    "ssh-ed25519": ED25519_BLOB,
    "ecdsa-sha2-nistp256": ECDSA_BLOB,
    "ssh-rsa": RSA_BLOB,
    "sk-ssh-ed25519@openssh.com": SK_ED25519_BLOB,
    "sk-ecdsa-sha2-nistp256@openssh.com": SK_ECDSA_BLOB,
}


def written(blob: bytes, key_type: str = "ssh-ed25519") -> str:
    return f"{key_type} {b64encode(blob).decode()}"


@needs_ssh_keygen
class TestWhatSshKeygenMakes:
    def make(self, folder: Path, *arguments: str) -> tuple[str, str]:
        path = folder / "key"
        subprocess.run(
            ["ssh-keygen", "-q", "-N", "", "-C", "a  comment", "-f", path, *arguments], check=True
        )
        listed = subprocess.run(
            ["ssh-keygen", "-lf", f"{path}.pub"], check=True, capture_output=True, text=True
        )
        return (folder / "key.pub").read_text(), listed.stdout.split()[1]

    @pytest.mark.parametrize(
        ("key_type", "arguments"),
        [
            ("ssh-ed25519", ["-t", "ed25519"]),
            ("ecdsa-sha2-nistp256", ["-t", "ecdsa", "-b", "256"]),
            ("ecdsa-sha2-nistp384", ["-t", "ecdsa", "-b", "384"]),
            ("ecdsa-sha2-nistp521", ["-t", "ecdsa", "-b", "521"]),
            ("ssh-rsa", ["-t", "rsa", "-b", "2048"]),
        ],
    )
    def test_is_read_and_has_its_fingerprint(
        self, tmp_path: Path, key_type: str, arguments: list[str]
    ) -> None:
        text, fingerprint = self.make(tmp_path, *arguments)
        key = parse_public_key(text)
        assert key.key_type == key_type
        assert key.comment == "a  comment"
        assert key.fingerprint == fingerprint
        assert key.line == text.strip()

    def test_rsa_of_1024_bits_is_too_weak(self, tmp_path: Path) -> None:
        text, _ = self.make(tmp_path, "-t", "rsa", "-b", "1024")
        with pytest.raises(PublicKeyError, match="1024 bits is too weak, 2048 is the least"):
            parse_public_key(text)
        assert parse_public_key(text, minimum_rsa_bits=1024).key_type == "ssh-rsa"

    def test_a_private_key_is_named_as_one(self, tmp_path: Path) -> None:
        self.make(tmp_path, "-t", "ed25519")
        with pytest.raises(PublicKeyError, match=r"that is a private key: give the \.pub file"):
            parse_public_key((tmp_path / "key").read_text())

    def test_a_certificate_is_named_as_one(self, tmp_path: Path) -> None:
        self.make(tmp_path, "-t", "ed25519")
        key = str(tmp_path / "key")
        subprocess.run(["ssh-keygen", "-q", "-s", key, "-I", "me", f"{key}.pub"], check=True)
        with pytest.raises(PublicKeyError, match="certificates are not accepted"):
            parse_public_key((tmp_path / "key-cert.pub").read_text())

    @pytest.mark.parametrize(
        ("form", "said"), [("RFC4716", "is in RFC 4716 format"), ("PEM", "is in PEM format")]
    )
    def test_other_public_formats_are_named(self, tmp_path: Path, form: str, said: str) -> None:
        self.make(tmp_path, "-t", "rsa", "-b", "2048")
        exported = subprocess.run(
            ["ssh-keygen", "-e", "-m", form, "-f", tmp_path / "key.pub"],
            check=True,
            capture_output=True,
            text=True,
        )
        with pytest.raises(PublicKeyError, match=f"{said}: convert the file with `ssh-keygen"):
            parse_public_key(exported.stdout)

    def test_security_keys_have_the_fingerprint_that_it_prints(self, tmp_path: Path) -> None:
        for key_type in ("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"):
            text = written(GOOD_BLOBS[key_type], key_type)
            (tmp_path / "sk.pub").write_text(text + "\n")
            listed = subprocess.run(
                ["ssh-keygen", "-lf", tmp_path / "sk.pub"],
                check=True,
                capture_output=True,
                text=True,
            )
            assert parse_public_key(text).fingerprint == listed.stdout.split()[1]


class TestText:
    def test_blanks_of_any_width_separate(self) -> None:
        encoded = b64encode(ED25519_BLOB).decode()
        key = parse_public_key(f"  ssh-ed25519 \t {encoded}\t  alice at home \r\n")
        assert key == PublicKey("ssh-ed25519", ED25519_BLOB, "alice at home")

    def test_a_comment_may_be_missing(self) -> None:
        key = parse_public_key(written(ED25519_BLOB))
        assert key.comment == ""
        assert key.line == written(ED25519_BLOB)

    @pytest.mark.parametrize("key_type", GOOD_BLOBS)
    def test_every_type_is_known(self, key_type: str) -> None:
        assert parse_public_key(written(GOOD_BLOBS[key_type], key_type)).key_type == key_type

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "unknown key type ''"),
            ("ssh-ed448 AAAA", "unknown key type 'ssh-ed448'"),
            ("\x1b[2J AAAA", r"unknown key type '\\x1b\[2J'"),
            ("x" * 100, "unknown key type '" + "x" * 40 + "'"),
            ("ssh-dss AAAA", r"DSA keys \(ssh-dss\) are too weak: make one with"),
            ("ssh-ed25519", "no key after the key type"),
            ("ssh-ed25519 AAA", "not valid base64"),
            ("ssh-ed25519 AA*A", "not valid base64"),
            ("ssh-ed25519 AÄÄA", "not valid base64"),
            ("ssh-ed25519 AB==", "not valid base64"),
            (f"{written(ED25519_BLOB)}\n{written(ED25519_BLOB)}", "is more than one line"),
            (written(ECDSA_BLOB), "says ssh-ed25519 but holds a key of type ecdsa-sha2-nistp256"),
            ("PuTTY-User-Key-File-3: ssh-ed25519", "that is a private key"),
            ("-----BEGIN RSA PRIVATE KEY-----\nAAAA", "that is a private key"),
            ("ssh-rsa-cert-v01@openssh.com AAAA", "certificates are not accepted"),
        ],
    )
    def test_what_is_wrong_is_said(self, text: str, said: str) -> None:
        with pytest.raises(PublicKeyError, match=said):
            parse_public_key(text)


class TestLooksLikeAKey:
    @pytest.mark.parametrize(
        "line", ["ssh-ed25519 A", "ssh-foo A", "ecdsa-sha2-nistp256 A", "sk-x", "-----BEGIN X"]
    )
    def test_what_is_meant_to_be_one_does(self, line: str) -> None:
        assert looks_like_a_key(line)

    @pytest.mark.parametrize("line", ["restrict ssh-ed25519 A", 'from="ssh-" ssh-rsa A', "", "#"])
    def test_options_do_not(self, line: str) -> None:
        assert not looks_like_a_key(line)


class TestBlob:
    @pytest.mark.parametrize(
        ("blob", "said"),
        [
            (b"", "key is too short or too long"),
            (b"\0\0", "key is too short or too long"),
            (b"\xff\xff\xff\xffssh", "key is too short or too long"),
            (ED25519_BLOB[:-1], "key is too short or too long"),
            (ED25519_BLOB + b"\0", "key is too short or too long"),
            (bytes(16 * 1024 + 1), "longer than 16384 bytes"),
            (string(b"ssh-\xff"), r"unknown key type 'ssh-\\xff'"),
            (string(b"ssh-dss"), "DSA"),
            (string(b"ssh-ed25519") + string(ED25519[:-1]), "not a valid Ed25519 key"),
            (
                string(b"ecdsa-sha2-nistp384") + string(b"nistp256") + string(POINT),
                "another curve",
            ),
            (
                string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(COMPRESSED),
                "not an uncompressed point",
            ),
            (
                string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b""),
                "not an uncompressed point",
            ),
            (
                string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b"\x04" + bytes(64)),
                "not a point of its curve",
            ),
            (SK_ED25519_BLOB[:-1] + b"\0", "zero byte in its application"),
            (string(b"ssh-rsa") + number(65537) + string(b""), "not written as SSH does"),
            (string(b"ssh-rsa") + string(b"\x80") + number(MODULUS), "not written as SSH does"),
            (string(b"ssh-rsa") + string(b"\0\x03") + number(MODULUS), "not written as SSH does"),
            (string(b"ssh-rsa") + string(b"\0") + number(MODULUS), "not written as SSH does"),
            (string(b"ssh-rsa") + number(4) + number(MODULUS), "not a valid RSA key"),
            (
                string(b"ssh-rsa") + number(2**32 + 1) + number(MODULUS),
                "exponent of 33 bits, 32 is the most: make one with",
            ),
            (string(b"ssh-rsa") + number(3) + number(1 << 2046), "2047 bits is too weak"),
            (string(b"ssh-rsa") + number(3) + number(1 << 16384), "16385 bits is too long"),
        ],
    )
    def test_what_is_wrong_is_said(self, blob: bytes, said: str) -> None:
        with pytest.raises(PublicKeyError, match=said):
            parse_blob(blob)

    @given(st.binary(max_size=200))
    @settings(deadline=None, max_examples=200)
    def test_any_bytes_have_a_type_or_a_reason(self, blob: bytes) -> None:
        with pytest.raises(PublicKeyError):
            parse_blob(blob)

    @given(
        st.sampled_from(sorted(GOOD_BLOBS)),
        st.integers(min_value=0),
        st.integers(min_value=1, max_value=255),
    )
    @settings(deadline=None, max_examples=200)
    def test_a_flipped_byte_never_surprises(self, key_type: str, where: int, flip: int) -> None:
        blob = bytearray(GOOD_BLOBS[key_type])
        blob[where % len(blob)] ^= flip
        with suppress(PublicKeyError):
            assert parse_blob(bytes(blob)) == key_type

    @given(st.sampled_from(sorted(GOOD_BLOBS)), st.data())
    @settings(deadline=None, max_examples=100)
    def test_no_part_of_a_key_is_a_key(self, key_type: str, data: st.DataObject) -> None:
        blob = GOOD_BLOBS[key_type]
        end = data.draw(st.integers(min_value=0, max_value=len(blob) - 1))
        with pytest.raises(PublicKeyError, match=r"too short or too long|unknown key type"):
            parse_blob(blob[:end])

    @given(st.text(max_size=200))
    @settings(deadline=None, max_examples=200)
    def test_any_text_has_a_reason(self, text: str) -> None:
        with pytest.raises(PublicKeyError) as caught:
            parse_public_key(text)
        assert "\n" not in str(caught.value)
