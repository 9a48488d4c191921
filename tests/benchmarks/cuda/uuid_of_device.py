"""`python -m tests.benchmarks.cuda.uuid_of_device cuda:0`: the UUID of a device, asked for in a process that ends."""

import sys

import torch

from tui_trainer.engine.devices import uuid_of

if __name__ == "__main__":
    print(uuid_of(torch.device(sys.argv[1])))
