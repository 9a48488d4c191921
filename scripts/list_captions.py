"""Write `docs/captions.md`: `python scripts/list_captions.py`.

Every caption of `text/captions/`, with the tests that are marked with its id: `says`, where it must be said, and
`never_says`, where it must not; and the tables whose words are said by one rule. `python scripts/list_captions.py
--outside` counts the sentences that are none yet, by module; with names of modules it prints them.
"""

from __future__ import annotations

import ast
import fnmatch
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

import click

from tui_trainer.cli import main
from tui_trainer.text.captions import CAPTIONS, SECTIONS
from tui_trainer.ui.help import LEGEND, MARKS
from tui_trainer.ui.keys import KEYS, PANELS, TITLES

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tui_trainer"
LIST = ROOT / "docs" / "captions.md"

Kind: TypeAlias = Literal["says", "never_says"]
KINDS: tuple[Kind, ...] = get_args(Kind)

CAPTIONS_MADE = ("text/captions/", "text/reasons.py")
"""Where words of captions are made: those of `why.*` in the second."""

HEAD = """# What the program says, and when

Each sentence and word in which tui-trainer claims something of a run, a preset, a comparison, a record or the machine:
when it is said, when it would be wrong, and the tests of both. `python scripts/list_captions.py` writes this page from
`tui_trainer/text/captions/`, where the words are made, a file for each of these:
"""


class Table(NamedTuple):
    """Words that stand in one table and are said by one rule."""

    title: str
    module: str
    said: str
    says: tuple[str, ...]
    """The tests of that."""
    never: str
    never_says: tuple[str, ...]
    rows: tuple[tuple[str, str, str], ...]
    """Under which heading, what it is said of, and the words."""
    words: frozenset[str]
    """All strings that these are made of."""


