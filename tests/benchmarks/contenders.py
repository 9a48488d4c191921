"""The loops that people write, each a process of its own: `python -m tests.benchmarks.contenders NAME EPOCHS`.

All train the network of `--model cnn` on the 4,000 digits of `mnist-5k` in batches of 64 with SGD and OneCycleLR, and
print the images a second of each epoch, a line each. Validation is not counted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.resources import as_file, files

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH = 64


def network() -> nn.Module:
    """`cnn`, written out: this file must not import the package, which sets how threads wait."""
    return nn.Sequential(
        nn.Conv2d(1, 24, 5, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(24, 32, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1568, 256),
        nn.ReLU(),
        nn.Linear(256, 10),
    )


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (4000, 28, 28) in uint8, and labels."""
    with as_file(files("tui_trainer") / "engine" / "mnist_5k" / "mnist-5k.npz") as path, np.load(path) as arrays:
        return arrays["x_train"], arrays["y_train"]


def bare(epochs: int) -> None:
    """Tensors in memory and the loop of a tutorial, nothing watched and nothing recorded."""
    pixels, classes = digits()
    images = (torch.from_numpy(pixels).unsqueeze(1).float() / 255 - 0.1307) / 0.3081
    labels = torch.from_numpy(classes).long()
    _train(epochs, lambda: _shuffled(images, labels), len(labels))


def _shuffled(images: Tensor, labels: Tensor) -> list[tuple[Tensor, Tensor]]:
    order = torch.randperm(len(labels))
    return [(images[chosen], labels[chosen]) for chosen in order.split(BATCH)]


def dataloader(epochs: int) -> None:
    """A DataLoader over a Dataset of PIL images with torchvision's transforms, as most examples have it."""
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    pixels, classes = digits()
    to_input = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])

    class Digits(Dataset[tuple[Tensor, int]]):
        def __len__(self) -> int:
            return len(classes)

        def __getitem__(self, index: int) -> tuple[Tensor, int]:
            return to_input(Image.fromarray(pixels[index])), int(classes[index])

    loader = DataLoader(Digits(), batch_size=BATCH, shuffle=True)
    _train(epochs, lambda: loader, len(classes))


def _train(epochs: int, batches: Callable[[], object], count: int) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    steps = epochs * -(-count // BATCH)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=steps)
    for _ in range(epochs):
        began = time.perf_counter()
        for images, labels in batches():  # type: ignore[attr-defined]
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            scheduler.step()
        print(count / (time.perf_counter() - began), flush=True)


def lightning(epochs: int) -> None:
    """Lightning with RichProgressBar and the tensors in memory; it needs `lightning` and `rich`."""
    import lightning as pl
    from lightning.pytorch.callbacks import Callback, RichProgressBar
    from torch.utils.data import DataLoader, TensorDataset

    pixels, classes = digits()
    images = (torch.from_numpy(pixels).unsqueeze(1).float() / 255 - 0.1307) / 0.3081
    loader = DataLoader(TensorDataset(images, torch.from_numpy(classes).long()), batch_size=BATCH, shuffle=True)

    class Digits(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = network()

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            loss = functional.cross_entropy(self.model(batch[0]), batch[1])
            self.log("train_loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self) -> object:
            optimizer = torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.9)
            steps = epochs * len(loader)
            scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=steps)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    speeds: list[float] = []

    class Speed(Callback):
        def on_train_epoch_start(self, *_: object) -> None:
            self.began = time.perf_counter()

        def on_train_epoch_end(self, *_: object) -> None:
            speeds.append(len(classes) / (time.perf_counter() - self.began))

    callbacks = [RichProgressBar(), Speed()]
    trainer = pl.Trainer(
        max_epochs=epochs, accelerator="cpu", callbacks=callbacks, logger=False, enable_checkpointing=False
    )
    trainer.fit(Digits(), loader)
    print(*speeds, sep="\n", flush=True)


def naive(epochs: int) -> None:
    """The app that one would write first: `bare` in a thread worker, two charts of all steps ten times a second."""
    import plotext
    from rich.text import Text
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    pixels, classes = digits()
    images = (torch.from_numpy(pixels).unsqueeze(1).float() / 255 - 0.1307) / 0.3081
    labels = torch.from_numpy(classes).long()
    curves: dict[str, list[float]] = {"loss": [], "lr": []}
    speeds: list[float] = []

    def chart(values: list[float], width: int, height: int) -> str:
        figure = plotext.figure
        figure.clear()
        figure.plot_size(width, height)
        figure.draw(figure.signal(list(range(len(values))), values, marker="braille").lines())
        drawn: str = figure.build().string()
        return drawn

    class Naive(App[None]):
        def compose(self) -> ComposeResult:
            yield Static(id="loss")
            yield Static(id="lr")

        def on_mount(self) -> None:
            self.set_interval(0.1, self.draw)
            self.run_worker(self.train, thread=True)

        def draw(self) -> None:
            for name, values in curves.items():
                if values:
                    text = chart(list(values), self.size.width, self.size.height // 2)
                    self.query_one(f"#{name}", Static).update(Text.from_ansi(text))

        def train(self) -> None:
            model = network()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
            steps = epochs * -(-len(labels) // BATCH)
            scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=steps)
            for _ in range(epochs):
                began = time.perf_counter()
                for x, y in _shuffled(images, labels):
                    optimizer.zero_grad()
                    loss = functional.cross_entropy(model(x), y)
                    loss.backward()
                    optimizer.step()
                    scheduler.step()
                    curves["loss"].append(loss.item())
                    curves["lr"].append(scheduler.get_last_lr()[0])
                speeds.append(len(labels) / (time.perf_counter() - began))
            self.call_from_thread(self.exit)

    Naive().run()
    print(*speeds, sep="\n", flush=True)


if __name__ == "__main__":
    loops = {"bare": bare, "dataloader": dataloader, "lightning": lightning, "naive": naive}
    loops[sys.argv[1]](int(sys.argv[2]))
