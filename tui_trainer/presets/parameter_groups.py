"""`[[optimizer.groups]]`: parameters that the optimizer treats otherwise than the rest, and by what they are chosen."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, SerializerFunctionWrapHandler, Tag, model_serializer

from tui_trainer.presets.fields import Count, Decay, NotNegative, Positive, Rate, Table

MOST_GROUPS = 50
"""More than the layers of any network here."""


class ParameterGroup(Table):
    """Parameters that match, and what is otherwise with them. Each belongs to the first group that it matches."""

    match: Literal["norm", "bias", "matrix"] | None = None
    """Which kind: `norm`, the weights and biases of normalisation layers, `bias`, all biases, or `matrix`, what has two
    dimensions, as the weights of fully connected layers."""
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
        said = self.model_dump(exclude_defaults=True)
        return ", ".join(f"{key} = {value}" for key, value in said.items())

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


class MuonGroup(ParameterGroup):
    """Matrices that torch's Muon moves, beside the optimizer of all others. LR and weight decay are as in each group,
    the rest has torch's names and defaults."""

    optimizer: Literal["Muon"]
    """Muon, for parameters of two dimensions."""
    momentum: Decay = 0.95
    """How much of the running average of the gradient is kept at every step."""
    nesterov: bool = True
    """Look ahead along the momentum."""
    ns_coefficients: Annotated[tuple[float, float, float], Field(strict=False)] = (3.4445, -4.7750, 2.0315)
    """Of the polynomial by which the average is brought near to an orthogonal matrix."""
    eps: NotNegative = 1e-7
    """The least norm that the average is divided by."""
    ns_steps: Annotated[Count, Field(lt=100)] = 5
    """How often that polynomial is applied."""
    adjust_lr_fn: Literal["original", "match_rms_adamw"] = "original"
    """How the LR follows from the shape of the matrix; match_rms_adamw makes moves as large as AdamW's are."""

    @property
    def label(self) -> str:
        return f"Muon {super().label}"

    @property
    def muon_arguments(self) -> dict[str, Any]:
        """Its own keyword arguments of the class in `torch.optim`."""
        return self.model_dump(exclude={"optimizer", *ParameterGroup.model_fields})


def _kind(value: object) -> str:
    is_muon = "optimizer" in value if isinstance(value, dict) else isinstance(value, MuonGroup)
    return "Muon" if is_muon else "plain"


AnyGroup: TypeAlias = Annotated[
    Annotated[ParameterGroup, Tag("plain")] | Annotated[MuonGroup, Tag("Muon")], Discriminator(_kind)
]


def kind_of_group(table: dict[str, Any]) -> type[ParameterGroup]:
    """What a table of a preset says a group is."""
    return MuonGroup if _kind(table) == "Muon" else ParameterGroup
