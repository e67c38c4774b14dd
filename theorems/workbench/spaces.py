"""What a pointwise or mean-field claim ranges over, in every form that a check or a search needs.

An item is a dict: every scalar symbol by name, exactly, and under ``spectrum``, ``start`` or ``matrix`` the object
itself. A space gives corners, a Hypothesis strategy, exact values of all symbols, and, for sizes held fixed, a map
from the unit cube to floats (NumPy or Torch) and back to exact items, which is what optimisers walk in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import flint
import numpy as np
import sympy as sp
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from simulators.engines.mean_field import rescale_map, rescale_path_enclosure
from simulators.starts import cube_dimensions, start_at, starts
from simulators.starts.cube import DECADES, share_weights
from simulators.strategies import corner_matrices, corner_spectra, spectra
from theorems.algebraic import number as exact_number
from theorems.algebraic import sign
from theorems.error_words import in_words
from theorems.workbench.domains import Domain
from theorems.workbench.eigenvalues import Eigenvalues, descending
from theorems.workbench.parsing import ClaimError
from theorems.workbench.quantities import Computed, Quantity
from theorems.workbench.start_items import (
    gram_of,
    is_batch,
    known_spectrum,
    matrix_of,
    read_start,
    shown_start,
    spectrum_at,
)
from theorems.workbench.start_layout import start_layout

__all__ = ["OVER", "Item", "Space", "limited_depths"]

Item = Mapping[str, Any]
#: What a claim may be about every one of.
OVER = ("parameters", "spectra", "matrices", "paths")
_SIZES = ("n", "d", "ell")
#: The largest object drawn at random; corners go further.
_LARGEST = {"n": 8, "d": 6, "ell": 40}
_FARTHEST = {"n": 32, "d": 8, "ell": 400}
#: Balls along a path cost more: some milliseconds per layer and eigenvalue.
_ON_PATHS = {"n": 6, "ell": 40}
#: What one input may take to decide, in units that `Space._require_work` names: a fraction of a second.
MOST_WORK = {"parameters": 0, "spectra": 256, "matrices": 2**14, "paths": 2**10}
_SPECTRAL = f"{{}} proportional to exp(-{DECADES} u), each u uniform on [0, 1]"


#: How far out, and beside how many choices of the other symbols.
_LADDER = [
    *(Fraction(10) ** k for k in (3, 5, 7, 9, 12, 15, 20, 30, 50, 100, 300)),
    *(Fraction(2) ** k for k in (10, 16, 20, 31, 40, 64, 128, 1000)),
]
_BESIDE = 8


def _limited(domain: Domain, most: int) -> list[int]:
    low, high = (int(e) for e in domain.ends({}))
    return [low, max(low, min(high, most))]


@dataclass(frozen=True)
class Space:
    """``over`` one of :data:`OVER`; ``domains`` of every scalar symbol in order of declaration; what is measured.

    ``measured`` are the quantities at the object itself (on paths: at layer ell), ``started`` those at the start of a
    path or chain, ``computed`` what the author's own functions give. ``drawn`` is the author's way to draw items; the
    domains still say which count. Where a chain or a quantity sees more of a start than its spectrum, ``whole`` puts
    the start itself in its place: spectrum, eigenbasis, signs, copies and scales of samples.
    """

    over: str
    domains: tuple[Domain, ...]
    measured: tuple[Quantity, ...] = ()
    started: tuple[Quantity, ...] = ()
    computed: tuple[Computed, ...] = ()
    drawn: st.SearchStrategy[Any] | None = None
    whole: bool = False

    def __post_init__(self) -> None:
        for q in (*self.measured, *self.started):
            if self.over == "parameters":
                raise ClaimError(
                    f"{q.name} is a quantity of H; say of which: over='spectra', over='matrices', or a "
                    "chain"
                )
            if q.of_spectrum is None and q.of_gram is None:
                raise ClaimError(
                    f"{q.name} has no exact evaluation, so nothing is decided of it about every "
                    "input or start; claim it of the mean under a chain"
                )
            if (
                self.over != "matrices"
                and q.of_spectrum is None
                and not (self.whole and q in self.started)
            ):
                remedy = "; use over='matrices'"
                if self.over == "paths":
                    remedy = (
                        ", which is all that is followed at infinite width; "
                        "claim it of finite widths, with d='64..4096'"
                    )
                raise ClaimError(f"{q.name} is not determined by the spectrum{remedy}")
            if self.over == "matrices" and q.of_gram is None:
                raise ClaimError(f"{q.name} depends on the spectrum alone; use over='spectra'")
            if self.over == "spectra" and q.wide and "d" not in {x.name for x in self.domains}:
                raise ClaimError(f"{q.name} depends on the width: declare it, as in d='4..64'")
            if any(x.name == "n" and x.ends({})[0] < q.samples for x in self.domains):
                raise ClaimError(
                    f"{q.name} is of at least {q.samples} samples: declare as many, as in "
                    f"n='{q.samples}..8'"
                )
            if self.over == "paths" and q.wide:
                raise ClaimError(f"{q.name} depends on the width, which is infinite here")
        self._require_work()

    def _require_work(self) -> None:
        """Raise :class:`ClaimError` if the smallest objects of the domain are too large to be decided exactly."""
        if self.over == "spectra" and "ell" in self._sizes:
            return  # starts of a chain, which are sampled
        least = {name: int(domain.ends({})[0]) for name, domain in self._sizes.items()}
        if self.over == "paths":
            last = _limited(self._sizes["ell"], _ON_PATHS["ell"])[1]
            work, what = least["n"] * last, "eigenvalues times layers"
        elif self.over == "matrices":
            wide = max(least["d"], least["n"])
            work, what = wide * least["n"] ** 2, "products in HᵀH"
        else:
            work, what = least.get("n", 0), "eigenvalues"
        if work > MOST_WORK[self.over]:
            sizes = ", ".join(f"{name} ≥ {value}" for name, value in least.items())
            raise ClaimError(
                f"{sizes}: {work} {what} of one input to be decided exactly, and at most "
                f"{MOST_WORK[self.over]} are; declare smaller sizes"
            )

    @property
    def _sizes(self) -> dict[str, Domain]:
        if self.over == "parameters":
            return {}
        return {x.name: x for x in self.domains if x.name in _SIZES}

    @property
    def object(self) -> str:
        """Under which name the object stands in an item; empty where there is none."""
        if self.over in ("spectra", "paths"):
            return "start" if self.whole else "spectrum"
        return "matrix" if self.over == "matrices" else ""

    @property
    def parameters(self) -> tuple[Domain, ...]:
        """The scalars that are no sizes of an object."""
        return tuple(x for x in self.domains if x.name not in self._sizes)

    # --- exact ------------------------------------------------------------------------------------------------

    def read(self, item: Any) -> Item:
        """An item that the author's strategy drew. Raises :class:`ClaimError` unless it gives every symbol, exactly."""
        wanted = {x.name for x in self.domains} | ({self.object} if self.object else set())
        if not isinstance(item, Mapping) or set(item) != wanted:
            raise ClaimError(f"draw= gives {item!r}; want a dict of {', '.join(sorted(wanted))}")

        def exact(value: Any) -> Any:
            if isinstance(value, list | tuple):
                return tuple(map(exact, value))
            if isinstance(value, bool) or not isinstance(value, int | Fraction):
                raise ClaimError(
                    f"draw= gives {value!r}, which is not exact; draw integers or fractions"
                )
            return Fraction(value)

        found = {name: exact(value) for name, value in item.items() if name != "start"}
        if self.whole:
            try:
                found["start"] = shown_start(read_start(item["start"]))
            except ValueError as error:
                raise ClaimError(f"draw= gives {error}") from None
        for name, value in found.items():
            if name == "start":
                continue
            rows = {"spectrum": (value,), "matrix": value}.get(name, ((value,),))
            if not (
                isinstance(rows, tuple)
                and rows
                and all(
                    isinstance(row, tuple) and row and all(isinstance(x, Fraction) for x in row)
                    for row in rows
                )
            ):
                raise ClaimError(
                    f"draw= gives {name}={item[name]!r}; want a number, of 'spectrum' a list of numbers, "
                    "of 'matrix' a list of rows"
                )
        return found

    def authored(self, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Item]:
        """What the author's ``strategy`` draws, read; whatever it raises comes as a :class:`ClaimError`."""

        @st.composite
        def items(draw: st.DrawFn) -> Item:
            try:
                return self.read(draw(strategy))
            except (ClaimError, HypothesisException):  # the latter steer Hypothesis
                raise
            except (Exception, SystemExit) as error:  # the author's code
                raise ClaimError(f"draw= raised {in_words(error)}") from None

        return items()

    def contains(self, item: Item) -> bool:
        """Whether every scalar lies in its domain and the object is what it should be."""
        if not all(x.contains(item[x.name], item) for x in self.domains):
            return False
        if self.object == "start":
            try:
                shown = item["start"]
                if not is_batch(shown) and sum(read_start(shown).spectrum) != 1:
                    return False  # its size stands in the scales
                return len(gram_of(shown)) == int(item["n"])
            except ValueError:
                return False
        if self.object == "spectrum":
            spectrum = item["spectrum"]
            whole = isinstance(spectrum, Eigenvalues) or _of_unit_sum(spectrum)
            return len(spectrum) == int(item["n"]) and whole
        if self.over == "matrices":
            rows = item["matrix"]
            return (
                (len(rows), len(rows[0])) == (item["d"], item["n"])
                and all(len(r) == len(rows[0]) for r in rows)
                and any(any(r) for r in rows)
            )
        return True

    def values(self, item: Item) -> Mapping[str, Any]:
        """Exact numbers, radicals or balls for every symbol, at the current ball precision."""
        found: dict[str, Any] = {x.name: item[x.name] for x in self.domains}
        width = int(item.get("d", item.get("n", 1)))
        if self.over in ("spectra", "paths"):
            if self.over == "paths" or not self.whole:
                spectrum = spectrum_at(item["start"]) if self.whole else item["spectrum"]
                now = (
                    descending(spectrum)
                    if self.over == "spectra"
                    else _Path.of(spectrum, flint.ctx.prec).layer(int(item["ell"]))
                )
                found["lambda"] = now
                found |= {
                    q.name: q.of_spectrum(now, width)
                    for q in self.measured
                    if q.of_spectrum is not None
                }
            found |= {f"{q.name}_0": self._at_start(q, item, width) for q in self.started}
        elif self.over == "matrices":
            rows = item["matrix"]
            matrix = flint.fmpq_mat(
                [[flint.fmpq(x.numerator, x.denominator) for x in row] for row in rows]
            )
            gram = matrix.transpose() * matrix
            found["A"] = rows
            found |= {
                q.name: q.of_gram(gram, width) for q in self.measured if q.of_gram is not None
            }
        return found | {c.name: c.at(found) for c in self.computed}

    def _at_start(self, quantity: Quantity, item: Item, width: int) -> Any:
        """A quantity of the start: by its spectrum where that is known, else by its Gram matrix, both exactly."""
        known = known_spectrum(item["start"]) if self.whole else item["spectrum"]
        if quantity.of_spectrum is not None and known is not None:
            return quantity.of_spectrum(descending(known), width)
        if quantity.of_gram is not None:
            return quantity.of_gram(matrix_of(gram_of(item["start"])), width)
        if quantity.of_spectrum is None:
            raise ClaimError(f"{quantity.name} of a start cannot be evaluated exactly")
        return quantity.of_spectrum(descending(spectrum_at(item["start"])), width)

    def corners(self) -> list[Item]:
        """Extreme sizes with the corner objects of each, and the corners of the parameters in turn."""
        found = []
        for sizes in self.shapes(_FARTHEST if self.over != "paths" else _ON_PATHS):
            scalars = list(self.scalar_corners(dict(sizes), self.parameters))
            for number, extra in enumerate(self._object_corners(sizes)):
                if self.over == "parameters":
                    found += [s | extra for s in scalars]
                else:  # every object, with the scalar corners dealt out in turn
                    found += [
                        scalars[k % len(scalars)] | extra
                        for k in range(number, number + min(len(scalars), 4))
                    ]
        return [x for x in found if self.contains(x)]

    def far(self) -> Iterator[Item]:
        """Inputs far out along each symbol without end, in powers of ten and of two, the others at their corners.

        Sizes of an object stay within what :meth:`corners` lays out.
        """
        for domain in self.parameters if self.over != "paths" else ():
            low, high = (bool(abs(end) == sp.oo) for end in (domain.set.inf, domain.set.sup))
            others = (
                [x for x in self.corners() if x.get(domain.name) == domain.corners(x)[0]]
                if low or high
                else []
            )
            for item in others[:: -(-len(others) // _BESIDE) or 1]:
                for distance in _LADDER:
                    candidates = [
                        {**item, domain.name: sign_ * distance}
                        for sign_, without in ((1, high), (-1, low))
                        if without
                    ]
                    yield from (x for x in candidates if self.contains(x))

    def shapes(self, most: Mapping[str, int]) -> list[dict[str, Fraction]]:
        """Sizes from the smallest to the largest allowed, at most ``most``."""
        choices = []
        for name, domain in self._sizes.items():
            low, high = _limited(domain, most[name])
            choices.append(
                [
                    (name, Fraction(k))
                    for k in sorted({low, min(low + 1, high), (low + high) // 2, high})
                ]
            )
        found = [dict(c) for c in product(*choices)]
        return [s for s in found if self.over != "matrices" or s["n"] <= s["d"]]

    def _object_corners(self, sizes: Mapping[str, Fraction]) -> Iterator[dict[str, Any]]:
        if self.over == "matrices":
            for matrix in corner_matrices(int(sizes["d"]), int(sizes["n"])).values():
                yield {"matrix": matrix}
            if sizes["n"] > 1:  # one sample 0, which has no cosine
                yield {"matrix": tuple((*row[:-1], Fraction(0)) for row in matrix)}
        elif self.object == "start":
            for start in start_layout(int(sizes["n"]), corner_spectra(int(sizes["n"]))):
                yield {"start": shown_start(start)}
        elif self.object == "spectrum":
            for spectrum in corner_spectra(int(sizes["n"])).values():
                yield {"spectrum": spectrum}
        else:
            yield {}

    def scalar_corners(
        self, known: dict[str, Any], left: tuple[Domain, ...]
    ) -> Iterator[dict[str, Any]]:
        """``known`` with every choice of corners of the symbols that are ``left``."""
        if not left:
            yield dict(known)
            return
        for value in left[0].corners(known):
            yield from self.scalar_corners(known | {left[0].name: value}, left[1:])

    def strategy(self) -> st.SearchStrategy[Item]:
        """Items of every size that is affordable, shrinking towards small ones, or the author's own."""
        if self.drawn is not None:
            return self.authored(self.drawn).filter(self.contains)

        @st.composite
        def items(draw: st.DrawFn) -> Item:
            item: dict[str, Any] = {}
            for name, domain in self._sizes.items():
                low, high = _limited(domain, _LARGEST[name])
                if self.over == "matrices" and name == "d":
                    low = max(low, int(item.get("n", 1)))
                item[name] = Fraction(draw(st.integers(low, max(low, high))))
            size = int(item.get("n", 1))
            if self.object == "start":
                item["start"] = shown_start(draw(starts(size, size)))
            elif self.object == "spectrum":
                item["spectrum"] = draw(spectra(size, size))
            elif self.over == "matrices":
                entry = st.integers(-9, 9).map(Fraction)
                row = st.tuples(*[entry] * size)
                rows = draw(
                    st.lists(row, min_size=int(item["d"]), max_size=int(item["d"])).filter(
                        lambda rows: any(map(any, rows))
                    )
                )
                item["matrix"] = tuple(rows)
            for domain in self.parameters:
                item[domain.name] = draw(domain.strategy(item))
            return item

        return items()

    # --- floats -----------------------------------------------------------------------------------------------

    @property
    def differentiable(self) -> bool:
        """Whether :meth:`floats` runs in Torch."""
        return self.over != "paths"

    def coordinates(self, sizes: Mapping[str, Fraction]) -> int:
        """The dimension of the cube for these sizes."""
        size = int(sizes.get("n", 0))
        entries = {
            "": 0,
            "spectrum": size,
            "start": cube_dimensions(size),
            "matrix": size * int(sizes.get("d", 0)),
        }
        return len(self.parameters) + entries[self.object]

    def floats(self, sizes: Mapping[str, Fraction], u: Any, xp: Any = np) -> dict[str, Any]:
        """Values of every symbol at points ``u`` of the cube, (k, coordinates) -> (k,); sizes are plain numbers."""
        found: dict[str, Any] = {name: int(value) for name, value in sizes.items()}
        for k, domain in enumerate(self.parameters):
            found[domain.name] = domain.at(u[:, k], found, xp)
        entries = u[:, len(self.parameters) :]
        width = found.get("d", found.get("n", 1))
        if self.over in ("spectra", "paths"):
            first = None  # H, where it has more than its spectrum
            if self.whole:
                first = np.stack(
                    [start_at(found["n"], point).batch(found["n"]) for point in entries]
                )
                squares = np.linalg.svd(first, compute_uv=False) ** 2
                start = squares / squares.sum(-1)[:, None]
            else:
                weights = xp.exp(-DECADES * entries)
                start = weights / weights.sum(-1)[:, None]
            now = start
            for _ in range(found["ell"] if self.over == "paths" else 0):
                now = rescale_map(now)
            found["lambda"] = [now[:, k] for k in range(found["n"])]
            for spectrum, measured, suffix in (
                (now, self.measured, ""),
                (start, self.started, "_0"),
            ):
                if measured and suffix and first is not None:
                    found |= {
                        q.name + suffix: q.observable.function(first, width=width) for q in measured
                    }
                elif measured:
                    H = xp.eye(found["n"], dtype=xp.float64) * xp.sqrt(spectrum)[:, None, :]
                    found |= {
                        q.name + suffix: q.observable.function(H, width=width) for q in measured
                    }
        elif self.over == "matrices":
            H = (2 * entries - 1).reshape((-1, found["d"], found["n"]))
            found["A"] = [[H[:, i, j] for j in range(found["n"])] for i in range(found["d"])]
            found |= {q.name: q.observable.function(H, width=width) for q in self.measured}
        return found

    def sample(self, generator: np.random.Generator) -> Item:
        """One input by :attr:`law`, outside the domain at times: sizes and coordinates that owe nothing to another."""
        sizes: dict[str, Fraction] = {}
        for name, domain in self._sizes.items():
            low, high = _limited(domain, self._reach[name])
            if self.over == "matrices" and name == "d":
                low = max(low, int(sizes["n"]))
            sizes[name] = Fraction(int(generator.integers(low, max(low, high), endpoint=True)))
        return self.item(sizes, generator.random(self.coordinates(sizes)))

    @property
    def law(self) -> str:
        """In words, where :meth:`sample` draws from."""
        parts = []
        for name, domain in self._sizes.items():
            low, high = _limited(domain, self._reach[name])
            first = f"max(n, {low})" if self.over == "matrices" and name == "d" else str(low)
            parts.append(f"{name} uniform on {first}..{high}")
        parts += [domain.law for domain in self.parameters]
        if self.whole:
            return ", ".join(
                [*parts, "starts of simulators.starts.start_at, each coordinate uniform on [0, 1]"]
            )
        start = "the spectrum" if self.over == "spectra" else "the spectrum of the start"
        parts += {
            "spectra": [_SPECTRAL.format(start)],
            "paths": [_SPECTRAL.format(start)],
            "matrices": ["entries uniform on [-1, 1]"],
        }.get(self.over, [])
        return ", ".join(parts)

    @property
    def cut(self) -> list[str]:
        """Up to where :attr:`law` draws the symbols whose domains go further: ``n ≤ 8``."""
        sizes = [
            (domain, _limited(domain, self._reach[name])[1]) for name, domain in self._sizes.items()
        ]
        return [
            f"{domain.name} ≤ {high}"
            for domain, high in sizes
            if domain.endless or domain.ends({})[1] > high
        ] + [
            f"{x.name} {sign} {float(x.ends({})[end]):g}"
            for x in self.parameters
            for end, sign, without in ((0, "≥", x.set.inf == -sp.oo), (1, "≤", x.endless))
            if without
        ]

    @property
    def _reach(self) -> Mapping[str, int]:
        return _LARGEST | _ON_PATHS if self.over == "paths" else _LARGEST

    def item(self, sizes: Mapping[str, Fraction], u: Any) -> Item:
        """The exact item at one point of the cube."""
        found: dict[str, Any] = dict(sizes)
        for k, domain in enumerate(self.parameters):
            found[domain.name] = domain.exactly(float(u[k]), found)
        entries = np.asarray(u[len(self.parameters) :], dtype=np.float64)
        if self.object == "start":
            found["start"] = shown_start(start_at(int(sizes["n"]), entries.tolist()))
        elif self.object == "spectrum":
            found["spectrum"] = share_weights(entries.tolist())
        elif self.over == "matrices":
            flat = [Fraction(round((2 * x - 1) * 10**6), 10**6) for x in entries.tolist()]
            size = int(sizes["n"])
            found["matrix"] = tuple(tuple(flat[i : i + size]) for i in range(0, len(flat), size))
        return found


def _of_unit_sum(spectrum: tuple[Any, ...]) -> bool:
    """Whether exact numbers are nonnegative and sum to 1."""
    if any(isinstance(x, sp.Expr) for x in spectrum):
        numbers = [exact_number(x) for x in spectrum]
        return sign(sum(numbers) - 1) == 0 and all(sign(x) in (0, 1) for x in numbers)
    return bool(sum(spectrum) == 1 and min(spectrum) >= 0)


def limited_depths(space: Space) -> list[dict[str, Fraction]]:
    """The depths of paths that a start is followed to: the ends and the middle, as far as balls can go."""
    depth = (
        next((x for x in space.domains if x.name == "ell"), None) if space.over == "paths" else None
    )
    if depth is None:
        return [{}]
    low, high = _limited(depth, _ON_PATHS["ell"])
    return [{"ell": Fraction(k)} for k in sorted({low, (low + high) // 2, high})]


class _Path:
    """The enclosed layers of one start at infinite width, extended as they are asked for."""

    def __init__(self, start: tuple[Fraction, ...] | Eigenvalues, precision: int) -> None:
        eigenvalues = descending(start)
        self.fixed = (
            not isinstance(start, Eigenvalues) and len({e for e in eigenvalues if e != 0}) == 1
        )
        self.known: list[list[Any]] = [list(eigenvalues)]
        self.more = iter(rescale_path_enclosure(eigenvalues, None, 10_000, precision))
        next(self.more)  # the start, which is known exactly

    @staticmethod
    @lru_cache(maxsize=256)
    def of(start: tuple[Fraction, ...] | Eigenvalues, precision: int) -> _Path:
        return _Path(start, precision)

    def layer(self, depth: int) -> list[Any]:
        if self.fixed:
            return self.known[0]
        while len(self.known) <= depth:
            self.known.append(next(self.more))
        return self.known[depth]
