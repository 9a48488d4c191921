"""What a server of processes has loaded, so that each of them starts at once."""

import torch._dynamo  # what optimizers import as the first one is made
import torch.distributed.algorithms.join  # noqa: F401

import tui_trainer.cli.control
import tui_trainer.cli.train
import tui_trainer.engine.train  # noqa: F401
