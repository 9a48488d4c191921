"""The lines at the top and above the keys: what is being trained and how it is getting on; how far the epochs and the
batches are, and what the screen itself costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.records.history import History
from tui_trainer.records.outcome import best_logged, best_of_all, nothing_trained
from tui_trainer.records.summary import images_per_second, seconds_left, steps_per_second
from tui_trainer.text.captions import say
from tui_trainer.text.command_line import command_in_short
from tui_trainer.text.numbers import counted, format_metric, since
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import about, clock, cut, gigabytes, in_short, percent, thousands
from tui_trainer.ui.live.loop import is_followed
from tui_trainer.ui.machine.machine_panel import Machine
from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of

if TYPE_CHECKING:
    from tui_trainer.events import RunConfigured
    from tui_trainer.run_request import RunRequest
    from tui_trainer.ui.machine.sampling import Sample


class Headline(Panel):
    """Preset, model, data and device at the left; state and speed at the right. What does not fit is left out."""

    def __init__(self) -> None:
        super().__init__()
        self._history: History | None = None
        self._request: RunRequest | None = None
        self._is_frozen = self._is_read = False

    def show(
        self, history: History, request: RunRequest | None = None, *, is_frozen: bool = False, is_read: bool = True
    ) -> None:
        """Bring the line up to date; the clock goes on between events. `request` stands in until the run tells;
        `is_frozen` says that the charts stand still while it goes on; and without `is_read` there is more of its record
        than was read, so that what it does now is not known yet."""
        self._history, self._request, self._is_read = history, request, is_read
        self._is_frozen = is_frozen and history.ended is None
        self.redraw()

    def lines(self) -> Sequence[Line]:
        if self._history is None:
            return []
        width = self.size.width
        what = _what(self._history, self._request)
        state = _state(self._history) if self._is_read else {"word": [Span(f"● {_reading(self._history)}", "faint")]}
        if self._is_frozen:
            state = {"frozen": [Span(f"● {say('state.frozen')}   ", "strong", "screen.follow")], **state}
        more = _width(what) + _width(state) + 2 - width
        for droppable in _LEAVES_FIRST if self._history.program is None else _LEAVES_FIRST_OF_WATCHED:
            shortened = width_of(what.get("command", [])) - more
            if more <= 0 or (droppable == "best" and "best" in what and shortened >= SHORT_COMMAND):
                break
            more -= width_of([*what.pop(droppable, ()), *state.pop(droppable, ())])
        if "command" in what and more > 0:
            (command,) = what["command"]
            what["command"] = [command._replace(text=cut(command.text, max(8, width_of([command]) - more)))]
        right = [span for part in state.values() for span in part]
        return [justified([span for part in what.values() for span in part], [*right, Span(" ")], width)]


def _reading(history: History) -> str:
    """That the record is being read, and how far it is, where that is known."""
    if history.share_read is None:
        return say("state.reading")
    return say("state.reading_so_far", share=percent(history.share_read).strip())


_LEAVES_FIRST = ("brand", "speed", "parameters", "device", "dataset", "left", "model", "best", "switch", "loss", "why")
_LEAVES_FIRST_OF_WATCHED = ("dataset", "device", "parameters", "model", "speed", "left", "pid", "best", "why", "ranks")
"""What is left out where there is no room for all, in this order."""
SHORT_COMMAND = 20
"""A watched command is cut to so many cells rather than that the best of its figures is left out."""


class PanelHeading(Panel):
    """The top line: what this screen is for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def lines(self) -> list[Line]:
        return [(Span(" tui-trainer  ", "faint"), Span(self._text, "strong"))]


def state_word(history: History) -> tuple[str, str]:
    """What the run does, in a word or two, and what is wrong with it; and the role to show it in.

    A run that is well is quiet: its phase is all that is said. One that trains and is not well has the word of that in
    its place; `finished` and `paused` stay, with that word behind them.
    """
    finding = history.finding
    ill = f", {finding.word}" if finding is not None else ""
    if history.ended is not None:
        if history.ended.status not in ("finished", "stopped"):
            return history.ended.status, "warning"
        good = history.ended.status == "finished" and finding is None
        return history.ended.status + ill, "good" if good else "warning"
    if history.paused is not None:
        return say("state.paused") + ill, "warning" if ill else "strong"
    if history.stalled_since is not None:
        return say("state.stalled"), "warning"
    if history.pace > 0:
        return say("state.slow_motion") + ill, "warning" if ill else "live"
    if finding is not None:
        return finding.word, "warning"
    if history.written_at is not None and history.last_step:
        return say("foreign.written", ago=since(time.time() - history.written_at)), "faint"
    tells = history.last_step > 0 and history.recipe is None  # one of ours has phases, and begins again with them
    return plain(history.phase) or say("state.running" if tells else "state.starting"), "live"


