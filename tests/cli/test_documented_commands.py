"""What the documentation tells to type is taken by the program, down to its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tui_trainer.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "presets" / "README.md", *sorted(ROOT.glob("docs/*.md"))]

BETWEEN = ("|", "&&", ">")
"""Words of a shell's between two commands; `;` stands at the end of one."""


def commands(page: Path) -> Iterator[tuple[str, ...]]:
    """The words behind `tui-trainer` of each command in the shell's examples of a page."""
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words: list[str] = []
            for word in [*shlex.split(line, comments=True), ";"]:
                if word in BETWEEN or word.endswith(";"):
                    words += [word[:-1]] if len(word) > 1 and word not in BETWEEN else []
                    if words and words[0].endswith("tui-trainer"):
                        yield tuple(words[1:])
                    words = []
                else:
                    words.append(word)


TOLD = sorted({(page.name, words) for page in PAGES for words in commands(page)})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the file that holds an address."""
    monkeypatch.setenv("HOME", str(tmp_path))
    hook = tmp_path / ".config" / "tui-trainer" / "hook"
    hook.parent.mkdir(parents=True)
    hook.touch(mode=0o600)
    hook.write_text("https://example.org/hook\n")
    return tmp_path


@pytest.mark.usefixtures("home")
def test_every_command_of_the_documentation_is_one() -> None:
    assert len(TOLD) > 50
    refused = []
    for page, words in TOLD:
        try:
            name, command, rest = main.resolve_command(click.Context(main), [*words])
            assert command is not None
            with command.make_context(name, rest):
                pass
        except click.exceptions.Exit:
            pass
        except click.ClickException as error:
            refused.append(f"{page}: tui-trainer {shlex.join(words)}: {error.format_message()}")
    assert refused == []
