"""Random numbers that follow from what they are for, the seed and the epoch: from nothing that happened before."""

from __future__ import annotations

import hashlib

import torch


def generator_for(purpose: str, seed: int, epoch: int) -> torch.Generator:
    """A generator on the CPU whose numbers no other purpose, seed or epoch shares."""
    digest = hashlib.sha256(f"{purpose} {seed} {epoch}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little", signed=True))