def _what(history: History, request: RunRequest | None) -> dict[str, list[Span]]:
    recipe, resolved = history.recipe, history.resolved
    parts: dict[str, list[Span]] = {"brand": [Span(" tui-trainer ", "faint")], "space": [Span(" ")]}
    if history.program is not None:
        parts = {"brand": [Span(" watching  ", "faint")]}
        parts["command"] = [Span(command_in_short(history.program.command), "strong")]
    elif recipe is not None:
        parts["preset"] = [Span(plain(recipe.preset), "strong")]
    elif request is None and history.started is not None:
        parts["preset"] = [Span(plain(history.started.run), "strong")]
    if (switch := history.switch_to_come) is not None and history.ended is None:
        parts["switch"] = [Span(f" → {plain(switch.preset)} from epoch {switch.epoch}", "live")]
    if resolved is None:
        if best := best_so_far(history):
            parts["best"] = [Span(f"   {best}")]
        if request is not None:
            parts["preset"] = [Span(plain(request.preset_name), "strong")]
            parts["model"] = [Span(" · ", "faint"), Span(request.model)]
            parts["dataset"] = [Span(" · ", "faint"), Span(request.dataset)]
            if request.loss:
                parts["loss"] = _own_loss(request.loss)
        return parts
    if resolved.model:
        parts["model"] = [Span(" · ", "faint"), Span(plain(resolved.model))]
        if resolved.parameters is not None:
            parts["parameters"] = [Span(f" {in_short(resolved.parameters)}")]
    if resolved.dataset:
        parts["dataset"] = [Span(" · ", "faint"), Span(plain(resolved.dataset))]
    if loss := resolved.code.get("loss"):
        parts["loss"] = _own_loss(loss)
    if resolved.device:
        parts["device"] = [Span(" · ", "faint"), Span(_device(history, resolved))]
    if best := best_so_far(history):
        parts["best"] = [Span(f"   {best}")]
    return parts


def _own_loss(name: str) -> list[Span]:
    """A loss of a person's own code."""
    return [Span(" · loss ", "faint"), Span(plain(name))]


def best_so_far(history: History) -> str:
    """The best figure of validation and where it was; empty where nothing is known, or better than guessing."""
    best, lowest = history.best, history.lowest
    if best is not None:
        if not history.health.beats_guessing(best):
            return ""
        return say("state.best_accuracy", value=f"{best.val_accuracy:.4f}", epoch=best.epoch)
    if lowest is not None:
        return say("state.best_loss", value=format_metric(lowest.val_loss), epoch=lowest.epoch)
    if (found := best_logged(history)) is None:
        return ""
    return say("state.best_of", name=cut(found.name, 24), value=format_metric(found.value), step=f"{found.step:,}")


def _device(history: History, resolved: RunConfigured) -> str:
    changed = history.settings.get("threads")
    threads = plain(changed.new) if changed is not None else resolved.threads
    return plain(resolved.device) + (f" ×{threads}" if resolved.device == "cpu" and threads else "")


def _state(history: History) -> dict[str, list[Span]]:
    word, role = state_word(history)
    parts = {"word": [Span("● ", role), Span(word, role)]}
    if history.finding is not None:
        parts["why"] = [Span("  h", "key", "screen.health"), Span(" why", "faint", "screen.health")]
    if not history.last_step:
        return parts
    now = time.time()
    elapsed = history.elapsed_at(now) if history.written_at is None else history.elapsed_s
    stands = "faint" if history.ended is None and (history.paused is not None or history.pace > 0) else ""
    parts["elapsed"] = [Span(f"   {clock(elapsed)}", stands)] if elapsed or history.written_at is None else []
    if (since := history.stalled_since) is not None:
        parts["stalled"] = [Span(" for ", "warning"), Span(clock(now - history.clock_behind - since), "warning")]
        return {name: parts[name] for name in ("word", "stalled", "elapsed", "why")}
    if history.ended is not None or history.pace > 0 or is_followed(history):
        return parts  # who looks at single calls learns nothing of the speed
    if history.recipe is None and history.program is None:
        return parts  # it tells neither how fast it is nor how long it will be
    parts["speed"] = _speed(history)
    left = seconds_left(history)
    if history.program is None or left is not None:
        parts["left"] = [Span(f"{about(left) if left is not None else '–':>8}"), Span(" left", "faint")]
    if history.program is not None:
        resolved = history.resolved
        ranks = resolved.ranks if resolved is not None else 1
        parts["pid"] = [Span("   pid ", "faint"), Span(str(history.program.pid))] if history.program.pid else []
        parts["ranks"] = [Span("   "), Span(counted(ranks, "rank"))] if ranks > 1 else []
    return parts


