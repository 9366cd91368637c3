"""Connections come and go: who is let in, who is refused and for what, and what is remembered."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from conch_insults import limits
from conch_insults.limits import Admission, ConnectionLimits, Gate, Limit, MaxStartups, Outcome

ALICE, BOB = "192.0.2.1", "192.0.2.2"

# A real clock does not start at nought, and its steps are coarse.
START = 1_700_000_000.0


class Fixed(Random):
    """Dice that always fall the same way."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def random(self) -> float:
        return self.value


class Door(Gate):
    """A gate with its clock at hand, roomy but for what a test is about."""

    ROOMY = ConnectionLimits(
        max_startups=MaxStartups(10_000, 100, 10_000),
        max_connections=10_000,
        connections_per_source=10_000,
        startups_per_source=10_000,
        rate_per_source=60,
        burst_per_source=10_000,
        penalty_no_login=5.0,
        penalty_timed_out=10.0,
        penalty_never_finished=1.0,
        penalty_minimum=15.0,
        penalty_cap=600.0,
    )

    def __init__(self, numbers: ConnectionLimits = ROOMY, dice: float = 0.0) -> None:
        self.time = Clock()
        self.time.advance(START)
        super().__init__(numbers, self.time, Fixed(dice))

    def enter(self, address: str = ALICE) -> Admission:
        admission = self.admit(address)
        assert admission is not None, dict(self.take_refusals())
        return admission

    def refuses(self, address: str = ALICE) -> Limit | None:
        """Let someone try for a moment, and return what they were refused for."""
        self.take_refusals()
        admission = self.admit(address)
        if admission:
            admission.ended(Outcome.FINE)
            assert not self.take_refusals()
            return None
        [(limit, times)] = self.take_refusals().items()
        assert times == 1
        return limit

    def fail(self, outcome: Outcome, times: int = 1, address: str = ALICE) -> None:
        for _ in range(times):
            self.enter(address).ended(outcome)

    def admitted(self, times: int, address: str = ALICE) -> int:
        """Say how many of so many that log in and leave at once were let in."""
        let_in = 0
        for _ in range(times):
            if admission := self.admit(address):
                admission.authenticated()
                admission.ended(Outcome.FINE)
                let_in += 1
        return let_in


def roomy(**numbers: object) -> Door:
    return Door(replace(Door.ROOMY, **numbers))  # type: ignore[arg-type]  # any of its fields


