"""Every caption has a test that it is said and one that it is not, and no words of one are made elsewhere."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from tui_trainer.text import reasons
from tui_trainer.text.captions import CAPTIONS, SECTIONS, say
from tui_trainer.text.captions.caption import Caption

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tui_trainer"

_spec = importlib.util.spec_from_file_location("list_captions", ROOT / "scripts" / "list_captions.py")
assert _spec is not None
assert _spec.loader is not None
list_captions = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(list_captions)

LEAST_WORDS = 4
"""So many words in a row of a caption are looked for elsewhere: fewer may mean anything."""


@pytest.fixture(scope="module")
def marked() -> list[tuple[str, str, Path, str]]:
    return list_captions.marked()


def test_each_caption_is_complete_and_of_a_section() -> None:
    for id, caption in CAPTIONS.items():
        assert id.partition(".")[0] in SECTIONS, id
        assert id in _in_file(id.partition(".")[0]), f"{id} stands in another file"
        assert caption.said, id
        assert caption.never, id
        assert not re.search(r"\{\w*[.\[]", caption.words), id  # values are names, and nothing is reached through them


def _in_file(section: str) -> dict[str, Caption]:
    return importlib.import_module(f"tui_trainer.text.captions.{section}").CAPTIONS


def test_every_reason_of_an_lr_is_in_the_list() -> None:
    unworded = {"in_words", *reasons.ENDS}  # words of others; the end of a run
    assert {id for id in CAPTIONS if id.startswith("why.")} >= {
        f"why.{code}" for code in reasons.WORDS.keys() - unworded
    }


@pytest.mark.parametrize("kind", ["says", "never_says"])
def test_each_caption_has_a_test_of_this_kind(kind: str, marked: list[tuple[str, str, Path, str]]) -> None:
    tested = {id for of, id, *_ in marked if of == kind}
    assert sorted(CAPTIONS.keys() - tested) == []


@pytest.mark.parametrize("ids", ['"state.pausd"', '"nothing.*"', "*IDS", "STATE"])
def test_markers_name_captions_that_there_are(ids: str, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(f"@pytest.mark.says({ids})\ndef test_it(): ...\n")
    with pytest.raises(ValueError, match=r"^test_it.py:1: "):
        list_captions.marked(tmp_path)
    (tmp_path / "test_it.py").write_text('@pytest.mark.says("state.paused")\ndef test_it(): ...\n')
    assert [(kind, id, test) for kind, id, _, test in list_captions.marked(tmp_path)] == [
        ("says", "state.paused", "test_it")
    ]


def test_captions_are_said_by_ids_that_there_are_and_each_is_said_somewhere() -> None:
    said, unknown = {f"why.{code}" for code in reasons.WORDS}, []
    for file in PACKAGE.rglob("*.py"):
        text = file.read_text("utf-8")
        if "text.captions import" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(func=ast.Name(id="say"), args=[ast.JoinedStr(values=[ast.Constant(str(start)), *_])]):
                    said |= {id for id in CAPTIONS if id.startswith(start)}
                case ast.Constant(str(id)) if id in CAPTIONS:
                    said.add(id)
                case ast.Call(func=ast.Name(id="say"), args=[ast.Constant(str(id))]) if id not in CAPTIONS:
                    unknown.append(f"{file.name}:{node.lineno}: {id}")
    assert unknown == []
    assert sorted(CAPTIONS.keys() - said) == []


def test_words_of_a_caption_are_made_nowhere_else() -> None:
    phrases = {
        phrase: id
        for id, caption in CAPTIONS.items()
        for piece in re.split(r"\{[^}]*\}", caption.words)
        if len((phrase := piece.strip(" ,.;:")).split()) >= LEAST_WORDS
    }
    found = []
    for file in PACKAGE.rglob("*.py"):
        if file.relative_to(PACKAGE).as_posix().startswith(list_captions.CAPTIONS_MADE):
            continue
        text = file.read_text("utf-8")
        for phrase, id in phrases.items():
            if phrase in text:
                for node in list_captions.strings(ast.parse(text)):
                    if phrase in node.value:
                        found.append(f"{file.relative_to(PACKAGE)}:{node.lineno}: {phrase!r} of {id}")
    assert found == [], "\n".join(found)


NO_CAPTIONS = {
    "cli/doctor.py": "a program for Python",
    "engine/augmentation.py": "the name of a stream of random numbers",
    "records/export.py": "tags of TensorBoard's, which other programs look for",
    "records/series_names.py": "words that are looked for in names of series",
    "remote/far_shell.py": "a program for the shell",
    "watching/injected/_tui_trainer_observer/probes/ending.py": "what PyTorch says, where nothing of ours is",
    "watching/injected/_tui_trainer_observer/trace_writer.py": "for the trace, in such a process",
    "watching/injected/_tui_trainer_observer/wrapping.py": "a name of ours in a traceback, in such a process",
}
"""Modules whose sentences are nobody's claim, or cannot be captions, and why. All others speak by captions alone, but
for errors: whoever adds words there makes a caption of them."""


@pytest.fixture(scope="module")
def outside() -> dict[str, list[ast.Constant]]:
    return list_captions.outside()


def test_no_sentence_stands_outside(outside: dict[str, list[ast.Constant]]) -> None:
    own = [
        f"{module}:{node.lineno}: {node.value!r}"
        for module, nodes in outside.items()
        if module not in NO_CAPTIONS
        for node in nodes
    ]
    assert own == [], "\n".join(own)


def test_no_module_is_listed_that_has_none(outside: dict[str, list[ast.Constant]]) -> None:
    assert sorted(NO_CAPTIONS.keys() - outside.keys()) == []


@pytest.mark.parametrize("table", list_captions.TABLES, ids=lambda table: table.title)
def test_each_rule_of_a_table_has_tests_that_there_are(table: list_captions.Table) -> None:  # type: ignore[name-defined]
    assert table.rows
    for test in (*table.says, *table.never_says):
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text("utf-8"), test


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("for images, labels in train:", True),
        ("while True:", True),
        ("for images, labels in train", False),
        ("write such as this:", False),
        ("for fonts that lack the others:", False),
    ],
)
def test_what_counts_as_a_line_of_python(text: str, is_it: bool) -> None:
    assert list_captions.is_python(text) is is_it


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("the plan is being made", True),
        ("no batch was trained", True),
        (" of all cores", True),
        ("optimizer.step", False),
        ("val_loss", False),
        ("%Y-%m-%d %H:%M:%S", False),
        ("scheduler.step(", False),
        (" images/s", False),
    ],
)
def test_what_counts_as_a_sentence(text: str, is_one: bool) -> None:
    assert list_captions.is_sentence(text) is is_one


def test_a_caption_names_its_values() -> None:
    with pytest.raises(KeyError):
        say("no such caption")
    named = next(id for id, caption in CAPTIONS.items() if "{" in caption.words and not id.startswith("why."))
    with pytest.raises(KeyError):
        say(named)


def test_the_list_in_docs_is_as_it_would_be_written_now() -> None:
    assert list_captions.LIST.read_text("utf-8") == list_captions.text(), "python scripts/list_captions.py writes it"
