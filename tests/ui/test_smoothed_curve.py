"""The smoothed loss, of which a frame makes anew only the columns that were not full before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.events import StepsTaken
from tui_trainer.plotting.curves import sampled
from tui_trainer.records.history import History
from tui_trainer.ui.charts.chart_data import Losses

FRAMES = st.lists(
    st.tuples(
        st.lists(st.none() | st.floats(0.0, 3.0), max_size=12),  # the losses that came
        st.sampled_from([[0, 4, 9, 20, 60], [0, 1, 2, 3, 4, 5, 6, 60], [8, 16, 24, 32]]),  # edges of columns
        st.sampled_from([1, 5, 20]),  # the window
    ),
    min_size=1,
    max_size=10,
)


def told(first: int, losses: list[float | None]) -> StepsTaken:
    count = len(losses)
    return StepsTaken(at=0.0, step=first, epoch=1, batch=first, losses=losses, lrs=[0.1] * count, elapsed=[0.0] * count)


@given(FRAMES)
def test_it_is_in_every_frame_what_one_look_at_all_of_it_gives(
    frames: list[tuple[list[float | None], list[int], int]],
) -> None:
    history = History()
    losses = Losses(history, 5)
    for came, edges, window in frames:
        if came:
            history.apply(told(history.steps + 1, came))
        losses.smoothing.window = window
        losses.catch_up(1_000)
        assert repr(losses.smooth(edges)) == repr(sampled(losses.smoothing.values, edges))
