"""`python -m tests.cli.held CODE FOLDER COMMAND...`: as `python -c CODE FOLDER COMMAND...`, with torch loaded."""

import sys

if __name__ == "__main__":
    exec(sys.argv.pop(1))
