from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.address_patterns import parse_patterns
from conch_insults.access.expiry_time import parse_expiry_time
from conch_insults.access.key_options import (
    MAXIMUM_OPTIONS_BYTES,
    KeyOptions,
    Role,
    parse_options,
)
from conch_insults.errors import PublicKeyError
from conch_insults.rating import Rating

AAGUID = "cb69481e-8ff7-4039-93ec-0a2729a154a8"


def refusal(text: str, permitted: frozenset[str] = frozenset()) -> str:
    with pytest.raises(PublicKeyError) as caught:
        parse_options(text, permitted)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestMeaning:
    def test_no_options_say_what_a_bare_key_says(self) -> None:
        assert parse_options("") == KeyOptions(
            text="",
            sources=None,
            expires=None,
            command=None,
            environment=(),
            pty=True,
            is_authority=False,
            principals=None,
            touch_required=True,
            verify_required=False,
            rating=None,
            role=Role.PLAYER,
            aaguid=None,
        )

    @pytest.mark.parametrize(
        ("text", "meaning"),
        [
            ("restrict", {"pty": False}),
            ("RESTRICT", {"pty": False}),
            ("no-pty", {"pty": False}),
            ("No-Pty", {"pty": False}),
            ("pty", {"pty": True}),
            ("restrict,pty", {"pty": True}),
            ("pty,restrict", {"pty": False}),
            ("no-pty,pty", {"pty": True}),
            ("cert-authority", {"is_authority": True}),
            ("no-touch-required", {"touch_required": False}),
            ("no-touch-required,touch-required", {"touch_required": True}),
            ("restrict,no-touch-required", {"pty": False, "touch_required": False}),
            ("verify-required", {"verify_required": True}),
            ("verify-required,no-verify-required", {"verify_required": False}),
            ('from="192.0.2.0/24,!192.0.2.9"', {"sources": "192.0.2.0/24,!192.0.2.9"}),
            ('FROM="*"', {"sources": "*"}),
            ('expiry-time="20380119031407Z"', {"expires": "20380119031407Z"}),
            (
                'expiry-time="20380119Z",expiry-time="20370119Z",expiry-time="20390119Z"',
                {"expires": "20370119Z"},
            ),
            ('command="perl"', {"command": "perl"}),
            ('command=""', {"command": ""}),
            ('command="pe,rl \tx=y"', {"command": "pe,rl \tx=y"}),
            ('command="caf\u00e9"', {"command": "caf\u00e9"}),
            ('cert-authority,principals="a,b"', {"is_authority": True, "principals": ("a", "b")}),
            ('principals="a",cert-authority', {"is_authority": True, "principals": ("a",)}),
            ('cert-authority,principals=""', {"is_authority": True, "principals": ()}),
            ('cert-authority,principals="a,,b"', {"is_authority": True, "principals": ("a",)}),
            ('cert-authority,principals=" a"', {"is_authority": True, "principals": (" a",)}),
            ('rating@conch-insults="pg"', {"rating": Rating.PG}),
            ('Rating@Conch-Insults="G"', {"rating": Rating.G}),
            ('role@conch-insults="operator"', {"role": Role.OPERATOR}),
            ('role@conch-insults="player"', {"role": Role.PLAYER}),
            (f'aaguid@conch-insults="{AAGUID}"', {"aaguid": AAGUID}),
            (
                (
                    f'restrict,from="10.0.0.1",pty,role@conch-insults="operator",command="a\\"b"'
                    f',verify-required,aaguid@conch-insults="{AAGUID}"'
                ),
                {
                    "sources": "10.0.0.1",
                    "role": Role.OPERATOR,
                    "command": 'a"b',
                    "verify_required": True,
                    "aaguid": AAGUID,
                },
            ),
        ],
    )
    def test_what_an_option_says(self, text: str, meaning: dict[str, Any]) -> None:
        if "sources" in meaning:
            meaning = {**meaning, "sources": parse_patterns(meaning["sources"])}
        if "expires" in meaning:
            meaning = {**meaning, "expires": parse_expiry_time(meaning["expires"])}
        assert parse_options(text) == KeyOptions(text=text, **meaning)

    @pytest.mark.parametrize(
        "text",
        [
            "port-forwarding",
            "no-port-forwarding",
            "agent-forwarding",
            "no-agent-forwarding",
            "X11-forwarding",
            "no-X11-forwarding",
            "user-rc",
            "no-user-rc",
            'permitopen="host:22"',
            'permitopen="host:22",permitopen="host:23"',
            'permitopen="host/22"',
            'permitopen=":22"',
            'permitopen="[2001:db8::1]:*"',
            'permitopen="[]:065535"',
            'permitlisten="22"',
            'permitlisten="*"',
            'permitlisten="localhost:8080"',
            'permitlisten="[::1]:8080"',
            'tunnel="any"',
            'tunnel="ANY"',
            'tunnel="0"',
            'tunnel="2147483645"',
            'tunnel="1",tunnel="2"',
            # Nothing at all between commas, as to sshd.
            ",",
            ",,",
        ],
    )
    def test_what_sshd_would_forward_means_nothing_here(self, text: str) -> None:
        assert parse_options(text) == KeyOptions(text=text)

    @pytest.mark.parametrize("text", ["no-pty,", ",no-pty", "no-pty,,X11-forwarding"])
    def test_an_empty_option_is_none(self, text: str) -> None:
        assert parse_options(text) == KeyOptions(text=text, pty=False)


