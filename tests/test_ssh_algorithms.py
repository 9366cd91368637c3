"""Offers and agreements: what a client says, and what comes of it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.ssh.algorithms import (
    PROFILES,
    Agreement,
    NoAgreement,
    Profile,
    ServerOffer,
)
from conch_insults.ssh.ciphers import AEAD_CIPHERS, new_opener, new_sealer
from conch_insults.wire import Fields, ProtocolError

COOKIE = bytes(range(16))
HOST_KEYS = (b"ssh-ed25519", b"rsa-sha2-512", b"rsa-sha2-256")

MLKEM = b"mlkem768x25519-sha256"
CURVE = b"curve25519-sha256"
GCM = b"aes256-gcm@openssh.com"
CHACHA = b"chacha20-poly1305@openssh.com"
ETM256 = b"hmac-sha2-256-etm@openssh.com"
ETM512 = b"hmac-sha2-512-etm@openssh.com"

MODERN = ServerOffer(PROFILES["modern"], HOST_KEYS)
STRICT = ServerOffer(PROFILES["strict"], HOST_KEYS)


def string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def client(
    *,
    kex: bytes = CURVE,
    host_keys: bytes = b"ssh-ed25519",
    ciphers: tuple[bytes, bytes] = (GCM, GCM),
    macs: tuple[bytes, bytes] = (ETM256, ETM256),
    compressions: tuple[bytes, bytes] = (b"none", b"none"),
    languages: tuple[bytes, bytes] = (b"", b""),
    guess: bytes = b"\0",
    reserved: bytes = bytes(4),
) -> bytes:
    """Pack a client's offer: client to server first, then server to client."""
    names = (kex, host_keys, *ciphers, *macs, *compressions, *languages)
    return COOKIE + b"".join(map(string, names)) + guess + reserved


class TestProfiles:
    def test_modern(self) -> None:
        assert PROFILES["modern"] == Profile(
            kex=(b"mlkem768x25519-sha256", b"curve25519-sha256", b"curve25519-sha256@libssh.org"),
            ciphers=(
                b"aes256-gcm@openssh.com",
                b"aes128-gcm@openssh.com",
                b"chacha20-poly1305@openssh.com",
                b"aes256-ctr",
                b"aes128-ctr",
            ),
            macs=(b"hmac-sha2-256-etm@openssh.com", b"hmac-sha2-512-etm@openssh.com"),
        )

    def test_strict(self) -> None:
        assert PROFILES["strict"] == Profile(
            kex=(b"mlkem768x25519-sha256",),
            ciphers=(b"aes256-gcm@openssh.com", b"aes128-gcm@openssh.com"),
            macs=(b"hmac-sha2-256-etm@openssh.com", b"hmac-sha2-512-etm@openssh.com"),
        )

    def test_there_are_no_others(self) -> None:
        assert set(PROFILES) == {"modern", "strict"}

    @pytest.mark.parametrize("name", PROFILES)
    def test_whatever_is_offered_can_be_done(self, name: str) -> None:
        profile = PROFILES[name]
        keys = (bytes(128), bytes(128), bytes(128))
        for cipher in profile.ciphers:
            for mac in (b"",) if cipher in AEAD_CIPHERS else profile.macs:
                wire = new_sealer(cipher, mac, *keys).seal(0, b"x")
                assert new_opener(cipher, mac, *keys).open(0, wire) == b"x"


