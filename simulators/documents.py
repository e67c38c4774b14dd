"""JSON files: values without NaN, written in one piece or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulators.regular_files import replacing

__all__ = ["plain", "write_json"]


def plain(value: Any) -> Any:
    """``value`` as JSON has it: NaN and infinities null, arrays lists, anything else it has no word
    for text.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    # a byte of a file's name that is no text is no character of a JSON file either
    return str(value).encode("utf-8", "backslashreplace").decode()


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write ``value`` to ``path``, replacing it in one step. Raises ``OSError``, leaving ``path``
    as it was.
    """
    with replacing(path) as draft, open(draft, "x", encoding="utf-8") as stream:
        json.dump(value, stream, ensure_ascii=False, allow_nan=False, indent=1)
        stream.write("\n")
