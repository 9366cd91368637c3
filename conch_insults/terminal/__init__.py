"""A person's terminal, between a transport and a line protocol."""

from __future__ import annotations

from conch_insults.terminal.line_side import CookedTransport, LineApplication
from conch_insults.terminal.terminal import Terminal

__all__ = ["CookedTransport", "LineApplication", "Terminal"]
