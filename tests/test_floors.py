"""The house: imports go down only; each room is small, opens with its law and has its test."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import conch_insults

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(conch_insults.__file__).parent
TREE = PACKAGE.parent

# A room is a module or a folder right under the package; the number is its floor.
FLOORS = {
    "errors": 0,
    "events": 0,
    "config": 0,
    "rating": 0,
    "wire": 0,
    "core": 1,
    "access": 1,
    "allowance": 2,
    "pace": 2,
    "pack_shelf": 2,
    "line_transport": 2,
    "conversations": 2,
    "protocol": 2,
    "terminal": 2,
    "client": 2,
    "limits": 2,
    "telemetry": 2,
    "ssh": 2,
    "door": 2,
    "shared_door": 2,
    "signals": 2,
    "worker_pipes": 2,
    "refusal_report": 2,
    "access_rules": 3,
    "ssh_door": 3,
    "provisions": 3,
    "workers": 3,
    "service": 3,
    "worker": 4,
    "cli": 4,
}

# What the two lower floors may use beside the standard library.
LIBRARIES = {
    "config": {"pydantic", "pydantic_settings"},
    "core": {"wcwidth"},
    "access": {"cryptography", "pyasn1"},
}

# What rules must not know: the network, and whatever waits, watches a clock or runs beside.
FORBIDDEN_TO_RULES = {
    "asyncio",
    "concurrent",
    "http",
    "multiprocessing",
    "sched",
    "select",
    "selectors",
    "signal",
    "socket",
    "socketserver",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "urllib",
}

# A clock behind a name that is harmless otherwise.
CLOCKS = {"now", "today", "utcnow"}

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60

# A module's test is `test_<module>.py`, with the folder before the name in `ssh` and `cli`
# (`test_ssh_<module>.py`). These are found elsewhere: two had a name of their own already, the
# last two do nothing by themselves and are tried by the commands and servers that they start.
TESTED_IN = {
    "conch_insults.ssh.host_keys": "test_host_keys.py",
    "conch_insults.cli.ssh_command": "test_ssh_command.py",
    "conch_insults.cli.main": "test_cli_client.py",
    "conch_insults.service": "test_twistd.py",
    "conch_insults.line_transport": "test_protocol.py",
}

# One line each, said by those who raise them.
WITHOUT_A_TEST = {"conch_insults.errors"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(TREE).with_suffix("").parts).removesuffix(".__init__")


PATHS = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = [name for name, path in PATHS.items() if path.name != "__init__.py"]


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(PATHS[module].read_text(encoding="utf-8"))


def room_of(module: str) -> str:
    return module.split(".")[1]


def imports_of(module: str) -> Iterator[str]:
    """Yield the full name of everything imported, also for types only or inside a function."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports_of(module: str) -> set[str]:
    """Return the modules of ours that are imported."""
    found = set()
    for name in imports_of(module):
        if name.split(".")[0] == PACKAGE.name:
            found.add(name if name in PATHS else name.rpartition(".")[0])
    return found


def libraries_of(module: str) -> set[str]:
    return {name.split(".")[0] for name in imports_of(module)} - {PACKAGE.name}


class TestFloors:
    def test_every_room_is_on_a_floor(self) -> None:
        for module in MODULES:
            assert room_of(module) in FLOORS, module

    def test_imports_go_down(self) -> None:
        for module in MODULES:
            room = room_of(module)
            for imported in own_imports_of(module):
                other = room_of(imported)
                up = FLOORS[other] > FLOORS[room]
                assert not up, f"{module} must not know {imported}, which is above it"

    def test_rules_and_words_know_no_other_room_on_their_floor(self) -> None:
        for module in MODULES:
            room = room_of(module)
            if FLOORS[room] <= 1:
                rooms = {room_of(name) for name in own_imports_of(module)} - {room}
                beside = {other for other in rooms if FLOORS[other] == FLOORS[room]}
                # Words may build on words; a setting or a packet knows its kind of error.
                assert not beside or (FLOORS[room] == 0 and beside == {"errors"}), module

    def test_only_the_upper_floors_know_the_settings(self) -> None:
        """A room below gets its own part of them, as a value; and only to name its type."""
        knowing = {name for name in MODULES if "conch_insults.config" in runtime_imports_of(name)}
        assert {FLOORS[room_of(name)] for name in knowing} <= {3, 4}

    def test_no_circle(self) -> None:
        """A module that is imported when it runs, not for types, never needs its importer."""
        left = {name: runtime_imports_of(name) & set(MODULES) for name in MODULES}
        while left:
            free = {name for name, needed in left.items() if not needed & set(left)}
            assert free, f"these need each other: {sorted(left)}"
            left = {name: needed for name, needed in left.items() if name not in free}


class TestPurity:
    def test_the_lower_floors_use_the_standard_library(self) -> None:
        for module in MODULES:
            room = room_of(module)
            if FLOORS[room] <= 1:
                allowed = set(sys.stdlib_module_names) | LIBRARIES.get(room, set())
                assert libraries_of(module) <= allowed, module

    def test_rules_know_no_socket_and_no_clock(self) -> None:
        for module in MODULES:
            if FLOORS[room_of(module)] == 1:
                assert not libraries_of(module) & FORBIDDEN_TO_RULES, module
                called = {
                    node.func.attr
                    for node in ast.walk(parsed(module))
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                }
                assert not called & CLOCKS, module


class TestRooms:
    def test_opens_with_its_law(self) -> None:
        for module in PATHS:
            law = ast.get_docstring(parsed(module)) or ""
            assert law.splitlines()[0].endswith("."), module

    def test_says_what_is_public(self) -> None:
        for module in MODULES:
            public = [
                ast.literal_eval(node.value)
                for node in parsed(module).body
                if isinstance(node, ast.Assign)
                and [ast.unparse(target) for target in node.targets] == ["__all__"]
            ]
            assert len(public) == 1, module
            defined = {name for node in parsed(module).body for name in names_bound_by(node)}
            assert set(public[0]) <= defined, module

    def test_is_not_too_long(self) -> None:
        for module in MODULES:
            lines = PATHS[module].read_text(encoding="utf-8").splitlines()
            assert len(lines) <= LONGEST_MODULE, module

    def test_its_functions_fit_on_a_screen(self) -> None:
        for module in MODULES:
            for node in ast.walk(parsed(module)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or 0) - node.lineno + 1
                    assert length <= LONGEST_FUNCTION, f"{module}:{node.lineno}: {node.name}"

    def test_has_its_test(self) -> None:
        for module in MODULES:
            _, room, *rest = module.split(".")
            usual = "_".join([room, *rest] if room in {"ssh", "cli"} else (rest or [room]))
            expected = TESTED_IN.get(module, f"test_{usual}.py")
            if module not in WITHOUT_A_TEST:
                assert (TREE / "tests" / expected).exists(), module

    def test_exceptions_are_of_modules_that_exist(self) -> None:
        assert set(TESTED_IN) | WITHOUT_A_TEST <= set(MODULES)


def runtime_imports_of(module: str) -> set[str]:
    """Return the modules of ours that are imported outside `if TYPE_CHECKING`."""
    found = set()
    for node in parsed(module).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in PATHS else str(node.module))
    return found


def names_bound_by(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)
