"""The table, as Markdown and as JSON: medians, and each figure's ratio to ours.

Knows figures by their names and nothing of how they came about.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.servers import OURS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.measuring import Figures, Results

__all__ = ["as_json", "as_markdown", "on_page"]

_SHARES = frozenset(("server %", "generator %"))
_MANY, _SOME = 100, 10
_BEGIN, _END = "<!-- measured -->\n", "<!-- end -->\n"


def as_json(results: Results, about: Mapping[str, str]) -> str:
    """Return everything, each round's figures too."""
    medians = {subject: results.medians(subject) for subject in results.rounds}
    return json.dumps(
        {
            "about": dict(about),
            "missing": results.missing,
            "medians": medians,
            "rounds": results.rounds,
        },
        indent=1,
        ensure_ascii=False,
    )


def as_markdown(results: Results, about: Mapping[str, str]) -> str:
    """Return a table for each subject, a line for each server."""
    lines = [f"- {name}: {value}" for name, value in about.items()]
    lines += [f"- left out: {name}: {reason}" for name, reason in results.missing.items()]
    for subject in results.rounds:
        title = subject[0].upper() + subject[1:]
        table = _table(results.medians(subject), results.ratios(subject, OURS))
        lines += ["", f"### {title}", "", *table]
    return "\n".join(lines) + "\n"


def on_page(page: str, measured: str) -> str:
    """Return a page with what has been measured, between its marks, in place of what was there."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{measured}\n{_END}{after}"


def _table(medians: Mapping[str, Figures], ratios: Mapping[str, Figures]) -> list[str]:
    names = list(next(iter(medians.values())))
    rows = []
    for server, figures in medians.items():
        compared = ratios.get(server, {}) if len(medians) > 1 else {}
        cells = [_cell(name, figures[name], compared.get(name)) for name in names]
        rows.append(f"| {server} | {' | '.join(cells)} |")
    head = " | ".join(names)
    return [f"| server | {head} |", f"|---|{'---:|' * len(names)}", *rows]


def _cell(name: str, value: float, ratio: float | None) -> str:
    """Write a value, with its ratio to ours where it is a measure of the server."""
    if ratio is None or name in _SHARES:
        return _number(value)
    return f"{_number(value)} ({ratio:.2f})"


def _number(value: float) -> str:
    if value >= _MANY:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= _SOME else f"{value:.2f}"