class TestEnvironment:
    NAMES = frozenset({"LANG", "LC_ALL", "A9"})

    @pytest.mark.parametrize(
        ("text", "environment"),
        [
            ('environment="LANG=C"', (("LANG", "C"),)),
            ('environment="LANG="', (("LANG", ""),)),
            ('environment="LANG=a=b, \\"c\\""', (("LANG", 'a=b, "c"'),)),
            (
                'environment="LC_ALL=1",environment="LANG=2",environment="A9=3"',
                (("LC_ALL", "1"), ("LANG", "2"), ("A9", "3")),
            ),
            ('environment="LANG=first",environment="LANG=second"', (("LANG", "first"),)),
        ],
    )
    def test_a_name_that_is_permitted(
        self, text: str, environment: tuple[tuple[str, str], ...]
    ) -> None:
        assert parse_options(text, self.NAMES).environment == environment

    @pytest.mark.parametrize("name", ["PATH", "lang", "LANGUAGE", "LD_PRELOAD"])
    def test_any_other_name_refuses_the_line(self, name: str) -> None:
        said = f"option 'environment' sets {name}, which access.permit_environment does not name"
        assert refusal(f'environment="{name}=x"', self.NAMES) == said
        assert refusal(f'environment="LANG=C",environment="{name}=x"', self.NAMES) == said

    def test_without_the_setting_none_is_permitted(self) -> None:
        assert refusal('environment="LANG=C"').startswith("option 'environment' sets LANG, which")

    @pytest.mark.parametrize(
        "value", ["", "LANG", "=C", "LA NG=C", "LANG =C", "L\u00c4NG=C", "$=C"]
    )
    def test_what_is_no_variable(self, value: str) -> None:
        assert refusal(f'environment="{value}"', self.NAMES) == (
            f"option 'environment' cannot be {value!a}:"
            ' it is "NAME=value", the name of letters, digits and _'
        )


