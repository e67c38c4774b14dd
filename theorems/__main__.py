"""``python -m theorems``: the command ``theorems``, where it is not on the path."""

import sys

from theorems.cli import main

if __name__ == "__main__":
    sys.exit(main())
