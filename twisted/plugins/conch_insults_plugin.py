"""The `twist conch-insults` plugin: the same service as `twistd -y insult_ssh.tac`."""

from twisted.application.service import ServiceMaker

conch_insults = ServiceMaker(
    "conch_insults",
    "conch_insults.service",
    "An insult shell behind SSH.",
    "conch-insults",
)
