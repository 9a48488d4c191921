"""Checks that start commands, as a person does."""

from __future__ import annotations

import re
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.benchmarks.cuda.bench import Bench, Outcome, failed, judged, ok, skipped
from tests.benchmarks.cuda.commands import Ended, epochs_told, history, run, wait_for
from tests.benchmarks.cuda.training import farthest
from tests.ssh.together import together
from tui_trainer.records.history import History
from tui_trainer.text.numbers import counted

MARKED = "pytest.mark.cuda"

ROOT = Path(__file__).parents[3]

RESUMED_TOLERANCE = 0.02
"""Of an epoch's training loss: on CUDA sums are not always taken in the same order, and a run goes its own way."""


def options(bench: Bench, name: str, model: str = "cnn", epochs: int = 2, images: int = 640) -> list[str]:
    """Of a short run in fp32 with the preset `none`."""
    asked = ["--preset", "none", "--name", name, "--device", bench.device, "--precision", "fp32", "--limit-val", "100"]
    asked += ["--model", model, "--epochs", str(epochs), "--limit-train", str(images)]
    return [*asked, "--threads", "1"] if bench.rehearsal else asked


def marked_tests(bench: Bench) -> Outcome:
    """The tests that want a CUDA device."""
    files = [file for file in sorted((ROOT / "tests").rglob("test_*.py")) if MARKED in file.read_text()]
    results = bench.work / "results.xml"
    arguments = ["-m", "cuda", "-p", "no:cacheprovider", "--numprocesses=0", f"--junitxml={results}"]
    ended = run(bench, *arguments, *map(str, files), module="pytest")
    if not results.exists():
        return failed(ended.last_words)
    suite = ElementTree.parse(results).getroot().find("testsuite")
    assert suite is not None
    count, *bad, left = (int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped"))
    reasons = sorted({skip.attrib["message"] for skip in suite.iter("skipped")})
    figures = {"tests": count, "failed": sum(bad), "skipped": left}
    if sum(bad) or not count or ended.code:
        return failed(f"{sum(bad)} of {count} failed", output=ended.said[-4000:], **figures)
    if left == count:
        return skipped(f"{counted(count, 'test')}: {'; '.join(reasons)}", **figures)
    return ok(f"{count - left} passed" + (f", {left} skipped: {'; '.join(reasons)}" if left else ""), **figures)


def killed_and_resumed(bench: Bench) -> Outcome:
    """A run that was killed goes on from its checkpoint, and ends as one that was not does."""
    asked: dict[str, Any] = bench.either({"epochs": 8, "images": 2_000}, {"epochs": 4, "images": 200, "model": "mlp"})
    whole = run(bench, "run", *options(bench, "whole", **asked))
    if whole.code:
        return failed(f"the run that nobody killed {whole.last_words}")
    killed = run(bench, "3,2", "run", *options(bench, "killed", **asked), module="tests.benchmarks.cuda.handicapped")
    if killed.code != -signal.SIGKILL:
        return failed(f"the run that was to be killed {killed.last_words}")
    told = epochs_told(bench, "killed")
    resumed = run(bench, "resume", "killed")
    if resumed.code:
        return failed(f"resume {resumed.last_words}")
    ours, theirs = (history(bench, name) for name in ("killed", "whole"))
    steps = farthest(_losses(ours), _losses(theirs))
    apart = farthest(*({e.epoch: e.train_loss for e in each.epochs} for each in (ours, theirs)))
    may = bench.either(RESUMED_TOLERANCE, 0.0)
    words = (
        f"killed after {told} of {asked['epochs']} epochs and resumed: training losses of epochs differ by {apart:.1e} "
    )
    words += f"at most (may: {may}), those of steps by {steps:.1e}"
    return judged(apart <= may and ours.status == "finished", words, epochs=apart, steps=steps)


def _losses(history: History) -> dict[int, float]:
    return {step: float(loss) for step, loss in enumerate(history.losses, 1)}


def out_of_memory_in_words(bench: Bench) -> Outcome:
    """A batch for which there is no memory."""
    mib = bench.either("3000", "500")
    asked = [*options(bench, "large", "resnet18", images=4_000), "--batch-size", "4000"]
    ended = run(bench, mib, "run", *asked, module="tests.benchmarks.cuda.handicapped")
    return _told_in_words(ended, r"out of memory with batches of 4,?000 images; try a smaller --batch-size")


def device_assert_in_words(bench: Bench) -> Outcome:
    """A label that no network has an output for fails an assertion in a kernel."""
    asked = ["label", "run", *options(bench, "label", bench.either("cnn", "mlp"))]
    ended = run(bench, *asked, module="tests.benchmarks.cuda.handicapped")
    return _told_in_words(ended, r"CUDA failed: .*this process can train no more")


def _told_in_words(ended: Ended, sentence: str) -> Outcome:
    """Whether a command ended with 1, the sentence and no traceback."""
    said = re.sub(r"\s+", " ", ended.said)
    found = re.search(sentence, said)
    if ended.code == 1 and found and "Traceback" not in said:
        return ok(f"exit 1: {found[0]}")
    return failed(ended.last_words, output=ended.said[-4000:])


def compiled(bench: Bench) -> Outcome:
    """A run with `--compile`; in a rehearsal on the CPU, since code for a card needs its driver."""
    if lack := compiler_lacks():
        return skipped(lack)
    bench = replace(bench, devices=bench.either(bench.devices, ("cpu",)))
    ended = run(bench, "run", *options(bench, "compiled", bench.either("resnet9", "mlp")), "--compile")
    if ended.code:
        return failed(ended.last_words, output=ended.said[-4000:])
    return ok(
        f"{history(bench, 'compiled').steps} steps; the command took {ended.seconds:.0f} s", seconds=ended.seconds
    )


def compiler_lacks() -> str:
    """What is not here that torch needs to compile a network; empty where all is."""
    there = any(map(shutil.which, ("cc", "gcc", "clang")))
    return "" if there else "there is no C compiler here, which torch needs to compile a network"


def two_ranks_one_killed(bench: Bench) -> Outcome:
    """Two processes, of which one is killed: the other ends in words."""
    if len(bench.devices) < 2:
        return skipped("there is one device")
    asked = ["run", *options(bench, "ranks", bench.either("resnet9", "mlp"), epochs=5_000), "--device", "cuda"]
    module, *asked = bench.command("tui_trainer", *asked)
    with together(2, *asked, log=bench.work, module=module) as both:
        leader, other = both.processes
        wait_for(lambda: epochs_told(bench, "ranks") > 0 or leader.poll() is not None, bench.seconds_left)
        if leader.poll() is not None:
            return failed(f"they ended before one was killed: {both.said[0][-500:]}", output=both.said)
        other.send_signal(signal.SIGKILL)
        try:
            wait_for(lambda: leader.poll() is not None, min(60, bench.seconds_left))
        except TimeoutError:
            return failed("the other process hung for a minute after one was killed", output=both.said)
        said = both.said[0]
    ended = history(bench, "ranks").ended
    if leader.returncode == 1 and ended is not None and "was lost" in ended.reason:
        return ok(f"exit 1: {ended.reason}", epochs=epochs_told(bench, "ranks"))
    return failed(f"it ended with {leader.returncode}: {ended.reason if ended else said[-500:]}", output=said)
