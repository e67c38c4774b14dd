"""Files of claims that come with the library, and are named without their folder."""

from pathlib import Path

__all__ = ["SHIPPED"]

#: ``theorems verify examples`` takes the file ``theorems/examples.py``, wherever that is installed.
SHIPPED = {name: Path(__file__).with_name(f"{name}.py") for name in ("examples", "neighbours")}
