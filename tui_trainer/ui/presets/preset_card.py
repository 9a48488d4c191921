"""What there is to know of a preset before it starts: in words, and its file as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_metric
from tui_trainer.text.plain import plain, plain_lines
from tui_trainer.ui.formatting import lr, thousands, wrap
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, width_of
from tui_trainer.ui.presets.toml_colours import coloured_lines

if TYPE_CHECKING:
    from tui_trainer.events import PlanMade
    from tui_trainer.presets.catalogue import PresetEntry
    from tui_trainer.presets.problems import Problem
    from tui_trainer.presets.schema import Preset
    from tui_trainer.run_spec import RunSpec


@dataclass
class Preview:
    """What the planner said of a preset so far."""

    plan: PlanMade | None = None
    if_flat: PlanMade | None = None
    """What would come of it if the loss stopped getting better at once."""
    problems: list[Problem] = field(default_factory=list)
    asked: bool = False
    """Whether there is a planner to ask at all."""
    failed: bool = False
    """Whether no plan will come."""

    @property
    def waits(self) -> bool:
        """Whether a plan is still to come."""
        return self.asked and self.plan is None and not self.failed

    @property
    def problems_stop(self) -> bool:
        """Whether what was found keeps the preset from being started."""
        return any(problem.severity == "error" for problem in self.problems)


class PresetCard(Panel):
    """Title and description, the schedule in figures, warnings; then the file."""

    def __init__(self) -> None:
        super().__init__()
        self._entry: PresetEntry | None = None
        self._spec: RunSpec | None = None
        self._preview = Preview()
        self._file: list[str] = []
        self._first = 0

    def page(self, pages: int) -> None:
        """Scroll, a line less than a page at a time."""
        self._scroll(pages * max(1, self.size.height - 1))

    def on_mouse_scroll_down(self) -> None:
        self._scroll(3)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-3)

    def _scroll(self, lines: int) -> None:
        self._first = max(0, self._first + lines)
        self.redraw()

    def show(self, entry: PresetEntry | None, spec: RunSpec | None, preview: Preview, file: list[str]) -> None:
        """Another preset, or more known of the same; `file` is the text of its file."""
        if entry is not self._entry:
            self._file, self._first = file, 0
        self._entry, self._spec, self._preview = entry, spec, preview
        self.redraw()

    def lines(self) -> Sequence[Line]:
        entry, width = self._entry, self.size.width - 1
        if entry is None:
            return []
        lines: list[Line] = []
        if entry.preset is None:
            lines += problem_lines(entry.problems, width)
        else:
            lines += self._facts(entry.preset, width)
        lines += [BLANK, (Span(plain(_where(entry)), "faint"),)]
        lines += [(Span("  "), *line) for line in coloured_lines(self._file)]
        self._first = max(0, min(self._first, len(lines) - self.size.height))
        return lines[self._first :]

    def _facts(self, preset: Preset, width: int) -> list[Line]:
        lines: list[Line] = [(Span(line, "strong"),) for line in wrap(plain(preset.title), width)]
        lines += [(Span(line, "faint"),) for line in wrap(plain(preset.description), width)]
        lines += [(Span(line, "faint"),) for line in wrap(_published(preset), width)]
        lines += [BLANK, *((Span(line),) for line in wrap(_stepping(preset), width))]
        if self._spec is not None:
            lines += [(Span(line),) for line in wrap(_length(self._spec), width)]
            lines += [(Span(line, "live"),) for line in wrap(_taken(self._spec), width)]
        lines.append(self._rates())
        note = self._preview.plan.note if self._preview.plan else ""
        lines += [(Span(line, "faint"),) for line in wrap(plain(note), width)]
        lines += problem_lines(self._preview.problems, width)
        return lines

    def _rates(self) -> Line:
        plan = self._preview.plan
        if plan is None or not plan.lrs:
            if self._preview.problems_stop:
                return (Span("", "faint"),)
            return (Span(say("card.preview_comes" if self._preview.waits else "card.no_preview"), "faint"),)
        peak = max(range(len(plan.lrs)), key=plan.lrs.__getitem__)
        start = (Span(say("card.start"), "faint"), Span(lr(plan.lrs[0])))
        end = (Span(say("card.end"), "faint"), Span(lr(plan.lrs[-1])))
        rates: list[Line] = [
            (*start, Span(say("card.peak"), "faint"), Span(lr(plan.lrs[peak]) + at), *end)
            for at in (say("card.at_step", step=thousands(plan.steps[peak])), "")
        ]
        return next((line for line in rates if width_of(line) <= self.size.width), rates[-1])


def _where(entry: PresetEntry) -> str:
    """The file: a shipped one by its name, one of the user's by its path, from home on where it lies there."""
    if entry.builtin:
        return say("card.shipped", file=entry.path.name)
    home = Path.home()
    return f"~/{entry.path.relative_to(home)}" if entry.path.is_relative_to(home) else str(entry.path)


