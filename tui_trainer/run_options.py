"""What the options of a run may be, by name: known without loading anything."""

from __future__ import annotations

from typing import Literal, TypeAlias

Dataset: TypeAlias = Literal["mnist-5k", "mnist", "fashion-mnist", "cifar10", "cifar100"]
Model: TypeAlias = Literal["cnn", "mlp", "lenet", "resnet9", "resnet9-slim", "resnet18", "wrn-16-4"]
Precision: TypeAlias = Literal["fp32", "bf16", "fp16"]

MetricsLevel: TypeAlias = Literal["default", "minimal"]

DATASETS: tuple[Dataset, ...] = ("mnist-5k", "mnist", "fashion-mnist", "cifar10", "cifar100")
MODELS: tuple[Model, ...] = ("cnn", "mlp", "lenet", "resnet9", "resnet9-slim", "resnet18", "wrn-16-4")
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "fp16")
METRICS_LEVELS: tuple[MetricsLevel, ...] = ("default", "minimal")
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "mnist-5k": tuple("0123456789"),
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    "cifar100": (
        "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
        "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
        "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
        "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
        "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
        "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
        "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
        "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
        "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger",
        "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
    ),
}  # fmt: skip
"""What the labels of each data set stand for, in their order; the names are those of the data sets' own pages."""

MODEL_OPTIONS: dict[str, tuple[str, ...]] = {
    "cnn": ("dropout",),
    "mlp": ("width", "dropout"),
    "lenet": ("dropout",),
    "resnet9": ("width",),
    "resnet9-slim": ("width",),
    "resnet18": (),
    "wrn-16-4": ("width", "dropout"),
}
"""What of `[model]` in a preset each takes."""

BATCH_NORM_MODELS: frozenset[Model] = frozenset({"resnet9", "resnet9-slim", "resnet18", "wrn-16-4"})
"""Those that normalise over the batch, which a batch of one image cannot train."""

TRAIN_IMAGES: dict[str, int] = {
    "mnist-5k": 4_000,
    "mnist": 60_000,
    "fashion-mnist": 60_000,
    "cifar10": 50_000,
    "cifar100": 50_000,
}
"""How many training images each data set has, known without loading it: plans and checks reckon with it."""

DATASET: Dataset = "mnist-5k"
MODEL: Model = "cnn"
"""What is trained where nobody says: neither the person, nor the preset."""

PRESET = "onecycle"
"""The preset that is meant where nobody names one: trained in few epochs, with a curve that shows what an LR does."""

CLASSES: dict[str, int] = {dataset: len(names) for dataset, names in CLASS_NAMES.items()}
"""How many classes each data set has: what guessing comes to."""

MOST_EPOCHS = 1_000_000
"""More than anybody trains: a larger number is mistyped."""

MOST_THREADS = 1024
"""More than any machine has cores; where the system has no room for so many, OpenMP ends the process without a word."""

DEVICE_PATTERN = r"^(auto|cpu|cuda|cuda:\d+)$"
