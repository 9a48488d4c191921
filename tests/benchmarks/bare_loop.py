"""The loop that one would write by hand for `cnn` on mnist-5k: nothing watched, nothing recorded.

    python -m tests.benchmarks.bare_loop --epochs 6 --threads 2

Prints images a second from the end of the first epoch to the end of the last, validation included.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch.nn import functional

from tui_trainer.engine import models
from tui_trainer.engine.datasets import load
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.run_spec import RunSpec


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--limit-train", type=int)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    data = load(RunSpec.of("none", load_preset("none"), limit_train=options.limit_train), device)
    x, y = data.train.images, data.train.labels
    model = models.build("cnn", data.shape, seed=0).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    began = time.perf_counter()
    for epoch in range(options.epochs):
        order = torch.randperm(len(y)).to(device)
        for chosen in order.split(64):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x[chosen]), y[chosen])
            loss.backward()
            optimizer.step()
        with torch.inference_mode():
            for images in data.val.images.split(500):
                model(images)
        if device.type == "cuda":
            torch.cuda.synchronize(device)  # what was launched is done
        if epoch == 0:
            began = time.perf_counter()
    print(len(y) * (options.epochs - 1) / (time.perf_counter() - began))


if __name__ == "__main__":
    main()
