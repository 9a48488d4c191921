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

MADE_HERE = ("text/captions/", "text/reasons.py")
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
    unworded = {"in_words", "comparison_stopped"}  # words of others; the end of a run
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
        if file.relative_to(PACKAGE).as_posix().startswith(MADE_HERE):
            continue
        text = file.read_text("utf-8")
        for phrase, id in phrases.items():
            if phrase in text:
                for node in _strings(ast.parse(text)):
                    if phrase in node.value:
                        found.append(f"{file.relative_to(PACKAGE)}:{node.lineno}: {phrase!r} of {id}")
    assert found == [], "\n".join(found)


SPEAK_BY_CAPTIONS = (
    "cli/console.py",
    "compare/correlation.py",
    "compare/fairness.py",
    "presets/rules.py",
    "records/flaws.py",
    "records/lines.py",
    "records/outcome.py",
    "records/plan_phases.py",
    "records/rule_watch.py",
    "ui/charts/axis_keys.py",
    "ui/charts/chart_data.py",
    "ui/charts/loss.py",
    "ui/charts/lr.py",
    "ui/charts/titles.py",
    "ui/compare/scatter.py",
    "ui/dialogs.py",
    "ui/filtered_list.py",
    "ui/leaving.py",
    "ui/live/aftermath.py",
    "ui/live/control.py",
    "ui/live/listing.py",
    "ui/live/log_pane.py",
    "ui/live/loop.py",
    "ui/live/loop_in_full.py",
    "ui/live/loop_in_one_line.py",
    "ui/live/screen.py",
    "ui/live/startup.py",
    "ui/live/status_lines.py",
    "ui/live/watched_loop.py",
    "ui/live/why.py",
    "ui/machine/machine_panel.py",
    "ui/mistakes/screen.py",
    "ui/presets/preset_card.py",
)
"""Modules in which no sentence is written beside those of errors: whoever adds words there makes a caption of them."""


@pytest.mark.parametrize("module", SPEAK_BY_CAPTIONS)
def test_a_module_that_speaks_by_captions_has_no_words_of_its_own(module: str) -> None:
    tree = ast.parse((PACKAGE / module).read_text("utf-8"))
    raised = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
    own = [
        f"{module}:{node.lineno}: {node.value!r}"
        for node in _strings(tree)
        if id(node) not in raised and _is_sentence(node.value)
    ]
    assert own == []


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
    assert _is_sentence(text) is is_one


def _is_sentence(text: str) -> bool:
    """Three words or more, two of them side by side."""
    return len(re.findall(r"[A-Za-z]{2,}", text)) >= 3 and re.search(r"[a-z]{2,} [a-z]{2,}", text) is not None


def _strings(tree: ast.Module) -> list[ast.Constant]:
    """The strings of a module, but for those that stand alone: they are comments."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    ]


def test_a_caption_names_its_values() -> None:
    with pytest.raises(KeyError):
        say("no such caption")
    named = next(id for id, caption in CAPTIONS.items() if "{" in caption.words and not id.startswith("why."))
    with pytest.raises(KeyError):
        say(named)


def test_the_list_in_docs_is_as_it_would_be_written_now() -> None:
    assert list_captions.LIST.read_text("utf-8") == list_captions.text(), "python scripts/list_captions.py writes it"
