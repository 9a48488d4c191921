"""The help page, kept from the first time on."""

from __future__ import annotations

from tests.scripted import scripted_run
from tests.ui.conftest import Show
from tui_trainer.ui.help import HelpScreen, Keys


async def test_it_comes_again_as_it_was_and_leaves_again(show: Show) -> None:
    async with show(scripted_run()[:20]) as shown:
        for _ in range(3):
            await shown.pilot.press("question_mark")
            await shown.pilot.pause()
            assert isinstance(shown.app.screen, HelpScreen)
            assert any("pause" in line for line in shown.the(Keys).plain())
            await shown.pilot.press("q")
            await shown.pilot.pause()
            assert not isinstance(shown.app.screen, HelpScreen)
