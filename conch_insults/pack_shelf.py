"""The packs behind all conversations, read again when their files change.

A new set is read whole, in a thread, before it counts; if anything is wrong with it, the old one
stays. What a pack is, and how its files are found, is known to `core`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread
from typing_extensions import override

from conch_insults.core.pack_files import pack_versions
from conch_insults.core.packs import read_packs
from conch_insults.errors import PackError
from conch_insults.events import PackSkipped, PacksLoaded, PacksRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from twisted.internet.interfaces import IReactorTime

    from conch_insults.conversations import InsultFactory
    from conch_insults.core.pack_files import PackVersions
    from conch_insults.core.packs import Pack
    from conch_insults.events import EventSink

__all__ = ["PackShelf"]

# In seconds. A change must be seen twice, unchanged, so that nobody reads half a file.
_LOOK_EVERY = 1.0


class PackShelf(Service):
    """Keeps what can be said as the files say it.

    Args:
        paths: the operator's pack files and folders, beside what is built in.
        conversations: whose pack it is; has been read from these files already.
        emit: is told what there is now, and what is wrong with the files.
        clock: says when to look.
        versions: what `pack_versions` said of the files when they were read.
        offensive: whether to read what is offensive by its name.
        run: calls a function with what follows, where that keeps nobody waiting, and returns what
            becomes of it.
    """

    def __init__(  # noqa: PLR0913 - what is read, where it goes and what runs it
        self,
        paths: Sequence[Path],
        conversations: InsultFactory,
        emit: EventSink,
        clock: IReactorTime,
        *,
        versions: PackVersions,
        offensive: bool,
        run: Callable[..., Deferred[Pack]] = deferToThread,
    ) -> None:
        self._paths = paths
        self._offensive = offensive
        self._conversations = conversations
        self._emit = emit
        self._read = self._seen = versions
        self._run = run
        self._is_wanted = self._is_reading = False
        self._timer = LoopingCall(self.look)
        self._timer.clock = clock

    @override
    def startService(self) -> None:
        super().startService()
        self._tell()
        if self._paths:
            self._timer.start(_LOOK_EVERY, now=False)

    @override
    def stopService(self) -> None:
        super().stopService()
        if self._timer.running:
            self._timer.stop()

    def look(self) -> None:
        """Read the packs again if their files have changed and stayed so."""
        before, self._seen = self._seen, pack_versions(self._paths)
        if self._seen == before and self._seen != self._read:
            self.reload()

    def reload(self) -> None:
        """Read the packs again, soon; if one is bad, go on with what there was."""
        self._is_wanted = True
        if not self._is_reading:
            Deferred.fromCoroutine(self._read_while_wanted())

    async def _read_while_wanted(self) -> None:
        """Read one set after the other: what is asked for meanwhile is read afterwards."""
        self._is_reading = True
        try:
            while self._is_wanted and self.running:
                self._is_wanted = False
                self._read = pack_versions(self._paths)
                await self._replace()
        finally:
            self._is_reading = False

    async def _replace(self) -> None:
        try:
            pack = await self._run(read_packs, self._paths, offensive=self._offensive)
        except PackError as error:
            if self.running:
                self._emit(PacksRefused(str(error)))
        else:
            if self.running:
                self._conversations.pack = pack
                self._tell()

    def _tell(self) -> None:
        pack = self._conversations.pack
        self._emit(PacksLoaded(len(pack.topics()), pack.insult_count()))
        for reason in pack.skipped:
            self._emit(PackSkipped(reason))
