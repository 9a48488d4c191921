"""Whether a run is well: a fold over its events that has a word where it is not, and the figures that say so.

| word | said when | over when |
| --- | --- | --- |
| `diverging` | the loss stays up, or is far above its start, or above guessing after an epoch | it is down |
| `chance level` | after an epoch no more images are right than by guessing, and it is not the warm-up | more are |
| `overfitting` | the validation loss is up for some epochs, the training loss fell meanwhile | half is undone |
| `plateaued` | neither loss nor accuracy was better for long, at a high LR that stays | one is better, the LR moves |

Of several the first is said. A run is well until its figures say otherwise: noise, restarts of the LR, a warm-up, a
decaying LR at its end are no trouble. What is not known (how many classes there are) makes no word. `stalled` and
`slow` are told by the clock, not by figures: `records/alerts.py`; `alert` is a rule of a person's, which
`records/rule_watch.py` holds against any number.

The same events give the same state, however they were cut into lines; it does not grow with the run, and takes O(1) an
event, beyond the steps and points that the event itself holds.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate
from math import frexp, inf, isfinite, log, nan, sqrt
from typing import Literal, NamedTuple, TypeAlias

from tui_trainer.events import (
    AnyEvent,
    EpochEnded,
    EpochsChanged,
    PlanMade,
    PresetSwitched,
    ResolvedConfig,
    RunConfigured,
    StepsTaken,
)
from tui_trainer.run_options import CLASSES
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_lr, format_metric

Word: TypeAlias = Literal[
    "diverging", "chance level", "overfitting", "plateaued", "stalled", "slow", "low disk", "alert"
]


KINDS: dict[Word, str] = {
    "diverging": "diverging",
    "chance level": "chance-level",
    "overfitting": "overfitting",
    "plateaued": "plateaued",
    "stalled": "stall",
    "slow": "slow",
    "low disk": "low-disk",
    "alert": "alert",
}
"""The kind of the `events.Alert` that tells of each."""


class Finding(NamedTuple):
    """What is wrong with a run."""

    word: Word
    reason: str
    """In figures, short enough for a line."""


NO_LOWER = 0.99
"""Of the loss of guessing: what is not below this has learned nothing."""


class Guessing:
    """What a network that guesses one of the classes comes to; unknown where their number is."""

    def __init__(self, configured: RunConfigured | None = None) -> None:
        self.classes = 0
        """0 while unknown."""
        self._train_images = self._val_images = 0
        if configured is not None and configured.train_images and configured.val_images:
            self.classes = configured.classes or CLASSES.get(configured.dataset, 0)
            self._train_images, self._val_images = configured.train_images, configured.val_images
        self.loss = log(self.classes) if self.classes > 1 else inf
        """Cross-entropy in nats, ln(classes); inf while unknown."""

    def explains(self, val_accuracy: float, *, margins: float = 1.0) -> bool:
        """Whether no more images of the validation are right than by guessing, but for noise."""
        return self._explains(val_accuracy, self._val_images, margins)

    def explains_training(self, train_accuracy: float) -> bool:
        """The same of the images that train; a network that was never trained may be a little luckier than a guess."""
        return self._explains(train_accuracy, self._train_images, 1.5)

    def explains_losses(self, event: EpochEnded) -> bool:
        """Whether neither loss is lower than that of guessing, by a hundredth: however lucky the weights are that a run
        began with, nothing was learned."""
        return min(event.train_loss, event.val_loss) >= NO_LOWER * self.loss and event.val_accuracy * self.classes <= 2

    def _explains(self, accuracy: float, images: int, margins: float) -> bool:
        """Noise is three standard deviations of so many guesses. The classes are not all of one size, too, and who says
        the largest each time is right a little more often: a fifth more of ten classes."""
        if self.classes < 2:
            return False
        share = 1 / self.classes
        variance = share * (1 - share)
        return accuracy <= share + margins * max(3 * sqrt(variance / max(1, images)), 0.22 * variance)


class Health:
    """Takes the events of one run, in order. Steps and epochs that it has seen already count for nothing.

    Args:
        sampled: steps are left out on purpose, so that only whole epochs are judged.
    """

    def __init__(self, *, sampled: bool = False) -> None:
        self.guessing = Guessing()
        self._losses = _Losses(sampled=sampled)
        self._rates = _Rates()
        self._chance, self._overfit, self._plateau = _Chance(), _Overfit(), _Plateau()
        self._recipe: ResolvedConfig | None = None
        self._switched = False
        self._step = self._epoch = 0
        self._took_over_at = 0
        """The first step of another optimizer that has taken over, or will; it is judged by itself."""

    def take(self, event: AnyEvent) -> None:
        """`event` has happened."""
        match event:
            case StepsTaken():
                self._steps(event)
            case EpochEnded() if event.epoch > self._epoch:
                self._epoch_ended(event)
            case PlanMade():
                self._rates.plan(event)
            case RunConfigured():
                self.guessing = Guessing(event)
                # A run that goes on says what it began with, and follows what it was switched to.
                if not self._switched:
                    self._follow(event.recipe)
                self._took_over_at = max(self._took_over_at, event.recipe.took_over_at)
            case EpochsChanged(recipe=recipe):
                self._recipe = recipe
            case PresetSwitched():
                self._switched = True
                self._follow(event.recipe)
                self._rates.begin()
                self._plateau.begin(event.epoch - 1, event.step - 1)
            case _:
                pass

    @property
    def finding(self) -> Finding | None:
        """What is wrong now; None while the run is well."""
        return self._losses.finding or self._chance.finding or self._overfit.finding or self._plateau.finding

    @property
    def onset(self) -> Finding | None:
        """The same as it was found first, however many steps an event held: what to tell of it."""
        return self._losses.onset if self._losses.finding is not None else self.finding

    def over(self, word: Word) -> str:
        """In figures, why that is wrong no more."""
        match word:
            case "diverging":
                return self._losses.over
            case "chance level":
                return self._chance.over
            case "overfitting":
                return self._overfit.over
        return self._plateau.over

    def beats_guessing(self, ended: EpochEnded) -> bool:
        """Whether its accuracy tells that anything was learned; so it is said of a run that tells too little."""
        return not self.guessing.explains(ended.val_accuracy)

    def is_low(self, val_loss: float) -> bool:
        """Whether a validation loss is lower than that of guessing; so it is of a run that says too little."""
        return val_loss < NO_LOWER * self.guessing.loss

    def _follow(self, recipe: ResolvedConfig) -> None:
        self._recipe = recipe
        self._losses.follow(recipe.batches_per_epoch or 0)

    def _steps(self, event: StepsTaken) -> None:
        known = self._step - event.step + 1
        if known >= len(event.losses):
            return
        known = max(0, known)
        if self._step < self._took_over_at <= event.step:
            self._begin_anew()
        self._step = event.step + len(event.losses) - 1
        losses = event.losses[known:] if known else event.losses
        lrs = event.lrs[known:] if known and len(event.lrs) > 1 else event.lrs or [nan]
        self._rates.take(lrs)
        self._losses.take(losses, lrs, event.epoch, self.guessing.loss)

    def _begin_anew(self) -> None:
        """Another network trains from here on, or another part of it: its figures are compared with its own."""
        over = say("health.another_optimizer") if self.finding is not None else ""
        self._losses = self._losses.anew(over)
        self._rates.begin()
        self._chance, self._overfit, self._plateau = _Chance(over), _Overfit(over), _Plateau(over)
        self._plateau.begin(self._epoch, self._step)

    def _epoch_ended(self, event: EpochEnded) -> None:
        self._epoch = event.epoch
        self._rates.end_epoch(event)
        self._losses.end_epoch(event, self.guessing)
        self._chance.take(event, self.guessing, climbs=self._rates.climbs)
        epochs = self._recipe.epochs or 0 if self._recipe is not None else 0
        self._overfit.take(event, self.guessing, epochs)
        self._plateau.take(event, self._rates, epochs)


WINDOWS_UP = 3
"""Windows in a row that are too high before a loss is called diverging; and that are down again after it was far up."""

FAR_ABOVE, ABOVE, DOWN = 2.0, 1.2, 1.05
"""Times the loss of the start: far above it at any time, above it after an epoch, and down again."""

STEPS_TO_SETTLE = 30
"""Steps before which the loss of the start is the start's: a few large losses are usual there."""