class TestMaxStartups:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("10:30:100", MaxStartups(10, 30, 100)),
            ("1:1:1", MaxStartups(1, 1, 1)),
            ("7", MaxStartups(7, 100, 7)),
        ],
    )
    def test_reads_what_openssh_reads(self, text: str, expected: MaxStartups) -> None:
        assert MaxStartups.parse(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "10:30",
            "10:30:100:1",
            "a:b:c",
            "-1:30:100",
            " 10:30:100",
            "10:30:100\n",
            "٣",
            "9" * 10,
        ],
    )
    def test_refuses_what_is_no_such_thing(self, text: str) -> None:
        with pytest.raises(ValueError, match="must be start:rate:full, for example 10:30:100"):
            MaxStartups.parse(text)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("0:30:100", "start must be at least 1"),
            ("0", "start must be at least 1"),
            ("10:0:100", "rate is a percentage from 1 to 100"),
            ("10:101:100", "rate is a percentage from 1 to 100"),
            ("10:30:9", "full must not be less than start"),
        ],
    )
    def test_refuses_numbers_that_do_not_fit(self, text: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            MaxStartups.parse(text)

    @settings(deadline=None, max_examples=200)
    @given(st.text(alphabet="0123456789:- x", max_size=14))
    def test_whatever_it_reads_makes_sense(self, text: str) -> None:
        try:
            read = MaxStartups.parse(text)
        except ValueError:
            return
        assert 1 <= read.start <= read.full
        assert 1 <= read.rate <= 100

    @pytest.mark.parametrize(
        ("startups", "percent"),
        [(0, 0), (9, 0), (10, 30), (55, 65), (99, 99.2), (100, 100), (500, 100)],
    )
    def test_refuses_more_and_more(self, startups: int, percent: float) -> None:
        limit = MaxStartups(10, 30, 100)
        for dice in (0.0, 0.29, 0.31, 0.64, 0.66, 0.991, 0.993, 0.999):
            assert limit.refuses(startups, Fixed(dice)) == (dice * 100 < percent)

    def test_refuses_about_as_many_as_it_says(self) -> None:
        random = Random(7)
        refused = sum(MaxStartups(10, 30, 100).refuses(10, random) for _ in range(2000))
        assert 500 < refused < 700

    def test_a_single_number_is_a_wall(self) -> None:
        wall = MaxStartups.parse("5")
        assert [wall.refuses(n, Fixed(0.999)) for n in (4, 5, 6)] == [False, True, True]


class TestStartups:
    def test_only_those_busy_logging_in_count(self) -> None:
        door = roomy(max_startups=MaxStartups.parse("2"))
        first, _ = door.enter(), door.enter(BOB)
        assert door.startups == 2
        assert door.refuses() is Limit.STARTUPS
        first.authenticated()
        assert (door.startups, door.connections) == (1, 2)
        assert door.refuses() is None

    def test_going_away_makes_room_too(self) -> None:
        door = roomy(max_startups=MaxStartups.parse("1"))
        first = door.enter()
        assert door.refuses() is Limit.STARTUPS
        first.ended(Outcome.FINE)
        assert door.refuses() is None

    @pytest.mark.parametrize(("dice", "expected"), [(0.49, Limit.STARTUPS), (0.51, None)])
    def test_dice_are_rolled_in_between(self, dice: float, expected: Limit | None) -> None:
        door = Door(replace(Door.ROOMY, max_startups=MaxStartups(1, 50, 3)), dice)
        door.enter()
        assert door.refuses() is expected


class TestAdmission:
    def test_every_step_counts_once(self) -> None:
        door = Door()
        door.enter()
        guest = door.enter()
        guest.authenticated()
        guest.authenticated()
        assert (door.startups, door.connections) == (1, 2)
        guest.ended(Outcome.FINE)
        guest.ended(Outcome.NO_LOGIN)
        guest.authenticated()
        assert (door.startups, door.connections) == (1, 1)

    def test_only_the_first_end_is_answered_for(self) -> None:
        door = roomy(penalty_no_login=100.0)
        guest = door.enter()
        guest.ended(Outcome.FINE)
        guest.ended(Outcome.NO_LOGIN)
        assert door.refuses() is None

    def test_who_logged_in_answers_for_nothing(self) -> None:
        door = roomy(penalty_never_finished=100.0)
        guest = door.enter()
        guest.authenticated()
        guest.ended(Outcome.NEVER_FINISHED)
        assert door.refuses() is None


class TestTotal:
    def test_is_for_everybody(self) -> None:
        door = roomy(max_connections=2)
        door.enter().authenticated()
        last = door.enter("/run/socket")
        assert door.refuses(BOB) is Limit.TOTAL
        assert door.refuses("/run/socket") is Limit.TOTAL
        last.ended(Outcome.FINE)
        assert door.refuses(BOB) is None


class TestSource:
    def test_has_so_many_connections(self) -> None:
        door = roomy(connections_per_source=2)
        for _ in range(2):
            guest = door.enter()
            guest.authenticated()
        assert door.refuses() is Limit.SOURCE
        assert door.refuses(BOB) is None
        guest.ended(Outcome.FINE)
        assert door.refuses() is None

    def test_has_so_many_busy_logging_in(self) -> None:
        door = roomy(startups_per_source=2)
        door.enter()
        guest = door.enter()
        assert door.refuses() is Limit.SOURCE
        assert door.refuses(BOB) is None
        guest.authenticated()
        assert door.refuses() is None

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"),
            ("2001:db8::1", "2001:0DB8:0000:0000:0000:0000:0000:0001"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:c000:201", "192.0.2.1"),
            ("fe80::1%eth0", "fe80::1%eth1"),
            ("fe80::1%eth0", "fe80::2"),
        ],
    )
    def test_is_the_same(self, one: str, other: str) -> None:
        door = roomy(connections_per_source=1)
        door.enter(one)
        assert door.refuses(other) is Limit.SOURCE

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("192.0.2.1", "192.0.2.2"),
            ("2001:db8:0:1::1", "2001:db8:0:2::1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
            ("::1", "::ffff:0.0.0.0"),
            ("::1", "0.0.0.0"),
        ],
    )
    def test_is_another(self, one: str, other: str) -> None:
        door = roomy(connections_per_source=1)
        door.enter(one)
        assert door.refuses(other) is None

    @pytest.mark.parametrize(
        "address",
        ["", "-", "/run/insults.sock", "a:b", "1.2.3", "1.2.3.4.5", "::1::", "\0", "\ud800", "é:"],
    )
    def test_is_nobody_without_an_ip_address(self, address: str) -> None:
        door = roomy(connections_per_source=1, burst_per_source=1, penalty_no_login=100.0)
        door.enter(address)
        door.fail(Outcome.NO_LOGIN, 3, address)
        assert door.refuses(address) is None
        assert door.sources == 0
        assert (door.connections, door.startups) == (1, 1)

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.text(max_size=45), st.ip_addresses().map(str)))
    def test_any_text_is_an_address_or_is_not(self, address: str) -> None:
        door = Door()
        door.enter(address).ended(Outcome.NO_LOGIN)
        assert (door.connections, door.startups) == (0, 0)