class TestOffer:
    def read(self, payload: bytes) -> list[bytes]:
        assert payload[:16] == COOKIE
        fields = Fields(payload[16:])
        lists = [fields.string() for _ in range(10)]
        assert not fields.boolean()
        assert fields.uint32() == 0
        fields.end()
        return lists

    def test_the_first_of_a_connection(self) -> None:
        ciphers = b",".join(PROFILES["modern"].ciphers)
        macs = ETM256 + b"," + ETM512
        assert self.read(MODERN.kexinit(COOKIE, first=True)) == [
            b",".join((*PROFILES["modern"].kex, b"ext-info-s", b"kex-strict-s-v00@openssh.com")),
            b"ssh-ed25519,rsa-sha2-512,rsa-sha2-256",
            ciphers,
            ciphers,
            macs,
            macs,
            b"none",
            b"none",
            b"",
            b"",
        ]

    def test_later_ones_carry_no_markers(self) -> None:
        first = self.read(MODERN.kexinit(COOKIE, first=True))
        later = self.read(MODERN.kexinit(COOKIE, first=False))
        assert later[0] == b"mlkem768x25519-sha256,curve25519-sha256,curve25519-sha256@libssh.org"
        assert later[1:] == first[1:]

    def test_strict(self) -> None:
        lists = self.read(STRICT.kexinit(COOKIE, first=True))
        assert lists[0] == MLKEM + b",ext-info-s,kex-strict-s-v00@openssh.com"
        assert lists[2] == lists[3] == b"aes256-gcm@openssh.com,aes128-gcm@openssh.com"

    def test_only_the_keys_that_there_are(self) -> None:
        offer = ServerOffer(PROFILES["modern"], (b"ssh-ed25519",))
        assert self.read(offer.kexinit(COOKIE, first=True))[1] == b"ssh-ed25519"
        with pytest.raises(NoAgreement, match=r"^no common host key algorithm$"):
            offer.agree(client(host_keys=b"rsa-sha2-512"), first=True)


class TestAgreement:
    def test_all_that_is_agreed_on(self) -> None:
        offer = client(
            kex=MLKEM,
            host_keys=b"rsa-sha2-256",
            ciphers=(b"aes256-ctr", b"aes128-ctr"),
            macs=(ETM512, ETM256),
        )
        assert MODERN.agree(offer, first=True) == Agreement(
            kex=MLKEM,
            host_key=b"rsa-sha2-256",
            cipher_in=b"aes256-ctr",
            mac_in=ETM512,
            cipher_out=b"aes128-ctr",
            mac_out=ETM256,
            strict=False,
            ext_info=False,
            wrong_guess=False,
        )

    def test_the_client_s_order_decides(self) -> None:
        agreed = MODERN.agree(
            client(
                kex=b"sntrup761x25519-sha512,curve25519-sha256@libssh.org," + CURVE + b"," + MLKEM,
                host_keys=b"ssh-dss,rsa-sha2-256,ssh-ed25519",
                ciphers=(b"3des-cbc,aes128-ctr," + GCM, CHACHA + b"," + GCM),
                macs=(b"hmac-md5," + ETM512 + b"," + ETM256, b""),
                compressions=(b"zlib,none", b"zlib@openssh.com,none"),
                languages=(b"de,en", b"tlh"),
            ),
            first=True,
        )
        assert agreed.kex == b"curve25519-sha256@libssh.org"
        assert agreed.host_key == b"rsa-sha2-256"
        assert (agreed.cipher_in, agreed.mac_in) == (b"aes128-ctr", ETM512)
        assert (agreed.cipher_out, agreed.mac_out) == (CHACHA, b"")

    @pytest.mark.parametrize("cipher", sorted(AEAD_CIPHERS))
    @pytest.mark.parametrize("macs", [b"", b"hmac-sha1", ETM512])
    def test_aead_takes_no_mac(self, cipher: bytes, macs: bytes) -> None:
        agreed = MODERN.agree(client(ciphers=(cipher, cipher), macs=(macs, macs)), first=True)
        assert (agreed.mac_in, agreed.mac_out) == (b"", b"")

    def test_our_own_offer_sent_back(self) -> None:
        """Somebody who mirrors us offers the server's markers, which mean nothing from a client."""
        agreed = STRICT.agree(STRICT.kexinit(COOKIE, first=True), first=True)
        assert (agreed.kex, agreed.cipher_in, agreed.cipher_out) == (MLKEM, GCM, GCM)
        assert not agreed.strict
        assert not agreed.ext_info
        assert not agreed.wrong_guess

    @pytest.mark.parametrize(
        ("kind", "offer"),
        [
            ("key exchange", client(kex=b"diffie-hellman-group14-sha1")),
            ("key exchange", client(kex=b"")),
            ("key exchange", client(kex=CURVE.upper())),
            ("key exchange", client(kex=b"curve25519-sha256 ")),
            ("host key algorithm", client(host_keys=b"ssh-rsa,ssh-dss")),
            ("cipher", client(ciphers=(b"aes256-cbc", GCM))),
            ("cipher", client(ciphers=(GCM, b"aes256-cbc"))),
            ("cipher", client(ciphers=(b"none", b"none"))),
            ("MAC", client(ciphers=(b"aes256-ctr", GCM), macs=(b"hmac-sha2-256", ETM256))),
            ("MAC", client(ciphers=(GCM, b"aes256-ctr"), macs=(ETM256, b"none"))),
            ("compression", client(compressions=(b"zlib", b"none"))),
            ("compression", client(compressions=(b"none", b"zlib@openssh.com"))),
        ],
    )
    def test_nothing_in_common(self, kind: str, offer: bytes) -> None:
        with pytest.raises(NoAgreement, match=f"^no common {kind}$"):
            MODERN.agree(offer, first=True)

    @pytest.mark.parametrize("offer", [client(kex=CURVE), client(ciphers=(CHACHA, CHACHA))])
    def test_what_only_modern_takes(self, offer: bytes) -> None:
        MODERN.agree(offer, first=True)
        with pytest.raises(NoAgreement):
            STRICT.agree(offer, first=True)

    def test_no_agreement_is_a_protocol_error(self) -> None:
        with pytest.raises(ProtocolError):
            MODERN.agree(client(kex=b"none"), first=True)


