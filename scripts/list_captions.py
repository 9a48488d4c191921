"""Write `docs/captions.md`: `python scripts/list_captions.py`.

Every caption of `text/captions/`, with the tests that are marked with its id: `says`, where it must be said, and
`never_says`, where it must not. `python scripts/list_captions.py --outside` counts the sentences that are none yet, by
module; with names of modules it prints them.
"""

from __future__ import annotations

import ast
import fnmatch
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

from tui_trainer.text.captions import CAPTIONS, SECTIONS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tui_trainer"
LIST = ROOT / "docs" / "captions.md"

Kind: TypeAlias = Literal["says", "never_says"]
KINDS: tuple[Kind, ...] = get_args(Kind)

HEAD = """# What the program says, and when

Each sentence and word in which tui-trainer claims something of a run, a preset, a comparison, a record or the machine:
when it is said, when it would be wrong, and the tests of both. `python scripts/list_captions.py` writes this page from
`tui_trainer/text/captions/`, where the words are made, a file for each of these:
"""


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
    for node in ast.iter_child_nodes(tree):
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
    lines = [HEAD, *(f"- [{title}](#{_anchor(title)}): `{section}.py`" for section, title in SECTIONS.items()), ""]
    for section, title in SECTIONS.items():
        lines.append(f"## {title}\n")
        for id, caption in CAPTIONS.items():
            if id.partition(".")[0] == section:
                words = re.sub(r"\{(\w+)[^}]*\}", r"{\1}", caption.words)
                lines.append(f"**{id}** `{words}`\n")
                lines.append(f"- said: {caption.said}  \n  {_tests(tests[id]['says'])}")
                lines.append(f"- never: {caption.never}  \n  {_tests(tests[id]['never_says'])}\n")
    return "\n".join(lines)


def _anchor(title: str) -> str:
    """What GitHub calls the place of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _tests(tests: list[str]) -> str:
    more = f" and {len(tests) - 2} more" if len(tests) > 2 else ""
    return ", ".join(tests[:2]) + more


# Sentences that are no captions


def outside() -> dict[str, list[ast.Constant]]:
    """The sentences of each module that has any, but those of captions and of errors that are raised."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        if (module := file.relative_to(PACKAGE).as_posix()).startswith("text/captions/"):
            continue
        tree = ast.parse(file.read_text("utf-8"))
        raised = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
        own = [node for node in strings(tree) if id(node) not in raised and is_sentence(node.value)]
        if own:
            found[module] = own
    return found


def is_sentence(text: object) -> bool:
    """Three words or more, two of them side by side."""
    return (
        isinstance(text, str)
        and len(re.findall(r"[A-Za-z]{2,}", text)) >= 3
        and re.search(r"[a-z]{2,} [a-z]{2,}", text) is not None
    )


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
