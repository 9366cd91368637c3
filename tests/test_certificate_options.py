"""What a certificate's options mean: those that ssh-keygen writes, and those that nobody should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.certificate import parse_certificate
from conch_insults.access.certificate_options import CertificateOptions, parse_certificate_options
from conch_insults.errors import PublicKeyError
from tests.certificate_authority import Authority, Draft, blob_in, needs_ssh_keygen, pairs
from tests.sample_keys import public_key
from tests.software_authenticator import string

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = CertificateOptions(
    command=None, sources=None, verify_required=False, touch_required=True, pty=False
)
PERL = (b"force-command", string(b"perl"))
HOME = (b"source-address", string(b"127.0.0.1/32"))
VERIFY = (b"verify-required", b"")


def read(
    critical: tuple[tuple[bytes, bytes], ...] = (), extensions: tuple[tuple[bytes, bytes], ...] = ()
) -> CertificateOptions:
    draft = Draft(critical=pairs(*critical), extensions=pairs(*extensions))
    return parse_certificate_options(parse_certificate(draft.signed()))


def refusal(
    critical: tuple[tuple[bytes, bytes], ...] = (), extensions: tuple[tuple[bytes, bytes], ...] = ()
) -> str:
    with pytest.raises(PublicKeyError) as caught:
        read(critical, extensions)
    return str(caught.value)


@needs_ssh_keygen
class TestWhatSshKeygenWrites:
    def options(self, folder: Path, *written: str) -> CertificateOptions:
        authority = Authority(folder, "ca", "-t", "ed25519")
        public = folder / "key.pub"
        public.write_text(public_key(1).line, encoding="utf-8")
        words = [word for option in written for word in ("-O", option)]
        path = authority.certify(public, "-I", "x", "-n", "alice", *words)
        return parse_certificate_options(parse_certificate(blob_in(path)))

    def test_by_itself_permits_a_terminal(self, tmp_path: Path) -> None:
        options = self.options(tmp_path)
        assert options == CertificateOptions(None, None, False, touch_required=True, pty=True)

    def test_cleared_permits_nothing(self, tmp_path: Path) -> None:
        assert self.options(tmp_path, "clear") == PLAIN

    def test_force_command(self, tmp_path: Path) -> None:
        assert self.options(tmp_path, "force-command=perl, Zoë").command == "perl, Zoë"

    def test_source_address(self, tmp_path: Path) -> None:
        sources = self.options(tmp_path, "source-address=10.0.0.0/8,::1").sources
        assert sources
        assert str(sources) == "10.0.0.0/8,::1"
        assert sources.match("10.1.2.3")
        assert sources.match("::1")
        assert not sources.match("11.1.2.3")

    def test_of_security_keys(self, tmp_path: Path) -> None:
        options = self.options(tmp_path, "verify-required", "no-touch-required")
        assert (options.verify_required, options.touch_required) == (True, False)

    def test_an_unknown_critical_option_refuses(self, tmp_path: Path) -> None:
        with pytest.raises(PublicKeyError) as caught:
            self.options(tmp_path, "critical:rating@example.org=g")
        assert str(caught.value) == (
            "certificate's critical option 'rating@example.org' is not understood here"
        )

    def test_an_unknown_extension_does_nothing(self, tmp_path: Path) -> None:
        assert self.options(tmp_path, "clear", "extension:rating@example.org=g") == PLAIN


class TestCriticalOptions:
    def test_none(self) -> None:
        assert read() == PLAIN

    def test_in_any_order(self) -> None:
        options = read((VERIFY, HOME, PERL))
        assert (options.command, str(options.sources)) == ("perl", "127.0.0.1/32")
        assert options.verify_required

    def test_empty_command_is_a_command(self) -> None:
        assert read(((b"force-command", string(b"")),)).command == ""

    @pytest.mark.parametrize("option", [PERL, HOME])
    def test_twice(self, option: tuple[bytes, bytes]) -> None:
        assert refusal((option, option)) == f"certificate has '{option[0].decode()}' twice"

    def test_empty_ones_twice(self) -> None:
        empty = (b"force-command", string(b""))
        assert refusal((empty, PERL)) == "certificate has 'force-command' twice"

    def test_flag_twice_is_a_flag(self) -> None:
        assert read((VERIFY, VERIFY)).verify_required

    @pytest.mark.parametrize(
        "name",
        [
            b"",
            b"Force-Command",
            b"force-command ",
            b"permit-pty",
            b"no-touch-required",
            b"no-pty",
        ],
    )
    def test_unknown(self, name: bytes) -> None:
        assert refusal(((name, b""),)) == (
            f"certificate's critical option {name.decode()!a} is not understood here"
        )

    def test_unknown_is_told_in_one_clean_line(self) -> None:
        assert refusal(((b"x\n\x1b\xff" + b"y" * 99, b""),)) == (
            rf"certificate's critical option 'x\n\x1b\xff{'y' * 36}' is not understood here"
        )

    @pytest.mark.parametrize(
        "data", [b"", b"\0", b"\0\0\0\5perl", string(b"perl") + b"\0", b"perl", string(b"\xff")]
    )
    @pytest.mark.parametrize("name", [b"force-command", b"source-address"])
    def test_malformed_value(self, name: bytes, data: bytes) -> None:
        assert refusal(((name, data),)) == f"certificate's option '{name.decode()}' is malformed"

    def test_zero_byte_in_a_value(self) -> None:
        said = "certificate's option 'force-command' has a zero byte"
        assert refusal(((b"force-command", string(b"perl\0")),)) == said

    @pytest.mark.parametrize("data", [b"\0", b"\0\0\0\0", string(b"yes")])
    def test_flag_with_data(self, data: bytes) -> None:
        said = "certificate's option 'verify-required' has data, which it cannot have"
        assert refusal(((b"verify-required", data),)) == said
        assert refusal(((b"verify-required", data), VERIFY)) == said

    @pytest.mark.parametrize(
        "networks", [b"", b",", b"10.0.0.0/8,", b"!10.0.0.0/8", b"10.*", b"10.0.0.1/8", b"host"]
    )
    def test_source_address_that_is_no_list_of_networks(self, networks: bytes) -> None:
        said = refusal(((b"source-address", string(networks)),))
        assert said.startswith("certificate's option 'source-address': ")


class TestExtensions:
    def test_permit(self) -> None:
        options = read(extensions=((b"permit-pty", b""), (b"no-touch-required", b"")))
        assert options == CertificateOptions(None, None, False, touch_required=False, pty=True)

    def test_of_forwarding_mean_nothing(self) -> None:
        names = (b"permit-X11-forwarding", b"permit-agent-forwarding", b"permit-port-forwarding")
        extensions = tuple((name, b"") for name in (*names, b"permit-user-rc"))
        assert read(extensions=extensions) == PLAIN

    @pytest.mark.parametrize(
        "name",
        [b"permit-pty", b"no-touch-required", b"permit-X11-forwarding", b"permit-user-rc"],
    )
    def test_with_data(self, name: bytes) -> None:
        said = f"certificate's option '{name.decode()}' has data, which it cannot have"
        assert refusal(extensions=((name, b""), (name, b"\0"))) == said

    @pytest.mark.parametrize("name", [b"", b"Permit-Pty", b"\xff", b"no-pty"])
    def test_unknown_do_nothing(self, name: bytes) -> None:
        assert read(extensions=((name, b"data"),)) == PLAIN

    def test_critical_options_among_them_do_nothing(self) -> None:
        assert read(extensions=(PERL, PERL, HOME, (b"verify-required", b"\0"))) == PLAIN


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([PERL[0], HOME[0], VERIFY[0], b"permit-pty", b"no-touch-required"]),
            st.binary(max_size=12) | st.binary(max_size=12).map(string),
        ),
        max_size=3,
    ).map(lambda options: pairs(*options)),
)
def test_any_data_is_an_error_or_options(packed: bytes) -> None:
    signed = Draft(critical=packed, extensions=packed).signed()
    try:
        options = parse_certificate_options(parse_certificate(signed))
    except PublicKeyError:
        return
    assert (options.command is not None) == (b"force-command" in packed)
    assert (options.sources is not None) == (b"source-address" in packed)
    assert not options.pty
