from __future__ import annotations

import pytest

from tui_trainer.text.short_names import short_name, short_names


@pytest.mark.parametrize(
    ("names", "width", "short"),
    [
        (["steplr", "none"], 6, ["steplr", "none"]),
        (["cosine-warmup", "none"], 6, ["cosin…", "none"]),
        (["optimizer.lr 0.01", "optimizer.lr 0.03", "none"], 10, ["…r.lr 0.01", "…r.lr 0.03", "none"]),
        (["cosine-warmup", "cosine-warmup"], 6, ["cosin…", "cosin…"]),
        (["optimizer.lr 0.01", "optimizer.lr 0.03"], 1, ["…", "…"]),
        (["none"], 0, [""]),
        (["損失損失", "損益損益"], 5, ["損失…", "損益…"]),
        (["損失 a", "損失 b"], 5, ["…失 a", "…失 b"]),
    ],
)
def test_names_that_begin_alike_keep_their_ends(names: list[str], width: int, short: list[str]) -> None:
    assert short_names(names, width) == short


@pytest.mark.parametrize(
    ("names", "width", "short"),
    [
        (["train/loss", "train/acc"], 6, ["…/loss", "…n/acc"]),
        (["train/loss", "val/loss"], 6, ["train…", "val/l…"]),
        (["損失" * 10], 5, ["…損失"]),
        (["model/layers.11.mlp/norm"], 9, ["…mlp/norm"]),
        (["loss"], 9, ["loss"]),
    ],
)
def test_names_of_series_keep_their_ends_unless_those_are_alike(names: list[str], width: int, short: list[str]) -> None:
    assert short_names(names, width, by_end=True) == short


def test_a_name_alone_has_as_many_cells() -> None:
    assert [short_name("cosine-warmup", width) for width in (0, 1, 6, 13)] == ["", "…", "cosin…", "cosine-warmup"]
