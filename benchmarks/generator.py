"""One process of the load generator: an order a line on standard input, a report a line back.

The other end is `generators`. The report has the process's own share of a processor in it, so that
a figure that was bounded by the generator is seen to be.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from benchmarks.client import Target
from benchmarks.load import Load
from benchmarks.wire import Broken

__all__ = ["main"]


def main() -> None:
    """Do what is ordered until standard input ends."""
    load = Load(int(sys.argv[1]))
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        action = getattr(load, order.pop("do"))
        if target := order.get("target"):
            order["target"] = Target(**{**target, "kex": target["kex"].encode()})
        try:
            report = asdict(action(**order))
        except (Broken, OSError) as error:
            load.close()
            report = {"error": f"{error}"}
        print(json.dumps(report), flush=True)  # noqa: T201 - that is how it reports


if __name__ == "__main__":
    main()
