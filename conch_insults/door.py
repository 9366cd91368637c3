"""One way in: a factory that listens at an endpoint, from the start of the process on.

Says why it cannot, in a line for the operator. What comes in through it is not known here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.address import UNIXAddress
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from typing_extensions import override

from conch_insults.errors import SettingsError
from conch_insults.events import Listening

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
    from twisted.internet.protocol import Factory
    from twisted.python.failure import Failure

    from conch_insults.events import EventSink

__all__ = ["CannotStart", "Door", "cannot_listen", "parse_endpoint"]


class CannotStart(SystemExit, Exception):  # noqa: N818 - it is an exit, too
    """The service cannot start; the text is for the operator.

    To twistd's parent, which waits for the daemon, it is an error to report; in front it ends the
    process with the text and exit status 1, without a traceback.
    """


def parse_endpoint(reactor: Any, name: str, description: str) -> IStreamServerEndpoint:  # noqa: ANN401 - a reactor has many interfaces
    """Return the endpoint that a door's setting describes.

    Raises:
        SettingsError: it describes none.
    """
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, description)
    # Each endpoint parser fails in its own way.
    except (ImportError, IndexError, KeyError, OSError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{name}.endpoint: {description!r} is not a Twisted endpoint string: {error}"
        ) from error
    return endpoint


def cannot_listen(name: str, description: str, error: BaseException | None) -> CannotStart:
    """Return what to raise for a door that does not open."""
    reason = error.socketError if isinstance(error, CannotListenError) else error
    # twistd's daemon has less than 100 bytes for this.
    return CannotStart(
        f"conch_insults: {getattr(reason, 'strerror', None) or reason}:"
        f" {name}.endpoint = {description}"
    )


class Door(Service):
    """One way in: a factory at an endpoint."""

    def __init__(
        self,
        name: str,
        description: str,
        endpoint: IStreamServerEndpoint,
        factory: Factory[Any],
        emit: EventSink,
    ) -> None:
        self.setName(name)
        self._description = description
        self._endpoint = endpoint
        self._factory = factory
        self._emit = emit
        self._listening: Deferred[Any] | None = None
        self._failure: Failure | None = None

    @override
    def privilegedStartService(self) -> None:
        """Listen, while the process may still open any port.

        Raises:
            CannotStart: the endpoint cannot be listened on.
        """
        super().privilegedStartService()
        listening = self._endpoint.listen(self._factory)
        self._listening = listening.addCallbacks(self._opened, self._failed)
        if self._failure is not None:
            raise cannot_listen(str(self.name), self._description, self._failure.value)

    @override
    def startService(self) -> None:
        super().startService()
        if self._listening is None:
            self.privilegedStartService()

    @override
    def stopService(self) -> Deferred[Any] | None:
        """Let nobody else in."""
        super().stopService()
        if self._listening is None:
            return None
        return self._listening.addCallback(lambda port: port and port.stopListening())

    def _opened(self, port: IListeningPort) -> IListeningPort:
        host = port.getHost()
        if isinstance(host, UNIXAddress):
            where = os.fsdecode(host.name or b"")
        else:
            where = f"{getattr(host, 'host', host)}:{getattr(host, 'port', '')}"
        self._emit(Listening(str(self.name), where))
        return port

    def _failed(self, failure: Failure) -> None:
        self._failure = failure
