from __future__ import annotations

import pytest

from tui_trainer.text.short_names import short_names


@pytest.mark.parametrize(
    ("names", "width", "short"),
    [
        (["steplr", "none"], 6, ["steplr", "none"]),
        (["cosine-warmup", "none"], 6, ["cosin…", "none"]),
        (["optimizer.lr 0.01", "optimizer.lr 0.03", "none"], 10, ["…r.lr 0.01", "…r.lr 0.03", "none"]),
        (["cosine-warmup", "cosine-warmup"], 6, ["cosin…", "cosin…"]),
        (["optimizer.lr 0.01", "optimizer.lr 0.03"], 1, ["…", "…"]),
        (["none"], 0, [""]),
    ],
)
def test_names_that_begin_alike_keep_their_ends(names: list[str], width: int, short: list[str]) -> None:
    assert short_names(names, width) == short
