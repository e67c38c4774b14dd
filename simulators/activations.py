"""The catalogue of activations: functions F of a number, applied to H entry by entry.

A new one is one function here, or in a module of yours:

    @activation(odd=True, derivative=lambda rows, xp: 1 / (1 + xp.abs(rows)) ** 2)
    def softsign(rows, xp):
        '''x/(1 + |x|)'''
        return rows / (1 + xp.abs(rows))

What it says of itself is tried on a grid of points: a derivative that contradicts difference
quotients is refused, and so are a homogeneity or an oddness that some point refutes.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from typing import Any, TypeAlias, TypeVar

import numpy as np
from array_api_compat import device, is_torch_array

from simulators import trials
from simulators.arguments import kind_of, told
from simulators.arrays import Array, Namespace
from simulators.autograd import pulled_back
from simulators.catalogue import Catalogue, Parameter, read_entry, summary
from simulators.lazy import torch

__all__ = ["ACTIVATIONS", "ActivationFunction", "activation", "activation_of"]

Rowwise: TypeAlias = Callable[..., Array]
F = TypeVar("F", bound=Rowwise)


@dataclass(frozen=True)
class ActivationFunction:
    """An activation F, by name.

    - ``function``: ``(rows, xp)`` to F of ``rows``, real floating of any shape with two axes or
      more, which it may overwrite; ``xp`` is the namespace of their array library, NumPy's or
      Torch's
    - ``homogeneous``: whether F(sx) = sF(x) for every s > 0; ``odd``: whether F(−x) = −F(x)
    - ``vanishes``: whether F is 0 on an interval, so that all units of a sample may die
    - ``derivative``: ``(rows, xp)`` to F′ of ``rows``; None for that by Torch's autograd
    - ``nonnegative``: whether F(x) ≥ 0 for every x
    - ``parameter``: a number that ``function`` and ``derivative`` take by its name, with a default;
      a text writes it in brackets, as in ``leaky_relu(0.1)``. None if they take none

    Example:
        >>> ACTIVATIONS["relu"].vanishes, ACTIVATIONS["tanh"].odd
        (True, True)
    """

    name: str
    meaning: str
    function: Rowwise
    homogeneous: bool = False
    odd: bool = False
    vanishes: bool = False
    derivative: Rowwise | None = None

    parameter: Parameter | None = None
    nonnegative: bool = False

    @property
    def example(self) -> str:
        """How a text names it.

        With a value of its parameter in brackets, if it has one: ``leaky_relu(0.01)``.
        """
        return self.name if self.parameter is None else f"{self.name}({self.parameter.example})"

    def at(self, value: float) -> ActivationFunction:
        """F at this value of its parameter, named with it: ``leaky_relu(0.1)``.

        It is tried like one of its own. Raises `ValueError` if F has no parameter, for a value
        outside its range, and where a point refutes what is declared.

        Example:
            >>> ACTIVATIONS["leaky_relu"].at(0.25).name
            'leaky_relu(0.25)'
        """
        if self.parameter is None:
            raise ValueError(f"activation {self.name!r} has no parameter; write {self.name!r}")
        return _at(self, self.parameter.within(value))

    def slopes(self, rows: Array, xp: Namespace) -> Array:
        """F′ of ``rows``, of their shape and dtype: as given, or by autograd through `function`.

        ``rows`` and ``xp`` are as for `function`; ``rows`` may be overwritten. Raises `TypeError`
        where no derivative is given and Torch does not follow the function. Cost: that of one or
        two evaluations of F.

        Example:
            >>> import numpy as np
            >>> ACTIVATIONS["relu"].slopes(np.array([[-1.0, 0.0, 2.0]]), np).tolist()
            [[0.0, 0.0, 1.0]]
        """
        if self.derivative is not None:
            return self.derivative(rows, xp)
        what, instead = f"activation {self.name!r}", "give derivative="
        return pulled_back(self.function, rows, xp.ones_like(rows), what, instead=instead)

    def require_as_told(self, xp: Namespace) -> None:
        """Raise `ValueError`, in one line, where a grid of points refutes what this says of F.

        It is tried on arrays of the library ``xp``, in float32 and float64: shape, dtype, no NaN at
        finite numbers, `homogeneous`, `odd`, `nonnegative`, and `derivative` against difference
        quotients.

        Example:
            >>> import array_api_compat.numpy as xp
            >>> half = ActivationFunction("F", "1/2", lambda rows, xp: 0.5)
            >>> half.require_as_told(xp)
            Traceback (most recent call last):
            ValueError: activation 'F' gives a float for an array; want an array like it
        """
        _tried(self, xp)


@cache
def _tried(entry: ActivationFunction, xp: Namespace) -> None:
    what = f"activation {entry.name!r}"

    def function(rows: Array) -> Array:
        return entry.function(rows, xp)

    trials.require_numbers(what, function, xp)
    if entry.homogeneous:
        trials.require_homogeneous(what, function, xp)
    if entry.odd:
        trials.require_odd(what, function, xp)
    if entry.nonnegative:
        trials.require_nonnegative(what, function, xp)
    if (derivative := entry.derivative) is not None:
        trials.require_derivative(what, function, lambda rows: derivative(rows, xp), xp)


@cache
def _at(entry: ActivationFunction, value: float) -> ActivationFunction:
    import array_api_compat.numpy

    given = {} if entry.parameter is None else {entry.parameter.name: value}
    bound = replace(
        entry,
        name=f"{entry.name}({value!r})",
        meaning=entry.meaning.format_map({name: f"{number:g}" for name, number in given.items()}),
        function=partial(entry.function, **given),
        derivative=None if entry.derivative is None else partial(entry.derivative, **given),
        parameter=None,
    )
    bound.require_as_told(array_api_compat.numpy)
    dies = entry.vanishes or trials.vanishes(*_on_numpy(bound.function))
    return replace(bound, vanishes=dies)


def activation_of(
    given: object,
    derivative: Callable[..., Array] | None = None,
    homogeneous: bool | None = None,
) -> ActivationFunction:
    """The activation that a name means, or that a function of your own is.

    - ``given``: a name in `ACTIVATIONS`, with a number in brackets where it takes one; or a
      function of an array to one of its shape and dtype, entry by entry: of NumPy's, of Torch's, or
      of both, such as ``np.tanh`` and ``torch.nn.functional.gelu``; or of ``(rows, xp)``, as the
      catalogue's. Where it knows one library alone, arrays of the other are converted
    - ``derivative``: F′, a function of any of these kinds; None for what is known, or that by
      Torch's autograd
    - ``homogeneous``: whether F(sx) = sF(x) for every s > 0; None for what is known, or what a
      trial on points finds

    Of a function, oddness and whether it is 0 on an interval are found by trial; that it is
    nowhere negative is not, as ranges of means rest on it. Raises
    `ValueError` as `ActivationFunction.require_as_told` does and for an unknown name; `TypeError`
    for what is neither text nor function, and for a function without hash.

    Example:
        >>> import numpy as np
        >>> found = activation_of(np.abs)
        >>> found.name, found.homogeneous, found.odd
        ('absolute', True, False)
    """
    if derivative is not None and not callable(derivative):
        raise TypeError(
            f"derivative={told(derivative)} is {kind_of(derivative)}; give a function of arrays"
        )
    if homogeneous is not None and not isinstance(homogeneous, bool):
        raise TypeError(
            f"homogeneous={told(homogeneous)} is {kind_of(homogeneous)}; give True, False, or "
            "None for what is known or a trial finds"
        )
    for function in (given, derivative):
        if callable(function) and not isinstance(function, Hashable):
            raise TypeError(f"activation {told(function)} has no hash; give a function")
    if callable(given):
        return _found(given, derivative, homogeneous)
    known = read_entry(ACTIVATIONS, given)
    if derivative is None and homogeneous in (None, known.homogeneous):
        return known
    return _retold(known, derivative, homogeneous)


@cache
def _found(
    function: Callable[..., Array],
    derivative: Callable[..., Array] | None,
    homogeneous: bool | None,
) -> ActivationFunction:
    name = _name_of(function)
    made = ActivationFunction(
        name,
        f"{name} of x",
        _of_rows(function),
        derivative=None if derivative is None else _of_rows(derivative),
        homogeneous=bool(homogeneous),
    )
    tried = _on_numpy(made.function)
    made.require_as_told(tried[1])
    return replace(
        made,
        homogeneous=trials.is_homogeneous(*tried) if homogeneous is None else homogeneous,
        odd=trials.is_odd(*tried),
        vanishes=trials.vanishes(*tried),
    )


def _name_of(function: Callable[..., Array]) -> str:
    if isinstance(function, partial):
        given = [
            *map(told, function.args),
            *(f"{k}={told(v)}" for k, v in function.keywords.items()),
        ]
        return f"{_name_of(function.func)}({', '.join(given)})"
    return str(getattr(function, "__name__", None) or told(function))


@cache
def _retold(
    known: ActivationFunction,
    derivative: Callable[..., Array] | None,
    homogeneous: bool | None,
) -> ActivationFunction:
    made = replace(
        known,
        derivative=known.derivative if derivative is None else _of_rows(derivative),
        homogeneous=known.homogeneous if homogeneous is None else homogeneous,
    )
    made.require_as_told(_on_numpy(made.function)[1])
    return made


def _on_numpy(function: Rowwise) -> tuple[trials.Function, Namespace]:
    import array_api_compat.numpy as library

    xp: Namespace = library
    return lambda rows: function(rows, xp), xp


def _of_rows(function: Callable[..., Array]) -> Rowwise:
    """The function as one of ``(rows, xp)``, for arrays of both libraries."""
    return function if _takes_library(function) else partial(_converted, function)


def _takes_library(function: Callable[..., Array]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C
        return False
    needed = [
        part
        for part in parameters
        if part.default is part.empty
        and part.kind in (part.POSITIONAL_ONLY, part.POSITIONAL_OR_KEYWORD)
    ]
    return len(needed) > 1


def _converted(function: Callable[[Any], Any], rows: Array, xp: Namespace) -> Array:
    on_torch = is_torch_array(rows)
    if _knows(function, xp) or not _knows(function, _other(on_torch)):
        image: Array = function(rows)
        return image
    if on_torch:
        return xp.asarray(function(torch.as_tensor(rows).cpu().numpy()), device=device(rows))
    return np.asarray(torch.as_tensor(function(torch.as_tensor(rows))).detach())


def _other(on_torch: bool) -> Namespace:
    library = import_module(f"array_api_compat.{'numpy' if on_torch else 'torch'}")
    xp: Namespace = library
    return xp


@cache
def _knows(function: Callable[[Any], Any], xp: Namespace) -> bool:
    """Whether it makes arrays of that library of such arrays, without a warning."""
    given = xp.asarray([[-0.5, 1.5]])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            return type(function(given)) is type(given)
    except Exception:  # of the author's code
        return False


ACTIVATIONS: Catalogue[ActivationFunction] = Catalogue("activation")
"""The activations, by name."""


def activation(
    *,
    homogeneous: bool = False,
    odd: bool = False,
    vanishes: bool = False,
    derivative: Rowwise | None = None,
    parameter: Parameter | None = None,
    nonnegative: bool = False,
) -> Callable[[F], F]:
    """Put the function below into the catalogue, under its name, with the first line of its
    docstring.

    It takes ``(rows, xp)``, and then its ``parameter`` by name, with a default, if it has one; the
    arguments here are those of `ActivationFunction`. What they say is
    tried on arrays of NumPy here, and on those of Torch when they first meet: see
    `ActivationFunction.require_as_told`.

    Raises `ValueError` for a name that is taken, a function without docstring, and one that a point
    of the grid refutes.

    Args:
        homogeneous: whether F(sx) = sF(x) for every s > 0.
        odd: whether F(−x) = −F(x).
        vanishes: whether F is 0 on an interval, so that all units of a sample may die.
        derivative: ``(rows, xp)`` to F′ of ``rows``; that by Torch's autograd if None.
        parameter: what F takes beside ``rows`` and ``xp``, with its range.
        nonnegative: whether F(x) ≥ 0 for every x.

    Example:
        >>> with ACTIVATIONS.restored():
        ...     @activation(homogeneous=True)
        ...     def leaky(rows, xp):
        ...         '''x for x > 0, else x/10'''
        ...         return xp.where(rows > 0, rows, rows / 10)
        ...     ACTIVATIONS["leaky"].meaning
        'x for x > 0, else x/10'
    """

    def entry(function: F) -> ActivationFunction:
        made = ActivationFunction(
            function.__name__,
            summary(function),
            function,
            homogeneous,
            odd,
            vanishes,
            derivative,
            parameter,
            nonnegative,
        )
        if function.__module__ != __name__:  # those below are tried by the tests
            import array_api_compat.numpy

            made.require_as_told(array_api_compat.numpy)
        return made

    return ACTIVATIONS.entry_of(entry)


def _even_slope(rate: float, scale: float, rows: Array, xp: Namespace) -> Array:
    """scale · t/(1 + t)² for t = exp(rate · |x|), to a few roundings of itself however small it is:
    at −1 and 1, the derivative of 1/(1 + exp(−x)).
    """
    tail = xp.abs(rows)
    tail *= rate
    tail = xp.exp(tail)
    around = tail + 1
    around *= around
    tail *= scale
    tail /= around
    return tail


def _step(rows: Array, xp: Namespace) -> Array:
    return xp.astype(rows > 0, rows.dtype)


@activation(homogeneous=True, vanishes=True, derivative=_step, nonnegative=True)
def relu(rows: Array, xp: Namespace) -> Array:
    """max(x, 0)

    ReLU of ``rows``, ``(..., n, m)``: positively homogeneous, 0 for x ≤ 0, of derivative 0 at 0.

    Example:
        >>> import numpy as np
        >>> relu(np.array([[-1.0, 2.0]]), np).tolist()
        [[0.0, 2.0]]
    """
    return xp.maximum(rows, xp.zeros_like(rows[..., :1, :1]))


@activation(odd=True, derivative=lambda rows, xp: _even_slope(-2.0, 4.0, rows, xp))
def tanh(rows: Array, xp: Namespace) -> Array:
    """tanh x

    tanh of ``rows``, of any shape: odd, in [−1, 1].

    Example:
        >>> import numpy as np
        >>> tanh(np.array([[0.0]]), np).tolist()
        [[0.0]]
    """
    return xp.tanh(rows)


@activation(odd=True, derivative=lambda rows, xp: xp.cos(rows))
def sin(rows: Array, xp: Namespace) -> Array:
    """sin x

    sin of ``rows``, of any shape: odd, in [−1, 1]; DJB21 (arXiv 2106.03970), Appendix F.

    Example:
        >>> import numpy as np
        >>> sin(np.array([[0.0]]), np).tolist()
        [[0.0]]
    """
    return xp.sin(rows)


@activation(derivative=lambda rows, xp: _even_slope(-1.0, 1.0, rows, xp), nonnegative=True)
def sigmoid(rows: Array, xp: Namespace) -> Array:
    """1/(1 + exp(−x))

    The logistic function of ``rows``, of any shape: in [0, 1], and never overflows.

    Example:
        >>> import numpy as np
        >>> sigmoid(np.array([[0.0, -800.0]]), np).tolist()
        [[0.5, 0.0]]
    """
    return 0.5 * xp.tanh(0.5 * rows) + 0.5  # the same, without its overflow


@activation(homogeneous=True, odd=True, derivative=lambda rows, xp: xp.ones_like(rows))
def identity(rows: Array, xp: Namespace) -> Array:
    """x

    ``rows`` themselves, of any shape, not copied: the linear network.

    Example:
        >>> import numpy as np
        >>> identity(np.array([[3.0]]), np).tolist()
        [[3.0]]
    """
    return rows


_GAUSSIAN_ROOM = 40.0
"""Beyond this a normal density is 0 in float64."""


def _density(rows: Array, xp: Namespace) -> Array:
    """exp(−x²/2), with no square that overflows."""
    near = xp.clip(rows, -_GAUSSIAN_ROOM, _GAUSSIAN_ROOM)
    return xp.exp(-0.5 * near * near)


def _erf(rows: Array, *, complement: bool = False) -> Array:
    """erf x, or 1 − erf x, which no library of the standard has by one name."""
    library = torch if is_torch_array(rows) else import_module("scipy.special")
    image: Array = (library.erfc if complement else library.erf)(rows)
    return image


def _gelu_slope(rows: Array, xp: Namespace) -> Array:
    below = 0.5 * _erf(-(0.5**0.5) * rows, complement=True)
    return below + rows * _density(rows, xp) / math.sqrt(2 * math.pi)


@activation(derivative=_gelu_slope)
def gelu(rows: Array, xp: Namespace) -> Array:
    """xΦ(x), Φ the distribution function of a standard normal number

    GELU of ``rows``, of any shape, exactly and not by tanh: Hendrycks, Gimpel 2016 (arXiv
    1606.08415). Accurate, relatively, for negative x too.

    Example:
        >>> import numpy as np
        >>> gelu(np.array([[0.0, 1.0]]), np).round(4).tolist()
        [[0.0, 0.8413]]
    """
    return 0.5 * rows * _erf(-(0.5**0.5) * rows, complement=True)


def _logistic(rows: Array, xp: Namespace) -> tuple[Array, Array]:
    """1/(1 + exp(−x)) and its derivative, accurate, relatively, for negative x too."""
    shrunk = xp.exp(-xp.abs(rows))
    share = 1 / (1 + shrunk)
    return xp.where(rows >= 0, share, shrunk * share), shrunk * share * share


def _silu_slope(rows: Array, xp: Namespace) -> Array:
    share, slope = _logistic(rows, xp)
    return share + rows * slope


@activation(derivative=_silu_slope)
def silu(rows: Array, xp: Namespace) -> Array:
    """x/(1 + exp(−x))

    SiLU of ``rows``, of any shape, also called swish; it never overflows.

    Example:
        >>> import numpy as np
        >>> silu(np.array([[0.0, -800.0]]), np).tolist()
        [[0.0, -0.0]]
    """
    return rows * _logistic(rows, xp)[0]


def _leaky_slope(rows: Array, xp: Namespace, slope: float = 0.01) -> Array:
    return xp.where(rows > 0, 1.0, slope * xp.ones_like(rows))


@activation(
    homogeneous=True,
    derivative=_leaky_slope,
    parameter=Parameter("slope", "leaky_relu", 0, 1, "0.01"),
)
def leaky_relu(rows: Array, xp: Namespace, slope: float = 0.01) -> Array:
    """x for x > 0, else {slope} x

    Leaky ReLU of ``rows``, of any shape, with a ``slope`` in [0, 1] below 0, which is the
    derivative at 0 as well, as in Torch.

    Example:
        >>> import numpy as np
        >>> leaky_relu(np.array([[-1.0, 2.0]]), np, 0.5).tolist()
        [[-0.5, 2.0]]
    """
    return xp.where(rows > 0, rows, slope * rows)


@activation(
    odd=True,
    derivative=lambda rows, xp: (2 / math.sqrt(math.pi)) * _density(2**0.5 * rows, xp),
)
def erf(rows: Array, xp: Namespace) -> Array:
    """erf x

    The error function of ``rows``, of any shape: odd, in [−1, 1].

    Example:
        >>> import numpy as np
        >>> erf(np.array([[0.0, 1.0]]), np).round(4).tolist()
        [[0.0, 0.8427]]
    """
    return _erf(rows)


@activation(derivative=lambda rows, xp: _logistic(rows, xp)[0], nonnegative=True)
def softplus(rows: Array, xp: Namespace) -> Array:
    """ln(1 + exp x)

    Softplus of ``rows``, of any shape: positive, and never overflows.

    Example:
        >>> import numpy as np
        >>> softplus(np.array([[0.0, 800.0]]), np).round(4).tolist()
        [[0.6931, 800.0]]
    """
    return xp.maximum(rows, xp.zeros_like(rows[..., :1, :1])) + xp.log1p(xp.exp(-xp.abs(rows)))


ACTIVATIONS.add(
    ActivationFunction(
        "abs",
        "the absolute value of x",
        lambda rows, xp: xp.abs(rows),
        homogeneous=True,
        derivative=lambda rows, xp: xp.sign(rows),
        nonnegative=True,
    )
)