class _Losses:
    """The mean training loss of one window of steps after the other.

    It rises where it has given back a fifth of all that was gained since the first window, and is half as high again as
    the lowest at an LR as high; or four fifths, and half as high again as the lowest at any, where a warm-up, a
    restart, a cycle or another preset has led up to a higher one. Noise around a small loss does not come that far.
    The first window counts as twice the loss of guessing at most: what is gained from more is gained in a few steps.
    """

    def __init__(self, *, sampled: bool) -> None:
        self.finding: Finding | None = None
        self.onset: Finding | None = None
        self.over = ""
        self._sampled = sampled
        self._size = 50
        self._pending = array("f")
        """The losses of the window that is not full yet, in the precision of a record: all readers round alike."""
        self._began = inf
        """The loss of the first step, before the weights ever moved."""
        self._first, self._lowest, self._before = inf, inf, inf
        self._lows: dict[int, float] = {}
        """The lowest window by the power of two of its LR."""
        self._up = self._far_up = self._down = 0
        self._rises = self._is_high = False

    def anew(self, over: str) -> _Losses:
        """One that has seen nothing yet; `over` says why what was wrong is so no more."""
        new = _Losses(sampled=self._sampled)
        new._size, new.over = self._size, over
        return new

    def follow(self, batches_per_epoch: int) -> None:
        """A window is about a quarter of an epoch."""
        self._size = min(max(batches_per_epoch // 4, 10), 200)

    def take(self, losses: list[float | None], lrs: list[float], epoch: int, guessing: float) -> None:
        """More steps."""
        if None in losses:
            sound = [at for at, loss in enumerate(losses) if loss is not None]
            lrs = [lrs[at] for at in sound] if len(lrs) > 1 else lrs
            losses = [losses[at] for at in sound]
        if not losses:
            return
        self._began = self._began if self._began < inf else array("f", losses[:1])[0]  # type: ignore[type-var,assignment]
        if self._sampled:
            return
        waiting = len(self._pending)
        self._pending.fromlist(losses)  # type: ignore[arg-type]
        start, size = 0, self._size
        while len(self._pending) - start >= size:
            mean = sum(self._pending[start : start + size]) / size
            start += size
            lr = lrs[max(0, start - waiting - 1)] if len(lrs) > 1 else lrs[0]
            self._window(mean, lr, epoch, guessing)
        if start:
            del self._pending[:start]

    def end_epoch(self, event: EpochEnded, guessing: Guessing) -> None:
        """An epoch was validated."""
        if event.step < STEPS_TO_SETTLE or not isfinite(event.train_loss) or guessing.loss == inf:
            return
        start = self._start(guessing.loss)
        name, loss = ("val_loss", event.val_loss) if isfinite(event.val_loss) else ("train_loss", event.train_loss)
        text = f"{name} {format_metric(loss)} after epoch {event.epoch}"
        if min(event.train_loss, loss) > ABOVE * start:
            self._is_high = True
            values = {"name": name, "loss": format_metric(loss), "epoch": event.epoch}
            self._say(say("health.above", start=_start_in_words(start, guessing.loss), **values))
        elif max(event.train_loss, loss) <= DOWN * start:
            self._come_down(high=False, text=text)

    def _start(self, guessing: float) -> float:
        """What no run should be above for long: its first loss, or that of guessing; that alone, once it was below."""
        if guessing == inf:
            return self._began
        return guessing if self._lowest < guessing or self._began == inf else max(self._began, guessing)

    def _window(self, mean: float, lr: float, epoch: int, guessing: float) -> None:
        self._first = mean if self._first == inf else self._first
        falling = mean < 0.95 * self._before
        self._before = mean
        place = _power_of_two(lr)
        low = min((low for at, low in self._lows.items() if at >= place), default=inf)
        lowest = self._lowest
        if mean < lowest:
            self._lowest = mean
        if mean < self._lows.get(place, inf):
            self._lows[place] = mean
        window = {"loss": format_metric(mean), "steps": counted(self._size, "step"), "epoch": epoch}

        # Is it far above where it began?
        start = self._start(guessing)
        self._far_up = self._far_up + 1 if mean > FAR_ABOVE * start and not falling else 0
        if self._far_up >= WINDOWS_UP:
            self._is_high = True
            self._say(say("health.far_above", start=_start_in_words(start, guessing), **window))

        # Does it rise?
        gained_from = min(self._first, 2 * guessing)
        margins = max(low / 2, (gained_from - low) / 5), max(lowest / 2, (gained_from - lowest) * 4 / 5)
        is_up = mean > low + margins[0] or mean > lowest + margins[1]
        self._up = self._up + 1 if is_up and not falling else 0
        if self._up >= WINDOWS_UP:
            self._rises = True
            self._say(say("health.rises", low=format_metric(lowest), **window))
        is_down = mean <= low + margins[0] / 2 and mean <= lowest + margins[1] / 2
        self._down = self._down + 1 if mean <= DOWN * start else 0
        is_high = self._is_high and self._down < WINDOWS_UP
        self._come_down(high=is_high, rises=self._rises and not is_down, text=f"loss {format_metric(mean)}")

    def _say(self, reason: str) -> None:
        found = Finding("diverging", reason)
        self.onset = found if self.finding is None else self.onset
        self.finding = found

    def _come_down(self, *, high: bool | None = None, rises: bool | None = None, text: str) -> None:
        self._is_high = self._is_high if high is None else high
        self._rises = self._rises if rises is None else rises
        if self.finding is not None and not self._is_high and not self._rises:
            self.finding, self.over = None, text


def _start_in_words(start: float, guessing: float) -> str:
    return say("health.guess" if start == guessing else "health.began", loss=format_metric(start))


def _power_of_two(lr: float) -> int:
    """Few enough to keep something for each."""
    return min(max(frexp(lr)[1], -64), 64) if 0 < lr < inf else -64


class _Rates:
    """The LR as it was, and as it is planned to be."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._lowest_from = array("d")
        """Of what is planned from each of these steps on."""
        self._highest_from = array("d")
        self.begin()

    def begin(self) -> None:
        """Another preset is followed from here on: its LRs are compared with its own."""
        self._low, self._high = inf, 0.0
        self.highest = 0.0
        self.now = 0.0
        self.lowest_to_come, self.highest_to_come = inf, 0.0
        self.steady_since = 0
        """The epoch since whose beginning the LR has not moved by more than a half."""
        self._steady_low, self._steady_high = inf, 0.0

    def plan(self, event: PlanMade) -> None:
        """What is planned from its first step on; it may be told again."""
        self._steps = event.steps
        self._lowest_from = array("d", accumulate(reversed(event.lrs), min))[::-1]
        self._highest_from = array("d", accumulate(reversed(event.lrs), max))[::-1]

    def take(self, lrs: list[float]) -> None:
        """More steps."""
        low, high = (min(lrs), max(lrs)) if len(lrs) > 1 else (lrs[0], lrs[0])
        self._low = low if low < self._low else self._low
        self._high = high if high > self._high else self._high

    def end_epoch(self, event: EpochEnded) -> None:
        """An epoch is over."""
        low, high = min(self._low, event.lr), max(self._high, event.lr)
        self._low, self._high = inf, 0.0
        if not isfinite(event.lr):
            return  # not known
        self.now = event.lr
        self.highest = max(self.highest, high)
        self._steady_low, self._steady_high = min(self._steady_low, low), max(self._steady_high, high)
        if self._steady_high > 1.5 * self._steady_low:
            self._steady_low, self._steady_high = low, high
            self.steady_since = event.epoch - 1 if high <= 1.5 * low else event.epoch
        at = max(0, bisect_right(self._steps, event.step + 1) - 1)
        # At the last step nothing is to come, and a plan that ends earlier says nothing of what comes.
        self.lowest_to_come = self._lowest_from[at] if self._steps else inf
        self.highest_to_come = self._highest_from[at] if self._steps else 0.0

    @property
    def climbs(self) -> bool:
        """Whether it is planned to be far higher than it ever was: a warm-up."""
        return self.highest_to_come > 2 * self.highest

    @property
    def stays_high(self) -> bool:
        """Whether it is about as high as it ever was, and to stay so: nothing that is planned will settle the loss."""
        return self.now > self.highest / 10 and self.lowest_to_come >= self.now / 2


STEPS_TO_LEARN = 50
"""Steps before which nothing need have been learned."""

EPOCHS_AT_CHANCE = 3
"""Epochs in a row after which it is no matter that the images that train are known better: the others are not."""


class _Chance:
    """Validation that is no better than guessing; and training neither, or for some epochs on end.

    Early in a run with BatchNorm the one may look bad while the other does not.
    """

    def __init__(self, over: str = "") -> None:
        self.finding: Finding | None = None
        self.over = over
        self._epochs = 0

    def take(self, event: EpochEnded, guessing: Guessing, *, climbs: bool) -> None:
        """An epoch was validated; `climbs`: the LR is still far from where it is planned to be."""
        if not isfinite(event.val_accuracy):
            return  # not measured
        figure = f"val_accuracy {event.val_accuracy:.4f} after epoch {event.epoch}"
        guesses = guessing.explains(event.val_accuracy, margins=1.5 if self.finding is not None else 1.0)
        if not guesses and not guessing.explains_losses(event):
            self._epochs = 0
            if self.finding is not None:
                self.finding, self.over = None, figure
            return
        if event.step < STEPS_TO_LEARN or climbs:
            return
        self._epochs += 1
        trains_no_better = guessing.explains_training(event.train_accuracy) or guessing.explains_losses(event)
        if self.finding is not None or trains_no_better or self._epochs >= EPOCHS_AT_CHANCE:
            if guesses:
                accuracy, share = f"{event.val_accuracy:.4f}", f"{1 / guessing.classes:.2g}"
                reason = say("health.chance", accuracy=accuracy, epoch=event.epoch, share=share)
            else:
                losses = {"loss": format_metric(event.val_loss), "guess": format_metric(guessing.loss)}
                reason = say("health.chance_by_loss", epoch=event.epoch, **losses)
            self.finding = Finding("chance level", reason)


EPOCHS_UP = 3


class _Overfit:
    """The validation loss is up from its lowest by a quarter, but for what is less than a twentieth of the loss of
    guessing, and by a tenth of that at most; the training loss is down by a fifth since then, as low as ever, and below
    it. For 3 epochs on end, or a twentieth of a long run: at a high LR single epochs are that bad."""

    def __init__(self, over: str = "") -> None:
        self.finding: Finding | None = None
        self.over = over
        self._lowest: EpochEnded | None = None
        self._lowest_training = inf
        self._epochs = 0

    def take(self, event: EpochEnded, guessing: Guessing, epochs: int) -> None:
        """An epoch was validated."""
        if not isfinite(event.val_loss) or not isfinite(event.train_loss):
            return
        self._lowest_training = min(self._lowest_training, event.train_loss)
        lowest = self._lowest
        if lowest is None or event.val_loss < lowest.val_loss:
            self._lowest = lowest = event
        scale = guessing.loss if guessing.loss < inf else 2.0
        margin = max(min(lowest.val_loss / 4, scale / 10), scale / 20)
        up, gap = event.val_loss - lowest.val_loss, event.val_loss - event.train_loss
        as_low_as_ever = max(1.1 * self._lowest_training, self._lowest_training + margin / 100)
        falls = event.train_loss <= min(0.8 * lowest.train_loss, as_low_as_ever)
        is_up = up > margin and gap > margin and falls
        self._epochs = self._epochs + 1 if is_up else 0
        if self._epochs >= max(EPOCHS_UP, epochs // 20) or (self.finding is not None and min(up, gap) > margin / 2):
            values = {
                "gap": gap,
                "low": lowest.val_loss,
                "val": event.val_loss,
                "before": lowest.train_loss,
                "train": event.train_loss,
            }
            figures = {name: f"{value:.2f}" if value >= 0.01 else format_lr(value) for name, value in values.items()}
            reason = say("health.overfitting", epoch=lowest.epoch, **figures)
            self.finding = Finding("overfitting", reason)
        elif self.finding is not None:
            self.finding, self.over = None, f"val_loss {format_metric(event.val_loss)} after epoch {event.epoch}"


LONG, LONG_STEPS = 10, 100
"""Epochs without a better one that are long, or a fifth of a longer run; and the steps that they have at least."""


class _Plateau:
    """No epoch with a lower validation loss, nor one with a higher accuracy, for long: while the LR stays as it is and
    is not nearly down, and no lower one is planned. Not said of the last epoch, since nothing follows from it."""

    def __init__(self, over: str = "") -> None:
        self.finding: Finding | None = None
        self.over = over
        self._loss, self._accuracy = inf, -inf
        self._better_epoch = self._better_step = 0

    def begin(self, epoch: int, step: int) -> None:
        """Another preset is followed after this epoch."""
        self._better_epoch, self._better_step = epoch, step
        if self.finding is not None:
            self.finding, self.over = None, say("health.another_preset")

    def take(self, event: EpochEnded, rates: _Rates, epochs: int) -> None:
        """An epoch was validated, of so many."""
        if not event.validated:
            return
        over = ""
        if event.val_loss < self._loss:
            self._loss = event.val_loss
            over = f"val_loss {format_metric(event.val_loss)} after epoch {event.epoch}"
        if event.val_accuracy > self._accuracy:
            self._accuracy = event.val_accuracy
            over = over or f"val_accuracy {event.val_accuracy:.4f} after epoch {event.epoch}"
        if over:
            self._better_epoch, self._better_step = event.epoch, event.step
        waited = event.epoch - max(self._better_epoch, rates.steady_since)
        is_long = waited >= max(LONG, epochs // 5) and event.step - self._better_step >= LONG_STEPS
        if is_long and event.epoch < (epochs or inf) and rates.stays_high:
            since = counted(event.epoch - self._better_epoch, "epoch")
            low, lr = format_metric(self._loss), format_lr(rates.now)
            reason = say("health.plateaued", low=low, epochs=since, lr=lr)
            self.finding = Finding("plateaued", reason)
        elif self.finding is not None and (over or not rates.stays_high or rates.steady_since > event.epoch - LONG):
            self.finding, self.over = None, over or f"the LR is {format_lr(rates.now)} now"