def _speed(history: History) -> list[Span]:
    """Images a second; of a watched program whose batches are of unknown size, or of several ranks, steps."""
    speed = images_per_second(history)
    if history.program is None:
        return [Span(f"{thousands(speed) if speed > 0 else '–':>9}"), Span(" img/s", "faint")]
    resolved = history.resolved
    if speed > 0 and resolved is not None and resolved.ranks == 1:
        return [Span(f"{thousands(speed):>9}"), Span(" samples/s", "faint")]
    speed = steps_per_second(history)
    digits = 0 if speed >= 100 else 1 if speed >= 1 else 2
    return [Span(f"{f'{speed:,.{digits}f}' if speed > 0 else '–':>9}"), Span(" steps/s", "faint")]


def _width(parts: dict[str, list[Span]]) -> int:
    return sum(width_of(part) for part in parts.values())


LONGEST_BAR = 44


class Progress(Panel):
    """Two bars while the run goes on; in the end, how it ended in a sentence."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine
        self._history: History | None = None
        self._share = 0.0
        self._says_why = True

    def show(self, history: History, share: float, *, says_why: bool = True) -> None:
        """Bring the line up to date; `share` is the screen's own of all cores, and without `says_why` it stands
        elsewhere why the run crashed."""
        self._history, self._share, self._says_why = history, share, says_why
        self.redraw()

    def lines(self) -> Sequence[Line]:
        history, width = self._history, self.size.width
        if history is None:
            return []
        if history.ended is not None:
            return [(Span(" "), Span(cut(ending(history, says_why=self._says_why), width - 2), "strong"))]
        right = self._costs(history, width)
        recipe = history.recipe
        if recipe is None and not history.last_step:
            return [justified([], right, width)]
        if recipe is None or recipe.epochs is None or not recipe.batches_per_epoch:
            left = _so_far(history, width - width_of(right))
            return [justified(left, right if width_of([*left, *right]) < width else [], width)]
        done = len(history.epochs)
        batches = history.batches_in_epoch
        epoch_text = f" epoch {_of(history.epoch, recipe.epochs)} "
        batch_text = f"   {recipe.unit} {_of(history.batch, batches)} "
        bar = min(LONGEST_BAR, (width - len(epoch_text) - len(batch_text) - width_of(right) - 3) // 2)
        within = history.batch / batches if batches and history.epoch > done else 0.0
        left = [
            Span(epoch_text),
            *_bar((done + within) / max(1, recipe.epochs), bar),
            Span(batch_text),
            *_bar(history.batch / batches if batches else 0.0, bar),
        ]
        return [justified(left, right, width)]

    def _costs(self, history: History, width: int) -> list[Span]:
        sample = None
        if width >= 116:
            self._machine.look(history)
            sample = self._machine.sample
        return [Span(costs(self._share, sample) + " ", "faint")]


def costs(share: float, sample: Sample | None) -> str:
    """What the run's process and this screen take of the machine, in short; CPU is told as a share of all cores."""
    screen = say("machine.screen", share=f"{share * 100:4.1f}")
    if sample is None:
        return screen
    facts = [say("machine.memory_ours", memory=gigabytes(sample.memory_ours))]
    if sample.gpu is not None and sample.gpu.busy is not None:
        facts.append(say("machine.gpu", share=percent(sample.gpu.busy)))
    return " · ".join([*facts, say("machine.cpu_ours", share=percent(sample.cpu_ours), screen=screen)])


