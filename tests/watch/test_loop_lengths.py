"""How often a program's loops go round, as its source says: asked in this process, of programs that train nothing."""

from __future__ import annotations

import argparse
import ast
import linecache
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from tests.watch.made_traces import MadeTrace, interpreted
from tests.watch.watched import run
from tui_trainer.watching.injected._tui_trainer_observer.call_sites import CallSites
from tui_trainer.watching.injected._tui_trainer_observer.listeners import Listeners
from tui_trainer.watching.injected._tui_trainer_observer.probes.loop_lengths import LoopLengths
from tui_trainer.watching.trace import Observed, Options, Planned

assert ast, linecache


class Program:
    """Runs a text as a program whose `loader` and `optimizer` are listened to."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "train.py"
        self.told: list[int] = []
        """The lengths, as they were told."""
        define = lambda kind, **values: self._define(values)  # noqa: E731
        self._observer = SimpleNamespace(listeners=Listeners(), writer=SimpleNamespace(define=define))
        self._observer.expected_steps = 0
        self._observer.sites = self._sites = CallSites(cast("Any", self._observer.writer))
        LoopLengths(cast("Any", self._observer))

    def _define(self, values: dict[str, Any]) -> None:
        if values.get("fact") == "rounds":
            self.told.append(values["values"]["rounds"])

    def run(self, text: str, *, as_read: str | None = None, since_then: bool = False, **variables: Any) -> list[int]:
        """The lengths that were told; of a file that holds something else by now, or was written since the start."""
        self._file.write_text(text if as_read is None else as_read)
        if not since_then:
            os.utime(self._file, (1e9, 1e9))
        linecache.checkcache()
        program, sites = self, self._sites

        class Loader:
            def __iter__(self) -> Any:
                site = sites.of_call("data", sys._getframe(1), 1, self)
                for listener in program._observer.listeners.pass_began:
                    listener(self, None, site)
                return iter(range(2))

            def __len__(self) -> int:
                return 2

        class Optimizer:
            def step(self) -> None:
                site = sites.of_call("optimizer.step", sys._getframe(1), 2, self)
                for listener in program._observer.listeners.after_step:
                    listener(self, None, site)

        sites.library(__file__)
        held = {"__name__": "__main__", "loader": Loader(), "optimizer": Optimizer(), **variables}
        sites.is_library = lambda file: file != str(program._file)  # type: ignore[method-assign]
        exec(compile(text, str(self._file), "exec"), held)
        return self.told


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    # Frames around the program are those of this test, which stands for what starts a program.
    monkeypatch.setattr(CallSites, "is_standard", lambda _, frame: frame.f_globals.get("__name__") != "a_library")
    return Program(tmp_path)


PASS = "for batch in loader: pass"
TRAINS = (
    "from contextlib import nullcontext as no_grad\n"
    "class Loss:\n  def backward(self): pass\n"
    "def run(loader, train, phase=''):\n  for b in loader:\n    if train: Loss().backward()\n"
)
"""A function that trains, or does not."""
FITS = (
    "class Loss:\n  def backward(self): pass\n"
    "def fit(n):\n  for e in range(n):\n    for b in loader: Loss().backward()\n"
)
"""One that trains for some epochs."""

FOUND = {
    "written out": ("for epoch in range(7):\n  for batch in loader:\n    pass", [7]),
    "in one line": (f"for epoch in range(7):\n  {PASS}", [7]),
    "a variable": (f"EPOCHS = 7\nfor epoch in range(EPOCHS):\n  {PASS}", [7]),
    "from one to": (f"epochs = 7\nfor epoch in range(1, epochs + 1):\n  {PASS}", [7]),
    "from where it was left": (f"start, epochs = 3, 10\nfor epoch in range(start, epochs):\n  {PASS}", [7]),
    "an argument": (f"for epoch in range(1, args.epochs + 1):\n  {PASS}", [5]),
    "a dict's item": (f"c = {{'train': {{'epochs': 7}}}}\nfor epoch in range(c['train']['epochs']):\n  {PASS}", [7]),
    "a class that configures": (f"class C:\n  epochs = 7\nfor epoch in range(C.epochs):\n  {PASS}", [7]),
    "an object of it": (f"class C:\n  epochs = 7\nc = C()\nfor epoch in range(c.epochs):\n  {PASS}", [7]),
    "int of a float": (f"e = 7.0\nfor epoch in range(int(e)):\n  {PASS}", [7]),
    "a bar": (f"tqdm = lambda it, **_: it\nfor epoch in tqdm(range(7), desc='epochs'):\n  {PASS}", [7]),
    "trange": (f"trange = range\nfor epoch in trange(7):\n  {PASS}", [7]),
    "enumerated loader": ("for epoch in range(7):\n  for i, batch in enumerate(loader):\n    pass", [7]),
    "in a function": (f"def train(epochs):\n  for epoch in range(epochs):\n    {PASS}\ntrain(7)", [7]),
    "the loop in another one": (
        f"def one():\n  {PASS}\ndef main():\n  epochs = 7\n  for epoch in range(epochs):\n    one()\nmain()",
        [7],
    ),
    "a method": (
        (
            "class T:\n  def __init__(self):\n    self.n = 7\n  def fit(self):\n    for e in range(self.n):\n"
            f"      self.one()\n  def one(self):\n    {PASS}\nT().fit()"
        ),
        [7],
    ),
    "its inner loop left early": ("for e in range(7):\n  for batch in loader:\n    break", [7]),
    "beside a validation of some": (f"for e in range(7):\n  {PASS}\n  if e % 2:\n    for v in loader: pass", [7]),
    "phases": ("for e in range(7):\n  for phase in ['train', 'val']:\n    for batch in loader: pass", [7]),
    "under with and try": (
        f"import io\nfor e in range(7):\n  with io.StringIO():\n    try:\n      {PASS}\n    finally: pass",
        [7],
    ),
    "made by hand": ("for e in range(7):\n  it = iter(loader)\n  for i in range(2): next(it)", [7]),
    "a decorated function": (
        f"def d(f):\n  return f\n@d\n@d\ndef main():\n  for e in range(7):\n    {PASS}\nmain()",
        [7],
    ),
    "a generator's": (
        "def batches():\n  for b in loader:\n    yield b\nfor e in range(7):\n  for b in batches():\n    pass",
        [7],
    ),
    "a break of its inner loop's else": (
        "for e in range(7):\n  for b in loader:\n    for i in range(2):\n      break",
        [7],
    ),
    "rounds that end behind it": (f"for e in range(7):\n  {PASS}\n  if e % 5:\n    continue\n  x = 1", [7]),
    "an error in it": (f"for e in range(7):\n  {PASS}\n  if e > 9:\n    raise ValueError(e)", [7]),
    "an error's exit": (f"import sys\nfor e in range(7):\n  {PASS}\n  if e > 9:\n    sys.exit(1)", [7]),
    "left by the keyboard": (f"try:\n  for e in range(7):\n    {PASS}\nexcept KeyboardInterrupt:\n  pass", [7]),
    "in a function of both kinds": (
        (
            f"{TRAINS}for e in range(7):\n  run(loader, True)\n  with no_grad():\n    run(loader, True)\n"
            "  run(loader, False)\n  val_loss = run(loader, None)\n  run(loader, 1, 'test')"
        ),
        [7],
    ),
    "in a function under a flag": (
        "def one(mode):\n  if mode == 'train':\n    for b in loader: pass\nfor e in range(7):\n  one('train')",
        [7],
    ),
    "behind another loop": (f"{TRAINS}run(loader, True)\nfor e in range(7):\n  {PASS}", [7]),
    "what does not train behind it": (
        f"def test():\n  for b in loader: pass\nfor e in range(7):\n  {PASS}\ntest()",
        [7],
    ),
    "training in another case": (
        f"{TRAINS}if not args.epochs:\n  run(loader, True)\nelse:\n  for e in range(7):\n    {PASS}",
        [7],
    ),
    "a closure": (
        f"def main():\n  n = 7\n  def fit():\n    for e in range(n):\n      {PASS}\n  fit()\nmain()",
        [7],
    ),
    "a coroutine": (
        f"import asyncio\nasync def main():\n  for e in range(7):\n    {PASS}\nasyncio.run(main())",
        [7],
    ),
    "generators within each other": (
        (
            "def one():\n  for b in loader:\n    yield b\ndef two():\n  yield from one()\nfor e in range(7):\n"
            "  for b in two():\n    pass"
        ),
        [7],
    ),
    "steps": ("for step in range(50):\n  optimizer.step()", [50]),
    "steps with some accumulated": ("for step in range(50):\n  for m in range(2): pass\n  optimizer.step()", [50]),
    "steps in a function": ("def one():\n  optimizer.step()\nfor step in range(50):\n  one()", [50]),
}

NOT_FOUND = {
    "no loop": PASS,
    "while": f"e = 0\nwhile e < 3:\n  {PASS}\n  e += 1",
    "folds": f"for fold in range(2):\n  for e in range(3):\n    {PASS}",
    "folds around a function": f"def train():\n  for e in range(3):\n    {PASS}\nfor fold in range(2):\n  train()",
    "rates around it": f"for lr in [0.1, 0.2]:\n  for e in range(3):\n    {PASS}",
    "left early": f"for e in range(3):\n  {PASS}\n  if e == 1:\n    break",
    "left by a return": f"def f():\n  for e in range(3):\n    {PASS}\n    if e == 1:\n      return\nf()",
    "rounds left out": f"for e in range(3):\n  if e == 1:\n    continue\n  {PASS}",
    "some rounds alone": f"for e in range(3):\n  if e % 2 == 0:\n    {PASS}",
    "a list": f"for e in [1, 2, 3]:\n  {PASS}",
    "a part of a range": f"from itertools import islice\nfor e in islice(range(9), 2):\n  {PASS}",
    "a number that the loop changes": f"n = 3\nfor e in range(n):\n  n = 5\n  {PASS}",
    "an attribute that it changes": f"for e in range(args.epochs):\n  args.epochs = 9\n  {PASS}",
    "a function's value": f"def n():\n  return 3\nfor e in range(n()):\n  {PASS}",
    "a property": f"class C:\n  @property\n  def n(self):\n    return 3\nc = C()\nfor e in range(c.n):\n  {PASS}",
    "an iterator made anew at a loader's end": (
        "it = iter(loader)\nfor step in range(6):\n  try:\n    next(it)\n  except StopIteration:\n    it = iter(loader)"
    ),
    "so by counting": "for step in range(6):\n  if step % len(loader) == 0:\n    it = iter(loader)\n  next(it)",
    "a loader that goes round": (
        "def cycle():\n  while True:\n    for b in loader:\n      yield b\nc = cycle()\nfor step in range(5): next(c)"
    ),
    "its own range": f"range_ = range\ndef range(n):\n  return range_(2)\nfor e in range(9):\n  {PASS}",
    "a step of every second round": "for i in range(6):\n  if i % 2:\n    optimizer.step()",
    "a step in two loops": "for e in range(2):\n  for b in range(3):\n    optimizer.step()",
    "steps that some rounds do without": "for i in range(6):\n  if i == 3: continue\n  optimizer.step()",
    "a comprehension": "[[b for b in loader] for e in range(3)]",
    "none at all": f"for e in range(0):\n  {PASS}\n{PASS}",
    "in one line with what may be a loader's": f"def one():\n  {PASS}\nfor e in range(3):\n  for x in [1]: one()",
    "behind it": f"for e in range(3):\n  pass\nelse:\n  {PASS}",
    # It may be left by an exception, or the program ends.
    "an exception that is no error": (
        f"class Stop(Exception): pass\nfor e in range(3):\n  {PASS}\n  if e > 8: raise Stop"
    ),
    "an exit": f"import sys\nfor e in range(3):\n  {PASS}\n  if e > 8: sys.exit()",
    "an exit in its inner loop": "for e in range(3):\n  for b in loader:\n    if e > 8: exit(0)",
    "an exception that is caught around it": (
        f"class Stop(Exception): pass\ntry:\n  for e in range(3):\n    {PASS}\nexcept Stop:\n  pass"
    ),
    "one that is suppressed": (
        f"from contextlib import suppress\nwith suppress(Exception):\n  for e in range(3):\n    {PASS}"
    ),
    "one that a function in it raises": (
        f"class Stop(Exception): pass\ndef one(e):\n  {PASS}\n  if e > 8: raise Stop\nfor e in range(3):\n  one(e)"
    ),
    # Some rounds have no pass.
    "a flag that it sets": f"go = True\nfor e in range(3):\n  if go:\n    {PASS}\n  go = False",
    "a condition that is asked anew": f"ask = lambda: True\nfor e in range(3):\n  if ask():\n    {PASS}",
    "a condition in a function": f"def one(e):\n  if e % 2 == 0:\n    {PASS}\nfor e in range(3):\n  one(e)",
    "a function that returns before": f"def one(e):\n  if e > 1:\n    return\n  {PASS}\nfor e in range(3):\n  one(e)",
    "a function's handler": (
        f"def one(e):\n  try:\n    1 / e\n  except ZeroDivisionError:\n    {PASS}\nfor e in range(3):\n  one(e)"
    ),
    "first in a later round": (
        f"def one(flag):\n  if flag:\n    {PASS}\nwanted = ['', '', 'y']\nfor e in range(3):\n  one(wanted[e])"
    ),
    # A round has several.
    "two loops that train": (
        "class Loss:\n  def backward(self): pass\nfor e in range(3):\n  for b in loader: Loss().backward()\n"
        "  for b in loader: Loss().backward()"
    ),
    "a function that trains twice": f"{TRAINS}for e in range(3):\n  run(loader, True)\n  run(loader, True)",
    "methods that train": (
        "class Loss:\n  def backward(self): pass\nclass T:\n  def go(self):\n    for e in range(3):\n"
        "      self.one()\n      self.two()\n  def one(self):\n    for b in loader: self.step()\n"
        "  def two(self):\n    for b in loader: self.step()\n  def step(self):\n    Loss().backward()\nT().go()"
    ),
    "two phases that train": "for e in range(3):\n  for phase in ['train_a', 'train_b']:\n    for b in loader: pass",
    "loaders behind each other": (
        "from itertools import chain\nfor e in range(3):\n  for b in chain(loader, loader): pass"
    ),
    "a comprehension of calls": f"def one():\n  {PASS}\nfor e in range(3):\n  [one() for _ in range(2)]",
    # It goes round once more.
    "a function called again": f"{FITS}fit(3)\nfit(5)",
    "called again in another function": f"{FITS}def more():\n  fit(5)\ndef main():\n  fit(3)\n  more()\nmain()",
    "a method called again": (
        "class Loss:\n  def backward(self): pass\nclass T:\n  def fit(self, n):\n    for e in range(n):\n"
        "      for b in loader: Loss().backward()\nt = T()\nt.fit(3)\nt.fit(5)"
    ),
    "another function's in the same line": (
        f"{FITS}def before():\n  for e in range(3):\n    {PASS}\ndef main():\n  before(); fit(5)\nmain()"
    ),
    "itself": (
        f"{TRAINS}def fit(again):\n  for e in range(3):\n    run(loader, True)\n  if again:\n    fit(0)\nfit(1)"
    ),
    "mapped": f"{FITS}list(map(fit, [3, 5]))",
    "calls in a comprehension": f"{FITS}rates = [fit(n) for n in [3, 5]]",
    "a while's condition": f"{FITS}n = [5, 3]\nwhile fit(n.pop()) or n:\n  pass",
    "a wrapper's loop": (
        f"def twice(f):\n  def g():\n    for _ in range(2): f()\n  return g\n@twice\ndef fit():\n"
        f"  for e in range(3):\n    {PASS}\nfit()"
    ),
    "a pool's": (
        f"{FITS}from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as pool:\n"
        "  list(pool.map(fit, [3, 5]))"
    ),
    "timed": f"{FITS}import timeit, functools\ntimeit.timeit(functools.partial(fit, 3), number=2)",
    # Whoever asks for the items leaves it.
    "a generator that trains": (
        f"def fit():\n  for e in range(3):\n    {PASS}\n    yield e\nfor e in fit():\n  if e == 1: break"
    ),
    "a generator of batches of some epochs": (
        "from itertools import islice\ndef batches():\n  for e in range(9):\n    for b in loader:\n      yield b\n"
        "for b in islice(batches(), 4): pass"
    ),
    "batches taken one by one": (
        "def batches():\n  for b in loader:\n    yield b\nit = batches()\nfor step in range(2): next(it)"
    ),
    "batches that go on": (
        "def batches():\n  for b in loader:\n    yield b\nit = batches()\nfor e in range(3):\n  for b in it: break"
    ),
    "an iterator that an object makes anew": (
        "class Batches:\n  it = None\n  def next(self):\n    if self.it is None:\n      self.it = iter(loader)\n"
        "    return next(self.it, None)\nb = Batches()\nfor step in range(5): b.next()"
    ),
    "so behind an error": (
        "class Batches:\n  it = iter(())\n  def next(self):\n    try:\n      return next(self.it)\n"
        "    except StopIteration:\n      self.it = iter(loader)\n      return next(self.it)\nb = Batches()\n"
        "for step in range(5): b.next()"
    ),
    "so behind a return": (
        "class Batches:\n  it = iter(())\n  def next(self):\n    for b in self.it:\n      return b\n"
        "    self.it = iter(loader)\n    return next(self.it)\nb = Batches()\nfor step in range(5): b.next()"
    ),
    # Its ends are others than they were.
    "a beginning that a function counts": (
        f"class T:\n  at, n = 0, 5\n  def fit(self):\n    for e in range(self.at, self.n):\n      self.one()\n"
        f"  def one(self):\n    self.at += 1\n    {PASS}\nT().fit()"
    ),
    "a beginning that was counted by another": (
        f"class T:\n  at, n = 0, 5\ndef count(t): t.at += 1\ndef fit(t):\n  for e in range(t.at, t.n):\n"
        f"    count(t)\n    {PASS}\nfit(T())"
    ),
    "a property over what the object has": (
        f"class C:\n  @property\n  def n(self):\n    return 3\nc = C()\nvars(c)['n'] = 7\n"
        f"for e in range(c.n):\n  {PASS}"
    ),
    # Steps.
    "a function that steps now and then": ("def one(i):\n  if i % 2:\n    optimizer.step()\nfor i in range(6): one(i)"),
    "a function that may return before": (
        "def one(i):\n  if i < 3:\n    return\n  optimizer.step()\nfor i in range(6): one(i)"
    ),
    "a function that steps called twice": "def one():\n  optimizer.step()\nfor i in range(6):\n  one()\n  one()",
}


@pytest.mark.parametrize(("text", "told"), FOUND.values(), ids=FOUND.keys())
def test_a_loop_over_a_range_has_its_length(program: Program, text: str, told: list[int]) -> None:
    assert program.run(text, args=argparse.Namespace(epochs=5))[:1] == told


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_what_may_go_round_more_or_less_often_has_none(program: Program, text: str) -> None:
    assert program.run(text, args=argparse.Namespace(epochs=5)) == []


BEHIND = {
    "epochs": f"for e in range(3):\n  {PASS}\nfor e in range(5):\n  for b in loader: Loss().backward()",
    "steps": "for i in range(3):\n  optimizer.step()\nfor i in range(5):\n  Loss().backward()\n  optimizer.step()",
    "a function": (
        f"def fit():\n  for e in range(5):\n    for b in loader: Loss().backward()\nfor e in range(3):\n  {PASS}\nfit()"
    ),
}


@pytest.mark.parametrize("text", BEHIND.values(), ids=BEHIND.keys())
def test_of_loops_behind_each_other_the_last_one_alone_tells_its_length(program: Program, text: str) -> None:
    assert program.run(f"class Loss:\n  def backward(self): pass\n{text}") == [5]


def test_nothing_of_the_program_is_run_to_know_it(program: Program) -> None:
    class Config:
        def __getattribute__(self, name: str) -> Any:
            if name == "epochs":
                asked.append(name)
            return object.__getattribute__(self, name)

    asked: list[str] = []
    config = Config()
    config.epochs = 4  # type: ignore[attr-defined]
    assert program.run(f"for e in range(config.epochs):\n  {PASS}", config=config) == [4]
    assert asked == ["epochs"]  # the program's own


@pytest.mark.parametrize("name", ["tqdm.std", "transformers.trainer"])
def test_a_library_between_is_taken_to_call_once_only_where_it_is_known_to(program: Program, name: str) -> None:
    library = ModuleType("a_library")
    exec("def through(loader):\n  for batch in loader:\n    yield batch", vars(library))
    vars(library)["__name__"] = "a_library"
    text = "for e in range(3):\n  for batch in through(loader): pass"
    vars(library)["through"].__globals__["__name__"] = name if name.startswith("tqdm") else "a_library"
    assert program.run(text, through=vars(library)["through"]) == ([3] if name.startswith("tqdm") else [])


def test_a_step_in_the_line_of_its_pass_has_a_length_of_its_own(program: Program) -> None:
    """It is made more often: the number of epochs was told as that of the steps."""
    assert program.run("for e in range(7):\n  for batch in loader: optimizer.step()") == [7]


def test_a_place_is_told_once_however_many_loaders_are_made(program: Program) -> None:
    assert program.run(f"for e in range(3):\n  {PASS}") == [3]


@pytest.mark.parametrize("as_read", ["", "this is (no Python\n" * 3, "for e in range(3):\n", "x = 1\n" * 60_000])
def test_a_file_that_cannot_be_read_tells_nothing(program: Program, as_read: str) -> None:
    assert program.run(f"for e in range(3):\n  {PASS}", as_read=as_read) == []


def test_a_file_that_was_written_since_the_program_began_tells_nothing(program: Program) -> None:
    assert program.run(f"for e in range(3):\n  {PASS}", since_then=True) == []


class Loops:
    """Loops over epochs, one after the other, of one optimizer or of one for each."""

    def __init__(self, arguments: dict[str, Any] | None = None) -> None:
        self.made = MadeTrace(arguments=arguments or {})
        self.optimizer = self.made.optimizer()
        self.backward = self.made.site("backward", "loss")
        self.step = self.made.site("optimizer.step", "optimizer", self.optimizer)
        self.loader = self.made.loader(batches=2)

    def place(self, rounds: int | None) -> int:
        """A place that trains, in a loop of that length."""
        site = self.made.site("data", "train_loader", self.loader)
        return self.at(site, rounds)

    def at(self, site: int, rounds: int | None) -> int:
        if rounds is not None:
            self.made.define(Observed(fact="rounds", site=site, values={"rounds": rounds}))
        return site

    def epoch(self, site: int) -> None:
        for _ in self.made.batches(site, 2):
            self.made.call(self.backward, 1.0)
            self.made.step(self.step, self.optimizer)

    def recipe(self, options: Options | None = None) -> tuple[int | None, int | None]:
        """The epochs and steps that were told in the end."""
        _, history = interpreted(self.made.end(), options)
        assert history.recipe is not None
        return history.recipe.epochs, history.recipe.total_steps


def test_a_loops_length_is_how_many_epochs_there_will_be() -> None:
    loops = Loops()
    place = loops.place(10)
    loops.epoch(place)
    loops.epoch(place)
    assert loops.recipe() == (10, 20)


def test_what_the_person_said_counts_more_and_an_argument_less() -> None:
    loops = Loops({"epochs": 30})
    loops.epoch(loops.place(10))
    assert loops.recipe() == (10, 20)
    loops = Loops({"epochs": 30})
    loops.epoch(loops.place(10))
    assert loops.recipe(Options(epochs=4)) == (4, 8)
    loops = Loops({"epochs": 30})
    loops.epoch(loops.place(None))
    assert loops.recipe() == (30, 60)


def test_the_epochs_of_a_loop_behind_another_one_are_counted_behind_its_own() -> None:
    loops = Loops()
    first, second = loops.place(2), loops.place(5)
    for place in (first, first, second):
        loops.epoch(place)
    assert loops.recipe() == (7, 14)


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_one_loop_that_goes_over_other_data_each_time_is_no_loop_behind_itself(epochs: int) -> None:
    loops = Loops()
    for number in range(1, epochs + 1):  # as a curriculum does
        loader = loops.made.loader(batches=2, samples=100 * number)
        loops.epoch(loops.at(loops.made.site("data", "train_loader", loader, lineno=7), 3))
    assert loops.recipe() == (3, 6)


def test_loaders_of_one_zip_have_the_length_of_their_loop() -> None:
    loops = Loops()
    loaders = [loops.made.loader(batches=4, samples=samples) for samples in (100, 200)]
    real, other = (loops.at(loops.made.site("data", "", loader, lineno=7), 5) for loader in loaders)
    for _ in range(3):
        for site in (real, other):
            loops.made.call(site, -1.0)
        for _ in range(4):
            for site in (real, other):
                loops.made.call(site, 0.0)
            loops.made.call(loops.backward, 1.0)
            loops.made.step(loops.step, loops.optimizer)
        loops.made.call(real, 1.0)
    assert loops.recipe() == (5, 20)


def test_places_that_take_turns_tell_no_epochs() -> None:
    loops = Loops()
    one, other = loops.place(5), loops.place(5)
    for place in (one, other, one):
        loops.epoch(place)
    assert loops.recipe() == (None, None)


def test_a_loop_that_went_on_has_no_length() -> None:
    loops = Loops()
    place = loops.place(2)
    for _ in range(3):
        loops.epoch(place)
    assert loops.recipe() == (None, None)


@pytest.mark.parametrize("rounds", ["three", -1, 2**40, None, 1.5, True])
def test_a_length_that_is_none_is_not_believed(rounds: Any) -> None:
    loops = Loops()
    site = loops.place(None)
    loops.made.define(Observed(fact="rounds", site=site, values={"rounds": rounds}))
    loops.epoch(site)
    assert loops.recipe() == (None, None)


def test_a_loop_over_steps_tells_how_many_there_will_be() -> None:
    loops = Loops()
    loops.at(loops.step, 5000)
    for _ in range(3):
        loops.made.call(loops.backward, 1.0)
        loops.made.step(loops.step, loops.optimizer)
    assert loops.recipe() == (None, 5000)


def test_a_loop_over_steps_that_steps_at_two_places_does_not() -> None:
    loops = Loops()
    loops.at(loops.step, 5000)
    other = loops.made.site("optimizer.step", "optimizer", loops.optimizer)
    for site in (loops.step, other):
        loops.made.call(loops.backward, 1.0)
        loops.made.step(site, loops.optimizer)
    assert loops.recipe() == (None, None)


STEPS = """
    import torch
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.999)
    count = 3000
    for step in range(count):
        optimizer.zero_grad()
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        scheduler.step()
        if step == 20:
            raise ValueError("enough")
