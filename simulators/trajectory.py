"""What a simulation returns: observables along depth, with everything needed to run it again."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import require
from simulators.arrays import Floats
from simulators.engines.rounding import SPOILED
from simulators.regular_files import DAMAGE, obstacle, replacing

__all__ = ["FORMAT", "SPOILED", "Trajectory"]

FORMAT = 5
_WITHOUT_TANGENTS, _WITHOUT_BACKWARD = 4, 3
"""What is written of a run without tangents, and of one without a backward pass either, as ever."""
_FORMER = (1, 2)  # 1 measured every block and did not say so; neither estimated rounding
_SETTINGS = "settings"
_ROUNDING = "rounding"
_VALUE = "value:"
_ARRAYS = ("values", "rounding")
_FORMER_ENGINES = {"gram": "factor"}


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Observables of ``replicas`` runs of a chain along ``depth`` blocks, and the settings that
    made them.

    - ``values``: name -> read-only array ``(replicas, depth // every + 1)``, more axes if the
      observable has more; column 0 is the batch itself, column j follows block j · ``every``
    - ``rounding``: read-only, ``(replicas, depth // every + 1)``, in [0, 1]: an estimate of how far
      rounding may have moved what is observed there, relative to samples of norm one; it never
      decreases along depth, unless there is a backward pass, whose gradients it speaks for as well.
      NaN in what an earlier release saved that made no estimate
    - ``engine``, ``engine_reason``: which engine ran, and why that one
    - ``chain``: its `repr`; ``depth``, ``every``, ``replicas``, ``dtype``, ``device``
    - ``seed``: entropy and spawn key of the `SeedSequence` that every stream came from
    - ``batch_shape``, ``batch_sha256``: shape (d₀, n) of the batch, and the digest of its entries
      as C-ordered little-endian float64
    - ``versions``: of Python, NumPy, Torch and this package
    - ``backward``: what the backward pass started from: ``"gaussian"``, the digest of an array, or
      the name of a function; None if there was none
    - ``tangents``: what tangents started from: ``"gaussian"``, ``"gaussian(k)"``, or the digest of
      an array; None if there were none

    Example:
        >>> from simulators import rescale_chain, simulate
        >>> run = simulate(rescale_chain(8), np.eye(8, 2), depth=4, every=2, replicas=3)
        >>> run["orthogonality_gap"].shape, run.spoiled.shape, run.batch_shape
        ((3, 3), (3, 3), (8, 2))
    """

    values: Mapping[str, NDArray[Any]]
    rounding: Floats
    engine: str
    engine_reason: str
    chain: str
    depth: int
    every: int
    replicas: int
    dtype: str
    device: str
    seed: Mapping[str, int | list[int]]
    batch_shape: tuple[int, int]
    batch_sha256: str
    versions: Mapping[str, str]
    backward: str | None = None
    tangents: str | None = None

    def __post_init__(self) -> None:
        for array in (*self.values.values(), self.rounding):
            array.flags.writeable = False
        for name in ("values", "seed", "versions"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def spoiled(self) -> NDArray[np.bool_]:
        """Where float arithmetic no longer represents the start or a later layer, or where that is
        not known: nothing follows from a value there.

        Booleans, ``(replicas, depth // every + 1)``; a replica that is spoiled stays so, with a
        backward pass at the layers before as well.
        """
        return ~np.asarray(self.rounding < SPOILED)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """``values[name]``; `KeyError` lists the names there are."""
        require(
            name in self.values,
            f"{name!r} was not observed; observed were {', '.join(self.values)}",
            KeyError,
        )
        return self.values[name]

    def __repr__(self) -> str:
        observed = ", ".join(f"{name} {array.shape}" for name, array in self.values.items())
        return (
            f"<Trajectory of {self.chain}: {observed}; batch {self.batch_shape}, {self.engine} "
            f"engine, {self.dtype} on {self.device}, seed {self.seed['entropy']}>"
        )

    def to_bytes(self) -> bytes:
        """An .npz archive without pickles, which `from_bytes` reads. The same trajectory gives the
        same bytes.
        """
        settings = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in _ARRAYS
        }
        written = FORMAT
        if self.tangents is None:
            written = _WITHOUT_TANGENTS
            del settings["tangents"]
            if self.backward is None:
                written = _WITHOUT_BACKWARD
                del settings["backward"]
        arrays = {f"{_VALUE}{name}": array for name, array in self.values.items()}
        arrays[_ROUNDING] = self.rounding
        arrays[_SETTINGS] = np.array(json.dumps({"format": written, **settings}, default=dict))
        archive = io.BytesIO()
        np.savez(archive, **arrays)  # type: ignore[arg-type]  # no name clashes: all have a prefix
        return archive.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Trajectory:
        """Read what `to_bytes` made, in this release or an earlier one; nothing is unpickled.

        Raises `ValueError` for anything else, or a newer one.

        Args:
            data: the bytes, all of them.
        """
        return _read(io.BytesIO(data), f"data of {len(data)} bytes")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write to ``path`` (as named, an .npz archive without pickles) and return it.

        The file appears whole or not at all. Raises `OSError` when it cannot be written.
        """
        path = Path(path)
        with replacing(path) as draft:
            draft.write_bytes(self.to_bytes())
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trajectory:
        """Read what `save` wrote, in this release or an earlier one; nothing is unpickled.

        Raises `FileNotFoundError`, or `ValueError` when the file is truncated, something else, or
        newer.

        Args:
            path: of the file.
        """
        if (words := obstacle(path)) not in (None, "no such file"):
            raise ValueError(f"path={str(path)!r}: {words}")
        try:
            with open(path, "rb") as file:
                return _read(file, f"path={str(path)!r}")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ValueError(f"path={str(path)!r} cannot be read: {error.strerror}") from error


def _read(file: IO[bytes], source: str) -> Trajectory:
    try:
        with np.load(file, allow_pickle=False) as archive:
            settings = json.loads(str(archive[_SETTINGS]))
            written = settings.pop("format")
            values = {
                name.removeprefix(_VALUE): archive[name]
                for name in archive.files
                if name.startswith(_VALUE)
            }
            rounding = None if written in _FORMER else archive[_ROUNDING]
        if written in (FORMAT, _WITHOUT_TANGENTS, _WITHOUT_BACKWARD, *_FORMER):
            settings = {"every": 1, **settings, "batch_shape": tuple(settings["batch_shape"])}
            settings["engine"] = _FORMER_ENGINES.get(settings["engine"], settings["engine"])
            if rounding is None:
                layers = settings["depth"] // settings["every"]
                rounding = np.full((settings["replicas"], layers + 1), np.nan)
            return Trajectory(values=values, rounding=rounding, **settings)
    except (*DAMAGE, OSError) as error:
        raise ValueError(
            f"{source} is not a whole file written by Trajectory.save; save it again"
        ) from error
    raise ValueError(
        f"{source} has format {written}, and up to {FORMAT} are read; load it where it was saved"
    )
