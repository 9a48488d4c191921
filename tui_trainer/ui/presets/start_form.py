"""What a run is to have beside its preset, asked for before it starts, and what that costs."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from tui_trainer.errors import UserError
from tui_trainer.run_options import DATASETS, MODELS
from tui_trainer.run_request import RunRequest
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.dialog import Dialog
from tui_trainer.ui.formatting import about, fit, wrap
from tui_trainer.ui.panel import BLANK, Line, Lines, Span

if TYPE_CHECKING:
    from tui_trainer.presets.problems import Problem
    from tui_trainer.records.summary import RunSummary
    from tui_trainer.run_spec import RunSpec

WIDTH = 50

FIELDS: dict[str, str] = {
    "dataset": "data set",
    "model": "model",
    "epochs": "epochs",
    "batch_size": "batch size",
    "device": "device",
    "seed": "seed",
    "name": "name",
}
"""The options that are asked for, as `RunSpec` has them, and what they are called."""

NUMBERS = frozenset({"epochs", "batch_size", "seed"})

CHOICES: dict[str, tuple[str, ...]] = {"dataset": DATASETS, "model": MODELS, "device": ("auto", "cpu", "cuda")}
"""What ← and → go through; of a device, any other may be typed."""


class Field(Input):
    """One option; where there are few values of it, ← and → go through these."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", show=False),
        Binding("right", "step(1)", show=False),
    ]

    def __init__(self, option: str, value: str) -> None:
        super().__init__(value, compact=True)
        self.option = option

    def action_step(self, by: int) -> None:
        """The next value, or the one before; of a text, the cursor goes on by a letter."""
        choices = CHOICES.get(self.option)
        if choices is None:
            (self.action_cursor_right if by > 0 else self.action_cursor_left)()
            return
        at = choices.index(self.value) if self.value in choices else -1 if by > 0 else 0
        self.value = choices[(at + by) % len(choices)]


class StartForm(Dialog["RunSpec"]):
    """Gives the run as it is to be; None where the person thinks better of it."""

    CSS_PATH: ClassVar[str] = "../dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("ctrl+f", "find_lr", show=False, priority=True),
        Binding("escape,ctrl+c", "cancel", show=False),
    ]

    def __init__(
        self,
        spec: RunSpec,
        request: RunRequest | None = None,
        preset: Any = None,
        find_lr: Callable[[RunSpec], object] | None = None,
    ) -> None:
        """Ask.

        Args:
            spec: the run as it would be started without this.
            request: what runs started from here have beside their preset, as `AppContext.request`.
            preset: as its file has it, without the epochs and the batch size that were asked for.
            find_lr: opens a range test of a run, over the form; None where none can be made now.
        """
        super().__init__()
        self._preset = preset if preset is not None else spec.preset
        self._preset_name = spec.preset_name
        self._find_lr = find_lr
        self._given = dict(request.options) if request is not None else {}
        training = spec.preset.training
        begun = {
            "dataset": spec.dataset,
            "model": spec.model,
            "epochs": training.epochs,
            "batch_size": training.batch_size,
            "device": spec.device,
            "seed": spec.seed,
            "name": spec.name or "",
        }
        self._begun = {option: str(value) for option, value in begun.items()}
        self._fields = {option: Field(option, value) for option, value in self._begun.items()}
        self._above, self._below = Lines(), Lines()
        self._runs: Sequence[RunSummary] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            yield self._above
            for option, field in self._fields.items():
                with Horizontal(classes="row"):
                    yield Static(FIELDS[option], classes="label")
                    yield field
            yield self._below

    def on_mount(self) -> None:
        for lines in (self._above, self._below):
            lines.styles.width = WIDTH
        self._above.show([(Span(fit(say("form.start", preset=plain(self._preset_name)), WIDTH), "strong"),), BLANK])
        self._fields["dataset"].focus()
        self._show()

    def know(self, runs: Sequence[RunSummary]) -> None:
        """The runs that there are, newest first: one like it tells how long it will take."""
        self._runs = runs
        self._show()

    @property
    def spec(self) -> RunSpec:
        """The run that the form asks for.

        Raises:
            UserError: something in it is wrong; with all that is, a line each.
        """
        changed: dict[str, Any] = {}
        for option, field in self._fields.items():
            typed = field.value.strip()
            if typed == self._begun[option]:
                continue
            if option in NUMBERS:
                if not (typed.isascii() and typed.isdecimal() and len(typed) <= 19):
                    raise UserError(f"{FIELDS[option]}: {typed or 'nothing'} is no whole number")
                changed[option] = int(typed)
            else:
                changed[option] = typed or None
        return RunRequest(self._preset_name, **{**self._given, **changed}).spec_with(self._preset_name, self._preset)

    def _problems(self, spec: RunSpec) -> list[Problem]:
        from tui_trainer.presets.checks import check

        return check(spec.preset, spec.conditions)

    def _show(self) -> None:
        try:
            spec = self.spec
            problems = self._problems(spec)
        except UserError as error:
            self._tell([(plain(line), "warning") for line in str(error).splitlines()])
            return
        if wrong := [str(problem) for problem in problems if problem.severity == "error"]:
            self._tell([(plain(line), "warning") for line in wrong])
            return
        warnings = [(plain(str(problem)), "warning") for problem in problems]
        keys = say("form.keys") + (say("form.find_lr") if self._find_lr is not None else "")
        self._tell([(self._cost(spec), ""), *warnings[:2], (keys, "faint")])

    def _tell(self, texts: list[tuple[str, str]]) -> None:
        lines: list[Line] = [BLANK]
        for text, role in texts:
            lines += [(Span(line, role),) for line in wrap(text, WIDTH)]
        self._below.show(lines)

    def _cost(self, spec: RunSpec) -> str:
        batches, epochs = spec.batches_per_epoch, spec.preset.training.epochs
        time = ""
        if self._runs is not None:
            like = next((run for run in self._runs if _is_like(run, spec)), None)
            if like is None:
                time = say("form.time_unknown")
            else:
                seconds = like.elapsed_s / like.epochs_done * epochs
                time = say("form.time", time=about(seconds), run=plain(like.name or like.id))
        return say("form.cost", steps=f"{batches * epochs:,}", batches=f"{batches:,}", time=time)

    def on_input_changed(self) -> None:
        if self.is_mounted:
            self._show()

    def on_input_submitted(self) -> None:
        if (spec := self._sound_spec()) is not None:
            self.dismiss(spec)

    def action_find_lr(self) -> None:
        """A range test with what the form holds; the form stays as it is under it."""
        if self._find_lr is None:
            self._tell([(say("find_lr.not_now"), "warning")])
        elif (spec := self._sound_spec()) is not None:
            self._find_lr(spec)

    def _sound_spec(self) -> RunSpec | None:
        """The run that the form asks for; None where something in it is wrong, which it says as it is typed."""
        try:
            spec = self.spec
        except UserError:
            return None
        return None if any(problem.severity == "error" for problem in self._problems(spec)) else spec

    def action_cancel(self) -> None:
        self.dismiss(None)


def _is_like(run: RunSummary, spec: RunSpec) -> bool:
    """Whether a run tells how long an epoch of another takes on this machine."""
    if not run.epochs_done or not run.elapsed_s or run.host != socket.gethostname() or run.command is not None:
        return False
    had = (run.dataset, run.model, run.config.get("training.batch_size"), run.config.get("limit_train"))
    if had != (spec.dataset, spec.model, spec.preset.training.batch_size, spec.limit_train):
        return False
    return spec.device == "auto" or (run.device or "").startswith(spec.device)
