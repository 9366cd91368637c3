"""The Application that other programs are tried with: doors that tell what was agreed on there.

`doors.json` in the working directory says which: a list of objects with `ciphers` (null for all
of the profile), `profile` and `rekey_bytes`. Each listens on a port of its own, in that order.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.application.service import Application
from twisted.internet import reactor
from twisted.logger import Logger
from twisted.python.failure import Failure
from typing_extensions import override

from conch_insults.config import Settings, TcpSettings, load_settings
from conch_insults.service import make_service
from conch_insults.ssh.algorithms import PROFILES, ServerOffer
from conch_insults.ssh.transport import InsultSSHTransport


class ObservedTransport(InsultSSHTransport):
    """A transport that logs, at its end, which keys were exchanged and who asked for them."""

    _log_of_exchanges = Logger(namespace="observed")

    @override
    def connectionMade(self) -> None:
        self._asked_by_client = self._exchanges = 0
        super().connectionMade()

    @override
    def ssh_KEXINIT(self, packet: bytes) -> None:
        if self._keyExchangeState == self._KEY_EXCHANGE_NONE:
            self._asked_by_client += 1
        super().ssh_KEXINIT(packet)

    @override
    def ssh_NEWKEYS(self, packet: bytes) -> None:
        self._exchanges += 1
        super().ssh_NEWKEYS(packet)

    @override
    def connectionLost(self, reason: Failure | None = None) -> None:
        agreed = self._agreement
        if self._exchanges:
            self._log_of_exchanges.info(
                "agreed: {agreed}",
                agreed=json.dumps(
                    {
                        "kex": agreed.kex.decode(),
                        "host_key": agreed.host_key.decode(),
                        "ciphers": [agreed.cipher_in.decode(), agreed.cipher_out.decode()],
                        "macs": [agreed.mac_in.decode(), agreed.mac_out.decode()],
                        "strict": self._order.strict,
                        "exchanges": self._exchanges,
                        "asked_by_client": self._asked_by_client,
                    }
                ),
            )
        super().connectionLost(reason)


def open_door(door: dict[str, Any], settings: Settings) -> None:
    ssh = settings.ssh.model_copy(
        update={"profile": door["profile"], "rekey_bytes": door["rekey_bytes"]}
    )
    # The TCP door is opened once, by the first.
    tcp = settings.tcp if door is doors[0] else TcpSettings(endpoint="")
    service = make_service(settings.model_copy(update={"ssh": ssh, "tcp": tcp}), reactor)
    factory = service.getServiceNamed("ssh")._factory
    factory.protocol = ObservedTransport
    if door["ciphers"]:
        ciphers = tuple(name.encode() for name in door["ciphers"])
        factory.offer = ServerOffer(
            replace(PROFILES[door["profile"]], ciphers=ciphers), (b"ssh-ed25519",)
        )
    service.setServiceParent(application)


application = Application("observed")
doors = json.loads(Path("doors.json").read_text(encoding="utf-8"))
for each in doors:
    open_door(each, load_settings(Path.cwd()))