class TestRate:
    def test_a_burst_and_then_one_at_a_time(self) -> None:
        door = roomy(rate_per_source=30, burst_per_source=3)
        assert door.admitted(5) == 3
        assert door.refuses() is Limit.RATE
        assert door.refuses(BOB) is None
        door.time.advance(1.9)
        assert door.refuses() is Limit.RATE
        door.time.advance(0.1)
        assert door.admitted(5) == 1
        door.time.advance(4)
        assert door.admitted(5) == 2

    def test_rest_fills_the_bucket_and_no_more(self) -> None:
        door = roomy(rate_per_source=30, burst_per_source=3)
        door.admitted(3)
        door.time.advance(3600)
        assert door.admitted(9) == 3

    def test_being_refused_costs_nothing(self) -> None:
        door = roomy(rate_per_source=60, burst_per_source=1)
        assert door.admitted(100) == 1
        door.time.advance(1)
        assert door.admitted(100) == 1

    @pytest.mark.parametrize("rate", [1, 7, 60, 77, 600, 1001])
    @pytest.mark.parametrize("burst", [1, 3, 64])
    def test_no_rounding_takes_a_place_away(self, rate: int, burst: int) -> None:
        door = roomy(rate_per_source=rate, burst_per_source=burst)
        assert door.admitted(burst + 1) == burst
        for _ in range(20):
            door.time.advance(60 / rate)
            assert door.admitted(2) == 1


class TestPenalties:
    @pytest.mark.parametrize(
        ("outcome", "free"),
        [(Outcome.NO_LOGIN, 3), (Outcome.TIMED_OUT, 1), (Outcome.NEVER_FINISHED, 15)],
    )
    def test_add_up_and_are_enforced_above_the_minimum(self, outcome: Outcome, free: int) -> None:
        door = Door()
        door.fail(outcome, free)
        assert door.refuses() is None
        door.fail(outcome)
        assert door.refuses() is Limit.PENALTY
        assert door.refuses(BOB) is None

    def test_who_is_fine_never_waits(self) -> None:
        door = Door()
        door.fail(Outcome.FINE, 1000)
        assert door.refuses() is None

    def test_hold_until_they_are_over(self) -> None:
        door = Door()
        door.fail(Outcome.NO_LOGIN, 4)
        door.time.advance(19.9)
        assert door.refuses() is Limit.PENALTY
        door.time.advance(0.1)
        assert door.refuses() is None

    def test_start_again_below_the_minimum_when_over(self) -> None:
        door = Door()
        host = door.enter()
        door.fail(Outcome.NO_LOGIN, 4)
        door.time.advance(20)
        door.fail(Outcome.NO_LOGIN, 3)
        assert door.refuses() is None
        host.ended(Outcome.NO_LOGIN)
        assert door.refuses() is Limit.PENALTY

    def test_wear_off_between_failures(self) -> None:
        door = Door()
        for _ in range(100):
            door.fail(Outcome.NO_LOGIN)
            door.time.advance(5)
        door.fail(Outcome.NO_LOGIN, 3)
        assert door.refuses() is None

    def test_grow_up_to_a_cap(self) -> None:
        door = roomy(penalty_cap=60.0)
        guests = [door.enter() for _ in range(100)]
        for guest in guests:
            guest.ended(Outcome.NO_LOGIN)
        door.time.advance(59.9)
        assert door.refuses() is Limit.PENALTY
        door.time.advance(0.2)
        assert door.refuses() is None

    def test_leave_open_connections_alone(self) -> None:
        door = Door()
        guest = door.enter()
        door.fail(Outcome.NO_LOGIN, 4)
        assert door.refuses() is Limit.PENALTY
        guest.authenticated()
        assert door.connections == 1

    def test_being_refused_costs_nothing(self) -> None:
        door = Door()
        door.fail(Outcome.NO_LOGIN, 4)
        assert door.admitted(1000) == 0
        door.time.advance(20)
        assert door.refuses() is None

    def test_of_no_seconds_are_none(self) -> None:
        door = roomy(penalty_no_login=0.0)
        door.fail(Outcome.NO_LOGIN, 1000)
        assert door.refuses() is None

    def test_a_clock_set_back_prolongs_nothing(self) -> None:
        door = roomy(burst_per_source=4)
        door.fail(Outcome.NO_LOGIN, 4)
        door.time.rightNow -= 3600
        assert door.refuses() is Limit.PENALTY
        door.time.advance(19.9)
        assert door.refuses() is Limit.PENALTY
        door.time.advance(0.2)
        assert door.admitted(9) == 4
        door.time.rightNow -= 3600
        assert door.refuses() is Limit.RATE
        door.time.advance(1.1)
        assert door.refuses() is None


