"""What operators, authorities and strangers might have written, right and wrong.

Good parts in any order, now and then with something else in between: random text is refused by
everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.certificate_authority import pairs
from tests.offering_client import USER
from tests.software_authenticator import string

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["changed_bytes", "draft_fields", "examples", "option_texts"]

T = TypeVar("T")

_FLAGS = (
    *("restrict", "pty", "no-pty", "NO-PTY", "user-rc", "no-user-rc", "X11-forwarding"),
    *("agent-forwarding", "no-port-forwarding", "verify-required", "no-touch-required"),
    *("cert-authority", "no-restrict", "rubbish", ""),
)
_ADDRESSES = (
    *("127.0.0.1", "127.0.0.0/8", "127.*", "*", "?27.0.0.1", "127.1", "0x7f.0.0.1", "*.0.*.1"),
    *("0.0.0.0/0", "127.0.0.1/32", "127.0.0.1/33", "127.0.0.1/8", "10.0.0.0/8", "10.0.0.1/8"),
    *("::1", "::/0", "*:*", "::ffff:127.0.0.1", "localhost", "127.0.0.2", "1?7.0.0.1?", ""),
)
_TIMES = ("20380119", "203801190314Z", "20200101", "2038", "20380231", "20381301", "")
_PORTS = ("a:22", "22", "*", "*:*", "[::1]:5", "a/5", "a", "a:0", ":1", "")
_OTHERS = (
    *(r'command="a \" b"', 'command="a,b"', r'command="x\\"', 'command=""', "command=x"),
    *('tunnel="any"', 'tunnel="x"', 'principals="a"', 'environment="A"', 'unknown="x"'),
)
_SLIPS = ('"', "\\", ",", " ", "=", "\t", "x", "", "\r")

_addresses = st.builds(
    "{}{}".format, st.sampled_from(("", "", "", "!")), st.sampled_from(_ADDRESSES)
)
_options = st.one_of(
    st.sampled_from(_FLAGS),
    st.lists(_addresses, min_size=1, max_size=4).map(lambda items: f'from="{",".join(items)}"'),
    st.sampled_from(_TIMES).map('expiry-time="{}"'.format),
    st.builds(
        '{}="{}"'.format, st.sampled_from(("permitopen", "permitlisten")), st.sampled_from(_PORTS)
    ),
    st.sampled_from(_OTHERS),
)

_certificate_options = st.lists(
    st.sampled_from(
        (
            (b"force-command", string(b"true")),
            (b"force-command", b""),
            (b"source-address", string(b"127.0.0.0/8")),
            (b"source-address", string(b"10.0.0.0/8,127.0.0.1")),
            (b"source-address", string(b"127.0.0.1/8")),
            (b"verify-required", b""),
            (b"verify-required", string(b"")),
            (b"permit-pty", b""),
            (b"permit-pty", b"x"),
            (b"no-touch-required", b""),
            (b"unknown@example", b""),
        )
    ),
    max_size=3,
).map(lambda options: pairs(*options))
_moments = st.sampled_from((0, 1, 2**31, 2**32, 2**63, 2**64 - 1))


def examples(strategy: SearchStrategy[T], count: int) -> list[T]:
    """Return that many examples, the same in every run, to be asked about all at once."""
    found: list[T] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(strategy)
    def find(example: T) -> None:
        found.append(example)

    find()
    return found


@st.composite
def option_texts(draw: DrawFn) -> str:
    """Return the options of a line, one in four with a slip of the finger."""
    text = ",".join(draw(st.lists(_options, min_size=1, max_size=3)))
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(text)))
        slip = draw(st.sampled_from(_SLIPS))
        text = text[:at] + slip + text[at + draw(st.integers(0, 1)) :]
    return text


def draft_fields() -> SearchStrategy[dict[str, Any]]:
    """Return the fields in which a certificate is not as it should be."""
    return st.fixed_dictionaries(
        {},
        optional={
            "kind": st.sampled_from((1, 1, 2, 0)),
            "principals": st.lists(st.sampled_from((USER.encode(), b"else", b"", b"*"))).map(tuple),
            "valid_after": _moments,
            "valid_before": _moments,
            "critical": _certificate_options | st.binary(max_size=9),
            "extensions": _certificate_options | st.binary(max_size=9),
            "key_id": st.binary(max_size=2),
            "nonce": st.binary(max_size=2),
            "reserved": st.binary(max_size=2),
        },
    )


@st.composite
def changed_bytes(draw: DrawFn, content: bytes) -> bytes:
    """Return this content with one byte cut out or replaced by up to two others."""
    at = draw(st.integers(0, len(content) - 1))
    return content[:at] + draw(st.binary(max_size=2)) + content[at + 1 :]
