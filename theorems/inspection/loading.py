"""Networks from the user's Python files, their checkpoints, and batches with samples along the
first axis.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from simulators.arguments import Argument, did_you_mean, kind_of, require
from simulators.batch_files import count_of, keys_of, read_array
from simulators.batches import Layout, described, read_batch
from simulators.regular_files import obstacle
from theorems.error_words import in_words, message
from theorems.inspection.inputs import Batch, InspectionError
from theorems.inspection.rewritten import to_give_instead

__all__ = [
    "Samples",
    "load_batch",
    "load_checkpoint",
    "load_definitions",
    "load_inputs",
    "load_network",
]


def load_network(target: str, seed: int = 0) -> nn.Module:
    """The network meant by ``"model.py:build"``: what the function gives, or the module of that
    name.

    The file is run: it is the user's own code. Weights are drawn with Torch seeded by ``seed``; the
    random state is put back.

    Raises:
        InspectionError: the file, the name or the function will not do.

    Example:
        >>> load_network("gone.py:build")
        Traceback (most recent call last):
            ...
        theorems.inspection.inputs.InspectionError: gone.py: ...
    """
    path, colon, name = target.rpartition(":")
    require(
        colon and path and name.isidentifier(),
        f"{target!r}: name a file and a function in it, such as model.py:build",
        InspectionError,
    )
    if (words := obstacle(path)) is not None:
        raise InspectionError(
            f"{path}: {words}; give a Python file and a function in it, such as model.py:build"
        )
    with _beside(path), torch.random.fork_rng():
        torch.manual_seed(seed)
        contents = _run(path)
        if name not in contents:
            known = [key for key, value in contents.items() if callable(value) and key[0] != "_"]
            hint = did_you_mean(name, known, most=3, cutoff=0.4, spell=str)
            raise InspectionError(f"{path}: has no {name!r}{f'; {hint}' if hint else ''}")
        found = contents[name]
        if callable(found) and not isinstance(found, nn.Module):
            found = _guarded(f"{target} fails", found)
        elif not isinstance(found, nn.Module):
            raise InspectionError(
                f"{target}: {kind_of(found)}; give a function that builds a network"
            )
    if not isinstance(found, nn.Module):
        raise InspectionError(f"{target}: what it gives {to_give_instead(found)}")
    return found


def load_definitions(path: str) -> dict[str, object]:
    """What a Python file defines, by name. The file is run: it is the user's own code.

    Raises:
        InspectionError: it cannot be read, or fails.

    Example:
        >>> load_definitions("gone.py")
        Traceback (most recent call last):
            ...
        theorems.inspection.inputs.InspectionError: gone.py: no such file; give a Python file
    """
    if (words := obstacle(path)) is not None:
        raise InspectionError(f"{path}: {words}; give a Python file")
    with _beside(path), torch.random.fork_rng():
        return _run(path)


def load_checkpoint(module: nn.Module, path: str) -> None:
    """Put the weights in file ``path`` into ``module``: a state dict, or a mapping with one as
    ``state_dict``.

    Read with ``weights_only=True``: nothing in the file is run.

    Raises:
        InspectionError: the file cannot be read, holds something else, or does not fit.

    Example:
        >>> load_checkpoint(nn.Linear(1, 1), "gone.pt")
        Traceback (most recent call last):
            ...
        theorems.inspection.inputs.InspectionError: --checkpoint gone.pt: ...
    """
    place = f"--checkpoint {path}"
    if (words := obstacle(path)) is not None:
        raise InspectionError(f"{place}: {words}; name a file of weights")
    try:
        require(
            os.path.getsize(path),
            f"{place}: an empty file; save module.state_dict()",
            InspectionError,
        )
        found = torch.load(path, map_location="cpu", weights_only=True)
    except InspectionError:
        raise
    except OSError as error:
        raise InspectionError(f"{place}: cannot be read: {error.strerror or error}") from None
    except pickle.UnpicklingError:
        raise InspectionError(
            f"{place}: holds more than weights, or is damaged, and is not run; save "
            "module.state_dict()"
        ) from None
    except Exception as error:  # Torch raises many kinds for damaged archives
        raise InspectionError(f"{place}: no whole checkpoint: {in_words(error)}") from None
    state = found.get("state_dict", found) if isinstance(found, Mapping) else found
    if not isinstance(state, Mapping):
        raise InspectionError(f"{place}: holds {kind_of(state)}; save module.state_dict()")
    try:
        module.load_state_dict(state)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise InspectionError(f"{place}: does not fit the network: {message(error)}") from None


@dataclass(frozen=True)
class Samples:
    """What was read: ``array`` of shape (n, …), and in one line what it is and where it comes
    from.
    """

    array: NDArray[np.generic]
    description: str


def load_batch(source: str, layout: Layout = "rows", take: int | None = None) -> Samples:
    """Samples from ``"digits"`` or a .npy, .npz or .csv file.

    Args:
        source: the path of the file, or ``"digits"``.
        layout: ``"columns"`` for a matrix of columns.
        take: only so many samples, at least 1; all by default.

    Raises:
        ValueError: what cannot be read, and a ``take`` that is not there.

    Example:
        >>> load_batch("digits", take=3).array.shape
        (3, 64)
    """
    if source == "digits":
        digits = read_batch("digits", take=take)
        return Samples(digits.array.T, digits.description)
    stored = read_array(source, axis=0 if layout == "rows" else 1, take=take)
    require(
        len(stored.shape) >= 2,
        f"{source}: an array of shape {stored.shape}; store (n, ...), one sample per row",
        InspectionError,
    )
    if layout == "columns" and len(stored.shape) > 2:
        raise InspectionError(
            Argument("layout", layout),
            f": {source} has shape {stored.shape}, and only a matrix has columns",
        )
    array = np.ascontiguousarray(stored.array if layout == "rows" else stored.array.T)
    count_of(source, take, stored.shape[0 if layout == "rows" else 1])
    dimension = " × ".join(map(str, array.shape[1:]))
    return Samples(array, described(source, stored, layout, len(array), dimension))


def load_inputs(source: str, layout: Layout = "rows", take: int | None = None) -> tuple[Batch, str]:
    """What a network is given, and in one line what it is: samples as `load_batch` reads them, or
    all arrays of an .npz archive of several.

    Of several, the first holds the samples, (n, …). A mapping by the archive's keys is returned, or
    a tuple where NumPy numbered them: ``arr_0``, ``arr_1``, …. With ``take``, arrays with n rows
    keep the first so many. All but the first may hold truth values, as a mask does.

    Raises:
        ValueError: what cannot be read, columns of several arrays, a ``take`` that is not there.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.savez(f"{folder}/pair.npz", left=np.eye(4), right=np.ones((4, 2)))
        ...     batch, words = load_inputs(f"{folder}/pair.npz", take=3)
        >>> [name for name in batch], words
        (['left', 'right'], 'first 3 of 4 samples (rows) from pair.npz: left 3 × 4, right 3 × 2')
    """
    keys = keys_of(source)
    if len(keys) < 2:
        samples = load_batch(source, layout, take)
        return samples.array, samples.description
    require(
        layout == "rows",
        f"{source}: several arrays, whose samples are rows; leave the layout out",
        InspectionError,
    )
    arrays = {key: read_array(f"{source}:{key}", truths=key != keys[0]).array for key in keys}
    first = arrays[keys[0]]
    require(
        first.ndim >= 2,
        f"{source}: {keys[0]} has shape {first.shape}; store (n, ...), one sample per row, first",
        InspectionError,
    )
    count = count_of(source, take, len(first))
    kept = {
        key: array[:count] if array.ndim and len(array) == len(first) else array
        for key, array in arrays.items()
    }
    shapes = [
        f"{key} {' × '.join(map(str, array.shape)) or 'one number'}" for key, array in kept.items()
    ]
    many = f"first {count} of {len(first)}" if count < len(first) else f"{count}"
    words = f"{many} samples (rows) from {Path(source).name}: {', '.join(shapes)}"
    numbered = list(keys) == [f"arr_{place}" for place in range(len(keys))]
    return tuple(kept.values()) if numbered else kept, words


@contextlib.contextmanager
def _beside(path: str) -> Iterator[None]:
    """What lies in the folder of the file can be imported by it."""
    folder = str(Path(path).resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)


def _run(path: str) -> dict[str, object]:
    """What the file defines, by name."""
    spec = importlib.util.spec_from_file_location("inspected_model", path)
    if spec is None or spec.loader is None:
        raise InspectionError(f"{path}: not a Python file; name one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    try:
        _guarded(f"{path} fails", partial(spec.loader.exec_module, module))
    finally:
        del sys.modules[spec.name]
    return vars(module)


def _guarded(words: str, call: Callable[[], object]) -> object:
    try:
        return call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's own code may raise anything
        raise InspectionError(f"{words}: {in_words(error)}") from None
