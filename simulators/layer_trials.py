"""Trials of layers without weights: what matrices of a fixed seed say about what a layer declares.

A trial refutes and never proves. It is made where a chain with layers from elsewhere is to run, and
for those of this package by the tests.

Example:
    >>> from simulators.layers import Recenter
    >>> require_as_declared(Recenter(), 4)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from array_api_compat import is_array_api_obj

from simulators.arguments import kind_of, require
from simulators.arrays import Floats
from simulators.layers import RowLayer, ScaleResponse

__all__ = ["contradictions", "require_as_declared"]

_SAMPLES = 4
_FACTORS = (0.25, 3.0)
_AGREES = 1e-9
"""Relative: far above the rounding of a layer, far below what another map does."""

_STEP = 1e-6
"""Of difference quotients, for entries near one: rounding moves them by 1e-9 or less."""
_SETTLES, _SLOPE_AGREES = 1e-6, 1e-4
"""Relative to what is differenced: by how much quotients of two steps may differ, and how near a
pullback must come to them."""

Map = Callable[[Floats], Floats]


def require_as_declared(layer: RowLayer, width: int, *, nonnegative: bool = False) -> None:
    """Raise `ValueError`, in one line, if a trial refutes what ``layer`` says of itself.

    Its images must have the shape and the dtype of what it is given, float32 and float64, and must
    be numbers, of normal entries; of their absolute values where it is given none below 0, which
    ``nonnegative`` says. Its
    attributes `response`, `each_row`, `each_sample`, `turns_with_samples`, `keeps_span`, `odd`,
    `recentres`, `nonnegative`, `keeps_nonnegative` and `self_adjoint` must hold where they are said
    to; a `pullback` or `pushforward` of its own must agree with difference quotients, and raise
    nothing but `NotImplementedError`. ``width`` ≥ 1 is the number of rows it receives. Cost: some
    dozen of its images of four samples, once for each layer and width.

    Example:
        >>> from simulators.layers import Activation
        >>> class Halved(Activation, listed=False):
        ...     '''F(H)/2, said to be odd'''
        ...     def on_rows(self, rows, xp, width):
        ...         return abs(rows) / 2
        >>> require_as_declared(Halved("tanh"), 4)
        Traceback (most recent call last):
        ValueError: Activation(name='tanh'): says odd, but a sample of the other sign does not get \