def commands(group: click.Group = main, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its name, those of a group behind the group's, in the order of `--help`."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield before + name, command
            if isinstance(command, click.Group):
                yield from commands(command, f"{before}{name} ")


def options() -> dict[tuple[str, str], list[str]]:
    """Each option with its help, which may be another one of another command, and the commands that take it so."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, command in commands():
        for each in command.params:
            if isinstance(each, click.Option):
                found.setdefault((each.opts[0], each.help or ""), []).append(name)
    return found


TABLES = (
    Table(
        "What keys do",
        "ui/keys.py",
        "on the help page, under the place where the key belongs; in short, at the bottom of a screen and in its "
        "command palette. Pressed there, the key does something that is seen",
        (
            "tests/ui/test_shown_keys.py::test_each_key_that_is_shown_does_something_and_is_in_help",
            "tests/ui/test_every_key.py::test_every_key_does_something",
            "tests/ui/test_keys.py::test_help_lists_every_key_and_any_of_its_keys_closes_it",
            "tests/ui/test_keys.py::test_the_palette_has_everything_that_has_a_name_and_nothing_of_another_screen",
        ),
        "at the bottom of a screen where the key does nothing here and now; in the palette of another screen; of two "
        "things in one place",
        (
            "tests/ui/test_shown_keys.py::test_each_key_that_is_shown_does_something_and_is_in_help",
            "tests/ui/test_keys.py::test_the_palette_has_everything_that_has_a_name_and_nothing_of_another_screen",
            "tests/ui/test_keys.py::test_no_key_means_two_things_in_one_place",
        ),
        tuple(
            (TITLES[key.place], key.label, "; in short: ".join(filter(None, (key.does, key.short or key.name))))
            for key in sorted(KEYS, key=lambda key: list(TITLES).index(key.place))
        ),
        frozenset(
            {text for key in KEYS for text in (key.does, key.short, key.name)}
            | {*TITLES.values(), *(panel.shows for panel in PANELS.values())}
        ),
    ),
    Table(
        "What the marks on the screen mean",
        "ui/help.py",
        "on the help page: in two words at its head, in full at its end",
        (
            "tests/ui/test_keys.py::test_help_begins_with_the_marks_scrolls_and_is_searched",
            "tests/ui/test_keys.py::test_help_tells_what_is_seen_on_the_screen",
        ),
        "of two things in one place; at the head of what is searched for",
        (
            "tests/ui/test_keys.py::test_a_mark_means_one_thing_in_one_place",
            "tests/ui/test_keys.py::test_help_begins_with_the_marks_scrolls_and_is_searched",
        ),
        (
            *(("At its end", mark, words) for mark, _, words in MARKS),
            *(("At its head", mark, words) for mark, _, words in LEGEND),
        ),
        frozenset(words for *_, words in (*MARKS, *LEGEND)),
    ),
    Table(
        "Help of commands and options",
        "cli/",
        "by `--help` of a command: the command's, and that of each option that it takes",
        (
            "tests/cli/test_commands.py::test_help_says_what_each_option_does_and_nothing_of_others",
            "tests/cli/test_commands.py::test_every_command_and_every_option_has_help",
        ),
        "of an option that the command does not take; where a default or a limit is another one",
        (
            "tests/cli/test_commands.py::test_help_says_what_each_option_does_and_nothing_of_others",
            "tests/cli/test_commands.py::test_defaults_that_help_tells_are_those_that_are_taken",
        ),
        (
            *(("Commands", name, (command.help or "").partition("\n")[0]) for name, command in commands()),
            *(("Options", name, f"{words} *({', '.join(of)})*") for (name, words), of in sorted(options().items())),
        ),
        frozenset(),  # what click is given as help stands apart by itself
    ),
)


class Marked(NamedTuple):
    """A test, a class or a module of tests with a marker, and a caption that the marker names."""

    kind: Kind
    caption: str
    file: Path
    test: str


def marked(tests: Path = ROOT / "tests") -> list[Marked]:
    """All that is marked in these tests, found without importing them.

    Raises:
        ValueError: a marker names something else than captions by their ids, in which a star stands for any letters.
    """
    return [
        one
        for file in sorted(tests.rglob("test_*.py"))
        if ".says(" in (text := file.read_text("utf-8")) or ".never_says(" in text
        for one in _marked_in(ast.parse(text), file, file.stem)
    ]


def _marked_in(tree: ast.AST, file: Path, test: str) -> Iterator[Marked]:
    is_function = isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef)
    for node in tree.decorator_list if is_function else ast.iter_child_nodes(tree):  # no mark stands in its body
        name = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else test
        if isinstance(node, ast.Call) and (kind := _kind(node.func)) is not None:
            for id in node.args:
                if not isinstance(id, ast.Constant) or not isinstance(id.value, str):
                    raise ValueError(f"{file.name}:{node.lineno}: write the ids of captions as they are")
                if not (named := fnmatch.filter(CAPTIONS, id.value)):
                    raise ValueError(f"{file.name}:{node.lineno}: there is no caption {id.value}")
                yield from (Marked(kind, one, file, test) for one in named)
        yield from _marked_in(node, file, name)


def _kind(function: ast.expr) -> Kind | None:
    if not isinstance(function, ast.Attribute) or not ast.unparse(function).startswith("pytest.mark."):
        return None
    return next((kind for kind in KINDS if kind == function.attr), None)


def text() -> str:
    """The page."""
    tests: dict[str, dict[Kind, list[str]]] = {id: {kind: [] for kind in KINDS} for id in CAPTIONS}
    for kind, id, file, test in marked():
        if (line := f"`{test}` ({file.relative_to(ROOT).as_posix()})") not in tests[id][kind]:
            tests[id][kind].append(line)
    titles = {section: import_module(f"tui_trainer.text.captions.{section}").TITLE for section in SECTIONS}
    lines = [HEAD, *(f"- [{title}](#{_anchor(title)}): `{section}.py`" for section, title in titles.items())]
    lines += ["\nand, of one rule each, in tables:\n"]
    lines += [*(f"- [{table.title}](#{_anchor(table.title)}): `{table.module}`" for table in TABLES), ""]
    for section, title in titles.items():
        lines.append(f"## {title}\n")
        for id, caption in CAPTIONS.items():
            if id.partition(".")[0] == section:
                words = re.sub(r"\{(\w+)[^}]*\}", r"{\1}", caption.words)
                lines.append(f"**{id}** `{words}`\n")
                lines.append(f"- said: {caption.said}  \n  {_tests(tests[id]['says'])}")
                lines.append(f"- never: {caption.never}  \n  {_tests(tests[id]['never_says'])}\n")
    for table in TABLES:
        lines += _table(table)
    return "\n".join(lines)


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.title}\n"
    yield f"- said: {table.said}  \n  {_tests([_named(test) for test in table.says])}"
    yield f"- never: {table.never}  \n  {_tests([_named(test) for test in table.never_says])}\n"
    heading = ""
    for under, of, words in table.rows:
        if under != heading:
            yield f"{'' if not heading else chr(10)}**{under}**\n"
            heading = under
        yield f"- `{of}` {words}"
    yield ""


def _named(test: str) -> str:
    file, _, name = test.partition("::")
    return f"`{name}` ({file})"


def _anchor(title: str) -> str:
    """What GitHub calls the place of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _tests(tests: list[str]) -> str:
    more = f" and {len(tests) - 2} more" if len(tests) > 2 else ""
    return ", ".join(tests[:2]) + more


# Sentences that are no captions


def outside() -> dict[str, list[ast.Constant]]:
    """The sentences of each module that has any.

    Left out are those of captions; of errors that are raised or warned of: they are said where that is met which they
    tell of, and nowhere else; of `TABLES`; lines of Python, as a listing shows them; and what nobody is shown: patterns
    and words that are looked for in a text.
    """
    found = {}
    listed = {table.module: table.words for table in TABLES}
    for file in sorted(PACKAGE.rglob("*.py")):
        if (module := file.relative_to(PACKAGE).as_posix()).startswith(CAPTIONS_MADE):
            continue
        tree = ast.parse(file.read_text("utf-8"))
        apart = {id(part) for node in _apart(tree) for part in ast.walk(node)}
        words = listed.get(module, frozenset())
        own = [
            node
            for node in strings(tree)
            if id(node) not in apart and node.value not in words and is_sentence(node.value)
        ]
        if own:
            found[module] = own
    return found


PATTERNS = ("re.compile", "re.match", "re.fullmatch", "re.search", "re.split", "re.sub")


def _apart(tree: ast.Module) -> Iterator[ast.AST]:
    """Parts of a module that are told as errors, are in a table by themselves, are lines of Python, or never shown."""
    errors: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Raise() | ast.Call(func=ast.Attribute(value=ast.Name("warnings"), attr="warn")):
                yield node
            case ast.ClassDef(name=name, bases=bases) if any(_is_error(ast.unparse(base), errors) for base in bases):
                errors.add(name)  # it words what is raised
                yield node
            case ast.Call(func=function, keywords=keywords) if _dotted(function) == "click.option":
                yield from (each.value for each in keywords if each.arg == "help")
            case ast.Call(func=function, args=[pattern, *_]) if _dotted(function) in PATTERNS:
                yield pattern
            case ast.Compare(left=ast.Constant() as words, ops=[ast.In() | ast.NotIn()]):
                yield words
            case ast.JoinedStr(values=parts):
                if is_python("".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts)):
                    yield node
            case ast.Constant(str(text)) if is_python(text):
                yield node


