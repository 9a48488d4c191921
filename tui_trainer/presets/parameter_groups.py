"""`[[optimizer.groups]]`: parameters that the optimizer treats otherwise than the rest, and by what they are chosen."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from tui_trainer.presets.fields import NotNegative, Positive, Rate, Table

MOST_GROUPS = 50
"""More than the layers of any network here."""


class ParameterGroup(Table):
    """Parameters that match, and what is otherwise with them. Each belongs to the first group that it matches."""

    match: Literal["norm", "bias"] | None = None
    """Which kind: `norm`, the weights and biases of normalisation layers, or `bias`, all biases."""
    name: Annotated[str, Field(max_length=200)] | None = None
    """A glob that the parameter's name matches, such as "layer4.*"."""
    lr: Rate | None = None
    """The group's own learning rate."""
    lr_scale: Positive | None = None
    """The same as a multiple of the optimizer's: 0.1 is a tenth of it."""
    weight_decay: NotNegative | None = None
    """The group's own weight decay."""

    @model_serializer(mode="wrap")
    def _as_written(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in dump(self).items() if value is not None}

    def __str__(self) -> str:
        return ", ".join(f"{key} = {value}" for key, value in self.model_dump().items())

    @property
    def label(self) -> str:
        """What it is called: `layer4.*`, `bias`, `layer4.* bias`."""
        return " ".join(part for part in (self.name, self.match) if part)

    @property
    def has_lr(self) -> bool:
        """Whether it says anything of its LR."""
        return self.lr is not None or self.lr_scale is not None

    def lr_of(self, lr: float) -> float:
        """Its LR, where the optimizer's is `lr`."""
        return self.lr if self.lr is not None else lr * (1.0 if self.lr_scale is None else self.lr_scale)
