"""What the page on one's own code tells to write and to type does what it says."""

from __future__ import annotations

import csv
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tui_trainer import open_run

Cli = Callable[..., Result]

PAGE = (Path(__file__).parents[2] / "docs" / "your-own-code.md").read_text("utf-8")

ON_A_SCREEN = "launch"
OF_ONE_THAT_ENDED_EARLY = "resume"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    typed = [shlex.split(line)[1:] for block in blocks("sh") for line in block.splitlines()]
    return [words for words in typed if words[0] not in (ON_A_SCREEN, OF_ONE_THAT_ENDED_EARLY)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the file that the page tells to save."""
    folder, path = tmp_path / "project", list(sys.path)
    folder.mkdir()
    code = [block for block in blocks("python") if "pandas" not in block]
    (folder / "mine.py").write_text("\n\n".join(code), "utf-8")
    monkeypatch.chdir(folder)
    yield folder
    sys.path[:] = path
    sys.modules.pop("mine", None)


@pytest.mark.slow
def test_what_the_page_tells_to_type_can_be_typed_as_it_stands(cli: Cli, folder: Path) -> None:
    said = {words[0] + words[-1]: cli(*words) for words in commands()}
    assert [(name, result.output) for name, result in said.items() if result.exit_code] == []
    assert "ended highest in val_margin" in said["compareval_margin:max"].stdout
    assert "alert: val_margin < 3: " in said["runval_margin < 3"].stdout
    focal = open_run("focal")
    assert len(focal.metrics["margin"].values) == len(focal.losses) == 2 * 63
    assert len(focal.metrics["val_margin"].values) == 2
    with (folder / "csv" / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["name"] == "margin"]
    assert [float(row["value"]) for row in rows] == list(focal.metrics["margin"].values)


@pytest.mark.usefixtures("folder")
def test_what_the_page_tells_to_read_with_pandas_is_read() -> None:
    pytest.importorskip("pandas")
    folder = Path("csv")
    folder.mkdir()
    rows = ["step,epoch,elapsed_s,name,value", "1,1,0.1,train_loss,2.5", "1,1,0.1,margin,0.5", "1,1,0.1,val_margin,0.7"]
    (folder / "metrics.csv").write_text("\n".join(rows))
    (block,) = (block for block in blocks("python") if "pandas" in block)
    found: dict[str, Any] = {}
    exec(compile(block, "docs/your-own-code.md", "exec"), found)
    assert found["margin"][1] == 0.5
    assert list(found["table"].loc[1]) == [2.5, 0.5, 0.7]