class TestExemptions:
    NETWORKS = ("192.0.2.0/25", "2001:db8:0:1::5/128", "::ffff:203.0.113.0/120")

    def door(self, **numbers: object) -> Door:
        networks = tuple(map(ip_network, self.NETWORKS))
        return roomy(
            connections_per_source=1,
            startups_per_source=1,
            burst_per_source=1,
            penalty_no_login=100.0,
            exempt_sources=networks,
            **numbers,
        )

    @pytest.mark.parametrize(
        "address", ["192.0.2.127", "::ffff:192.0.2.1", "2001:db8:0:1::5", "203.0.113.9"]
    )
    def test_no_limit_of_a_source_applies(self, address: str) -> None:
        door = self.door()
        door.enter(address)
        door.fail(Outcome.NO_LOGIN, 50, address)
        assert door.refuses(address) is None
        assert door.sources == 0

    @pytest.mark.parametrize("address", ["192.0.2.128", "2001:db8:0:1::6", "203.0.114.9", "::1"])
    def test_neighbours_are_limited(self, address: str) -> None:
        door = self.door()
        door.enter(address)
        assert door.refuses(address) is Limit.SOURCE

    def test_a_network_of_all_ipv6_is_not_one_of_ipv4(self) -> None:
        door = roomy(connections_per_source=1, exempt_sources=(ip_network("::/0"),))
        door.enter("::1")
        assert door.refuses("::1") is None
        door.enter("::ffff:192.0.2.1")
        assert door.refuses("192.0.2.1") is Limit.SOURCE

    def test_limits_of_everybody_apply(self) -> None:
        door = self.door(max_connections=2, max_startups=MaxStartups.parse("1"))
        door.enter(ALICE).authenticated()
        door.enter(ALICE).authenticated()
        assert door.refuses(ALICE) is Limit.TOTAL
        door = self.door(max_startups=MaxStartups.parse("1"))
        door.enter(ALICE)
        assert door.refuses(ALICE) is Limit.STARTUPS


class TestRefusals:
    def test_are_counted_by_reason_and_handed_over_once(self) -> None:
        door = roomy(connections_per_source=1, burst_per_source=1, max_connections=2)
        door.enter()
        assert [door.admit(ALICE), door.admit(ALICE)] == [None, None]
        guest = door.enter(BOB)
        assert door.admit("192.0.2.3") is None
        guest.ended(Outcome.FINE)
        assert door.admit(BOB) is None
        taken = door.take_refusals()
        assert taken == {Limit.SOURCE: 2, Limit.TOTAL: 1, Limit.RATE: 1}
        assert sorted(taken) == ["rate", "source", "total"]
        assert door.take_refusals() == {}

    def test_their_reasons_are_a_fixed_set(self) -> None:
        assert [*Limit] == ["total", "startups", "penalty", "source", "rate"]

    def test_change_nothing_else(self) -> None:
        door = roomy(connections_per_source=1)
        door.enter()
        assert door.admitted(100) == 0
        assert (door.connections, door.startups, door.sources) == (1, 1, 1)


