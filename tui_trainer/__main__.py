"""Where the program begins: the script `tui-trainer`, and `python -m tui_trainer`, as `torchrun` starts it."""

import signal


def main() -> None:
    """Run the command that was asked for. Until it begins, ctrl+c ends the process and nothing is said.

    What is loaded until then has nothing to clean up, and would be interrupted with a traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else whoever started it had it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tui_trainer.cli import main as commands

    commands()


if __name__ == "__main__":
    main()