def _dotted(function: ast.expr) -> str:
    """`module.name`, where it is one."""
    match function:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return f"{module}.{name}"
    return ""


def _is_error(base: str, known: set[str]) -> bool:
    return base in known or base.endswith(("Error", "Exception"))


def is_python(text: str) -> bool:
    """Whether it is the head of a block."""
    try:
        return text.endswith(":") and bool(ast.parse(f"{text} ..."))
    except SyntaxError:
        return False


def is_sentence(text: object) -> bool:
    """Three words or more, two of them side by side; tags of HTML are none."""
    if not isinstance(text, str):
        return False
    words = re.sub(r"</?[a-z][^<>]*(>|$)", "", text)
    return len(re.findall(r"[A-Za-z]{2,}", words)) >= 3 and re.search(r"[a-z]{2,} [a-z]{2,}", words) is not None


def strings(tree: ast.Module) -> list[ast.Constant]:
    """The strings of a module, but for those that stand alone: they are comments."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    ]


def _print_outside(modules: list[str]) -> None:
    found = outside()
    for module in modules:
        for node in found.get(module, []):
            print(f"{module}:{node.lineno}: {node.value!r}")
    if not modules:
        for module, own in sorted(found.items(), key=lambda one: (-len(one[1]), one[0])):
            print(f"{len(own):4} {module}")
        print(f"{sum(map(len, found.values())):4} in {len(found)} modules")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--outside"]:
        _print_outside(sys.argv[2:])
    else:
        LIST.write_text(text(), "utf-8")
