"""Assembly: what listens, what is said at the end, what a reload does."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from twisted.application.service import IServiceMaker
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.plugin import getPlugins
from zope.interface import implementer

from conch_insults import pack_shelf
from conch_insults import service as service_module
from conch_insults.access.grants import Offer, Refusal
from conch_insults.config import LimitSettings, Settings, load_settings
from conch_insults.door import parse_endpoint
from conch_insults.errors import ConchInsultsError, PackError, SettingsError
from conch_insults.limits import ConnectionLimits, MaxStartups
from conch_insults.provisions import Provisions
from conch_insults.service import (
    FAREWELL,
    CannotStart,
    InsultService,
    Options,
    make_insult_service,
    make_service,
)
from conch_insults.signals import Signals
from conch_insults.ssh.checker import PublicKeyChecker
from conch_insults.ssh.host_keys import create_host_key
from conch_insults.workers import Workers
from tests import ssh_client
from tests.access_door import ALICE, line
from tests.ssh_client import AUTH_REQUEST, AUTH_SUCCESS, EXTENDED_DATA, SshClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("signal_handlers")


class Reactor(MemoryReactorClock):
    """A reactor in memory that can be told that a port is taken."""

    taken = False

    def listenTCP(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: N802 - Twisted's
        if self.taken:
            raise CannotListenError("", arguments[0], OSError(98, "Address already in use"))
        return super().listenTCP(*arguments, **keywords)

    def callFromThread(self, call: Any, *arguments: Any) -> None:  # noqa: N802 - Twisted's
        call(*arguments)


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []

    @implementer(ILogObserver)
    def observe(event: Any) -> None:
        if event["log_namespace"] == "conch_insults":
            lines.append(event["log_format"].format(**event))

    globalLogPublisher.addObserver(observe)
    yield lines
    globalLogPublisher.removeObserver(observe)


@pytest.fixture
def reactor() -> Reactor:
    return Reactor()


def ssh_factory_of(service: InsultService) -> Any:
    return service.getServiceNamed("ssh")._factory


def settings(folder: Path, monkeypatch: pytest.MonkeyPatch, **sections: str) -> Settings:
    create_host_key(folder / "keys")
    monkeypatch.chdir(folder)
    content = "".join(f"[{section}]\n{lines}\n" for section, lines in sections.items())
    (folder / "conch_insults.toml").write_text(content)
    return load_settings(folder)


def made(settings: Settings, reactor: Reactor) -> InsultService:
    service = make_service(settings, reactor)
    assert isinstance(service, InsultService)
    return service


def started(
    reactor: Reactor, folder: Path, monkeypatch: pytest.MonkeyPatch, **sections: str
) -> InsultService:
    service = made(settings(folder, monkeypatch, **sections), reactor)
    assert not reactor.tcpServers
    service.privilegedStartService()
    service.startService()
    for hook, arguments, keywords in reactor.whenRunningHooks:
        hook(*arguments, **keywords)
    return service


def tcp_visitor(service: InsultService) -> StringTransport:
    transport = StringTransport()
    transport.disconnecting = False
    protocol = service._conversations.buildProtocol(None)
    assert protocol is not None
    protocol.makeConnection(transport)
    return transport


def test_both_doors_open_and_the_log_says_so(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    started(reactor, tmp_path, monkeypatch)
    assert [(port, interface) for port, _, _, interface in reactor.tcpServers] == [
        (2222, ""),
        (8080, "127.0.0.1"),
    ]
    assert any(line.startswith("packs: ") for line in log)
    assert [line.partition(" on ")[0] for line in log if "listening" in line] == [
        "listening: ssh",
        "listening: tcp",
    ]


def test_a_door_can_stay_closed(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(reactor, tmp_path, monkeypatch, tcp='endpoint = ""')
    assert [port for port, *_ in reactor.tcpServers] == [2222]


def test_it_can_start_without_privileges(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_service(settings(tmp_path, monkeypatch), reactor).startService()
    assert len(reactor.tcpServers) == 2


def test_a_port_in_use_is_one_line(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reactor.taken = True
    with pytest.raises(CannotStart) as exit_:
        started(reactor, tmp_path, monkeypatch)
    assert exit_.value.code == "conch_insults: Address already in use: ssh.endpoint = tcp:2222"


def test_the_settings_reach_the_conversation(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = started(
        reactor,
        tmp_path,
        monkeypatch,
        tcp='greeting = ["Oi."]',
        insults='rating = "r"\nunknown_topic = "classic"\npacks = ["mine.txt"]'
        if (tmp_path / "mine.txt").write_text("zeugma: You and your syntax.\n")
        else "",
    )
    visitor = tcp_visitor(service)
    assert visitor.value() == b"Oi.\n"
    visitor.clear()
    protocol = next(iter(service._conversations.sessions))
    protocol.dataReceived(b"zeugma\nno such topic\n")
    assert visitor.value() == b"You and your syntax.\nI've got nothing.\n"


def test_at_the_end_people_hear_a_sentence_and_get_time_to_leave(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    service = started(reactor, tmp_path, monkeypatch)
    visitor = tcp_visitor(service)
    visitor.clear()
    over: list[object] = []
    service.stopService().addCallback(over.append)
    assert visitor.value() == FAREWELL.encode() + b"\n"
    assert visitor.disconnecting
    assert not over
    for protocol in list(service._conversations.sessions):
        protocol.connectionLost()
    reactor.advance(0.1)
    assert over
    assert service._conversations._insulter is None
    assert "shutting down: 1 connections open" in log


def test_at_the_end_nobody_is_waited_for_for_ever(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = started(reactor, tmp_path, monkeypatch)
    tcp_visitor(service)
    factory = ssh_factory_of(service)
    factory.doStart()
    ssh = factory.buildProtocol(None)
    assert ssh is not None
    ssh.makeConnection(_TcpTransport())
    ssh.transport.clear()
    over: list[object] = []
    service.stopService().addCallback(over.append)
    assert not ssh.transport.disconnecting
    for _ in range(30):
        reactor.advance(0.1)
    assert ssh.transport.disconnecting
    assert FAREWELL.encode() in ssh.transport.value()
    assert not over
    for _ in range(30):
        reactor.advance(0.1)
    assert over


class _TcpTransport(StringTransport):
    disconnecting = False

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802 - Twisted's
        assert enabled


def test_a_reload_says_new_things_or_keeps_the_old_ones(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    pack = tmp_path / "mine.txt"
    pack.write_text("zeugma: One.\n")
    service = started(reactor, tmp_path, monkeypatch, insults='rating = "r"\npacks = ["mine.txt"]')
    monkeypatch.setattr(service._packs, "_run", maybeDeferred)
    visitor = tcp_visitor(service)
    protocol = next(iter(service._conversations.sessions))
    for content, answer in (
        ("zeugma: Two.\n", b"Two.\n"),
        ("zeugma: Three.\nno colon\n", b"Two.\n"),
    ):
        visitor.clear()
        pack.write_text(content)
        signal.raise_signal(signal.SIGHUP)
        protocol.dataReceived(b"zeugma\n")
        assert visitor.value() == answer
    assert log[-1].startswith("packs refused, keeping the old ones: ")
    assert "mine.txt:2: " in log[-1]


class TestAccess:
    """Somebody is in by SSH, and the service sees to it that this is right."""

    @pytest.fixture
    def service(
        self, reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> InsultService:
        (tmp_path / "keys" / "authorized_keys.d").mkdir(parents=True)
        self.path = tmp_path / "keys" / "authorized_keys.d" / "alice"
        self.path.write_text(line(ALICE))
        self.path.chmod(0o644)
        service = started(reactor, tmp_path, monkeypatch)
        factory = ssh_factory_of(service)
        monkeypatch.setattr(ssh_client, "HOST_KEY", factory.privateKeys[b"ssh-ed25519"])
        monkeypatch.setattr(ssh_client, "HOST_KEY_BLOB", factory.publicKeys[b"ssh-ed25519"].blob())
        self.client = SshClient()
        self.client.connect(factory)
        self.client.request_service()
        self.client.send(AUTH_REQUEST, self.client.claim("alice", ALICE))
        assert self.client.numbers() == [AUTH_SUCCESS]
        self.client.shell()
        return service

    @pytest.mark.usefixtures("service")
    def test_a_hangup_counts_at_once(self, log: list[str]) -> None:
        self.path.unlink()
        signal.raise_signal(signal.SIGHUP)
        (line,) = (line for line in log if line.startswith("access ended: "))
        assert 'user=alice from=192.0.2.1 reason="unknown user" by=' in line
        assert str(self.path) in line
        assert EXTENDED_DATA in self.client.numbers()

    def test_a_pack_that_is_bad_does_not_keep_access_from_ending(
        self, service: InsultService, log: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: object, *, offensive: bool) -> None:
            raise PackError("no good")

        monkeypatch.setattr(pack_shelf, "read_packs", refuse)
        monkeypatch.setattr(service._packs, "_run", maybeDeferred)
        self.path.unlink()
        signal.raise_signal(signal.SIGHUP)
        assert any(line.startswith("access ended: ") for line in log)
        assert log[-1] == "packs refused, keeping the old ones: no good"

    @pytest.mark.usefixtures("service")
    def test_a_change_counts_by_itself(self, reactor: Reactor, log: list[str]) -> None:
        self.path.unlink()
        reactor.pump([0.5] * 10)
        assert any(line.startswith("access ended: ") for line in log)

    def test_at_the_end_nobody_is_judged_any_more(
        self, service: InsultService, reactor: Reactor, log: list[str]
    ) -> None:
        over: list[object] = []
        service.stopService().addCallback(over.append)
        self.path.unlink()
        reactor.pump([0.1] * 60)
        assert over
        assert not any(line.startswith("access ended: ") for line in log)
        self.client.link.lose()
        assert not reactor.getDelayedCalls()


def test_lines_of_key_files_that_cannot_be_used_are_logged(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    service = made(settings(tmp_path, monkeypatch), reactor)
    (checker,) = set(ssh_factory_of(service).portal.checkers.values())
    assert isinstance(checker, PublicKeyChecker)
    folder = tmp_path / "keys" / "authorized_keys.d"
    folder.mkdir(parents=True)
    (folder / "alice").write_text("no good\n")
    offer = Offer("alice", "ssh-ed25519", b"", "192.0.2.1")
    assert isinstance(checker._policy.decide(offer, datetime.now(UTC)), Refusal)
    (line,) = log
    assert line.startswith(f"key skipped: {folder}/alice:1: ")


def test_twist_finds_the_plugin_and_it_makes_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (maker,) = (plugin for plugin in getPlugins(IServiceMaker) if plugin.tapname == "conch-insults")
    settings(tmp_path, monkeypatch)
    assert isinstance(maker.makeService(maker.options()), InsultService)
    (tmp_path / "conch_insults.toml").write_text("[nonsense]\n")
    with pytest.raises(CannotStart, match="nonsense"):
        service_module.makeService(Options())


def test_refused_connections_are_told_of_once_a_minute(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    service = started(reactor, tmp_path, monkeypatch, limits="max_connections = 1")
    service._conversations.doStart()
    tcp, ssh = service._conversations, ssh_factory_of(service)
    visitor = tcp.buildProtocol(None)
    assert visitor is not None
    for _ in range(3):
        assert tcp.buildProtocol(None) is None
        assert ssh.buildProtocol(None) is None
    reactor.advance(61)
    reactor.advance(61)
    assert [line for line in log if "refused" in line] == ["connections refused in 60 s: total 6"]
    visitor.connectionLost()
    assert tcp.buildProtocol(None) is not None


def test_limits_that_do_not_fit_together_stop_the_start(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match=r"^limits.max_startups: '10:30:5': "):
        started(reactor, tmp_path, monkeypatch, limits='max_startups = "10:30:5"')


def test_each_worker_lets_in_its_part_rounded_up(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "max_connections = 5\nconnections_per_source = 7\nrate_per_source = 9"
    one = settings(tmp_path, monkeypatch, server="workers = 2", limits=many)
    part = service_module._connection_limits(one)
    assert part == ConnectionLimits(
        max_startups=MaxStartups(5, 30, 50),
        max_connections=3,
        connections_per_source=4,
        startups_per_source=10,
        rate_per_source=5,
    )
    service = make_insult_service(
        Provisions.read(one),
        reactor,
        emit=lambda _: None,
        endpoint_of=partial(parse_endpoint, reactor),
    )
    service.startService()
    tcp = service._conversations
    assert [tcp.buildProtocol(None) is None for _ in range(4)] == [False, False, False, True]


def test_with_workers_nobody_is_served_here(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(settings(tmp_path, monkeypatch, server="workers = 2"), reactor)
    assert [type(each) for each in service] == [Workers, Signals]


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ({"limits": 'max_startups = "10:30:5"'}, r"limits.max_startups: '10:30:5': "),
        ({"tcp": 'endpoint = "2222"'}, "tcp.endpoint: '2222' is not a Twisted endpoint"),
        ({"insults": 'packs = ["gone.txt"]'}, "gone.txt"),
        ({"access": 'keys_dir = "gone"'}, "conch-insults init"),
        (
            {"tcp": 'endpoint = "unix:socket"'},
            "tcp.endpoint: 'unix:socket' cannot be shared; use tcp: or tcp6:, or server.workers",
        ),
    ],
)
def test_with_workers_bad_settings_stop_the_start_all_the_same(
    reactor: Reactor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sections: dict[str, str],
    reason: str,
) -> None:
    with pytest.raises(ConchInsultsError, match=reason):
        make_service(settings(tmp_path, monkeypatch, server="workers = 2", **sections), reactor)


def test_a_server_without_an_ssh_door_needs_no_keys(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conch_insults.toml").write_text('[ssh]\nendpoint = ""\n')
    service = make_service(load_settings(tmp_path), reactor)
    service.startService()
    assert [port for port, *_ in reactor.tcpServers] == [8080]
    over: list[object] = []
    service.stopService().addCallback(over.append)
    assert over


def test_a_unix_socket_is_logged_by_its_path(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    path = tmp_path / "socket"
    started(reactor, tmp_path, monkeypatch, tcp=f'endpoint = "unix:{path}"')
    assert f"listening: tcp on {path}" in log


def test_the_limits_default_to_what_the_gate_does() -> None:
    settings, gate = LimitSettings(), ConnectionLimits()
    assert MaxStartups.parse(settings.max_startups) == gate.max_startups
    for name in ("max_connections", "connections_per_source", "rate_per_source"):
        assert getattr(settings, name) == getattr(gate, name)
    assert settings.exempt_sources == gate.exempt_sources