def ending(history: History, *, says_why: bool = True) -> str:
    """How the run ended, in a sentence; without `says_why` a crash leaves its reason out."""
    ended = history.ended
    if ended is None:
        return ""
    done = "0 epochs"
    if history.program is not None and not history.epochs:
        done = counted(history.last_step, "step")
    elif history.recipe is not None:
        done = counted(len(history.epochs), "epoch")
        if history.recipe.epochs is not None:
            done = f"{len(history.epochs)} of {counted(history.recipe.epochs, 'epoch')}"
    elif not history.epochs:
        done = counted(history.last_step, "step")
    at = ended.step or history.last_step  # one that failed as it was loaded, to go on with, made no step then
    step, reason = thousands(at), plain(ended.reason)
    match ended.status:
        case _ if history.program is not None and not at:
            return nothing_trained(ended, history)
        case "finished" if history.program is not None:
            first = say("end.watched", reason=reason, done=done, clock=clock(history.elapsed_s))
        case "finished" if history.recipe is None and not history.steps:
            first = say("end.at_step", step=step, clock=clock(history.elapsed_s))
        case "finished":
            first = say("end.finished", done=done, clock=clock(history.elapsed_s))
        case "diverged":
            first = say("end.diverged", step=step, reason=reason)
        case "stopped":
            done = f", {done}" if "epoch" in done else ""  # else the step says it
            first = say("end.stopped", step=step, done=done) + (f": {reason}" if reason not in ("", "stopped") else "")
        case "crashed" if not at:
            first = nothing_trained(ended, history)
        case "crashed":
            first = say("end.crashed", step=step, reason=f": {reason}" if says_why else "")
    return "; ".join(filter(None, (first, best_of_all(history))))


def health_in_words(history: History) -> tuple[str, bool]:
    """What is wrong with a run, in figures, and whether something is."""
    finding, ended = history.finding, history.ended
    if finding is not None:
        return f"{finding.word}: {finding.reason}", True
    if ended is not None and ended.status in ("diverged", "crashed"):
        return ending(history), True
    if history.steps or history.epochs:
        return say("health.well"), False
    if history.last_step:
        return say("health.not_judged"), False
    return say("answer.nothing_trained_yet" if ended is None else "answer.nothing_was_trained"), False


def _so_far(history: History, room: int) -> list[Span]:
    """How far a run has come of which not all lengths are known: a share of those alone that are."""
    recipe, last = history.recipe, history.last_step
    epochs, total = (recipe.epochs, recipe.total_steps) if recipe is not None else (None, None)
    step = Span(f" step {_of(last, total)}" if total else f" step {last:,}")
    epoch = history.epoch_at(last)
    if total and not epochs:
        return [step, Span(" "), *_bar(last / total, min(LONGEST_BAR, room - width_of([step]) - 3))]
    spans = [step]
    if epoch is not None and _counts_epochs(history):
        spans.append(Span(f"   epoch {_of(epoch, epochs) if epochs else f'{epoch:,}'}"))
    if epochs:
        return [*spans, Span(" "), *_bar(len(history.epochs) / epochs, min(LONGEST_BAR, room - width_of(spans) - 3))]
    goes_on = history.written_at is None  # of another tool's record only time tells
    ending = [Span(f"   {say('state.no_end')}", "faint")] if goes_on else []
    if (batches := history.batches_in_epoch) and history.program is not None:
        batch = Span(f"   batch {_of(history.batch, batches)} ")
        bar = min(LONGEST_BAR, room - width_of([*spans, batch, *ending]) - 3)
        spans += [batch, *_bar(history.batch / batches, bar)]
    return spans + ending


def _counts_epochs(history: History) -> bool:
    """Whether a watched program goes over its data again and again: one that has no DataLoader counts steps alone."""
    recipe = history.recipe
    if history.program is None or history.epochs or history.epoch > 1:
        return True
    return recipe is not None and bool(recipe.epochs or recipe.batches_per_epoch)


def _of(done: int, all_of_them: int) -> str:
    total = thousands(all_of_them)
    return f"{thousands(done).rjust(len(total))}/{total}"


def _bar(share: float, width: int) -> list[Span]:
    """A thin line, live as far as it has come."""
    if width < 4:
        return []
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    whole, half = divmod(halves, 2)
    done = "━" * whole + ("╸" if half else "")
    return [Span(done, "live"), Span("─" * (width - len(done)), "rule")]
