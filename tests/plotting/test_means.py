"""Means of stretches against sums by hand."""

from __future__ import annotations

import itertools
from array import array
from math import isfinite, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_trainer.plotting.smoothing import Means

VALUES = st.lists(st.one_of(st.floats(-5, 5, width=32), st.just(nan)), max_size=60)


@settings(deadline=None)
@given(VALUES, VALUES, st.lists(st.integers(0, 140), min_size=2, max_size=30))
def test_every_column_has_the_mean_of_what_is_finite_in_it(
    first: list[float], then: list[float], marks: list[int]
) -> None:
    values = array("f", first)
    means = Means(values)
    means.catch_up()
    values.extend(then)
    means.catch_up()
    edges = sorted(marks)
    for (start, stop), found in zip(itertools.pairwise(edges), means.over(edges), strict=True):
        share = values[start:stop]
        if not share:
            assert found is None
        elif stop >= len(values):
            assert found is not None
            assert found[0] == values[-1] or not isfinite(values[-1])
        elif finite := [value for value in share if isfinite(value)]:
            assert found == pytest.approx((sum(finite) / len(finite),) * 2, abs=1e-9)
        else:
            assert found is not None
            assert not isfinite(found[0])
