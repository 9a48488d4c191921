"""Which runs of the list belong together, and what is said over them."""

from __future__ import annotations

import pytest

from tests.records.test_run_filter import run as made
from tui_trainer.ui.runs.groups import grouped

SAME = {"optimizer.lr": 0.1, "from_preset": ["a"]}


@pytest.mark.says("runs.group_*")
@pytest.mark.never_says("runs.group_*")
def test_a_comparison_then_seeds_then_those_alone(captions_said: set[str]) -> None:
    compared = [
        made(id=id, folder=f"/{id}", seed=seed, preset=preset, started_at=9.0, status=status, config=SAME)
        for id, preset, seed, status in (
            ("b1", "b", 1, "running"),
            ("a1", "a", 1, "diverged"),
            ("a0", "a", 0, "finished"),
        )
    ]
    seeds = [
        made(
            id=f"s{seed}",
            folder=f"/s{seed}",
            seed=seed,
            preset="steplr",
            dataset="mnist-5k",
            model="cnn",
            started_at=5.0,
            status="finished" if best else "crashed",
            best_val_accuracy=best,
            config={**SAME, "seed": seed, "name": f"n{seed}"},
        )
        for seed, best in ((1, 0.92), (0, 0.9), (2, None))
    ]
    assert [group.heading for group in grouped(seeds[:1], {})] == [""]
    assert not captions_said
    other = made(id="o", folder="/o", seed=3, started_at=7.0, config={**SAME, "optimizer.lr": 0.2})
    again = made(id="p", folder="/p", seed=3, started_at=6.0, config={**SAME, "optimizer.lr": 0.2})
    groups = grouped([other, again, *seeds, *compared], {run.folder: "sweep" for run in compared})
    assert [(group.heading, [run.id for run in group.runs]) for group in groups] == [
        ("sweep: 3 runs of 2 presets, 2 over", ["a0", "a1", "b1"]),
        (
            "steplr · mnist-5k · cnn: 3 runs with 3 seeds, best accuracy 0.9100 ± 0.0141 over the 2 that finished",
            ["s0", "s1", "s2"],
        ),
        ("2 runs alone", ["o", "p"]),
    ]
    captions_said.clear()
    assert "best accuracy" not in grouped(seeds[1:], {})[0].heading
    assert captions_said == {"runs.group_seeds"}


def test_what_others_have_recorded_has_no_seed() -> None:
    others = [made(id=name, folder=name, seed=None, tool="W&B") for name in "ab"]
    watched = [made(id=str(seed), folder=str(seed), seed=seed, command=["python", "a.py"]) for seed in (0, 1)]
    assert [group.heading for group in grouped([*others, *watched], {})] == [""]
