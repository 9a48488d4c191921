"""No file makes a traceback, whatever is in it, and what is said of it is one safe line each."""

from __future__ import annotations

import json
import math
import os
import threading
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.waiting import PATIENCE_S
from tui_trainer.presets.catalogue import load
from tui_trainer.presets.checks import Checked, check_file, check_text, parse, read
from tui_trainer.presets.folders import shipped_folder
from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.presets.problems import PresetError
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schedulers import SCHEDULERS
from tui_trainer.presets.schema import Preset

SOUND = '[optimizer]\nname = "SGD"\n'
SHIPPED = [path.read_text() for path in sorted(shipped_folder().glob("*.toml"))]


def refused(path: Path) -> str:
    """What is said of a file that is no preset."""
    with pytest.raises(PresetError) as caught:
        read(path)
    assert check_file(path).problems == caught.value.problems
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    gone = tmp_path / "gone.toml"
    assert refused(gone) == f"{gone}: cannot be read: No such file or directory"
    assert refused(tmp_path) == f"{tmp_path}: it is a folder, not a file; a preset is a TOML file"
    fifo = tmp_path / "fifo.toml"
    os.mkfifo(fifo)
    assert refused(fifo) == f"{fifo}: it is a named pipe, not a file; a preset is a TOML file"
    assert "cannot be read" in refused(tmp_path / ("long" * 200))
    assert "cannot be read" in refused(tmp_path / "no\0name")
    assert "cannot be read" in refused(gone / "below.toml")
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    assert "cannot be read" in refused(loop)


KERNEL_LOG = Path("/proc/kmsg")


@pytest.mark.skipif(not os.access(KERNEL_LOG, os.R_OK), reason="there is no such file here that one may read")
def test_a_file_of_the_kernel_that_never_ends_is_waited_for_by_nobody() -> None:
    said: list[str] = []

    def check() -> None:
        said.extend(map(str, check_file(KERNEL_LOG).problems))

    reading = threading.Thread(target=check, daemon=True)  # else a failure hangs
    reading.start()
    reading.join(PATIENCE_S)
    assert not reading.is_alive()
    assert [line.startswith(f"{KERNEL_LOG}: ") for line in said] == [True]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.touch(mode=0)
    assert "Permission denied" in refused(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "optimizer: missing"),
        (b"\x00\xff\xfe\x00", ":1: not UTF-8 text"),
        (b"title = 'x'\n\n[optimizer]\nname = '\xe9'\n", ":4: not UTF-8 text"),
        (b"\x7fELF\x02\x01\x01\x00", ":1: not valid TOML"),
        (b"a = 1" * 2_000_000, "larger than 64 KiB"),
        (b"a = " + b"[" * 30_000, "nested too deeply"),
        (b"a = " + b"{a = " * 10_000, "nested too deeply"),
        (b"a." * 10_000 + b"a = 1", "nested too deeply"),
        (b"a = [" + b"[1]," * 10_000 + b"]", "not known to a preset"),
        (b"a = " + b"9" * 10_000, "not valid TOML"),
        (b"[optimizer]\nname = 'SGD'\nlr = 0x" + b"f" * 10_000, "optimizer.lr: a number of far too many digits"),
        (b"[optimizer\nname = 'SGD'", ":1: not valid TOML"),
        (b"[optimizer]\nname = 'SGD'\nlr = 1\n\nlr = 2", ":5: optimizer.lr: given twice, first on line 3"),
        (b"[optimizer]\nname = 'SGD'\n[optimizer]\n", ":3: optimizer: given twice, first on line 1"),
        (b"title = '''\n", "not valid TOML"),
    ],
    ids=lambda given: str(given)[:40],  # one of these is ten million characters long
)
def test_files_that_say_no_preset(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(content)
    message = refused(path)
    assert any(part in message for part in said.split("|"))
    assert len(message) < 1000


def test_a_byte_order_mark_and_windows_line_ends_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SOUND.replace("\n", "\r\n").encode() + b"lr = -1\r\n")
    assert refused(path).startswith(f"{path}:3: optimizer.lr: -1 is out of range")


def test_text_is_plain_when_it_is_read() -> None:
    preset = parse(
        'title = "\\u001b[31mred\\u001b]0;x\\u0007 [bold]bold[/] \\u202Ereversed"\n'
        'description = """\n  two\n\n lines\\u0000 \\u009bhere """\n' + SOUND
    )
    assert preset.title == "[31mred]0;x [bold]bold[/] reversed"
    assert preset.description == "two lines here"


