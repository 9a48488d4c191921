"""What is remembered of the last curves: the same as if it were worked out anew, and as seldom as can be."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tui_trainer.plotting.curves import Extent
from tui_trainer.plotting.last_curves import MOST, OfLastCurves


class Counted:
    """A function of a curve that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, curve: Sequence[Extent | None], scale: float = 1.0, *, dots: int = 1) -> float:
        self.calls += 1
        return sum(high for extent in curve if extent is not None for high in extent) * scale * dots


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_a_curve_that_is_the_same_is_worked_out_once(counted: Counted) -> None:
    kept = OfLastCurves(counted)
    assert {kept([(1.0, 2.0), None]), kept([(1.0, 2.0), None])} == {3.0}
    assert counted.calls == 1


def test_one_that_grew_in_its_list_is_worked_out_anew(counted: Counted) -> None:
    kept, curve = OfLastCurves(counted), [(1.0, 2.0), (3.0, 4.0)]
    assert kept(curve) == 10.0
    curve[-1] = (3.0, 5.0)
    assert kept(curve) == 11.0


def test_another_scale_is_another_result(counted: Counted) -> None:
    kept, curve = OfLastCurves(counted), [(1.0, 2.0)]
    assert [kept(curve), kept(curve, 2.0), kept(curve, dots=3), kept(curve, 2.0)] == [3.0, 6.0, 9.0, 6.0]
    assert counted.calls == 3


def test_a_curve_that_stays_is_kept_while_others_grow(counted: Counted) -> None:
    kept = OfLastCurves(counted)
    for frame in range(10 * MOST):
        kept([(0.0, 1.0)])
        kept([(0.0, float(frame)), (2.0, 2.0)])
    assert counted.calls == 1 + 10 * MOST
