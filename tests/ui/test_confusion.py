"""The page of the confusion matrix: what it says is what was counted, and what there is not it says too."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.scripted import scripted_run
from tests.ui.conftest import Show, cut
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.events import AnyEvent, ConfusionCounted, MetricDeclared, RunConfigured, RunEnded
from tui_trainer.files import most_wrong
from tui_trainer.files.most_wrong import MostWrong, WrongImage
from tui_trainer.ui.confusion.images import Image, drawn
from tui_trainer.ui.confusion.screen import ConfusionPanel, ConfusionScreen

LIVE = cut(scripted_run(epochs=4, batches=20), 50)


def told(counts: list[list[int]], epoch: int = 2) -> ConfusionCounted:
    return ConfusionCounted(at=2e9, epoch=epoch, step=40, classes=["cat", "dog", "bird"], counts=counts)


COUNTS = [[90, 10, 0], [25, 75, 0], [0, 0, 100]]


def images(epoch: int = 2) -> MostWrong:
    pixels = base64.b64encode(bytes(range(16))).decode()
    return MostWrong(epoch=epoch, shape=(1, 4, 4), images=[WrongImage(7, 1, 0, 3.5, pixels)])


@pytest.mark.says("confusion.axes")
@pytest.mark.never_says("confusion.of_epoch", "confusion.highest_first", "confusion.no_room")
@pytest.mark.says("confusion.no_images")
@pytest.mark.never_says(
    "confusion.nothing_yet", "confusion.not_told", "confusion.none_wrong", "confusion.images_of_several"
)
async def test_the_matrix_has_the_counts_the_shares_and_the_worst_pairs(show: Show) -> None:
    async with show(ScriptedHost([*LIVE, told(COUNTS)])) as shown:
        await shown.press("M")
        assert isinstance(shown.app.screen, ConfusionScreen)
        text = "\n".join(shown.app.screen.query_one(ConfusionPanel).plain())
        assert "epoch 2, 300 images" in text
        lines = [line.split() for line in text.splitlines()]
        assert ["cat", "90", "10", "·", "90.0%"] in [line[:5] for line in lines]
        assert ["dog", "25", "75", "·", "75.0%"] in [line[:5] for line in lines]
        assert any(line[:2] == ["all", "88.3%"] for line in lines)
        worst = [line for line in text.splitlines() if "taken for" in line][1:]
        assert "dog taken for cat" in worst[0]
        assert "25 of 100" in worst[0]
        assert "cat taken for dog" in worst[1]
        assert "the images are not kept in this record" in text
        for never in ("nothing", "does not tell", "several processes"):
            assert never not in text
        await shown.press("escape")
        assert not isinstance(shown.app.screen, ConfusionScreen)


@pytest.mark.parametrize("classes", [["0", "1", "2"], ["cat", "dog", "bird"], ["猫", "犬", "鳥"]])
async def test_all_shares_stand_under_each_other(show: Show, classes: list[str]) -> None:
    async with show(ScriptedHost([*LIVE, replace(told(COUNTS), classes=classes)])) as shown:
        await shown.press("M")
        lines = shown.app.screen.query_one(ConfusionPanel).plain()
        ends = {cell_len(line[: line.index("%")]) for line in lines if "%" in line}
        counts = {cell_len(line[: line.index(count)]) for line, count in zip(lines[2:], ("90", "25"), strict=False)}
        assert len(ends) == 1
        assert len(counts) == 1


@pytest.mark.says("confusion.none_wrong")
async def test_nothing_wrong_is_said_so_and_an_empty_class_has_no_share(show: Show) -> None:
    async with show(ScriptedHost([*LIVE, told([[5, 0, 0], [0, 0, 0], [0, 0, 5]])])) as shown:
        await shown.press("M")
        text = "\n".join(shown.app.screen.query_one(ConfusionPanel).plain())
        assert "nothing is taken for anything else" in text
        assert ["dog", "·", "·", "·", "–"] in [line.split()[:5] for line in text.splitlines()]


YOUNG = cut(scripted_run(epochs=4, batches=20), 10)
DECLARED = MetricDeclared(at=2e9, name="val_accuracy/cat", goal="max", kind="val")
ENDED = RunEnded(at=2e9, status="stopped", reason="asked to", step=10, epoch=1, exit_code=0)
ALL_WORDS = {
    "confusion.nothing_yet": "nothing yet",
    "confusion.none_came": "ended before its first validation",
    "confusion.not_told": "this record does not tell",
}


@pytest.mark.never_says("confusion.axes")
@pytest.mark.parametrize(
    ("events", "said"),
    [
        pytest.param(
            [*YOUNG, DECLARED],
            "confusion.nothing_yet",
            marks=[
                pytest.mark.says("confusion.nothing_yet"),
                pytest.mark.never_says("confusion.none_came", "confusion.not_told"),
            ],
            id="it will count",
        ),
        pytest.param(
            [*LIVE, DECLARED],
            "confusion.nothing_yet",
            marks=[
                pytest.mark.says("confusion.nothing_yet"),
                pytest.mark.never_says("confusion.none_came", "confusion.not_told"),
            ],
            id="an older record that is gone on with",
        ),
        pytest.param(
            YOUNG[:3],
            "confusion.nothing_yet",
            marks=[
                pytest.mark.says("confusion.nothing_yet"),
                pytest.mark.never_says("confusion.none_came", "confusion.not_told"),
            ],
            id="it has not trained yet",
        ),
        pytest.param(
            YOUNG,
            "confusion.not_told",
            marks=[
                pytest.mark.says("confusion.not_told"),
                pytest.mark.never_says("confusion.nothing_yet", "confusion.none_came"),
            ],
            id="it trains and does not count",
        ),
        pytest.param(
            LIVE,
            "confusion.not_told",
            marks=[
                pytest.mark.says("confusion.not_told"),
                pytest.mark.never_says("confusion.nothing_yet", "confusion.none_came"),
            ],
            id="it has validated and counted nothing",
        ),
        pytest.param(
            [*YOUNG, DECLARED, ENDED],
            "confusion.none_came",
            marks=[
                pytest.mark.says("confusion.none_came"),
                pytest.mark.never_says("confusion.nothing_yet", "confusion.not_told"),
            ],
            id="it was stopped before",
        ),
    ],
)
async def test_without_a_matrix_it_says_why(show: Show, events: list[AnyEvent], said: str) -> None:
    async with show(ScriptedHost(events)) as shown:
        await shown.press("M")
        text = "\n".join(shown.app.screen.query_one(ConfusionPanel).plain())
        assert [name for name, words in ALL_WORDS.items() if words in text] == [said]


async def test_it_follows_the_run(show: Show) -> None:
    host = ScriptedHost([*LIVE, told(COUNTS)])
    async with show(host) as shown:
        await shown.press("M")
        host.come(told([[100, 0, 0], [0, 100, 0], [0, 0, 100]], epoch=3))
        panel = shown.app.screen.query_one(ConfusionPanel)
        await shown.until(lambda: "epoch 3" in "\n".join(panel.plain()))


@pytest.mark.says("confusion.of_epoch", "confusion.highest_first", "confusion.no_room")
@pytest.mark.never_says("confusion.highest_first", "confusion.no_room")
@pytest.mark.never_says("confusion.no_images", in_all_cases=False)
async def test_images_of_the_run_stand_there_and_those_of_another_epoch_are_called_so(
    show: Show, tmp_path: Path, captions_said: set[str]
) -> None:
    host = ScriptedHost([*LIVE, told(COUNTS)])
    host.folder = tmp_path
    most_wrong.write(tmp_path, images(epoch=1))
    async with show(host) as shown:
        await shown.press("M")
        panel = shown.app.screen.query_one(ConfusionPanel)
        await shown.until(lambda: "dog → cat" in "\n".join(panel.plain()))
        assert "of epoch 1" in "\n".join(panel.plain())
        assert "not kept" not in "\n".join(panel.plain())
        assert not captions_said & {"confusion.highest_first", "confusion.no_room"}
        panel.show(told(COUNTS, epoch=1), images(epoch=1), "", "")
        assert "the highest losses first" in "\n".join(panel.plain())
        pixels = base64.b64encode(bytes(400 * 400)).decode()
        large = MostWrong(epoch=1, shape=(1, 400, 400), images=[WrongImage(7, 1, 0, 3.5, pixels)])
        panel.show(told(COUNTS, epoch=1), large, "", "")
        assert "more lines are needed to show them" in "\n".join(panel.plain())


@pytest.mark.says("confusion.axes")
@pytest.mark.says("confusion.images_of_several")
async def test_of_several_processes_no_images_are_kept(show: Show) -> None:
    several = [replace(event, ranks=2) if isinstance(event, RunConfigured) else event for event in LIVE]
    async with show(ScriptedHost([*several, told(COUNTS)])) as shown:
        await shown.press("M")
        assert "several processes validated" in "\n".join(shown.app.screen.query_one(ConfusionPanel).plain())


async def test_many_classes_are_drawn_as_far_as_they_fit_and_that_is_said(show: Show) -> None:
    many = [[int(i == j) * 9 + int(j == i + 1) for j in range(100)] for i in range(100)]
    event = ConfusionCounted(at=2e9, epoch=2, step=40, classes=[f"class {i}" for i in range(100)], counts=many)
    async with show(ScriptedHost([*LIVE, event]), size=(80, 24)) as shown:
        await shown.press("M")
        text = "\n".join(shown.app.screen.query_one(ConfusionPanel).plain())
        assert "of 100 classes shown" in text
        assert "90.1%" in text  # of all of them


def test_what_is_written_is_read_and_what_is_damaged_is_not_there(tmp_path: Path) -> None:
    assert most_wrong.read(tmp_path) is None
    most_wrong.write(tmp_path, images())
    assert most_wrong.read(tmp_path) == images()
    assert (tmp_path / most_wrong.FILE).stat().st_mode & 0o077 == 0
    whole = (tmp_path / most_wrong.FILE).read_bytes()
    for damage in (b"", whole[:-3], whole.replace(b'"shape":[1,4,4]', b'"shape":[1,4,5]'), b"[" * 100_000):
        (tmp_path / most_wrong.FILE).write_bytes(damage)
        assert most_wrong.read(tmp_path) is None


def test_an_image_is_two_pixels_a_cell_in_their_colours() -> None:
    image = Image(3, 2, 1, bytes([255, 0, 0, 255, 0, 0]))  # red over green
    ((span,),) = drawn(image, plain=False)
    assert (span.text, span.role) == ("▀", "#ff0000 on #00ff00")
    ((dark,),) = drawn(Image(1, 2, 1, bytes([0, 0])), plain=True)
    ((light,),) = drawn(Image(1, 2, 1, bytes([255, 255])), plain=True)
    assert (dark.text, light.text) == (" ", "@")


def test_shrinking_takes_the_mean() -> None:
    assert Image(1, 2, 2, bytes([0, 100, 100, 200])).shrunk(2) == Image(1, 1, 1, bytes([100]))
    assert Image(1, 3, 3, bytes([0, 100, 9, 100, 200, 9, 9, 9, 9])).shrunk(2).pixels == bytes([100])