class TestForgetting:
    def test_a_source_is_kept_until_its_bucket_is_full(self) -> None:
        door = roomy(rate_per_source=60)
        door.fail(Outcome.FINE, 3)
        door.time.advance(2.9)
        door.take_refusals()
        assert door.sources == 1
        door.time.advance(0.2)
        door.take_refusals()
        assert door.sources == 0

    def test_a_source_is_kept_until_its_penalty_is_over(self) -> None:
        door = roomy(rate_per_source=600)
        host = door.enter()
        door.fail(Outcome.FINE)
        host.ended(Outcome.NO_LOGIN)
        door.time.advance(4.9)
        door.take_refusals()
        assert door.sources == 1
        door.time.advance(0.2)
        door.take_refusals()
        assert door.sources == 0

    def test_a_source_that_is_connected_is_kept(self) -> None:
        door = Door()
        door.fail(Outcome.FINE)
        guest = door.enter()
        door.time.advance(86400)
        door.take_refusals()
        assert door.sources == 1
        guest.ended(Outcome.FINE)
        assert door.sources == 0

    def test_newcomers_clear_up_after_those_before_them(self) -> None:
        door = Door()
        for last in range(100):
            door.fail(Outcome.FINE, 1, f"198.51.100.{last}")
        assert door.sources == 100
        door.time.advance(10)
        for _ in range(10):
            door.enter()
        assert door.sources == 1

    def test_one_call_does_not_pay_for_all(self) -> None:
        door = Door()
        for last in range(100):
            door.fail(Outcome.FINE, 1, f"198.51.100.{last}")
        door.time.advance(10)
        door.enter()
        assert 50 < door.sources < 100

    def test_a_full_table_forgets_those_due_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MAX_REMEMBERED", 3)
        door = roomy(rate_per_source=600)
        # Noted as due first, and due last in the end.
        host = door.enter(ALICE)
        door.fail(Outcome.FINE, 1, ALICE)
        host.ended(Outcome.NO_LOGIN)
        door.fail(Outcome.NO_LOGIN, 3, ALICE)
        for last in range(50):
            door.fail(Outcome.FINE, 1, f"198.51.100.{last}")
            assert door.sources <= 3
        assert door.refuses(ALICE) is Limit.PENALTY

    def test_a_full_table_keeps_those_connected(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MAX_REMEMBERED", 1)
        door = roomy(connections_per_source=2, rate_per_source=600)
        door.fail(Outcome.FINE)
        guests = [door.enter() for _ in range(2)]
        for last in range(9):
            door.fail(Outcome.NO_LOGIN, 1, f"198.51.100.{last}")
        assert door.refuses(ALICE) is Limit.SOURCE
        assert door.sources == 2
        for guest in guests:
            guest.ended(Outcome.FINE)
        assert door.sources == 1


ADDRESSES = st.sampled_from(
    ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "fe80::1%a", "-"]
    + [f"198.51.100.{last}" for last in range(12)]
)
STEPS = st.one_of(
    st.tuples(st.just("admit"), ADDRESSES),
    st.tuples(st.just("authenticated"), st.integers(0, 30)),
    st.tuples(st.just("ended"), st.integers(0, 30), st.sampled_from(Outcome)),
    st.tuples(st.just("wait"), st.floats(-50, 50)),
    st.tuples(st.just("take")),
)