def test_what_is_said_of_escape_sequences_holds_none(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[2Jp.toml"
    path.write_text('"\\u001b[31m" = 1\n[optimizer]\nname = "\\u001b[31mSGDD"\n"l\\nr" = 3\n')
    for line in refused(path).split("\n"):
        assert_safe(line)


def assert_safe(line: str) -> None:
    assert not [character for character in line if unicodedata.category(character) in ("Cc", "Cs")]


def assert_sound(checked: Checked) -> None:
    """Either a preset, or at least one error; and every problem is one short line."""
    assert (checked.preset is None) <= bool(checked.errors)
    assert len(set(checked.problems)) == len(checked.problems)
    for problem in checked.problems:
        assert problem.message
        assert_safe(str(problem))
        assert "\n" not in str(problem)


@given(st.text())
@settings(max_examples=60, deadline=None)
def test_any_text(text: str) -> None:
    assert_sound(check_text(text, "p.toml"))


@given(st.binary())
@settings(max_examples=50, deadline=None)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    checked = check_file(path)
    assert_sound(checked)
    if checked.preset is None:
        assert refused(path)
    else:
        assert read(path) == checked.preset


SCRAPS = st.one_of(
    st.sampled_from(["=", "[", "]", '"', "'", "\n", "#", "{", "}", ",", ".", "-1", "nan", "1e999", "true", "0"]),
    st.text(max_size=3),
)


@given(st.sampled_from(SHIPPED), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), SCRAPS), max_size=4))
@settings(max_examples=75, deadline=None)
def test_any_slip_in_a_shipped_preset(text: str, slips: list[tuple[int, int, str]]) -> None:
    for at, taken, put in slips:
        text = text[:at] + put + text[at + taken :]
    assert_sound(check_text(text, "p.toml"))


KEYS = st.one_of(
    st.sampled_from(
        sorted(
            {key for table in (*OPTIMIZERS.values(), *SCHEDULERS.values()) for key in table.model_fields}
            | {"verbose", "last_epoch", "total_steps", "epochs", "batch_size", "start_factor", "min_lr", "stepsize"}
        )
    ),
    st.text(max_size=4),
)
VALUES = st.recursive(
    st.one_of(
        st.sampled_from([*OPTIMIZERS, *SCHEDULERS, "step", "epoch", "0.1", "true", "val_loss"]),
        st.integers(),
        st.integers(-(10**400), 10**400),
        st.floats(),
        st.booleans(),
        st.text(max_size=5),
        st.datetimes().map(lambda when: when.replace(microsecond=0)),
        st.times().map(lambda when: when.replace(microsecond=0)),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


def tables(kinds: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """A table whose name is known, and whose other keys are anything."""
    return st.builds(lambda name, rest: rest | {"name": name}, st.sampled_from(kinds), st.dictionaries(KEYS, VALUES))


DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "title": VALUES,
        "training": st.dictionaries(st.sampled_from(["epochs", "batch_size", "epoch"]), VALUES) | VALUES,
        "optimizer": tables(list(OPTIMIZERS)) | VALUES,
        "scheduler": tables(list(SCHEDULERS)) | VALUES,
        "warmup": st.dictionaries(st.sampled_from(["epochs", "start_factor"]), VALUES) | VALUES,
        "more": VALUES,
    },
)


def quoted(text: str) -> str:
    escapes = "".join(f"\\U{ord(character):08X}" for character in text)
    return f'"{escapes}"'


def as_toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return (
                "nan" if math.isnan(value) else f"{'-' if value < 0 else ''}inf" if math.isinf(value) else repr(value)
            )
        case int():
            return hex(value) if value >= 0 else str(value)
        case str():
            return quoted(value)
        case list():
            return f"[{', '.join(as_toml(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{quoted(key)} = {as_toml(item)}' for key, item in value.items())}}}"
        case _:
            return str(value)


@given(DOCUMENTS, st.integers(1, 10**7), st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_values(document: dict[str, Any], images: int, batchnorm: bool) -> None:
    text = "\n".join(f"{key} = {as_toml(value)}" for key, value in document.items())
    checked = check_text(text, "p.toml", RunConditions(images, batchnorm))
    assert_sound(checked)
    assert not any("not valid TOML" in problem.message for problem in checked.problems)


def test_a_preset_that_the_record_holds_is_the_same_again() -> None:
    for text in SHIPPED:
        preset = parse(text)
        assert Preset.model_validate(json.loads(json.dumps(preset.model_dump()))) == preset
        assert Preset.model_validate_json(preset.model_dump_json()) == preset


def test_load_takes_a_name_or_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SOUND)
    assert load(path) == load(str(path)) == parse(SOUND)
    assert load("steplr").scheduler.name == "StepLR"
    monkeypatch.chdir(tmp_path)
    assert load("mine.toml") == parse(SOUND)
    with pytest.raises(PresetError, match="no preset of this name; did you mean onecycle"):
        load("one-cycle")
    with pytest.raises(PresetError, match="no preset of this name; name one of none, steplr"):
        load("\x1b[31mzzz")