class TestMarkers:
    @pytest.mark.parametrize(
        ("markers", "strict", "ext_info"),
        [
            (b"", False, False),
            (b",ext-info-c", False, True),
            (b",kex-strict-c-v00@openssh.com", True, False),
            (b",ext-info-c,kex-strict-c-v00@openssh.com", True, True),
            (b",ext-info-s,kex-strict-s-v00@openssh.com", False, False),
            (b",kex-strict-c", False, False),
        ],
    )
    def test_what_the_client_understands(
        self, markers: bytes, strict: bool, ext_info: bool
    ) -> None:
        agreed = MODERN.agree(client(kex=CURVE + markers), first=True)
        assert (agreed.strict, agreed.ext_info) == (strict, ext_info)

    def test_markers_of_a_later_offer_mean_nothing(self) -> None:
        kex = CURVE + b",ext-info-c,kex-strict-c-v00@openssh.com"
        agreed = MODERN.agree(client(kex=kex), first=False)
        assert not agreed.strict
        assert not agreed.ext_info

    @pytest.mark.parametrize(
        "marker",
        [
            b"ext-info-c",
            b"ext-info-s",
            b"kex-strict-c-v00@openssh.com",
            b"kex-strict-s-v00@openssh.com",
        ],
    )
    def test_a_marker_is_never_agreed_on(self, marker: bytes) -> None:
        assert MODERN.agree(client(kex=marker + b"," + CURVE), first=True).kex == CURVE
        with pytest.raises(NoAgreement, match=r"^no common key exchange$"):
            MODERN.agree(client(kex=marker), first=True)


