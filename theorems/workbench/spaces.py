"""What a claim about every input ranges over, in every form that a check or a search needs.

A space gives corners, a Hypothesis strategy, exact values of all symbols, and, for sizes held
fixed, a map from the unit cube to floats (NumPy or Torch) and back to exact items, which is what
optimisers walk in. A user's batch is an input as well: the matrix itself, or its spectrum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import chain, islice, product
from types import ModuleType
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
import sympy as sp
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from simulators.arrays import Floats
from simulators.engines.mean_field import GramMap, rescale_map, rescale_path_enclosure
from simulators.exact import Number
from simulators.observables import OBSERVABLES
from simulators.starts import Start, cube_dimensions, start_at, starts
from simulators.starts.cube import DECADES, share_weights
from simulators.strategies import corner_matrices, corner_spectra, spectra
from theorems.algebraic import number, sign
from theorems.checking.rational_inputs import rational_rows
from theorems.error_words import in_words
from theorems.workbench.domains import Domain, in_turn, nested_floats
from theorems.workbench.exact_values import (
    AlgebraicSpectrum,
    KnownSpectrum,
    descending,
    eigenvalues_of,
    enclosed_spectrum,
    gram_matrix,
    matrix_of,
)
from theorems.workbench.gram_paths import float_layer, layer_at, leaves_samples
from theorems.workbench.parsing import ClaimError, refuse
from theorems.workbench.quantities import Computed, Quantity
from theorems.workbench.starts import (
    Item,
    ShownStart,
    gram_of,
    is_batch,
    known_spectrum,
    read_start,
    shown_batch,
    shown_start,
    spectrum_at,
    start_layout,
)

if TYPE_CHECKING:
    import torch

__all__ = ["OVER", "Item", "Space", "padded"]


#: What a claim may be about every one of.
OVER = ("parameters", "spectra", "matrices", "paths")
_SIZES = ("n", "d", "ell")
#: The largest object drawn at random; corners go further.
_LARGEST = {"n": 8, "d": 6, "ell": 40}
_FARTHEST = {"n": 32, "d": 8, "ell": 400}
#: Balls along a path cost more: some milliseconds per layer and eigenvalue.
_ON_PATHS = {"n": 6, "ell": 40}
#: Gram matrices: a formula takes microseconds, an integral or an expansion tenths of a second.
_ON_QUICK_PATHS = {"n": 6, "ell": 256}
_ON_SLOW_PATHS = {"n": 4, "ell": 8}
#: What one input may take to decide, in the units that are named with it: a fraction of a second.
MOST_WORK = {"parameters": 0, "spectra": 256, "matrices": 2**14, "paths": 2**10}
_SPECTRAL = f"{{}} proportional to exp(-{DECADES} u), each u uniform on [0, 1]"
#: So many corners of the other symbols are tried with one batch.
_CORNERS = 64
#: How far out, and beside how many choices of the other symbols.
_LADDER = [
    *(Fraction(10) ** k for k in (3, 5, 7, 9, 12, 15, 20, 30, 50, 100, 300)),
    *(Fraction(2) ** k for k in (10, 16, 20, 31, 40, 64, 128, 1000)),
]
_BESIDE = 8


def _limited(domain: Domain, most: int) -> tuple[int, int]:
    low, high = (int(e) for e in domain.ends({}))
    return low, max(low, min(high, most))


@dataclass(frozen=True)
class Space:
    """Every input that a claim is about.

    - ``over``: one of `OVER`
    - ``domains``: of every scalar symbol, in order of declaration
    - ``measured``: the quantities at the object itself (on paths: at layer ell)
    - ``started``: those at the start of a path or chain
    - ``computed``: what the author's own functions give
    - ``drawn``: the author's way to draw items; the domains still say which count
    - ``whole``: puts the start itself in the place of its spectrum, where a chain or a quantity
      sees more of it: eigenbasis, signs, copies and scales of samples
    - ``layers``: by which paths of Gram matrices go on from a whole start; None for the map of
      spectra of the rescale chain

    Of every method, ``item`` is an input: exact values by name of every scalar symbol and of the
    object, and ``sizes`` are n, d and ell as far as the object has them.

    Raises `ClaimError` for a quantity that has no exact value here, or is not defined on all of the
    domain, and where the smallest input is too large to be decided.

    Example:
        >>> Space("spectra", (Domain(sp.Symbol("n"), sp.Range(2, 4)),)).law
        'n uniform on 2..3, the spectrum proportional to exp(-16 u), each u uniform on [0, 1]'
    """

    over: str
    domains: tuple[Domain, ...]
    measured: tuple[Quantity, ...] = ()
    started: tuple[Quantity, ...] = ()
    computed: tuple[Computed, ...] = ()
    drawn: st.SearchStrategy[object] | None = None
    whole: bool = False
    layers: GramMap | None = None

    def __post_init__(self) -> None:
        for q in (*self.measured, *self.started):
            self._require_exact(q)
        self._require_work()

    def _require_exact(self, q: Quantity) -> None:
        """Raise `ClaimError` for a quantity that has no exact value at every object here."""
        few = any(x.name == "n" and x.ends({})[0] < q.samples for x in self.domains)
        seen = q in self.started or self.layers is not None
        spectral = q.of_spectrum is not None or (self.whole and seen)
        remedy = "; use over='matrices'"
        if self.over == "paths":
            remedy = (
                ", which is all that is followed at infinite width; "
                "claim it of finite widths, with d='64..4096'"
            )
        refuse(
            (
                self.over == "parameters",
                f"{q.name} is a quantity of H; say of which: over='spectra', over='matrices', or a "
                "chain",
            ),
            (
                q.of_spectrum is None and q.of_gram is None,
                f"{q.name} has no exact evaluation, so nothing is decided of it about every "
                "input or start; claim it of the mean under a chain",
            ),
            (
                self.over != "matrices" and not spectral,
                f"{q.name} is not determined by the spectrum{remedy}",
            ),
            (
                self.over == "matrices" and q.of_gram is None,
                f"{q.name} depends on the spectrum alone; use over='spectra'",
            ),
            (
                self.over == "spectra" and q.wide and "d" not in {x.name for x in self.domains},
                f"{q.name} depends on the width: declare it, as in d='4..64'",
            ),
            (
                few,
                f"{q.name} is of at least {q.samples} samples: declare as many, as in "
                f"n='{q.samples}..8'",
            ),
            (
                self.over == "paths" and q.wide,
                f"{q.name} depends on the width, which is infinite here",
            ),
        )

    def _require_work(self) -> None:
        """Raise `ClaimError` if the smallest objects of the domain are too large to be decided."""
        if self.over == "spectra" and "ell" in self._sizes:
            return  # starts of a chain, which are sampled
        least = {name: int(domain.ends({})[0]) for name, domain in self._sizes.items()}
        work, what = least.get("n", 0), "eigenvalues"
        if self.over == "paths":
            work *= _limited(self._sizes["ell"], self._on_paths["ell"])[1]
            what = "eigenvalues times layers"
        elif self.over == "matrices":
            work = max(least["d"], least["n"]) * least["n"] ** 2
            what = "products in HᵀH"
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
    def about(self) -> str:
        """Under which name the object stands in an item: "spectrum", "start" or "matrix"; empty
        where the claim is about parameters alone.
        """
        if self.over in ("spectra", "paths"):
            return "start" if self.whole else "spectrum"
        return "matrix" if self.over == "matrices" else ""

    @property
    def names(self) -> set[str]:
        """What stands in an item: every scalar symbol, and the object where there is one."""
        return {x.name for x in self.domains} | ({self.about} if self.about else set())

    def domain(self, name: str) -> Domain:
        """The domain of a scalar symbol.

        Args:
            name: one of the declared symbols; any other is a ``StopIteration``.

        Returns:
            Its domain.
        """
        return next(x for x in self.domains if x.name == name)

    @property
    def parameters(self) -> tuple[Domain, ...]:
        """The scalars that are no sizes of an object: n, d and ell are such where there is one."""
        return tuple(x for x in self.domains if x.name not in self._sizes)

    # --- exact ------------------------------------------------------------------------------------

    def authored(self, strategy: st.SearchStrategy[object]) -> st.SearchStrategy[Item]:
        """What the author's ``strategy`` draws, read as items of this space.

        Drawing raises `ClaimError` for what is no item, and for whatever the strategy raises.
        """

        @st.composite
        def items(draw: st.DrawFn) -> Item:
            try:
                return self._read(draw(strategy))
            except (ClaimError, HypothesisException):  # the latter steer Hypothesis
                raise
            except (Exception, SystemExit) as error:  # the author's code
                raise ClaimError(f"draw= raised {in_words(error)}") from None

        return items()

    def _read(self, item: object) -> Item:
        """An item that the author's strategy drew, which must give every symbol, exactly."""
        if not isinstance(item, Mapping) or set(item) != self.names:
            raise ClaimError(
                f"draw= gives {item!r}; want a dict of {', '.join(sorted(self.names))}"
            )
        found = {name: _drawn(value) for name, value in item.items() if name != "start"}
        for name, value in found.items():
            rows = {"spectrum": (value,), "matrix": value}.get(name, ((value,),))
            refuse(
                (
                    not _is_rows(rows),
                    f"draw= gives {name}={item[name]!r}; want a number, of 'spectrum' a list of "
                    "numbers, of 'matrix' a list of rows",
                )
            )
        if self.whole:
            try:
                found["start"] = shown_start(read_start(item["start"]))
            except ValueError as error:
                raise ClaimError(f"draw= gives {error}") from None
        return found

    def contains(self, item: Item) -> bool:
        """Whether every scalar lies in its domain and the object is what it should be.

        A spectrum is of n nonnegative numbers of sum 1, a start of n samples, a matrix d × n and
        not 0. Exactly for rational ends; what enclosures leave open does not lie in it.
        """
        if not all(x.contains(item[x.name], item) for x in self.domains):
            return False
        if self.about == "start":
            return _is_start(item["start"], int(item["n"])) and self._is_left(item["start"])
        if self.about == "spectrum":
            spectrum = item["spectrum"]
            whole = isinstance(spectrum, AlgebraicSpectrum) or (
                _of_unit_sum(spectrum) and sum(x != 0 for x in spectrum) <= self.rank(item)
            )
            return len(spectrum) == int(item["n"]) and whole
        if self.over == "matrices":
            rows, size = item["matrix"], item["n"]
            fits = len(rows) == item["d"] and all(len(row) == size for row in rows)
            return fits and any(map(any, rows))
        return True

    def rank(self, sizes: Mapping[str, Fraction]) -> int:
        """How many eigenvalues of HᵀH are not 0, at most: as many as samples, and as rows of H.

        - ``sizes``: n, and d where it is declared

        The rows are the width where that is declared; starts of chains may have any number.
        """
        size = int(sizes.get("n", 1))
        of_matrix = self.over == "spectra" and "ell" not in self._sizes
        return min(size, int(sizes.get("d", size))) if of_matrix else size

    def _is_left(self, start: ShownStart) -> bool:
        """Whether the layers of a path have what quantities ask for."""
        if self.layers is None:
            return True
        paired = any(q.samples > 1 for q in (*self.measured, *self.started))
        recentres = self.layers.chain.recentres
        return leaves_samples(gram_of(start), recentres=recentres, paired=paired)

    def values(self, item: Item) -> Item:
        """Exact numbers, radicals or balls for every symbol, at the ball precision of the moment.

        Families come as sequences: ``lambda`` of n numbers, descending, and ``A`` of d rows.
        """
        found: dict[str, Any] = {x.name: item[x.name] for x in self.domains}
        width = int(item.get("d", item.get("n", 1)))
        if self.over == "matrices":
            rows = item["matrix"]
            gram = gram_matrix(rows)
            found["A"] = rows
            found |= {q.name: q.of_gram(gram, width) for q in self.measured if q.of_gram}
        elif self.over != "parameters":
            if self.layers is not None:
                found |= self._along_grams(self.layers, item, width)
            elif self.over == "paths" or not self.whole:
                now = self._spectrum(item)
                found["lambda"] = now
                found |= {q.name: q.of_spectrum(now, width) for q in self.measured if q.of_spectrum}
            found |= {f"{q.name}_0": self._at_start(q, item, width) for q in self.started}
        return found | {c.name: c.at(found) for c in self.computed}

    def given(self, item: Item) -> Item:
        """What an assumption may speak of: of `values` all, but on paths of Gram matrices what is
        known at the start.

        Args:
            item: an input of the space.

        Returns:
            Exact numbers, radicals or balls by name, at the ball precision of the moment.

        Raises:
            ClaimError: as `values`, for what the author's own functions do.
        """
        if self.layers is None:
            return self.values(item)
        found: dict[str, Any] = {x.name: item[x.name] for x in self.domains}
        width = int(item.get("d", item["n"]))
        found |= {f"{q.name}_0": self._at_start(q, item, width) for q in self.started}
        return found | {c.name: c.at(found) for c in self.computed}

    def roughly(self, item: Item) -> dict[str, object]:
        """The values in floats; on paths of Gram matrices, of layers that are followed in floats.

        NaN where floats do not tell, as of samples that nearly agree.
        """
        if self.layers is None:
            return {name: nested_floats(value) for name, value in self.values(item).items()}
        found = {name: nested_floats(value) for name, value in self.given(item).items()}
        gram = matrix_of(gram_of(item["start"]))
        n, trace = gram.nrows(), sum((gram[k, k] for k in range(gram.nrows())), flint.fmpq(0))
        unit = np.array([float(flint.arb(x / trace)) for x in gram.entries()]).reshape(n, n)
        squares, vectors = np.linalg.eigh(unit)
        first = (vectors * np.sqrt(np.clip(squares, 0.0, None))).T
        H = float_layer(first[None], self.layers, int(item["ell"]))
        found["lambda"] = np.asarray(OBSERVABLES["spectrum"].function(H))[0].tolist()
        for q in self.measured:
            found[q.name] = float(q.observable.function(H, width=int(item["n"]))[0])
        return found

    def _along_grams(self, layers: GramMap, item: Item, width: int) -> dict[str, Number]:
        """Eigenvalues and quantities at layer ell of a path of Gram matrices."""
        gram = layer_at(gram_of(item["start"]), layers, int(item["ell"]))
        spectrum = enclosed_spectrum(flint.arb_mat(gram))
        found: dict[str, Number] = {"lambda": spectrum}
        for q in self.measured:
            if q.of_gram is not None:
                found[q.name] = q.of_gram(gram, width)
            elif q.of_spectrum is not None:
                found[q.name] = q.of_spectrum(spectrum, width)
        return found

    def _spectrum(self, item: Item) -> list[Number]:
        """The eigenvalues that a claim speaks of: on paths, those of layer ell."""
        spectrum = spectrum_at(item["start"]) if self.whole else item["spectrum"]
        if self.over == "spectra":
            return descending(spectrum)
        return _Path.of(spectrum, flint.ctx.prec).layer(int(item["ell"]))

    def _at_start(self, quantity: Quantity, item: Item, width: int) -> Number:
        """A quantity of the start: by its spectrum where that is known, else its Gram matrix."""
        known = known_spectrum(item["start"]) if self.whole else item["spectrum"]
        if quantity.of_spectrum is not None and known is not None:
            return quantity.of_spectrum(descending(known), width)
        if quantity.of_gram is not None:
            return quantity.of_gram(matrix_of(gram_of(item["start"])), width)
        if quantity.of_spectrum is None:
            raise ClaimError(f"{quantity.name} of a start cannot be evaluated exactly")
        return quantity.of_spectrum(descending(spectrum_at(item["start"])), width)

    def corners(self) -> list[Item]:
        """Extreme sizes with the corner objects of each, and the corners of the parameters.

        Every object meets some four choices of the parameters, in turn all of them. None lies
        outside the domain; assumptions are not asked.
        """
        found = []
        for sizes in self.shapes(_FARTHEST if self.over != "paths" else self._on_paths):
            scalars = list(in_turn(self.parameters, Domain.corners, sizes))
            if self.over == "parameters":
                found += scalars
                continue
            for number_, extra in enumerate(self._object_corners(sizes)):
                dealt = range(number_, number_ + min(len(scalars), 4))  # all objects, in turn
                found += [{**scalars[k % len(scalars)], **extra} for k in dealt]
        return [x for x in found if self.contains(x)]

    def far(self) -> Iterator[Item]:
        """Inputs far out along each symbol without end, in powers of ten and of two.

        The others are at their corners; sizes of an object stay within what `corners` lays out.
        """
        for domain in self.parameters if self.over != "paths" else ():
            ends = ((1, domain.set.sup), (-1, domain.set.inf))
            signs = [sign_ for sign_, end in ends if abs(end) == sp.oo]
            if not signs:
                continue
            others = [x for x in self.corners() if x.get(domain.name) == domain.corners(x)[0]]
            few = others[:: -(-len(others) // _BESIDE) or 1]
            for item, distance, sign_ in product(few, _LADDER, signs):
                candidate = {**item, domain.name: sign_ * distance}
                if self.contains(candidate):
                    yield candidate

    def of_batch(self, batch: Floats, *, nearby: bool = False) -> list[Item]:
        """The items that a user's batch gives, one per corner of the other symbols.

        - ``batch``: (d, n) floats, one sample a column, taken as the rationals they are
        - ``nearby``: irrational spectra come rounded to rationals first, which can be written down
          as witnesses

        None lies outside the domain. Of ``over="parameters"`` no item has a part of a batch.
        """
        rows = rational_rows(batch)
        sizes = {"n": Fraction(batch.shape[1]), "d": Fraction(batch.shape[0])}
        base: dict[str, Any] = {k: v for k, v in sizes.items() if k in self.names}
        spectrum: KnownSpectrum | None = None
        if self.about == "spectrum":
            base["spectrum"] = spectrum = eigenvalues_of(gram_matrix(rows))
        else:
            base[self.about] = rows if self.over == "matrices" else shown_batch(batch)
        found: list[Item] = []
        for depth in self._depths():
            found += islice(in_turn(self.parameters, Domain.corners, base | depth), _CORNERS)
        if nearby and isinstance(spectrum, AlgebraicSpectrum):
            found = [{**item, "spectrum": spectrum.rounded()} for item in found] + found
        return [item for item in found if self.contains(item)]

    def _depths(self) -> list[dict[str, Fraction]]:
        """The depths that paths are followed to: the ends and the middle, as far as balls go."""
        if self.over != "paths":
            return [{}]
        low, high = _limited(self._sizes["ell"], self._on_paths["ell"])
        return [{"ell": Fraction(k)} for k in sorted({low, (low + high) // 2, high})]

    def shapes(self, most: Mapping[str, int]) -> list[dict[str, Fraction]]:
        """Sizes from the smallest to the largest allowed.

        - ``most``: of each size, whatever the domain allows
        """
        levels = []
        for name, domain in self._sizes.items():
            low, high = _limited(domain, most[name])
            levels.append(sorted({low, min(low + 1, high), (low + high) // 2, high}))
        found = [dict(zip(self._sizes, map(Fraction, c), strict=True)) for c in product(*levels)]
        return [s for s in found if self.over != "matrices" or s["n"] <= s["d"]]

    def _object_corners(self, sizes: Mapping[str, Fraction]) -> list[Item]:
        size = int(sizes["n"])
        if self.about == "start":
            laid_out = start_layout(size, corner_spectra(size))
            return [{"start": shown_start(start)} for start in laid_out]
        if self.about == "spectrum":
            corners = corner_spectra(self.rank(sizes)).values()
            return [{"spectrum": padded(spectrum, size)} for spectrum in corners]
        matrices = list(corner_matrices(int(sizes["d"]), size).values())
        if size > 1:  # one sample 0, which has no cosine
            matrices.append(tuple((*row[:-1], Fraction(0)) for row in matrices[-1]))
        return [{"matrix": matrix} for matrix in matrices]

    def strategy(self) -> st.SearchStrategy[Item]:
        """Items as Hypothesis draws them.

        Returns:
            A strategy: the author's own where there is one, of which what lies outside the domain
            is left out; else items of every size that one input may take, shrinking towards small
            ones.
        """
        if self.drawn is not None:
            return self.authored(self.drawn).filter(self.contains)

        @st.composite
        def items(draw: st.DrawFn) -> Item:
            item: dict[str, Any] = {}
            for name, domain in self._sizes.items():
                low, high = self._drawn_from(name, domain, item, _LARGEST)
                item[name] = Fraction(draw(st.integers(low, high)))
            size = int(item.get("n", 1))
            if self.about == "start":
                item["start"] = shown_start(draw(_starts(size)))
            elif self.about == "spectrum":
                rank = self.rank(item)
                item["spectrum"] = padded(draw(spectra(rank, rank)), size)
            elif self.over == "matrices":
                item["matrix"] = tuple(draw(_rows(int(item["d"]), size)))
            for domain in self.parameters:
                item[domain.name] = draw(domain.strategy(item))
            return item

        return items()

    def _drawn_from(
        self, name: str, domain: Domain, known: Mapping[str, Fraction], most: Mapping[str, int]
    ) -> tuple[int, int]:
        """Between which ends a size is drawn: of a matrix, no fewer rows than samples."""
        low, high = _limited(domain, most[name])
        if self.over == "matrices" and name == "d":
            low = max(low, int(known.get("n", 1)))
        return low, max(low, high)

    # --- floats -----------------------------------------------------------------------------------

    @property
    def differentiable(self) -> bool:
        """Whether `floats` runs in Torch: not along paths, whose layers are followed in NumPy."""
        return self.over != "paths"

    def coordinates(self, sizes: Mapping[str, Fraction]) -> int:
        """The dimension of the cube at sizes that are held fixed.

        - ``sizes``: n, and d where it is declared; none of claims about parameters

        One coordinate for each parameter, then those of the object.
        """
        size = int(sizes.get("n", 0))
        entries = {
            "": 0,
            "spectrum": self.rank(sizes),
            "start": cube_dimensions(size),
            "matrix": size * int(sizes.get("d", 0)),
        }
        return len(self.parameters) + entries[self.about]

    def floats(
        self, sizes: Mapping[str, Fraction], u: Floats | torch.Tensor, xp: ModuleType = np
    ) -> dict[str, Number]:
        """Values of every symbol at k points of the cube.

        - ``sizes``: those held fixed, which come back as plain numbers
        - ``u``: (k, coordinates) in [0, 1], an array of ``xp``, NumPy or Torch

        Every other value is of shape (k,), a family a list of such.
        """
        found: dict[str, Any] = {name: int(value) for name, value in sizes.items()}
        for k, domain in enumerate(self.parameters):
            found[domain.name] = domain.at(u[:, k], found, xp)
        entries = u[:, len(self.parameters) :]
        width = found.get("d", found.get("n", 1))
        if self.over == "matrices":
            H = (2 * entries - 1).reshape((-1, found["d"], found["n"]))
            found["A"] = [list(xp.moveaxis(H[:, i], 1, 0)) for i in range(found["d"])]
            found |= {q.name: q.observable.function(H, width=width) for q in self.measured}
        elif self.over != "parameters":
            if self.whole:
                drawn = [start_at(found["n"], point).batch(found["n"]) for point in entries]
                first = np.stack(drawn)
                weights = np.linalg.svd(first, compute_uv=False) ** 2
                start = weights / weights.sum(-1)[:, None]
            else:
                weights = xp.exp(-DECADES * entries)
                start = weights / weights.sum(-1)[:, None]
                first = _diagonal(start, found["n"], xp)
            now = start
            if self.layers is not None:
                H = float_layer(first, self.layers, found["ell"])
                now = OBSERVABLES["spectrum"].function(H)
            else:
                for _ in range(found["ell"] if self.over == "paths" else 0):
                    now = rescale_map(now)
                H = _diagonal(now, found["n"], xp)
            seen = [now[:, k] for k in range(now.shape[-1])]
            found["lambda"] = seen + [0 * seen[0]] * (found["n"] - len(seen))
            found |= {q.name: q.observable.function(H, width=width) for q in self.measured}
            found |= {
                f"{q.name}_0": q.observable.function(first, width=width) for q in self.started
            }
        return found

    def sample(self, generator: np.random.Generator) -> Item:
        """One input by `law`, independent of any other.

        - ``generator``: of which its sizes and coordinates are drawn

        It may lie outside the domain, which is then said of it and not drawn anew.
        """
        sizes: dict[str, Fraction] = {}
        for name, domain in self._sizes.items():
            low, high = self._drawn_from(name, domain, sizes, self._reach)
            sizes[name] = Fraction(int(generator.integers(low, high, endpoint=True)))
        return self.item(sizes, generator.random(self.coordinates(sizes)))

    @property
    def law(self) -> str:
        """In words, where `sample` draws from: the law of every size, parameter and object."""
        parts = []
        for name, domain in self._sizes.items():
            low, high = _limited(domain, self._reach[name])
            first = f"max(n, {low})" if self.over == "matrices" and name == "d" else str(low)
            parts.append(f"{name} uniform on {first}..{high}")
        parts += [domain.law for domain in self.parameters]
        objects = {
            "parameters": [],
            "spectra": [_SPECTRAL.format("the spectrum")],
            "paths": [_SPECTRAL.format("the spectrum of the start")],
            "matrices": ["entries uniform on [-1, 1]"],
        }
        if self.whole:
            parts.append("starts of simulators.starts.start_at, each coordinate uniform on [0, 1]")
        else:
            parts += objects[self.over]
        return ", ".join(parts)

    @property
    def cut(self) -> list[str]:
        """Up to where `law` draws the symbols whose domains go further, in words, one of them each.

        Example:
            >>> Space("spectra", (Domain(sp.Symbol("n"), sp.Range(2, 100)),)).cut
            ['n ≤ 8']
        """
        found = []
        for name, domain in self._sizes.items():
            high = _limited(domain, self._reach[name])[1]
            if domain.endless or domain.ends({})[1] > high:
                found.append(f"{name} ≤ {high}")
        for x in self.parameters:
            if x.set.inf == -sp.oo:
                found.append(f"{x.name} ≥ {float(x.ends({})[0]):g}")
            if x.endless:
                found.append(f"{x.name} ≤ {float(x.ends({})[1]):g}")
        return found

    @property
    def quick(self) -> bool:
        """Whether an input is decided in milliseconds: no layers of a path are integrals."""
        return self.layers is None or self.layers.quick

    @property
    def _reach(self) -> Mapping[str, int]:
        return _LARGEST | self._on_paths if self.over == "paths" else _LARGEST

    @property
    def _on_paths(self) -> dict[str, int]:
        """The largest n and ell of paths that are followed."""
        if self.layers is None:
            return _ON_PATHS
        return _ON_QUICK_PATHS if self.layers.quick else _ON_SLOW_PATHS

    def item(self, sizes: Mapping[str, Fraction], u: Floats) -> Item:
        """The exact item at one point of the cube.

        - ``sizes``: those held fixed
        - ``u``: (coordinates,) in [0, 1]

        Numbers are rounded to fractions inside the domain.
        """
        found: dict[str, Any] = dict(sizes)
        for k, domain in enumerate(self.parameters):
            found[domain.name] = domain.exactly(float(u[k]), found)
        entries = np.asarray(u[len(self.parameters) :], dtype=np.float64).tolist()
        if self.about == "start":
            found["start"] = shown_start(start_at(int(sizes["n"]), entries))
        elif self.about == "spectrum":
            found["spectrum"] = padded(share_weights(entries), int(sizes["n"]))
        elif self.over == "matrices":
            flat = [Fraction(round((2 * x - 1) * 10**6), 10**6) for x in entries]
            size = int(sizes["n"])
            found["matrix"] = tuple(tuple(flat[i : i + size]) for i in range(0, len(flat), size))
        return found


@lru_cache(maxsize=64)
def _starts(size: int) -> st.SearchStrategy[Start]:
    return starts(size, size)


@lru_cache(maxsize=256)
def _rows(d: int, n: int) -> st.SearchStrategy[list[tuple[Fraction, ...]]]:
    """The rows of d × n matrices of small whole numbers, not all 0."""
    row = st.tuples(*[st.integers(-9, 9).map(Fraction)] * n)
    return st.lists(row, min_size=d, max_size=d).filter(lambda rows: any(map(any, rows)))


def padded(spectrum: Sequence[Fraction], size: int) -> tuple[Fraction, ...]:
    """A spectrum with as many zeros behind it as make it one of ``size`` samples.

    Example:
        >>> padded((Fraction(1),), 2)
        (Fraction(1, 1), Fraction(0, 1))
    """
    return (*spectrum, *(Fraction(0),) * (size - len(spectrum)))


def _diagonal(spectrum: Number, size: int, xp: ModuleType) -> Number:
    """Batches (k, rank, size) of these spectra (k, rank), in the diagonal basis."""
    rank = spectrum.shape[-1]
    return xp.eye(rank, size, dtype=xp.float64) * xp.sqrt(spectrum)[:, :, None]


def _drawn(value: object) -> Any:
    """What the author's strategy drew, nested as it is, as fractions."""
    if isinstance(value, list | tuple):
        return tuple(map(_drawn, value))
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise ClaimError(f"draw= gives {value!r}, which is not exact; draw integers or fractions")
    return Fraction(value)


def _is_rows(rows: object) -> bool:
    """Whether these are rows of numbers, none of them empty."""
    if not (isinstance(rows, tuple) and rows and all(isinstance(row, tuple) for row in rows)):
        return False
    return all(rows) and all(isinstance(x, Fraction) for x in chain.from_iterable(rows))


def _is_start(shown: ShownStart, size: int) -> bool:
    """Whether it is a start of so many samples, or a batch of as many."""
    try:
        if not is_batch(shown) and sum(read_start(shown).spectrum) != 1:
            return False  # its size stands in the scales
        return len(gram_of(shown)) == size
    except ValueError:
        return False


def _of_unit_sum(spectrum: Sequence[Fraction | sp.Expr]) -> bool:
    """Whether exact numbers are nonnegative and sum to 1."""
    if any(isinstance(x, sp.Expr) for x in spectrum):
        numbers = list(map(number, spectrum))
        return sign(sum(numbers) - 1) == 0 and all(sign(x) in (0, 1) for x in numbers)
    return bool(sum(spectrum) == 1 and min(spectrum) >= 0)


class _Path:
    """The enclosed layers of one start at infinite width, extended as they are asked for."""

    def __init__(self, start: KnownSpectrum, precision: int) -> None:
        first = descending(start)
        exact = not isinstance(start, AlgebraicSpectrum)
        self.fixed = exact and len({e for e in first if e != 0}) == 1
        self.known = [first]
        self.more = iter(rescale_path_enclosure(first, None, 10_000, precision))
        next(self.more)  # the start, which is known exactly

    @staticmethod
    @lru_cache(maxsize=256)
    def of(start: KnownSpectrum, precision: int) -> _Path:
        return _Path(start, precision)

    def layer(self, depth: int) -> list[Number]:
        if self.fixed:
            return self.known[0]
        while len(self.known) <= depth:
            self.known.append(next(self.more))
        return self.known[depth]
