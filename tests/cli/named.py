"""`python -m tests.cli.named`: `tui-trainer` by the name that the shell knows."""

from tui_trainer.cli import main

if __name__ == "__main__":
    main(prog_name="tui-trainer")
