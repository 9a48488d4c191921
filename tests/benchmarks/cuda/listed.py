"""All checks, in the order in which they run: what is most likely to be wrong comes first, what takes longest last."""

from __future__ import annotations

from tests.benchmarks.cuda import commanded, computed, figures
from tests.benchmarks.cuda.bench import Check

CHECKS = (
    Check(computed.machine, 60),
    Check(commanded.marked_tests, 90, own_process=False),
    Check(computed.first_device_like_the_cpu, 60),
    Check(computed.second_device_like_the_cpu, 60),
    Check(computed.a_step_waits_for_nothing, 60),
    Check(computed.many_runs_hold_no_more_than_two, 90),
    Check(computed.checkpoints_both_ways, 60),
    Check(computed.record_keeps_up, 60),
    Check(computed.nvml_like_nvidia_smi, 60),
    Check(commanded.killed_and_resumed, 120, own_process=False),
    Check(commanded.out_of_memory_in_words, 60, own_process=False),
    Check(commanded.device_assert_in_words, 60, own_process=False),
    Check(commanded.two_ranks_one_killed, 120, own_process=False),
    Check(commanded.compiled, 150, own_process=False),
    Check(figures.speeds, 90, is_figure=True),
    Check(figures.against_the_bare_loop, 150, own_process=False, is_figure=True),
    Check(figures.cifar10_to_94, 200, own_process=False, is_figure=True),
    Check(figures.airbench94, 120, is_figure=True),
    Check(figures.speeds_compiled, 150, is_figure=True),
)
