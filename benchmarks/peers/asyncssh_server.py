"""AsyncSSH with the smallest correct shell; its own line editor serves terminals."""

from __future__ import annotations

import asyncio

import asyncssh

from benchmarks.peers.common import Job, read_job


class Shell(asyncssh.SSHServerSession[str]):
    """A conversation, with a terminal or without."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._unread = ""

    def connection_made(self, chan: asyncssh.SSHServerChannel[str]) -> None:
        """Keep the channel."""
        self._channel = chan

    def shell_requested(self) -> bool:
        """Say yes."""
        return True

    def data_received(self, data: str, _: asyncssh.DataType) -> None:
        """Answer each line; the answers of one read go out in one write."""
        *lines, self._unread = (self._unread + data).split("\n")
        if lines:
            self._channel.write("".join(f"{self._job.answer(line)}\n" for line in lines))

    def eof_received(self) -> bool:
        """End the conversation."""
        self._channel.exit(0)
        return False


class Server(asyncssh.SSHServer):
    """One connection."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def session_requested(self) -> Shell:
        """Start a conversation."""
        return Shell(self._job)


async def serve() -> None:
    """Serve until killed."""
    job = read_job()
    await asyncssh.listen(
        "127.0.0.1",
        job.port,
        server_factory=lambda: Server(job),
        server_host_keys=[str(job.host_key)],
        authorized_client_keys=str(job.authorized_keys),
        backlog=1024,
    )
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