"""


def test_a_scheduler_that_steps_with_its_optimizer_is_rehearsed_to_the_end_of_the_loop(tmp_path: Path) -> None:
    trace = run(tmp_path, STEPS, fresh=True).trace
    assert [frame.values["rounds"] for frame in trace.all(Observed) if frame.fact == "rounds"] == [3000]
    first, again = trace.all(Planned)
    assert len(first.lrs[0]) == 1001, "nobody knew how often it would step"
    assert again.from_count + len(again.lrs[0]) - 1 == 3000
    assert again.lrs[0][0] == pytest.approx(0.1 * 0.999**again.from_count)


def test_one_that_steps_seldom_is_not(tmp_path: Path) -> None:
    program = STEPS.replace("        scheduler.step()\n", "        if step % 2 == 0: scheduler.step()\n")
    assert len(run(tmp_path, program, fresh=True).trace.all(Planned)) == 1


def test_a_process_that_is_spawned_is_called_once(tmp_path: Path) -> None:
    program = """
    import multiprocessing
    import torch

    def train():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        for step in range(30):
            optimizer.step()

    if __name__ == "__main__":
        worker = multiprocessing.get_context("spawn").Process(target=train)
        worker.start()
        worker.join()
    """
    trace = run(tmp_path, program, fresh=True).trace
    assert [frame.values["rounds"] for frame in trace.all(Observed) if frame.fact == "rounds"] == [30]