class TestQuoting:
    @pytest.mark.parametrize(
        ("written", "value"),
        [
            (r'"a \"b\" c"', 'a "b" c'),
            (r'"\""', '"'),
            (r'"\"\""', '""'),
            (r'"a\b"', r"a\b"),
            (r'"a\\b"', r"a\\b"),
            (r'"\\\"x"', r"\\" + '"x'),
            (r'"\,x"', r"\,x"),
            (r'"it is \'quoted\'"', r"it is \'quoted\'"),
        ],
    )
    def test_only_a_quote_is_escaped(self, written: str, value: str) -> None:
        assert parse_options(f"command={written},no-pty").command == value
        assert not parse_options(f"command={written},no-pty").pty

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("command", "option 'command' needs a value in double quotes"),
            ("command=", "option 'command' needs a value in double quotes"),
            ("command=perl", "option 'command' needs a value in double quotes"),
            ("command='perl'", "option 'command' needs a value in double quotes"),
            ('command= "perl"', "option 'command' needs a value in double quotes"),
            ('command="perl', "option 'command' needs a value in double quotes"),
            ('command="perl\\"', "option 'command' needs a value in double quotes"),
            # The second backslash still escapes the quote.
            ('command="perl\\\\"', "option 'command' needs a value in double quotes"),
            ('command,from="*"', "option 'command' needs a value in double quotes"),
            ('command="perl"x', "option 'command' goes on after its closing quote"),
            ('command="a"b"c"', "option 'command' goes on after its closing quote"),
            ('command="a""b"', "option 'command' goes on after its closing quote"),
            ('command="perl" ', "option 'command' goes on after its closing quote"),
            ('restrict="yes"', "option 'restrict' takes no value"),
            ("no-pty=", "option 'no-pty' takes no value"),
        ],
    )
    def test_a_value_is_quoted_from_end_to_end(self, text: str, said: str) -> None:
        assert refusal(text) == said

    @given(st.text(st.characters(exclude_characters="\0\n\\", codec="utf-8"), max_size=40))
    @settings(deadline=None, max_examples=200)
    def test_any_text_can_be_quoted(self, value: str) -> None:
        quoted = value.replace('"', '\\"')
        options = parse_options(f'restrict,command="{quoted}",pty')
        assert options.command == value
        assert options.pty


