"""All that a GPU is needed for to be shown, by one command: `python -m tests.benchmarks.cuda`."""
