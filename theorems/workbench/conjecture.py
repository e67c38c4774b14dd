"""``conjecture``: state a claim, get a statement that knows how to be attacked.

    @conjecture(chain="rescale", n="2..8", d="64..4096", ell="16..32")
    def gap_law(orthogonality_gap, n, d):
        \"\"\"Deep down, the mean gap is at most √(n/d).\"\"\"
        return orthogonality_gap <= sympy.sqrt(n / d)

or ``gap_law = conjecture("orthogonality_gap <= sqrt(n/d)", chain=…)``. What does not make sense is
refused here, in one line, before anything runs.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain as chained
from pathlib import Path
from typing import Any

from hypothesis.strategies import SearchStrategy

from simulators.chains import Chain
from simulators.exact import Number
from simulators.first_tangents import Forward
from simulators.last_gradient import Backward
from theorems.checking.expectation import Expectation
from theorems.checking.lost_samples import UndefinedMean
from theorems.checking.search import Adversary, Falsification
from theorems.checking.unbounded import Unbounded
from theorems.statement import Check, Quantifier, Statement, Verdict
from theorems.witnesses import Corpus
from theorems.workbench.assumptions import require_given_laws, with_assumptions
from theorems.workbench.attack import (
    adversary_against_all,
    adversary_against_mean,
    check_of_all,
    check_of_samples,
    corners_of,
)
from theorems.workbench.declaration import (
    WrittenClaim,
    declare,
    read_quantifier,
    require_labels,
)
from theorems.workbench.design import Design
from theorems.workbench.draft import draft_of
from theorems.workbench.examination import examine
from theorems.workbench.false_neighbour import (
    FalseNeighbour,
    false_neighbour,
    judging_batches,
    wanting,
)
from theorems.workbench.gradients import gradient_digest
from theorems.workbench.layout import (
    design_of,
    require_all_declared_used,
    require_several,
    space_of,
)
from theorems.workbench.measured_side import stated, with_sentinel
from theorems.workbench.parsing import ClaimError, nearest, refuse
from theorems.workbench.quantities import Quantity
from theorems.workbench.sentinels import undefined_mean
from theorems.workbench.spaces import Item
from theorems.workbench.subject import read_subject
from theorems.workbench.tangents import tangent_digest

__all__ = ["Conjecture", "conjecture", "name_of"]


def conjecture(
    claim: WrittenClaim | None = None,
    *,
    chain: str | Callable[..., Chain] | None = None,
    over: str | None = None,
    quantifier: str | Quantifier | None = None,
    observable: str | None = None,
    assume: WrittenClaim | Iterable[WrittenClaim] = (),
    event: str | None = None,
    sentinel: str | None = None,
    expected: str = "supported",
    name: str | None = None,
    title: str | None = None,
    computed: Mapping[str, Callable[..., Number]] | None = None,
    draw: SearchStrategy[object] | None = None,
    other: str | Callable[..., Chain] | None = None,
    backward: Backward | None = None,
    tangents: Forward | None = None,
    **symbols: object,
) -> Any:
    """State a claim: a function to decorate, text, or a SymPy relation.

    - ``claim``: if it is not given, the decorator comes back
    - ``chain``: "rescale", "residual", "recenter_relu", "batchnorm(tanh)", …, or a function
      ``width -> Chain``; the claim is then about the mean of a quantity at layer ``ell`` (with
      ``event="effective_rank >= 2"``, about the ``probability`` of that; with
      ``quantifier="limit"``, about the ``slope`` of log mean against log width; with
      ``quantifier="mean field"``, about the chain at infinite width, where
      `simulators.mean_field.gram_map` knows it: by spectra under rescale, else by Gram matrices,
      from starts of mean square 1 an entry)
    - ``over``: "spectra", "matrices" or "parameters" for a claim about every one: ``certified``
      once the whole domain was gone through, else ``supported`` by independent draws, of which each
      is decided exactly
    - ``quantifier``: inferred from ``chain`` and ``event`` where it can be
    - ``observable``: what the claim is about, if you want to have that checked
    - ``assume``: relations as text, over symbols and quantities of the start
      (``smallest_eigenvalue_0``); ``"x != 0"`` where a side has no value at 0; ``"alive"``, of a
      chain: a mean over the paths on which every sample has a unit that is not 0 at every layer up
      to ``ell`` (others are discarded), and ``over="matrices"``: no sample is 0; of what has no
      range, ``"kurtosis(x) <= 6"`` or ``"variance(x) <= v"``, which every verdict names
    - ``event``: of which the claim gives the ``probability``
    - ``sentinel``: the right side of a false neighbour that the check must refute; measured if not
      given. One that follows from the claim, or that nothing in range meets, is refused
    - ``expected``: the verdict you expect ("supported", "refuted", "inconclusive", …)
    - ``name``, ``title``: a name of letters, digits and _, and one line for people; those of the
      function if not given
    - ``computed``: further quantities of a claim without chain, as functions of declared symbols
      that return exact numbers or balls (``flint.arb`` at the precision of the moment):
      ``{"angle": lambda n: …}``
    - ``draw``: a Hypothesis strategy of dicts, one exact value per symbol (``spectrum``,
      ``matrix``), where the usual draws would rarely meet the assumptions; what the claim is about
      is still said by domains and assumptions
    - ``other``: a second chain, as ``chain`` is given, from the same start on the same weights; its
      quantities are ``other.orthogonality_gap``, …, and the claim compares both
    - ``backward``: what the gradient G = ∂L/∂H is at layer ``ell``, for a claim about gradients:
      "gaussian", standard normal; "readout"; an array (d, n); or a function of H there,
      ``(..., d, n)``, to
      one like it. ``gradient_norm_0`` is then ‖G‖ at the batch of a network of ``ell`` layers,
      ``gradient_norm`` that at layer ``ell`` itself
    - ``tangents``: what the tangent Ḣ₀ at the batch is, for a claim about Jacobian-vector products:
      "gaussian", standard normal; an array (d, n); or a function of the batch, (d, n), to one like
      it. ``tangent_norm`` is then ‖Ḣ‖ at layer ``ell``, ``tangent_norm_0`` that at the batch
    - every other keyword declares a symbol: ``d="64..4096"``, ``alpha="(0, 1/n]"``,
      ``gamma="1/10"``

    Text is read before any simplification, SymPy relations as SymPy made them: where a side has no
    value, inside domain and assumptions, a claim about every input is refused with the point, or
    refuted there.

    Returns a `Conjecture`. Raises `ClaimError`, a ``ValueError``, in one line, for a
    claim that says nothing that can be checked.

    Cost: the claim is read and tried at a few points; checking it is for ``verify``.

    Example:
        >>> square = conjecture("(x - 1)**2 >= 0", over="parameters", x="[0, 2]", name="square")
        >>> from theorems import verify
        >>> verify(square)[0].verdict.value
        'certified'
        >>> @conjecture(over="spectra", n="2..4")
        ... def gap_is_small(orthogonality_gap, n):
        ...     '''The gap is at most 1 - 1/n'''
        ...     return "orthogonality_gap <= 1 - 1/n"
        >>> gap_is_small.title
        'The gap is at most 1 - 1/n'
    """
    __tracebackhide__ = True  # pytest then shows the author's own line
    frame = sys._getframe(1)
    make = partial(
        Conjecture,
        symbols=symbols,
        chain=chain,
        over=over,
        quantifier=quantifier,
        observable=observable,
        assume=assume,
        event=event,
        sentinel=sentinel,
        expected=expected,
        name=name,
        title=title,
        computed=computed,
        draw=draw,
        other=other,
        backward=backward,
        tangents=tangents,
        module=str(frame.f_globals.get("__name__", "")),
        file=frame.f_globals.get("__file__"),
        line=frame.f_lineno,
    )
    return make if claim is None else make(claim)


class Conjecture:
    """A claim with everything needed to attack it. ``statement()`` is the library's form of it.

    - ``module``, ``file``, ``line``: where it was declared
    - ``symbols``: domains as the author wrote them, by name
    - the rest: as `conjecture` takes it, which makes this

    Example:
        >>> found = conjecture("x**2 >= x", over="parameters", x="[1, 2]", name="grows")
        >>> found.name, found.statement().quantifier.value
        ('grows', 'pointwise')
    """

    def __init__(
        self,
        claim: WrittenClaim,
        *,
        symbols: Mapping[str, object],
        chain: str | Callable[..., Chain] | None,
        over: str | None,
        quantifier: str | Quantifier | None,
        observable: str | None,
        assume: WrittenClaim | Iterable[WrittenClaim],
        event: str | None,
        sentinel: str | None,
        expected: str,
        name: str | None,
        title: str | None,
        computed: Mapping[str, Callable[..., Number]] | None,
        draw: SearchStrategy[object] | None,
        other: str | Callable[..., Chain] | None,
        backward: Backward | None,
        tangents: Forward | None,
        module: str,
        file: str | None,
        line: int,
    ) -> None:
        __tracebackhide__ = True
        require_labels(name, title)
        self.name = str(name or (getattr(claim, "__name__", "") if callable(claim) else ""))
        self.module, self.file, self.line = module, file, line
        assumed = tuple(assume) if isinstance(assume, list | tuple | set) else (assume,)
        try:
            about = read_subject(
                chain,
                over,
                quantifier,
                event=event,
                other=other,
                backward=backward,
                tangents=tangents,
            )
            self.expected = _verdict(expected)
            self.declaration = declare(
                symbols,
                None if about.sampled else about.over,
                about.chain,
                computed or {},
                about.other,
            )
            plain = stated(
                claim,
                about,
                self.declaration,
                event=event,
                observable=observable,
                quantifier=read_quantifier(quantifier),
            )
            self._claim = with_sentinel(with_assumptions(plain, assumed), sentinel)
            subject = self._claim.subject
            self.quantifier, self.over = subject.quantifier, subject.over
            self.chain, self.other = subject.chain, subject.other
            self.backward, self.tangents = subject.backward, subject.tangents
            self.event, self.relation = self._claim.event, self._claim.relation
            self.quantity, self.estimand = self._claim.quantity, self._claim.estimand
            self.assumptions = self._claim.assumptions
            self.space = space_of(self._claim, draw)
            self.design = design_of(self._claim, self.space) if subject.sampled else None
            written = (claim, event, *assumed)
            require_all_declared_used(self._claim, self.space, symbols, written)
            self.title = title or _first_line(claim) or str(self.relation)
            given = self._claim.sentinel
            looked = examine(self.draft, self.space, self.design, self._ranged, given)
            self._sides, self._ends, self._tightest = looked
            if self.design is not None:
                require_given_laws(self.design, self.draft)
                require_several(self.design, self.draft)
        except ClaimError as error:
            raise ClaimError(f"{self.name or 'conjecture'}: {error}") from None

    @property
    def sampled(self) -> bool:
        """Whether it is about a number of a law, as a mean or an exponent is, and decided by
        samples.
        """
        return self._claim.subject.sampled

    @property
    def family(self) -> str:
        """The first part of its name: the last part of the module, or the file, that it was
        declared in.

        Example:
            >>> conjecture("x**2 >= x", over="parameters", x="[1, 2]").family
            'conjecture'
        """
        last = self.module.rpartition(".")[2]
        if last in ("", "__main__") and self.file:
            last = Path(self.file).stem
        return re.sub(r"\W", "_", last) or "conjectures"

    @property
    def _ranged(self) -> Quantity | None:
        """The quantity compared with a bound, in the range that the chain leaves it."""
        if self.quantity is None or self.design is None:
            return self.quantity
        return self.design.quantities[0]

    @property
    def draft(self) -> Statement:
        """The statement with a sentinel that only holds the place, and without a check.

        What `statement` starts from. Cost: made anew at each call, without a simulation.
        """
        return draft_of(
            self._claim,
            self.space,
            self._ranged,
            family=self.family,
            name=self.name,
            title=self.title,
            place=Path(self.file).name if self.file else "as given",
            expected=self.expected,
        )

    @cached_property
    def _undecidable(self) -> UndefinedMean | Unbounded | None:
        """What shows that the mean claimed of has no value, or that no number of samples decides.

        Cost: a few simulations where samples may have no value.
        """
        if self.design is None:
            return None
        undefined = undefined_mean(self.design, self.draft)
        return undefined or wanting(self.design, self.draft, self.design.estimand.unbounded)

    @cached_property
    def _neighbour(self) -> FalseNeighbour:
        """What it is told apart from. Cost: a few simulations if the claim is sampled."""
        return false_neighbour(
            self._claim,
            self.draft,
            self.design,
            self._sides,
            self._ends,
            self._ranged,
            undecidable=self._undecidable is not None,
        )

    def statement(
        self, *, corpus: Path | None = None, falsify: bool = True, only: bool = False
    ) -> Statement:
        """The statement with its checks and its sentinel.

        - ``corpus``: where witnesses are kept; none are read or written if it is None
        - ``falsify``: False leaves the adversarial search out
        - ``only``: True leaves out everything else

        Raises ``CorpusError`` for a corpus that cannot be read. Cost: a few simulations to place
        the sentinel, the first time.

        Example:
            >>> claim = conjecture("x**2 >= x", over="parameters", x="[1, 2]", name="grows")
            >>> len(claim.statement(falsify=False).checks)
            1
        """
        neighbour, nothing = self._neighbour, self._undecidable
        other, design = neighbour.compared, self.design
        named = {} if other is None else {s.symbol: s.meaning for s in other.statistics}
        draft = self.draft
        draft = replace(
            draft, sentinel=neighbour.sentinel, definitions={**named, **draft.definitions}
        )
        if nothing is not None:
            return replace(draft, checks=(nothing,))
        if design is not None and other is not None:
            design = design.beside(other)
        check = self._check(design, neighbour.resolution)
        adversary = self._adversary(design, check) if falsify else None
        measured = self._claim.sentinel is None
        if measured and self.design is not None and isinstance(check, Expectation):
            check = judging_batches(check, self.design)
        if adversary is None:
            return replace(draft, checks=(check,))
        kept = None if corpus is None else Corpus(corpus)
        search = Falsification(adversary, tuple(kept.of(draft.name)) if kept else (), kept)
        return replace(draft, checks=(search,) if only else (search, check))

    def _corners(self) -> list[Item]:
        return corners_of(self.space, self._tightest)

    def _check(self, design: Design | None, resolution: float) -> Check:
        if design is None:
            return check_of_all(self.space, self._corners)
        half_known = wanting(design, self.draft, design.estimand.half_known)
        words = "" if half_known is None else half_known.reason
        return check_of_samples(self._claim, self.draft, design, resolution, words)

    def _adversary(self, design: Design | None, check: Check) -> Adversary | None:
        if design is None:
            return adversary_against_all(self.space, self._corners)
        return adversary_against_mean(design, check)

    def __repr__(self) -> str:
        return f"<conjecture {self.family}.{self.name or 'claim'}: {self.relation}>"


def name_of(claim: Conjecture) -> str:
    """A name for a claim that has none of its own, of everything that is claimed, as it was read.

    Returns ``claim_`` and eight hexadecimal digits. Spaces and the order of assumptions make no
    difference, nor do sentinel and expected verdict, which claim nothing.

    Args:
        claim: named or not; the same claim has the same name in every process.

    Example:
        >>> name_of(conjecture("x**2 >= x", over="parameters", x="[1, 2]"))
        'claim_3deac512'
    """
    assumed = chained.from_iterable(a.conditions for a in claim.assumptions)
    conditions = (*claim.relation.conditions, *assumed)
    parts = [
        claim.quantifier.value,
        claim.over if claim.chain is None else claim.chain.name,
        str(claim.relation),
        *(f"{x.symbol} in {x.set}" for x in claim.space.domains),
        *(f"{name} = {value}" for name, value in sorted(claim.declaration.constants.items())),
        *sorted(str(a.relation) for a in claim.assumptions),
        *sorted(f"defined where {c.relation}" for c in conditions),
    ]
    if claim.event is not None:
        parts.append(f"event {claim.event}")
    if claim.other is not None:
        parts.append(f"beside {claim.other.name}")
    if claim.backward is not None:
        parts.append(f"gradient {gradient_digest(claim.backward)}")
    if claim.tangents is not None:
        parts.append(f"tangent {tangent_digest(claim.tangents)}")
    if claim.quantity is not None:
        parts.append(f"about {claim.quantity.name}")
    elif claim.estimand is not None and claim.event is None:
        drawn = chained.from_iterable(s.conditions for s in claim.estimand.statistics)
        parts += sorted({f"read where {c.relation}" for c in drawn})
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"claim_{digest[:8]}"


def _verdict(expected: str) -> Verdict:
    known = [verdict.value for verdict in Verdict]
    refuse((expected not in known, f"expected={expected!r}{nearest(str(expected), known)}"))
    return Verdict(expected)


def _first_line(claim: WrittenClaim) -> str:
    if isinstance(claim, str):  # as it was written, before any simplification
        return " ".join(claim.split())
    lines = (getattr(claim, "__doc__", None) or "").strip().splitlines() if callable(claim) else []
    return lines[0].rstrip(".") if lines and lines[0].isprintable() else ""