class TestGuess:
    @pytest.mark.parametrize(
        ("kex", "host_keys", "is_wrong"),
        [
            (MLKEM, b"ssh-ed25519", False),
            (MLKEM + b"," + CURVE, b"ssh-ed25519,rsa-sha2-512", False),
            # Agreed on, and yet not what the server would have preferred.
            (CURVE, b"ssh-ed25519", True),
            (MLKEM, b"rsa-sha2-512", True),
            (CURVE + b"," + MLKEM, b"rsa-sha2-512,ssh-ed25519", True),
            (b"sntrup761x25519-sha512," + MLKEM, b"ssh-ed25519", True),
        ],
    )
    def test_both_sides_must_prefer_the_same(
        self, kex: bytes, host_keys: bytes, is_wrong: bool
    ) -> None:
        for guess in (b"\1", b"\xff"):
            offer = client(kex=kex, host_keys=host_keys, guess=guess)
            assert MODERN.agree(offer, first=True).wrong_guess is is_wrong
        silent = client(kex=kex, host_keys=host_keys)
        assert MODERN.agree(silent, first=True).wrong_guess is False


class TestMalformed:
    def test_cut_short_anywhere(self) -> None:
        whole = client()
        for end in range(len(whole)):
            with pytest.raises(ProtocolError, match=r"^packet too short$"):
                MODERN.agree(whole[:end], first=True)

    def test_something_left_over(self) -> None:
        with pytest.raises(ProtocolError, match=r"^packet too long$"):
            MODERN.agree(client() + b"\0", first=True)

    def test_a_list_longer_than_the_packet(self) -> None:
        with pytest.raises(ProtocolError, match=r"^packet too short$"):
            MODERN.agree(COOKIE + b"\xff" * 4 + client()[20:], first=True)

    def test_what_is_reserved_is_ignored(self) -> None:
        agreed = MODERN.agree(client(reserved=b"\xff" * 4), first=True)
        assert agreed == MODERN.agree(client(), first=True)

    def test_odd_lists(self) -> None:
        agreed = MODERN.agree(client(kex=b",,\xff\0," + CURVE + b","), first=True)
        assert agreed.kex == CURVE

    @settings(deadline=None, max_examples=200)
    @given(
        data=st.binary(max_size=300)
        | st.builds(
            lambda at, noise: client()[:at] + noise + client()[at + len(noise) :],
            st.integers(16, len(client())),
            st.binary(max_size=6),
        ),
        first=st.booleans(),
    )
    def test_any_bytes_are_agreed_on_or_refused(self, data: bytes, first: bool) -> None:
        with suppress(ProtocolError):
            agreed = MODERN.agree(data, first=first)
            assert agreed.kex in PROFILES["modern"].kex
            assert agreed.host_key in HOST_KEYS
            assert agreed.cipher_in in PROFILES["modern"].ciphers
            assert agreed.cipher_out in PROFILES["modern"].ciphers

    names = st.lists(
        st.sampled_from(
            sorted({*PROFILES["modern"].kex, *PROFILES["modern"].ciphers, *HOST_KEYS, b"none"})
        ),
        max_size=5,
    )

    @settings(deadline=None, max_examples=200)
    @given(kex=names, host_keys=names, ciphers_in=names, ciphers_out=names)
    def test_the_first_of_the_client_s_names_that_we_know(
        self,
        kex: list[bytes],
        host_keys: list[bytes],
        ciphers_in: list[bytes],
        ciphers_out: list[bytes],
    ) -> None:
        profile = PROFILES["modern"]
        offer = client(
            kex=b",".join(kex),
            host_keys=b",".join(host_keys),
            ciphers=(b",".join(ciphers_in), b",".join(ciphers_out)),
        )
        expected = [
            next((name for name in offered if name in known), None)
            for offered, known in (
                (kex, profile.kex),
                (host_keys, HOST_KEYS),
                (ciphers_in, profile.ciphers),
                (ciphers_out, profile.ciphers),
            )
        ]
        if None in expected:
            with pytest.raises(NoAgreement):
                MODERN.agree(offer, first=True)
        else:
            agreed = MODERN.agree(offer, first=True)
            assert [agreed.kex, agreed.host_key, agreed.cipher_in, agreed.cipher_out] == expected