def file_lines(path: Path) -> list[str]:
    """A preset's file as text that may be shown; what hinders reading it, else."""
    from tui_trainer.presets.checks import read_text
    from tui_trainer.presets.problems import PresetError

    try:
        return plain_lines(read_text(path))
    except PresetError as error:
        return [plain(problem.message) for problem in error.problems]


def problem_lines(problems: Sequence[Problem], width: int) -> list[Line]:
    """Each problem with its line and key, wrapped."""
    lines: list[Line] = []
    for problem in problems:
        place = ", ".join(filter(None, [f"line {problem.line}" if problem.line else "", plain(problem.key)]))
        text = f"{place}: {plain(problem.message)}" if place else plain(problem.message)
        for index, line in enumerate(wrap(text, width - 2)):
            lines.append((Span("! " if index == 0 else "  ", "warning"), Span(line, "warning")))
    return lines


def _stepping(preset: Preset) -> str:
    optimizer = preset.optimizer.name
    name = preset.scheduler.name
    if name == "none":
        steps = say("card.no_scheduler")
    elif preset.scheduler.interval == "step":
        steps = say("card.each_batch", scheduler=name, unit=preset.training.unit)
    else:
        monitor = say("card.monitor", monitor=preset.scheduler.monitor) if preset.scheduler.monitor else ""
        steps = say("card.each_epoch", scheduler=name, monitor=monitor)
    if preset.warmup is not None:
        steps += say("card.warmup", length=preset.warmup.words, unit=preset.training.unit)
    if groups := preset.optimizer.all_groups:
        steps += say("card.groups", groups=", ".join(plain(group.label) for group in groups))
    if options := preset.model_options:
        steps += say("card.model_options", options=", ".join(f"{key} {value:g}" for key, value in options.items()))
    training = preset.training
    if training.accumulate > 1:
        steps += say("card.accumulate", batches=counted(training.accumulate, "batch"))
    if training.clip_grad_norm is not None:
        steps += say("card.clip_norm", norm=f"{training.clip_grad_norm:g}")
    if training.clip_grad_value is not None:
        steps += say("card.clip_value", value=f"{training.clip_grad_value:g}")
    if training.ema_decay is not None:
        steps += say("card.ema", decay=f"{training.ema_decay:g}")
    if training.swa_start is not None:
        steps += say("card.swa", epoch=f"{training.swa_start:,}")
    if training.swa_lr is not None:
        epochs = counted(training.swa_anneal_epochs, "epoch")
        steps += say("card.swa_lr", lr=lr(training.swa_lr), epochs=epochs)
    if training.augmentation:
        steps += say("card.augmentation", transforms=", ".join(each.name for each in training.augmentation))
    elif training.augmentation is not None:
        steps += say("card.no_augmentation")
    if (early := training.early_stopping) is not None:
        steps += say("card.early_stopping", monitor=early.monitor, epochs=counted(early.patience, "epoch"))
    return f"{optimizer}; {steps}"


def _published(preset: Preset) -> str:
    """Whose recipe it is, what came of it there, and what is otherwise here."""
    published = preset.published
    if published is None:
        return ""
    if published.accuracy is None:
        told = say("card.published_without", source=published.source)
    else:
        told = say("card.published", source=published.source, accuracy=format_metric(published.accuracy))
    return "; ".join([told, say("card.differs", what=published.differs)] if published.differs else [told])


def _taken(spec: RunSpec) -> str:
    """What the preset brings along beside its schedule, and what it would have if the person had not said otherwise."""
    made_for = spec.preset.made_for
    if made_for is None:
        return ""
    taken = say("card.brings", what=spec.taken) if spec.taken else ""
    unlike = made_for.unlike({"dataset": spec.dataset, "model": spec.model, "precision": spec.precision})
    meant = ", ".join(f"{key} {value}" for key, value in unlike.items())
    asked = ", ".join(str(getattr(spec, key)) for key in unlike)
    given = say("card.made_for", meant=meant, asked=asked) if unlike else ""
    return "; ".join(part for part in (taken, given) if part)


def _length(spec: RunSpec) -> str:
    epochs = spec.preset.training.epochs
    batches = -(-spec.train_images // spec.preset.training.batch_size)
    size = min(spec.preset.training.batch_size, spec.train_images)
    left = spec.train_images % size
    return say(
        "card.length",
        steps=counted(epochs * spec.batches_per_epoch, "step"),
        epochs=counted(epochs, "epoch"),
        batches=counted(batches, "batch"),
        size=size,
        last=say("card.last_batch", images=left) if left else "",
        dataset=spec.dataset,
    )
