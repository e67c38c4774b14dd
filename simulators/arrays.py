"""Arrays of NumPy or Torch, as one code reads them: what both libraries have in common.

The array-API standard has no static types of its own. These say of it what is used here; what
stands beside an operator is left to the library, which takes numbers and arrays of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "FloatLimits", "Floats", "Namespace", "Reals"]

Floats: TypeAlias = NDArray[np.float64]
"""Arrays of NumPy in float64, on the host."""

Reals: TypeAlias = NDArray[np.floating]
"""Arrays of NumPy in float32 or float64, on the host."""


class Array(Protocol):
    """An array of numbers, NumPy's or Torch's, on any device; its axes are told where it is used.

    Example:
        >>> def halved(H: Array) -> Array:
        ...     return H / 2
        >>> halved(np.array([4.0, 2.0])).shape
        (2,)
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of entries along each axis.

        ``(..., d, n)`` of representations, and ``()`` of a number.
        """

    @property
    def ndim(self) -> int:
        """The number of axes, 0 for a number.

        As many as ``shape`` has entries.
        """

    @property
    def dtype(self) -> object:
        """The type of its entries, as its library has it.

        What `Namespace.isdtype` and `Namespace.finfo` take.
        """

    @property
    def mT(self) -> Array:
        """The last two axes exchanged: ``(..., n, m)`` of ``(..., m, n)``.

        A view, of two axes or more.
        """

    def __add__(self, other: Any, /) -> Array:
        """self + other"""

    def __radd__(self, other: Any, /) -> Array:
        """other + self"""

    def __sub__(self, other: Any, /) -> Array:
        """self − other"""

    def __rsub__(self, other: Any, /) -> Array:
        """other − self"""

    def __mul__(self, other: Any, /) -> Array:
        """self · other, entry by entry"""

    def __rmul__(self, other: Any, /) -> Array:
        """other · self, entry by entry"""

    def __truediv__(self, other: Any, /) -> Array:
        """self / other"""

    def __rtruediv__(self, other: Any, /) -> Array:
        """other / self"""

    def __and__(self, other: Any, /) -> Array:
        """Both, of booleans."""

    def __or__(self, other: Any, /) -> Array:
        """One at least, of booleans."""

    def __lt__(self, other: Any, /) -> Array:
        """self < other"""

    def __le__(self, other: Any, /) -> Array:
        """self ≤ other"""

    def __gt__(self, other: Any, /) -> Array:
        """self > other"""

    def __ge__(self, other: Any, /) -> Array:
        """self ≥ other"""

    def __neg__(self) -> Array:
        """−self"""

    def __abs__(self) -> Array:
        """|self|, entry by entry"""

    def __invert__(self) -> Array:
        """Not, of booleans."""

    def __getitem__(self, place: Any, /) -> Array:
        """The entries at that place, as a view where the library gives one."""

    def __setitem__(self, place: Any, value: Any, /) -> None:
        """Put the value there."""

    def __len__(self) -> int:
        """The length of the first axis."""

    def __float__(self) -> float:
        """The one entry, as a number."""

    def __array__(self) -> NDArray[Any]:
        """The entries, as an array of NumPy."""


class FloatLimits(Protocol):
    """What is known of a floating type: from ``smallest_normal`` on, numbers are ``eps`` apart,
    relatively.

    Example:
        >>> limits: FloatLimits = np.finfo(np.float64)
        >>> float(limits.eps) == 2.0**-52
        True
    """

    @property
    def eps(self) -> float:
        """The distance from 1 to the next number.

        2⁻⁵² in float64, 2⁻²³ in float32.
        """

    @property
    def smallest_normal(self) -> float:
        """The smallest number that has full accuracy.

        2⁻¹⁰²² in float64, 2⁻¹²⁶ in float32.
        """


class Namespace(Protocol):
    """An array library under the names of the standard, as `array_api_compat` has them.

    Any function of the standard can be called; those that give something else than an array are
    told one by one.

    Example:
        >>> import array_api_compat.numpy
        >>> xp: Namespace = array_api_compat.numpy
        >>> xp.isdtype(xp.zeros(3).dtype, "real floating")
        True
    """

    @property
    def linalg(self) -> Namespace:
        """The functions of linear algebra, such as ``svdvals`` and ``eigvalsh``.

        The extension ``linalg`` of the standard, over the last two axes.
        """

    def finfo(self, dtype: object, /) -> FloatLimits:
        """What is known of a floating type, the ``dtype`` of an array.

        Raises what the library raises for a type of whole numbers.
        """

    def isdtype(self, dtype: object, kind: str, /) -> bool:
        """Whether the ``dtype`` of an array is of that ``kind``.

        Such as ``"real floating"``, ``"integral"`` or ``"bool"``.
        """

    def __getattr__(self, name: str, /) -> Callable[..., Array]:
        """The function of that name."""

    def __hash__(self) -> int:
        """Libraries are told apart."""
