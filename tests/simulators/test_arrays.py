"""Types of arrays: what they promise is there, in NumPy and in Torch."""

import re
from pathlib import Path

import array_api_compat.numpy
import array_api_compat.torch
import numpy as np
import pytest
import torch

import simulators
from simulators.arrays import Array, FloatLimits

LIBRARIES = [array_api_compat.numpy, array_api_compat.torch]
PROMISED = [name for name, value in vars(Array).items() if isinstance(value, property)]
OPERATORS = [
    name
    for name, value in vars(Array).items()
    if callable(value) and name.startswith("__") and value.__doc__ and value.__module__ != "typing"
]


@pytest.mark.parametrize("array", [np.ones((2, 3)), torch.ones(2, 3)], ids=["numpy", "torch"])
def test_arrays_have_what_their_type_promises(array) -> None:
    assert {"shape", "dtype", "mT"} <= set(PROMISED)
    assert {"__add__", "__truediv__", "__getitem__"} <= set(OPERATORS)
    assert [name for name in (*PROMISED, *OPERATORS) if not hasattr(array, name)] == []


@pytest.mark.parametrize("xp", LIBRARIES, ids=lambda xp: xp.__name__)
def test_a_namespace_has_every_function_that_is_called(xp) -> None:
    sources = Path(simulators.__file__).parent.rglob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    called = set(re.findall(r"\bxp\.([a-z]\w*)", text))
    assert {"matmul", "where", "einsum"} <= called
    assert [name for name in sorted(called) if not hasattr(xp, name)] == []


@pytest.mark.parametrize("xp", LIBRARIES, ids=lambda xp: xp.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_limits_are_those_of_the_type(xp, dtype: str) -> None:
    limits: FloatLimits = xp.finfo(getattr(xp, dtype))
    assert float(limits.eps) == np.finfo(dtype).eps
    assert float(limits.smallest_normal) == np.finfo(dtype).smallest_normal