class TestInvariants:
    TIGHT = ConnectionLimits(
        max_startups=MaxStartups(3, 30, 6),
        max_connections=9,
        connections_per_source=4,
        startups_per_source=2,
        rate_per_source=20,
        burst_per_source=5,
        penalty_minimum=6.0,
        penalty_cap=30.0,
        exempt_sources=(ip_network("198.51.100.3/32"),),
    )

    @settings(deadline=None, max_examples=200)
    @given(st.lists(STEPS, max_size=80), st.integers(0, 99))
    def test_hold_whatever_happens(self, steps: list[tuple[object, ...]], seed: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(limits, "MAX_REMEMBERED", 4)
            clock = Clock()
            clock.advance(START)
            self.check(Gate(self.TIGHT, clock, Random(seed)), clock, steps)

    def check(self, gate: Gate, clock: Clock, steps: list[tuple[object, ...]]) -> None:
        admissions: list[Admission] = []
        refused = taken = attempts = admitted = 0
        starting: set[int] = set()
        opened: set[int] = set()
        for step in steps:
            match step:
                case ("admit", str(address)):
                    attempts += 1
                    if admission := gate.admit(address):
                        opened.add(len(admissions))
                        starting.add(len(admissions))
                        admissions.append(admission)
                        admitted += 1
                    else:
                        refused += 1
                case ("authenticated", int(number)) if number < len(admissions):
                    admissions[number].authenticated()
                    starting.discard(number)
                case ("ended", int(number), Outcome() as outcome) if number < len(admissions):
                    admissions[number].ended(outcome)
                    starting.discard(number)
                    opened.discard(number)
                case ("wait", float(seconds)):
                    clock.rightNow += seconds
                case ("take",):
                    taken += sum(gate.take_refusals().values())
            assert gate.connections == len(opened) <= self.TIGHT.max_connections
            assert gate.startups == len(starting) <= self.TIGHT.max_startups.full
            assert gate.sources <= limits.MAX_REMEMBERED + len(opened)
        assert attempts == admitted + refused
        assert taken + sum(gate.take_refusals().values()) == refused
        for admission in admissions:
            admission.ended(Outcome.NEVER_FINISHED)
        clock.advance(self.TIGHT.penalty_cap)
        gate.take_refusals()
        assert (gate.connections, gate.startups, gate.sources) == (0, 0, 0)


class TestDefaults:
    def door(self) -> Door:
        return Door(ConnectionLimits(), dice=0.5)

    def test_a_class_behind_one_address_gets_in_within_a_minute(self) -> None:
        door = self.door()
        for student in range(30):
            if student % 3 == 0:
                # Every third has not handed in a key yet.
                door.fail(Outcome.NO_LOGIN)
                door.time.advance(1)
            for _terminal in range(2):
                door.enter().authenticated()
            door.time.advance(1.6)
        assert door.connections == 60

    def test_a_class_told_to_log_in_now_is_in_after_five_seconds(self) -> None:
        door = self.door()
        waiting = 30
        for _ in range(6):
            for _ in range(waiting):
                if admission := door.admit(ALICE):
                    admission.authenticated()
                    waiting -= 1
            door.time.advance(1)
        assert waiting == 0

    def test_a_script_gets_sixty_commands_a_minute_and_so_does_its_owner(self) -> None:
        door = self.door()
        for _ in range(600):
            assert door.admitted(1) == 1
            door.time.advance(1)
        assert door.admitted(20) == 20

    def test_ssh_audit_is_satisfied_and_not_locked_out(self) -> None:
        door = self.door()
        for _profile in range(2):
            for _key_type in range(4):
                door.fail(Outcome.NEVER_FINISHED)
                door.time.advance(0.1)
            read = 0
            for _round in range(150):
                # Ten at a time, each of which goes away when it has seen a version.
                guests = [guest for _ in range(10) if (guest := door.admit(ALICE))]
                for guest in guests:
                    guest.ended(Outcome.NEVER_FINISHED)
                read += len(guests)
                door.time.advance(0.01)
            assert read / 1.5 < 20
            assert Limit.PENALTY not in door.take_refusals()
            door.time.advance(2)
        assert door.refuses() is None

    def test_a_check_every_second_that_the_port_is_open_is_harmless(self) -> None:
        door = self.door()
        for _ in range(3600):
            door.fail(Outcome.NEVER_FINISHED)
            door.time.advance(1)

    def test_going_on_without_finishing_is_not(self) -> None:
        door = self.door()
        for _ in range(60):
            for guest in [guest for _ in range(10) if (guest := door.admit(ALICE))]:
                guest.ended(Outcome.NEVER_FINISHED)
            door.time.advance(0.5)
        assert door.take_refusals()[Limit.PENALTY] > 100

    def test_sitting_on_every_place_is_not(self) -> None:
        door = self.door()
        guests = [guest for _ in range(100) if (guest := door.admit(ALICE))]
        assert len(guests) == 20
        assert door.refuses(BOB) is None
        door.time.advance(30)
        for guest in guests:
            guest.ended(Outcome.TIMED_OUT)
        door.time.advance(99)
        assert door.refuses() is Limit.PENALTY

    def test_the_fourth_failure_in_a_row_is_one_too_many(self) -> None:
        door = self.door()
        door.fail(Outcome.NO_LOGIN, 3)
        assert door.refuses() is None
        door.fail(Outcome.NO_LOGIN)
        assert door.refuses() is Limit.PENALTY
