"""How a network is computed on a device: what changes speed, and of results the last bits alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tui_trainer.engine.devices import computes_in_bfloat16
from tui_trainer.engine.torch_internals import is_of_compiler, mark_stepped
from tui_trainer.errors import UserError
from tui_trainer.presets.optimizers import SGD, Optimizer
from tui_trainer.run_options import Precision
from tui_trainer.text.captions import say


@dataclass(frozen=True)
class ComputeOptions:
    """What the forward pass computes in, and how.

    Measured for `cnn` on two Zen 4 cores, a step of 64 digits: 22 ms; with the channels last in memory 17 ms; in
    bfloat16 too 9 ms. Fused Adam saves 2 of 27 ms. So the layout and the fused optimizers are always taken, and
    bfloat16, which has a third of the digits, where it is asked for, and on CUDA, where it is what people use.
    """

    device: torch.device
    precision: Precision
    compiled: bool = False
    deterministic: bool = False

    @classmethod
    def chosen(
        cls, device: torch.device, precision: Precision | None, *, compiled: bool, deterministic: bool = False
    ) -> ComputeOptions:
        """As asked for; where nothing was, what suits the device.

        Raises:
            UserError: this machine cannot compile.
        """
        if compiled and device.type == "cpu" and not any(map(shutil.which, ("c++", "g++", "clang++"))):
            raise UserError("--compile needs a C++ compiler, and there is no c++, g++ or clang++ here; leave it out")
        if precision is None:
            precision = "bf16" if device.type == "cuda" and computes_in_bfloat16(device) else "fp32"
        return cls(device, precision, compiled, deterministic)

    def optimizer_options(self, optimizer: Optimizer) -> dict[str, Any]:
        """For `build_optimizer`, which leaves out what a class does not know.

        In fp16 no fused SGD with momentum: where the very first step is skipped, because its gradients overflowed,
        torch's leaves the momentum as whatever lay in memory there.
        """
        unsafe = self.precision == "fp16" and isinstance(optimizer, SGD) and optimizer.momentum != 0
        return {} if unsafe else {"fused": True}

    def place(self, model: nn.Module) -> nn.Module:
        """`model` on the device, its weights laid out as the kernels like them."""
        placed: nn.Module = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return placed

    def forward(self, model: nn.Module) -> Callable[[Tensor], Tensor]:
        """Calls `model`, which stays as it is; what comes out is float32 always.

        What it gives raises `UserError` where the network cannot be compiled, which shows in the first batch.
        """
        compute: Callable[[Tensor], Tensor] = _compiled(model) if self.compiled else model
        if self.precision == "fp32":
            return compute
        kind = torch.bfloat16 if self.precision == "bf16" else torch.float16

        def in_half(images: Tensor) -> Tensor:
            with torch.autocast(self.device.type, kind):
                outputs = compute(images)
            return outputs.float()

        return in_half

    def __str__(self) -> str:
        words = ["setting.channels_last", "setting.fused"]
        words += ["setting.compiled"] if self.compiled else []
        return ", ".join(map(say, [*words, "setting.repeatable"] if self.deterministic else words))


INITIAL_SCALE = 2.0**16
"""torch's own default: too high for some networks, which skip their first steps until it fits."""


class LossScaler:
    """Scales the loss so that gradients in fp16 neither vanish nor overflow; does nothing in other precisions.

    A step whose gradients overflowed all the same is skipped, and the scale is halved; after 2,000 steps without one it
    is doubled (torch.amp.GradScaler). Nothing here waits for the device but `skipped`, `scale_now` and the state.
    """

    def __init__(self, options: ComputeOptions) -> None:
        self.is_on = options.precision == "fp16"
        self._scaler = torch.amp.GradScaler(options.device.type, INITIAL_SCALE, enabled=self.is_on)
        self._one = torch.ones((), device=options.device)
        self._unscaled = False
        """Whether gradients are divided by the scale already, before this step."""
        self._skipped = torch.zeros((), dtype=torch.int64, device=options.device)

    def scale(self, loss: Tensor) -> Tensor:
        """The loss to call `backward` on."""
        scaled: Tensor = self._scaler.scale(loss)
        return scaled

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide the gradients by the scale before the step, for who changes them; `step` does it otherwise."""
        if self.is_on and not self._unscaled:
            self._scaler.unscale_(optimizer)
            self._unscaled = True

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Step the optimizer, unless a gradient overflowed."""
        if not self.is_on:
            optimizer.step()
            return
        self.unscale(optimizer)  # gradients are what they are to who looks at them, fused optimizer or not
        self._scaler.step(optimizer)
        mark_stepped(optimizer)  # a skipped one, too: or PyTorch warns that the scheduler stepped first
        before = self._scaler.scale(self._one)
        self._scaler.update()
        self._unscaled = False
        self._skipped += self._scaler.scale(self._one) < before

    def one(self) -> Tensor:
        """What the gradients are multiplied with, as a tensor on the device, which is not waited for; 1 where nothing
        is scaled, or no longer."""
        scaled: Tensor = self._scaler.scale(self._one) if self.is_on and not self._unscaled else self._one
        return scaled

    @property
    def skipped(self) -> int:
        """Steps that were skipped so far. Waits for the device."""
        return int(self._skipped.item())

    @property
    def scale_now(self) -> float:
        """By how much the loss is scaled; 1 where it is not. Waits for the device."""
        return float(self._scaler.get_scale())

    def state_dict(self) -> dict[str, Any]:
        """Primitives alone; empty where nothing is scaled."""
        return {**self._scaler.state_dict(), "skipped": self.skipped} if self.is_on else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Scale as where the state was saved; one of a run that scaled nothing changes nothing."""
        if self.is_on and state:
            self._scaler.load_state_dict({key: value for key, value in state.items() if key != "skipped"})
            self._skipped.fill_(state["skipped"])


def _compiled(model: nn.Module) -> Callable[[Tensor], Tensor]:
    compiled = torch.compile(model)

    def compute(images: Tensor) -> Tensor:
        try:
            outputs: Tensor = compiled(images)
        except Exception as error:
            if not is_of_compiler(error):
                raise
            why = " ".join(str(error).split("\n")[:2]) or type(error).__name__
            raise UserError(f"--compile: the network could not be compiled here ({why}); leave it out") from error
        return outputs

    return compute
