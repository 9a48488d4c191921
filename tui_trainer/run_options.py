"""What the options of a run may be, by name: known without loading anything."""

from __future__ import annotations

from typing import Literal, TypeAlias

Dataset: TypeAlias = Literal["mnist-5k", "mnist", "fashion-mnist", "cifar10"]
Model: TypeAlias = Literal["cnn", "mlp", "resnet9", "resnet9-slim", "resnet18"]
Precision: TypeAlias = Literal["fp32", "bf16", "fp16"]

MetricsLevel: TypeAlias = Literal["default", "minimal"]

DATASETS: tuple[Dataset, ...] = ("mnist-5k", "mnist", "fashion-mnist", "cifar10")
MODELS: tuple[Model, ...] = ("cnn", "mlp", "resnet9", "resnet9-slim", "resnet18")
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "fp16")
METRICS_LEVELS: tuple[MetricsLevel, ...] = ("default", "minimal")
CLASS_NAMES: dict[Dataset, tuple[str, ...]] = {
    "mnist-5k": tuple("0123456789"),
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}  # fmt: skip
"""What the labels of each data set stand for, in their order; the names are those of the data sets' own pages."""

BATCH_NORM_MODELS: frozenset[Model] = frozenset({"resnet9", "resnet9-slim", "resnet18"})
"""Those that normalise over the batch, which a batch of one image cannot train."""

TRAIN_IMAGES: dict[Dataset, int] = {"mnist-5k": 4_000, "mnist": 60_000, "fashion-mnist": 60_000, "cifar10": 50_000}
"""How many training images each data set has, known without loading it: plans and checks reckon with it."""

DATASET: Dataset = "mnist-5k"
MODEL: Model = "cnn"
"""What is trained where nobody says: neither the person, nor the preset."""

PRESET = "onecycle"
"""The preset that is meant where nobody names one: trained in few epochs, with a curve that shows what an LR does."""

CLASSES: dict[str, int] = dict.fromkeys(DATASETS, 10)
"""How many classes each data set has: what guessing comes to."""

MOST_EPOCHS = 1_000_000
"""More than anybody trains: a larger number is mistyped."""

MOST_THREADS = 1024
"""More than any machine has cores; where the system has no room for so many, OpenMP ends the process without a word."""

DEVICE_PATTERN = r"^(auto|cpu|cuda|cuda:\d+)$"


def train_images(dataset: Dataset, limit: int | None) -> int:
    """How many images of a data set train, where no more than `limit` may."""
    return TRAIN_IMAGES[dataset] if limit is None else min(limit, TRAIN_IMAGES[dataset])
