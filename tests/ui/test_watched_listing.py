"""The listing of a watched program: its own calls with their lines, nested by passes, the one that runs now lit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.scripted import START, scripted_run
from tests.scripted_watched import (
    GAN_LOOP,
    GPT_LOOP,
    LIGHTNING_LOOP,
    MNIST_LOOP,
    gan_like,
    gpt_like,
    mnist_like,
    site,
    slow_batch,
)
from tests.ui.conftest import Show, cut
from tests.ui.scripted_source import on_device
from tui_trainer.events import (
    AnyEvent,
    CallSite,
    CallsTimed,
    LoopFound,
    Paused,
    ProgramWatched,
)
from tui_trainer.text.captions import CAPTIONS, say
from tui_trainer.ui.live.listing import Listing
from tui_trainer.ui.live.loop_in_full import cut_left
from tui_trainer.ui.live.watched_loop import WatchedLoop, shown_place

REST = "forward, loss and all else"


def found(sites: Sequence[CallSite]) -> LoopFound:
    return LoopFound(at=START, sites=list(sites))


def untimed(sites: Sequence[CallSite], cwd: str = "/home/me/cifar") -> list[AnyEvent]:
    """A watched run whose loop is this one."""
    told = gpt_like(steps=50)
    others = [event for event in told if not isinstance(event, LoopFound | ProgramWatched | CallsTimed)]
    program = ProgramWatched(at=START, command=["python", "train.py"], cwd=cwd, pid=1)
    return [others[0], program, found(sites), *others[1:]]


async def test_each_call_stands_in_its_pass_with_its_line_its_share_and_its_count(show: Show) -> None:
    async with show(gan_like(steps=391)) as shown:
        lines = [line.rstrip() for line in shown.the(Listing).plain()]
        assert lines[0].startswith("the loop, as called  main.py")
        assert lines[1].startswith(" for i, data in enumerate(dataloader, 0):"[:20])
        assert lines[1].split()[-1] == "391"
        real = next(line for line in lines if "errD_real.backward()" in line)
        assert real.startswith("   errD_real.backward()")
        assert real.split()[1] == ":227"
        assert "14 %" in real
        assert real.split()[-1] == "391"
        order = [next(i for i, line in enumerate(lines) if each.text[:20] in line) for each in GAN_LOOP]
        assert order == sorted(order)


async def test_shares_are_of_all_of_the_runs_time(show: Show) -> None:
    async with show(gan_like(steps=391)) as shown:
        lines = shown.the(Listing).plain()
        shares = [int(line.split("%")[0].split()[-1]) for line in lines if " %" in line and "<" not in line]
        assert 98 <= sum(shares) <= 102
        (rest,) = [line for line in lines if REST in line]
        assert "35 %" in rest


@pytest.mark.says("loop.rest")
async def test_what_is_in_none_of_the_calls_is_said(show: Show) -> None:
    async with show(gan_like(steps=391), size=(200, 60)) as shown:
        assert REST in shown.text()


@pytest.mark.never_says("loop.rest")
async def test_nothing_is_said_of_a_rest_where_there_is_none(show: Show) -> None:
    events = gan_like(steps=391)
    more = CallsTimed(at=events[-1].at, counts={"3": 1}, seconds={"3": 1e5}, running="3")
    for run in (
        [*events, more],
        cut(scripted_run(), 30),
        untimed(MNIST_LOOP),
        [*events, *slow_batch(392, ("3", None))],
    ):
        async with show(run) as shown:
            assert REST not in shown.text()


async def test_the_call_that_runs_is_lit(show: Show) -> None:
    async with show(gan_like(steps=391)) as shown:
        for id, code in {"4": "errD_fake.backward()", "8": "optimizerG.step()", "1": "for i, data in"}.items():
            await shown.frame(CallsTimed(at=START, counts={}, seconds={}, running=id))
            (lit,) = [line for line in shown.the(Listing).plain() if line.startswith("▌")]
            assert code in lit


async def test_slow_motion_shows_what_each_call_made_and_what_it_is_for(show: Show) -> None:
    made = slow_batch(392, ("2", ""), ("3", "errD_real 0.4127"), ("4", None))
    async with show([*gan_like(steps=391), *made]) as shown:
        lines = [line.rstrip() for line in shown.the(Listing).plain()]
        assert lines[0].endswith("epoch 1, batch 392")
        assert next(line for line in lines if "netD.zero_grad()" in line).endswith("✓")
        assert next(line for line in lines if "errD_real" in line).endswith("errD_real 0.4127")
        (lit,) = [line for line in lines if line.startswith("▌")]
        assert "errD_fake.backward()" in lit
        assert "Compute the gradients" in " ".join(lines)
        await shown.frame(Paused(at=START, step=392, by="screen"))
        assert not any(line.startswith("▌") for line in shown.the(Listing).plain())


async def test_at_80_columns_it_is_one_line_with_each_call_by_a_name_of_its_own(show: Show) -> None:
    async with show(gan_like(steps=391), size=(80, 24)) as shown:
        calls, shares = (line.rstrip() for line in shown.the(Listing).plain())
        assert calls.split(" › ") == [
            " data",
            "netD",
            "errD_real",
            "errD_fake",
            "optD",
            "netG",
            "errG",
            "optG",
        ]
        assert "14 %" in shares
        assert len(calls) <= 78


@pytest.mark.parametrize("loop", [MNIST_LOOP, GAN_LOOP, GPT_LOOP, LIGHTNING_LOOP])
@pytest.mark.parametrize("width", [60, 80, 115])
async def test_in_one_line_no_call_is_cut_in_two(show: Show, loop: Sequence[CallSite], width: int) -> None:
    async with show(untimed(loop), size=(width, 20)) as shown:
        calls = shown.the(Listing).plain()[0].rstrip()
        assert "…" not in calls
        assert len(calls) <= width - 2


async def test_of_more_calls_than_there_is_room_for_it_is_said_how_many_are_left_out(show: Show) -> None:
    many = [site(str(i), "optimizer.step", f"opt{i}.step()", "/a.py", i) for i in range(1, 41)]
    async with show(untimed(many), size=(80, 24)) as shown:
        calls = shown.the(Listing).plain()[0].rstrip()
        assert int(calls.rpartition("+")[2]) + calls.count("›") + 1 == 40
        assert len(calls) <= 78


async def test_a_validation_pass_stands_apart(show: Show) -> None:
    async with show(cut(mnist_like(), 150), size=(80, 24)) as shown:
        calls = shown.the(Listing).plain()[0]
        assert calls.split("┊")[1].strip() == "test_loader"


async def test_files_are_named_before_their_lines_where_there_are_several(show: Show) -> None:
    async with show(untimed(LIGHTNING_LOOP)) as shown:
        lines = [line.rstrip() for line in shown.the(Listing).plain()]
        assert lines[0].startswith("the loop, as called")
        assert ".py" not in lines[0]
        files = [line.strip() for line in lines if line.endswith(".py")]
        assert files[0] == "src/engine.py"
        assert files[1].startswith("…/") or files[1].startswith("/opt")
        assert files[1].endswith("kit/loop.py")
        assert files[2] == "src/engine.py"
        assert len(files) == 3
        step = next(line for line in lines if "optimizer.step(" in line)
        assert step.startswith("   optimizer.step(")
        assert ":88" in step
        assert next(line for line in lines if "optimizer.zero_grad()" in line).startswith("     optimizer")


@pytest.mark.parametrize(
    ("path", "width", "shown"),
    [
        ("main.py", 20, "main.py"),
        ("/home/somebody/a/train.py", 14, "…/a/train.py"),
        ("/home/somebody/a/train.py", 10, "…/train.py"),
        ("a_very_long_name_of_a_file.py", 10, "…a_file.py"),
        ("x", 0, ""),
    ],
)
def test_long_paths_are_cut_from_the_left(path: str, width: int, shown: str) -> None:
    assert cut_left(path, width) == shown


def test_a_place_is_named_from_where_the_program_began() -> None:
    assert shown_place("/home/me/x/train.py", 88, "/home/me/x") == "train.py:88"
    assert shown_place("/home/me/x/train.py", 0, "/home/me") == "train.py"
    assert shown_place("", 3, "/home/me") == ""


def test_calls_within_a_step_are_part_of_its_time() -> None:
    from tui_trainer.records.history import History

    history = History()
    for event in untimed(LIGHTNING_LOOP):
        history.apply(event)
    seconds = {"1": 1.0, "2": 3.0, "3": 0.5, "4": 2.0, "5": 0.0}
    history.apply(CallsTimed(at=START, counts=dict.fromkeys(seconds, 1), seconds=seconds, running=""))
    loop = WatchedLoop(found(LIGHTNING_LOOP), "")
    assert history.elapsed_s == pytest.approx(5.5)
    assert loop.total_s(history, on_cuda=False) == pytest.approx(5.5)
    assert loop.rest(history) == pytest.approx(1.5 / 5.5)


def ring(*within: tuple[str, str]) -> list[CallSite]:
    return [site(id, "backward", f"loss{id}.backward()", "/a.py", 1, parent) for id, parent in within]


@pytest.mark.parametrize(
    "sites",
    [
        ring(("1", "2"), ("2", "1")),
        ring(("1", "1")),
        ring(("1", "gone"), ("2", "1")),
        ring(*((str(i), str(i - 1)) for i in range(1, 40))),
        ring(("1", ""), ("1", "")),
        [],
    ],
)
async def test_a_damaged_record_loses_no_call_and_breaks_nothing(show: Show, sites: list[CallSite]) -> None:
    assert {line.call for line in WatchedLoop(found(sites)).lines} == {each.id for each in sites}
    async with show(untimed(sites)) as shown:
        if sites:
            assert "loss1.backward()" in shown.text()


async def test_a_loop_longer_than_its_place_is_scrolled(show: Show) -> None:
    many = [site(str(i), "backward", f"loss{i}.backward()", "/a.py", i) for i in range(1, 81)]
    async with show(untimed(many), size=(140, 40)) as shown:
        listing = shown.the(Listing)
        assert "loss1.backward()" in shown.text()
        assert "loss80.backward()" not in shown.text()
        (more,) = [line for line in listing.plain() if " more" in line]
        told = sum(".backward()" in line for line in listing.plain())
        assert more.split()[1] == str(80 - told)
        for _ in range(80):
            listing.on_mouse_scroll_down()
        await shown.frame()
        assert "loss80.backward()" in shown.text()
        assert "why" in shown.text()  # which keeps some lines


@pytest.mark.says("loop.not_seen_yet")
async def test_before_any_call_was_seen_that_is_said(show: Show) -> None:
    async with show([event for event in untimed([]) if not isinstance(event, LoopFound)]) as shown:
        assert shown.the(Listing).plain()[0].strip() == say("loop.not_seen_yet")


@pytest.mark.never_says("loop.not_seen_yet")
async def test_once_one_was_seen_that_is_not_said(show: Show) -> None:
    for run in (gan_like(steps=50), cut(scripted_run(), 30)):
        async with show(run) as shown:
            assert CAPTIONS["loop.not_seen_yet"].words not in shown.text().replace("\n", " ")


async def test_a_call_without_times_is_listed_all_the_same(show: Show) -> None:
    async with show(untimed(MNIST_LOOP)) as shown:
        assert "nothing wrong seen in 50 steps" in shown.text()
        assert "·" in next(line for line in shown.the(Listing).plain() if "loss.backward()" in line)


async def test_on_cuda_the_time_is_said_to_be_the_cpus(show: Show) -> None:
    for size, words in (((140, 40), "share of CPU's time    times"), ((80, 24), "of CPU")):
        async with show(on_device(gan_like(steps=100), "cuda:0"), size=size) as shown:
            assert words in "\n".join(shown.the(Listing).plain())
            assert "launch" not in "\n".join(shown.the(Listing).plain())


async def test_text_of_a_program_is_text(show: Show) -> None:
    harmful: Any = [site("1", "backward", "\x1b[31mloss\u202e.backward()[bold]", "/a\x1b]0;x.py", 3)]
    for size in ((140, 40), (80, 24)):
        async with show(untimed(harmful), size=size) as shown:
            assert "\x1b" not in shown.text()
            assert "\u202e" not in shown.text()
