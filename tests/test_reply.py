"""Replies."""

from __future__ import annotations

import json

from conch_insults.core.reply import Reply, Status, objects, said, wrong_usage


def test_lines_are_cleaned() -> None:
    assert said(["a\x1b[2J", "b"]) == Reply(("a[2J", "b"))


def test_lines_as_objects() -> None:
    reply = said(["a", "b"], Status.UNKNOWN_TOPIC, as_json=True)
    assert [json.loads(line) for line in reply.lines] == [{"text": "a"}, {"text": "b"}]
    assert reply.status == 1


def test_objects_are_one_a_line_whatever_is_in_them() -> None:
    (line,) = objects([{"text": "é\n\u202e\u2028\x1b"}]).lines
    assert line.isprintable()
    assert json.loads(line)["text"].startswith("é\n")


def test_wrong_usage() -> None:
    assert wrong_usage("no") == Reply(("no",), status=Status.USAGE)
    assert wrong_usage("no", as_json=True) == Reply(('{"error": "no"}',), status=Status.USAGE)
