"""More of a network than its loss: norms every so many steps, and after validation which classes it confuses.

Nothing here changes a number of the training, and nothing in a step waits for the device; after validation, which has
waited for it anyway, it is asked for what was counted.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from math import ceil, isfinite

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import get_total_norm

from tui_trainer.engine.distributed import Ranks
from tui_trainer.events import AnyEvent, MetricDeclared, SettingChanged
from tui_trainer.files.most_wrong import MostWrong, WrongImage
from tui_trainer.text.captions import say

NORMS = ("grad_norm", "weight_norm", "update_ratio")
"""Of all parameters taken as one vector: the norm of the gradients and that of the weights before the step, and by how
much of it the step moved them."""

LEAST_APART = 20
"""Steps from one look to the next."""

SHARE = 0.005
"""Of the time of the steps that looks may take."""

DISTANCES = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def declared_metrics(classes: tuple[str, ...], *, gpu: bool) -> Iterator[MetricDeclared]:
    """What the series are that a run of ours logs beside its losses."""
    now = time.time()
    for name in NORMS:
        yield MetricDeclared(at=now, name=name, group="network")
    for name in classes:
        yield MetricDeclared(at=now, name=f"val_accuracy/{name}", goal="max", kind="val")
    yield MetricDeclared(at=now, name="memory", unit="MB", kind="system", group="machine")
    if gpu:
        yield MetricDeclared(at=now, name="gpu_memory", unit="MB", kind="system", group="machine")


class Norms:
    """Looks at gradients and weights around a step of the optimizer, so seldom that it costs next to nothing."""

    def __init__(self, model: nn.Module, emit: Callable[[AnyEvent], None], one: Callable[[], Tensor]) -> None:
        """Look at a network.

        Args:
            model: its parameters.
            emit: is told how often it is looked at, and what that costs.
            one: the scale of the gradients, as a tensor on the device.
        """
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._emit = emit
        self._scale = one
        self._apart = LEAST_APART
        self._look_s = 0.0
        self._last: tuple[int, float] | None = None
        """The step of the last look, and when it was."""

    def around(self, step: int, optimizer_step: Callable[[], object]) -> Tensor | None:
        """Step the optimizer; the `NORMS`, float32 on the device, where this step is one to look at."""
        if step % self._apart:
            optimizer_step()
            return None
        began = time.perf_counter()
        with torch.no_grad():
            weights = [parameter.detach() for parameter in self._parameters]
            gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
            grad_norm = get_total_norm(gradients) / self._scale()
            weight_norm = get_total_norm(weights)
            before = [weight.clone() for weight in weights]
        stepping = time.perf_counter()
        optimizer_step()
        stepped = time.perf_counter()
        with torch.no_grad():
            moved = get_total_norm([new - old for new, old in zip(weights, before, strict=True)])
            norms = torch.stack([grad_norm.float(), weight_norm.float(), (moved / weight_norm).float()])
        self._reckon(step, stepping - began + time.perf_counter() - stepped)
        return norms

    def _reckon(self, step: int, seconds: float) -> None:
        """Choose how far apart looks are, by what one takes and what a step does."""
        now, last = time.perf_counter(), self._last
        self._last = step, now
        if last is None or step <= last[0]:
            return
        self._look_s = min(self._look_s or seconds, seconds)
        step_s = (now - last[1] - seconds) / (step - last[0])
        if step_s <= 0:
            return
        wanted = self._look_s / (SHARE * step_s)
        apart = next((steps for steps in DISTANCES if steps >= wanted), DISTANCES[-1])
        if apart > self._apart:  # steps that were slow once, in a pause or in slow motion, bring no more looks
            self._apart = apart
            share = self._look_s / (self._look_s + apart * step_s)
            whose = "setting.of_time"
            if self._parameters[0].is_cuda:
                whose = "setting.of_hosts_time"
            takes = {"look": _ms(self._look_s), "step": _ms(step_s), "share": f"{share:.1%}"}
            why = say("setting.look_takes", **takes, whose=say(whose))
            new = f"every {ceil(apart)} steps"
            self._emit(SettingChanged(at=time.time(), setting=say("setting.norms"), old="", new=new, reason=why))


def _ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2g} ms"


MOST_WRONG = 12
"""Images that are kept of a validation."""


class Confusion:
    """What a validation took for what, and the images that it was most wrong about."""

    def __init__(self, classes: int, device: torch.device) -> None:
        self._classes, self._device = classes, device
        self.begin()

    def begin(self) -> None:
        """Count from nothing."""
        self.counts = torch.zeros(self._classes**2, dtype=torch.int64, device=self._device)
        self._seen = 0
        self._worst = torch.empty(0, device=self._device)
        self._indices = torch.empty(0, dtype=torch.int64, device=self._device)
        self._taken_for = torch.empty(0, dtype=torch.int64, device=self._device)

    def add(self, outputs: Tensor, labels: Tensor) -> None:
        """The outputs (B, classes) of the next images that validate, and their labels (B)."""
        taken_for = outputs.argmax(1)
        self.counts += torch.bincount(labels * self._classes + taken_for, minlength=self._classes**2)
        losses = functional.cross_entropy(outputs, labels, reduction="none")
        losses = torch.where((taken_for != labels) & losses.isfinite(), losses, -1.0)
        indices = torch.arange(self._seen, self._seen + len(labels), device=self._device)
        self._seen += len(labels)
        worst = torch.cat([self._worst, losses])
        kept = worst.topk(min(MOST_WRONG, len(worst))).indices
        self._worst = worst[kept]
        self._indices = torch.cat([self._indices, indices])[kept]
        self._taken_for = torch.cat([self._taken_for, taken_for])[kept]

    def matrix(self, ranks: Ranks) -> list[list[int]]:
        """Row: what an image is; column: what it was taken for. Of all ranks; all must call it."""
        rows: list[list[int]] = ranks.sum(self.counts).view(self._classes, self._classes).tolist()
        return rows

    def most_wrong(self, epoch: int, images: Tensor, labels: Tensor, pixels: Callable[[Tensor], Tensor]) -> MostWrong:
        """The images that were taken for another class, those with the highest loss first.

        Args:
            epoch: that was validated.
            images: all that validate (N, C, H, W), in the order in which they were added.
            labels: theirs (N).
            pixels: makes bytes of images.
        """
        worst = [
            (loss, index, taken_for)
            for loss, index, taken_for in zip(
                self._worst.tolist(), self._indices.tolist(), self._taken_for.tolist(), strict=True
            )
            if loss >= 0 and isfinite(loss)
        ]
        _, channels, height, width = images.shape
        chosen = torch.tensor([index for _, index, _ in worst], dtype=torch.int64, device=images.device)
        shown, classes = pixels(images[chosen]).cpu(), labels[chosen].tolist()
        return MostWrong(
            epoch=epoch,
            shape=(channels, height, width),
            images=[
                WrongImage(
                    index=index,
                    label=classes[place],
                    taken_for=taken_for,
                    loss=loss,
                    pixels=base64.b64encode(bytes(shown[place].flatten().tolist())).decode(),
                )
                for place, (loss, index, taken_for) in enumerate(worst)
            ],
        )
