"""For all tests: how many at once, how long an example that hypothesis makes up may take, and that nothing is left."""

import gc
import os
import signal
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings
from textual._compositor import Compositor

from tests import idle_pilot, leftovers, preloaded
from tui_trainer.text import captions, reasons

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each command of a test compiles the package anew
os.environ.pop("TUI_TRAINER_WEBHOOK", None)  # whoever runs the tests is told of none of them

# Tests that are begun in the background ignore ctrl+c; what they start obeys it all the same.
for number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

COLLECT_AFTER = (10_000, 20, 10)
"""As `gc.set_threshold` has it: with torch and all tests in memory, a look for garbage as often as Python has it from
the start is nearly half of what it takes to show a screen."""
gc.set_threshold(*COLLECT_AFTER)
gc.disable()  # until all tests are imported

settings.register_profile("tui-trainer", deadline=None, max_examples=40)  # a busy machine takes its time
settings.register_profile("long", deadline=None, max_examples=1000)
settings.register_profile("mutation", deadline=None, derandomize=True, max_examples=20)
settings.load_profile("tui-trainer")

idle_pilot.install()

_started = leftovers.Started()


def pytest_configure(config: pytest.Config) -> None:
    """Without a word of what to run, the quick tests are; whoever names a file, a folder or a mark has all of it."""
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.markexpr:
        config.option.markexpr = "not slow"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where nothing is compiled yet, workers share that: each begins with other files, and finds the rest done."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    here = Path(__file__).parent
    for file in sorted(here.rglob("test_*.py"))[number::count]:
        with suppress(pytest.skip.Exception):
            import_module(".".join(("tests", *file.relative_to(here).with_suffix("").parts)))


def pytest_collection_finish() -> None:
    """All tests and what they import stay: the look for garbage that each run ends with need not go through them."""
    gc.freeze()
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Two a core, for some wait. No more: each takes ten seconds of a core to begin, with torch and all tests."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session")
def _empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where all tests are run: what the program writes into the current folder must not lie among its own files."""
    before = Path.cwd()
    folder = tmp_path_factory.mktemp("current-folder")
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(autouse=True)
def _leaves_nothing(request: pytest.FixtureRequest, _empty_folder: Path) -> Iterator[None]:
    _started.taken()
    with leftovers.same_signals():
        yield
    if _started.taken() and (left := leftovers.end(request.node.nodeid)):
        pytest.fail(f"it left processes: {'; '.join(left)}")
    if files := [file for file in _empty_folder.iterdir() if file.name != ".hypothesis"]:
        for file in files:
            file.rename(_empty_folder.parent / f"left-{uuid.uuid4().hex}")
        pytest.fail(f"it left files in the current folder: {', '.join(file.name for file in files)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """What a test is marked to have said is said; of the ids that a star stands for, one at least. What it is marked
    never to have said is not, since it last cleared `captions_said`, if it has that; or it tells both cases apart: it
    is marked with both, or with `in_all_cases=False`."""
    wanted = {id for mark in item.iter_markers("says") for id in mark.args}
    strict = [mark for mark in item.iter_markers("never_says") if mark.kwargs.get("in_all_cases", True)]
    unwanted = {id for mark in strict for id in mark.args}
    if not wanted and not unwanted:
        yield
        return
    with _heard() as said:
        yield
    if missing := [id for id in sorted(wanted) if not any(fnmatchcase(one, id) for one in said)]:
        pytest.fail(f"marked as a test that this is said, but it was not: {', '.join(missing)}")
    said = getattr(item, "funcargs", {}).get("captions_said", said)
    said_too = {one for one in said if any(fnmatchcase(one, id) for id in wanted)}
    if wrong := [one for one in sorted(said - said_too) if any(fnmatchcase(one, id) for id in unwanted)]:
        pytest.fail(f"marked as a test that this is not said, but it was: {', '.join(wrong)}")


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Screens are painted with each frame, as they are in a terminal."""
    monkeypatch.setattr(Compositor, "render_update", idle_pilot.PAINT)


@pytest.fixture
def captions_said() -> Iterator[set[str]]:
    """The ids of all captions that are said while the test runs."""
    with _heard() as said:
        yield said


@contextmanager
def _heard() -> Iterator[set[str]]:
    """The ids of all captions that are said meanwhile."""
    said: set[str] = set()

    class Heard(dict):  # type: ignore[type-arg]
        def __init__(self, words: dict, prefix: str = "") -> None:
            super().__init__(words)
            self._words, self._prefix = words, prefix

        def __getitem__(self, key: str) -> object:
            said.add(self._prefix + key)
            return self._words[key]  # who listens to those hears it, too

    before = captions.CAPTIONS, reasons.WORDS
    captions.CAPTIONS, reasons.WORDS = Heard(before[0]), Heard(before[1], "why.")
    try:
        yield said
    finally:
        captions.CAPTIONS, reasons.WORDS = before


def pytest_sessionfinish() -> None:
    """What a fixture started, or a test that was broken off."""
    preloaded.end()
    leftovers.end()