class TestRefusal:
    def test_what_may_be_a_part_of_a_private_key_is_not_repeated(self) -> None:
        assert refusal("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAA") == (
            "what stands here is not understood here, so this line lets nobody in"
        )

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("rubbish", "rubbish"),
            ("restrict,rubbish", "rubbish"),
            ("rubbish,restrict", "rubbish"),
            ('frm="10.0.0.1"', "frm"),
            ("frm=10.0.0.1", "frm"),
            ("no-restrict", "no-restrict"),
            ("no-cert-authority", "no-cert-authority"),
            ("no-no-pty", "no-no-pty"),
            ("restricted", "restricted"),
            ("restric", "restric"),
            ('"restrict"', '"restrict"'),
            ('res"tri"ct', 'res"tri"ct'),
            ('restrict"x', 'restrict"x'),
            (" restrict", " restrict"),
            ("restrict ", "restrict "),
            ("restrict, pty", " pty"),
            ("restrict pty", "restrict pty"),
            ("#restrict", "#restrict"),
            ("=", ""),
            ('="x"', ""),
            ('zos-key-ring-label="x"', "zos-key-ring-label"),
            ('rating="pg"', "rating"),
            ('rating@example.com="pg"', "rating@example.com"),
            ("restrict\x1b[2J", "restrict\\x1b[2J"),
            ("\ufeffrestrict", "\\ufeffrestrict"),
            ("re\u017ftrict", "re\\u017ftrict"),
            ("o" * 40, "o" * 40),
        ],
    )
    def test_an_unknown_option(self, text: str, named: str) -> None:
        assert refusal(text) == (
            f"option '{named}' is not understood here, so this line lets nobody in"
        )

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("from", "*"),
            ("command", "perl"),
            ("principals", "alice"),
            ("rating@conch-insults", "g"),
            ("role@conch-insults", "player"),
            ("aaguid@conch-insults", AAGUID),
        ],
    )
    def test_what_can_be_said_only_once(self, name: str, value: str) -> None:
        once = f'cert-authority,{name}="{value}"'
        parse_options(once)
        assert refusal(f'{once},{name.upper()}="{value}"') == f"option '{name}' is given twice"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('from=""', "option 'from': an address list has an empty item"),
            (
                'from="10.0.0.1/8"',
                (
                    "option 'from': '10.0.0.1/8' is no network:"
                    " its prefix length does not fit its address"
                ),
            ),
            (
                'expiry-time="tomorrow"',
                (
                    "option 'expiry-time': 'tomorrow' is no time:"
                    " use YYYYMMDD[HHMM[SS]], with Z after it for UTC"
                ),
            ),
            (
                'expiry-time="19700101Z"',
                (
                    "option 'expiry-time': '19700101Z' is no time:"
                    " use YYYYMMDD[HHMM[SS]], with Z after it for UTC"
                ),
            ),
            (
                'principals="alice"',
                "option 'principals' means nothing without 'cert-authority'",
            ),
            (
                'rating@conch-insults="x"',
                "option 'rating@conch-insults': 'x' is not a rating: use g, pg or r",
            ),
            (
                'role@conch-insults="root\x1b"',
                (
                    "option 'role@conch-insults' cannot be 'root\\x1b':"
                    ' it is "player" or "operator"'
                ),
            ),
            (
                f'aaguid@conch-insults="{AAGUID.upper()}"',
                (
                    f"option 'aaguid@conch-insults' cannot be '{AAGUID.upper()}':"
                    " it is 8-4-4-4-12 hex digits in lower case"
                ),
            ),
        ],
    )
    def test_a_value_that_is_none(self, text: str, said: str) -> None:
        assert refusal(text) == said

    @pytest.mark.parametrize("value", ["", "a", "a:", "a:0", "a:65536", "a:-1", "a:1:2", "::1:22"])
    def test_no_host_and_port(self, value: str) -> None:
        assert refusal(f'permitopen="{value}"') == (
            f"option 'permitopen' cannot be {value!a}:"
            ' it is "host:port" with a number or * as port'
        )

    @pytest.mark.parametrize("value", ["[::1]22", "[::1:22", "a:http", "a:\u0662", "a: 22"])
    def test_no_host_and_port_either(self, value: str) -> None:
        assert refusal(f'permitopen="{value}"').startswith("option 'permitopen' cannot be")

    def test_a_host_that_is_too_long(self) -> None:
        parse_options(f'permitopen="{"a" * 1024}:22"')
        assert refusal(f'permitopen="{"a" * 1025}:22"').startswith("option 'permitopen' cannot")

    @pytest.mark.parametrize("value", ["", "0", "x", "a/22", "a:b", "65536"])
    def test_no_port_to_listen_on(self, value: str) -> None:
        assert refusal(f'permitlisten="{value}"') == (
            f"option 'permitlisten' cannot be {value!a}:"
            ' it is "[host:]port" with a number or * as port'
        )

    @pytest.mark.parametrize("value", ["", "-1", "1:2", "some", "2147483646", "9" * 5000])
    def test_no_tunnel(self, value: str) -> None:
        assert refusal(f'tunnel="{value}"') == (
            f"option 'tunnel' cannot be '{value[:40]}': it is the number of a device or \"any\""
        )

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('command="a\nssh-ed25519 AAAA"', "options hold a line end or a zero byte"),
            ('command="a\0"', "options hold a line end or a zero byte"),
            ("restrict\n", "options hold a line end or a zero byte"),
            ('command="\udcff"', "options are not UTF-8 text"),
            ("," * (MAXIMUM_OPTIONS_BYTES + 1), "options are longer than 16384 bytes"),
        ],
    )
    def test_what_no_line_can_hold(self, text: str, said: str) -> None:
        assert refusal(text) == said

    def test_as_many_options_as_fit_are_read(self) -> None:
        assert not parse_options("pty," * 4000 + "no-pty").pty
        names = [f"N{number}" for number in range(800)]
        text = ",".join(f'environment="{name}="' for name in names)
        assert len(text) <= MAXIMUM_OPTIONS_BYTES
        assert parse_options(text, names).environment == tuple((name, "") for name in names)

    @given(
        st.text(max_size=60)
        | st.lists(
            st.sampled_from(
                [
                    *("restrict", "no-pty", "PTY", "cert-authority", "from", "command", "tunnel"),
                    *("environment", "principals", "expiry-time", "permitopen", "permitlisten"),
                    *("rating@conch-insults", "role@conch-insults", "aaguid@conch-insults"),
                    *("=", '"', '\\"', "\\", ",", " ", '="', '",', "*", "10.0.0.0/8", "!", "\n"),
                    *("20380119Z", "a:22", "any", "A=1", "g", "operator", AAGUID, "\u00e9", "\0"),
                ]
            ),
            max_size=12,
        ).map("".join)
    )
    @settings(deadline=None, max_examples=500)
    def test_no_text_surprises_it(self, text: str) -> None:
        said = ""
        try:
            assert parse_options(text, {"A"}).text == text
        except PublicKeyError as error:
            said = str(error)
        assert "\n" not in said