an image of the other sign; leave odd out
    """
    try:
        found = _kept(layer, width, nonnegative)
    except TypeError:  # a layer without hash
        found = next(contradictions(layer, width, nonnegative), None)
    require(found is None, f"{layer!r}: {found}")


@cache
def _kept(layer: RowLayer, width: int, nonnegative: bool) -> str | None:
    return next(contradictions(layer, width, nonnegative), None)


def contradictions(layer: RowLayer, width: int, nonnegative: bool = False) -> Iterator[str]:
    """What trials refute of what ``layer`` says of itself, each in words, for ``width`` ≥ 1 rows.

    With ``nonnegative`` it is given no entry below 0.

    Example:
        >>> from simulators.layers import Rescale
        >>> list(contradictions(Rescale(), 6))
        []
    """
    for dtype in ("float32", "float64"):
        if (fault := _of_the_array(layer, width, dtype)) is not None:
            yield fault
            return
    H = np.random.default_rng(0).standard_normal((width, _SAMPLES)) + 0.3
    if nonnegative:
        H = np.abs(H)

    def image(of: Floats) -> Floats:
        """Of a matrix (m, n), with its samples as columns."""
        return _image(layer, of, width)

    if np.isnan(image(H)).any():
        given = "numbers that are not negative" if nonnegative else "numbers of both signs"
        yield f"gives NaN for {given}; have it give a number for each"
        return
    yield from _of_scale(layer, image, H)
    yield from _of_samples(layer, image, H)
    if layer.each_row and width > 1 and not _maps_parts(image, H):
        yield "says each_row, but the image of a row depends on others; leave each_row out"
    yield from _of_derivatives(layer, image, H)


def _of_derivatives(layer: RowLayer, image: Map, H: Floats) -> Iterator[str]:
    """What is wrong with its own pullback and pushforward, and with a derivative that is said to be
    symmetric, next to difference quotients where those settle.
    """
    G, v = np.random.default_rng(4).standard_normal((2, *H.shape))
    for name, given, other in (("pullback", G, v), ("pushforward", v, G)):
        if getattr(type(layer), name) is not getattr(RowLayer, name):
            yield from _of_derivative(layer, image, H, name, (given, other))
    if layer.self_adjoint:
        one, other = _slope(image, H, G, v), _slope(image, H, v, G)
        if (
            one is not None
            and other is not None
            and not (abs(one[0] - other[0]) <= _SLOPE_AGREES * max(one[1], other[1]))
        ):
            yield (
                "says self_adjoint, but its derivative is no symmetric matrix; leave self_adjoint "
                "out"
            )


def _of_derivative(
    layer: RowLayer, image: Map, H: Floats, name: str, pair: tuple[Floats, Floats]
) -> Iterator[str]:
    """What is wrong with what its ``name``, of itself, makes of the first of the pair, seen by the
    second.
    """
    import array_api_compat.numpy as xp

    try:
        given = np.ascontiguousarray(H.T), np.ascontiguousarray(pair[0].T)
        found = getattr(layer, name)(*given, xp, len(H))
    except Exception as error:  # of the author's code, or of a function that Torch cannot follow
        ours = getattr(type(layer), name).__module__ == RowLayer.__module__
        if not (ours or isinstance(error, ImportError | NotImplementedError)):
            yield (
                f"its {name} fails on rows of shape {given[0].shape}: {_in_words(error)}; mend it, "
                "or leave it out for Torch's autograd"
            )
        return  # of what is missing, what goes backward or forward says so
    if getattr(found, "shape", None) != H.T.shape or getattr(found, "dtype", None) != H.dtype:
        got = getattr(found, "shape", kind_of(found)), getattr(found, "dtype", None)
        yield f"{name} gives {got[0]}, {got[1]} for {H.T.shape}, {H.dtype}; want the same"
        return
    G, v = pair if name == "pullback" else pair[::-1]
    slope, said = _slope(image, H, G, v), np.sum(np.asarray(found).T * pair[1])
    if slope is not None and not abs(said - slope[0]) <= _SLOPE_AGREES * slope[1]:
        yield (
            f"its {name} gives the slope {said:.6g} where difference quotients give "
            f"{slope[0]:.6g}; mend it, or leave it out for Torch's autograd"
        )


def _slope(image: Map, H: Floats, G: Floats, v: Floats) -> tuple[float, float] | None:
    """⟨G, dF(v)⟩ at H by difference quotients, and the size of what is differenced; None where they
    do not settle.
    """
    coarse, fine = (
        float(np.sum(G * (image(H + step * v) - image(H - step * v))) / (2 * step))
        for step in (_STEP, _STEP / 2)
    )
    size = float(np.linalg.norm(G) * np.linalg.norm(image(H))) + abs(coarse)
    return (fine, size) if abs(coarse - fine) <= _SETTLES * size else None


def _maps_parts(image: Map, H: Floats) -> bool:
    """Whether rows have the images that they have among all, some of them at a time."""
    half = len(H) // 2
    try:
        parts = [image(H[:half]), image(H[half:])]
    except Exception:  # of the author's code
        return False
    return [part.shape for part in parts] == [H[:half].shape, H[half:].shape] and _close(
        np.concatenate(parts), image(H)
    )


def _of_the_array(layer: RowLayer, width: int, dtype: str) -> str | None:
    """What is wrong with the array that it gives."""
    import array_api_compat.numpy as xp

    rows = np.random.default_rng(1).standard_normal((2, _SAMPLES, width)).astype(dtype)
    shape = rows.shape
    with np.errstate(all="ignore"):
        try:
            image = layer.on_rows(rows, xp, width)
        except Exception as error:  # of the author's code
            return f"on_rows fails on rows of shape {shape}: {_in_words(error)}"
    if not is_array_api_obj(image):
        return f"on_rows gives {kind_of(image)} for an array; want an array"
    if tuple(image.shape) != shape:
        return f"on_rows gives shape {tuple(image.shape)} for shape {shape}; want the same shape"
    if image.dtype != np.dtype(dtype):
        return f"on_rows gives {image.dtype} for {dtype}; want the dtype that it is given"
    return None


def _in_words(error: Exception) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"


def _of_scale(layer: RowLayer, image: Map, H: Floats) -> Iterator[str]:
    if layer.response is ScaleResponse.BOUND:
        return
    linear = layer.response is ScaleResponse.LINEAR
    for factor in _FACTORS:
        if not _close(image(factor * H), (factor if linear else 1.0) * image(H)):
            does = "multiply it by s" if linear else "leave it as it is"
            yield (
                f"says response = ScaleResponse.{layer.response.name}, but multiplying the input "
                f"by s = {factor} does not {does}; leave response out"
            )
            return


def _of_samples(layer: RowLayer, image: Map, H: Floats) -> Iterator[str]:
    n = H.shape[1]
    random = np.random.default_rng(2)
    if layer.each_sample:
        others = np.concatenate([H[:, :1], random.standard_normal((len(H), n - 1))], axis=1)
        if not _close(image(others)[:, 0], image(H)[:, 0]):
            yield (
                "says each_sample, but the image of a sample depends on others; leave each_sample "
                "out"
            )
    if layer.turns_with_samples:
        turn = np.linalg.qr(random.standard_normal((n, n)))[0]
        if not _close(image(H @ turn), image(H) @ turn):
            yield (
                "says turns_with_samples, but the image of HV is not that of H times V; leave "
                "turns_with_samples out"
            )
    if layer.odd:
        signs = np.where(np.arange(n) % 2, -1.0, 1.0)
        if not _close(image(H * signs), image(H) * signs):
            yield (
                "says odd, but a sample of the other sign does not get an image of the other "
                "sign; leave odd out"
            )
    if layer.recentres and not _close(image(H + random.standard_normal((len(H), 1))), image(H)):
        yield (
            "says recentres, but a vector common to all samples changes the image; leave "
            "recentres out"
        )
    yield from _of_signs(layer, image, H)
    if layer.keeps_span and len(H) > 1:
        plane = H[:, :2] @ random.standard_normal((2, n))
        values = np.linalg.svd(image(plane), compute_uv=False)
        if (values[2:] > 1e-6 * values[0]).any():
            yield (
                "says keeps_span, but images of samples in one plane span more than a plane; "
                "leave keeps_span out"
            )


def _of_signs(layer: RowLayer, image: Map, H: Floats) -> Iterator[str]:
    if layer.nonnegative and (image(H) < 0).any():
        yield "says nonnegative, but an image has a negative entry; leave nonnegative out"
    if layer.keeps_nonnegative and (image(np.abs(H)) < 0).any():
        yield (
            "says keeps_nonnegative, but the image of an H without negative entries has one; leave "
            "keeps_nonnegative out"
        )


def _image(layer: RowLayer, matrix: Floats, width: int) -> Floats:
    import array_api_compat.numpy as xp

    with np.errstate(all="ignore"):
        rows = layer.on_rows(np.array(matrix.T[None]), xp, width)
    found: Floats = np.asarray(rows)[0].T
    return found


def _close(one: Floats, other: Floats) -> bool:
    size = max(float(np.abs(one).max()), float(np.abs(other).max()))
    return bool((np.abs(one - other) <= _AGREES * size).all())
