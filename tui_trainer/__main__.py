"""`python -m tui_trainer`, which is also how `torchrun` starts it."""

from tui_trainer.cli import main

if __name__ == "__main__":
    main()
