"""What ssh-audit has to say of a real server."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.observed_server import DoorPlan, ObservedServer
from tests.real_server import DEADLINE, Doors, Site, program

if TYPE_CHECKING:
    from collections.abc import Iterator

MODERN, STRICT = DoorPlan(), DoorPlan(profile="strict")
NOT_POST_QUANTUM = "does not provide protection against post-quantum attacks"


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedServer]:
    with ObservedServer(Site(tmp_path_factory.mktemp("audit")), MODERN, STRICT) as server:
        yield server


def test_modern_is_warned_of_nothing_but_curve25519(observed: ObservedServer) -> None:
    report = audit(observed.door(MODERN), "--skip-rate-test")
    assert names(report, "enc") == [
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes256-ctr",
        "aes128-ctr",
    ]
    assert names(report, "mac") == [
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
    ]
    assert names(report, "key") == ["ssh-ed25519"]
    assert notes(report, "fail") == {}
    assert notes(report, "warn") == {
        "curve25519-sha256": [NOT_POST_QUANTUM],
        "curve25519-sha256@libssh.org": [NOT_POST_QUANTUM],
    }
    has_nothing_to_recommend(report)


def test_strict_is_warned_of_nothing(observed: ObservedServer) -> None:
    report = audit(observed.door(STRICT), "--skip-rate-test")
    assert names(report, "kex") == [
        "mlkem768x25519-sha256",
        "ext-info-s",
        "kex-strict-s-v00@openssh.com",
    ]
    assert names(report, "enc") == ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com"]
    assert (notes(report, "fail"), notes(report, "warn")) == ({}, {})
    assert report["additional_notes"] == []
    has_nothing_to_recommend(report)


def test_floods_of_connections_are_throttled(tmp_path_factory: pytest.TempPathFactory) -> None:
    site = Site(tmp_path_factory.mktemp("throttled"))
    text = site.settings.read_text(encoding="utf-8")
    site.settings.write_text(text.partition("[limits]")[0], encoding="utf-8")
    with site.start() as server:
        report = audit(server)
        # To look at it once more would be one connection too many.
        assert server.stop(signal.SIGTERM) == 0
    assert names(report, "key") == ["ssh-ed25519"]
    assert not [note for note in report["additional_notes"] if "DHEat" in note]


def test_the_flood_would_be_seen(observed: ObservedServer) -> None:
    """The test before this one can fail: tests' own source is not throttled elsewhere."""
    report = audit(observed.door(MODERN))
    assert [note for note in report["additional_notes"] if "DHEat" in note]


def audit(server: Doors, *options: str) -> dict[str, Any]:
    """Have ssh-audit look at a server and return its report."""
    finished = subprocess.run(
        [program("ssh-audit"), "-j", *options, "-p", str(server.ssh_port), "127.0.0.1"],
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    report: dict[str, Any] = json.loads(finished.stdout)
    return report


def names(report: dict[str, Any], kind: str) -> list[str]:
    return [each["algorithm"] for each in report[kind]]


def notes(report: dict[str, Any], level: str) -> dict[str, list[str]]:
    """Return the notes of a level, by the name of the algorithm."""
    return {
        each["algorithm"]: each["notes"][level]
        for kind in ("kex", "key", "enc", "mac")
        for each in report[kind]
        if level in each["notes"]
    }


def has_nothing_to_recommend(report: dict[str, Any]) -> None:
    assert report["recommendations"] == {}
    assert report["cves"] == []
