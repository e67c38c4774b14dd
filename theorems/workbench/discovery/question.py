"""What a discovery is asked: of which quantities bounds are wanted, by what else, over what.

A subject is "spectra", "matrices" or "parameters", or a chain: at infinite width where no width d
is declared, else with random weights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp

from simulators.chains import Chain
from simulators.exact import Number
from theorems.statement import Statement, Verdict
from theorems.workbench.assumptions import with_assumptions
from theorems.workbench.declaration import Declaration, declare
from theorems.workbench.design import Design
from theorems.workbench.domains import Domain
from theorems.workbench.draft import draft_of
from theorems.workbench.layout import design_of, require_all_declared_used, space_of
from theorems.workbench.measured_side import StatedClaim, stated
from theorems.workbench.parsing import ClaimError, read_expression, refuse
from theorems.workbench.spaces import OVER, Space
from theorems.workbench.subject import Subject, read_subject

__all__ = ["Question", "Side", "read_question"]

#: Layers looked at where the author does not say.
_LAYERS = "1..8"
#: Quantities and references of one question, at most.
MOST = 4
_EVERY = tuple(over for over in OVER if over != "paths")


@dataclass(frozen=True)
class Side:
    """A quantity, or a function of some, as its author wrote it.

    - ``text``, ``expression``: at the object itself, or at layer ell
    - ``start_text``, ``start``: the same at the start of a chain; None where there is none
    """

    text: str
    expression: sp.Expr
    start_text: str = ""
    start: sp.Expr | None = None

    @property
    def random(self) -> bool:
        """Whether it names what is measured, and not the start or sizes alone."""
        return self.start is None or self.start != self.expression


@dataclass(frozen=True)
class Question:
    """A question that makes sense.

    - ``of``, ``against``: what bounds are wanted of, and by what else than sizes
    - ``options``: how a claim that answers it is stated: what `theorems.conjecture` takes beside it
    - ``space``, ``statement``: the inputs or starts, and which of them count
    - ``design``: of random weights; None where every input is exact
    """

    of: tuple[Side, ...]
    against: tuple[Side, ...]
    subject: Subject
    declaration: Declaration
    space: Space
    statement: Statement
    design: Design | None
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def sampled(self) -> bool:
        """Whether it is about a mean over random weights."""
        return self.design is not None

    @property
    def follows_layers(self) -> bool:
        """Whether there are layers, and a start before them."""
        return self.subject.chain is not None

    @cached_property
    def sizes(self) -> tuple[Domain, ...]:
        """The symbols that forms are made of: those of whole numbers."""
        return tuple(domain for domain in self.space.domains if domain.whole)


def read_question(
    subject: str | Callable[..., Chain],
    of: str | Iterable[str],
    against: str | Iterable[str] = (),
    *,
    assume: str | Iterable[str] = (),
    computed: Mapping[str, Callable[..., Number]] | None = None,
    symbols: Mapping[str, object],
) -> Question:
    """Read what is asked.

    Args:
        subject: "spectra", "matrices", "parameters", or a chain as `theorems.conjecture` takes it.
        of: what bounds are wanted of: names of quantities, or formulas in them.
        against: what it may be bounded by beside sizes, likewise; ``x_0`` is x at the start.
        assume: relations that inputs, or starts, meet.
        computed: functions of the declared symbols, by name, as `theorems.conjecture` takes them.
        symbols: domains by name.

    Raises:
        ClaimError: in one line, for what makes no sense.

    Example:
        >>> asked = read_question("rescale", "orthogonality_gap", symbols={"n": "2..4"})
        >>> asked.options
        {'chain': 'rescale', 'quantifier': 'mean field', 'n': '2..4', 'ell': '1..8'}
        >>> [each.start_text for each in asked.of]
        ['orthogonality_gap_0']
    """
    wanted, others = _texts("of", of), _texts("against", against)
    refuse((not wanted, "of=: name a quantity that bounds are wanted of"))
    about, options = _about(subject, symbols)
    computed = dict(computed or {})
    over = None if about.sampled else about.over
    given = {name: value for name, value in options.items() if name in _declared(options)}
    declaration = declare(given, over, about.chain, computed)
    refuse(
        (
            not any(domain.whole for domain in declaration.domains),
            "bounds are in sizes, and none is declared: declare a whole number, as in n='2..8'",
        )
    )
    sides = [_side(text, about, declaration) for text in (*wanted, *others)]
    assumed = (assume,) if isinstance(assume, str) else tuple(assume)
    claim = with_assumptions(_everything(sides, about, declaration), assumed)
    space = space_of(claim)
    # a symbol or an assumption that does nothing would be refused with every bound
    require_all_declared_used(claim, space, given, (*wanted, *others, *assumed))
    design = design_of(claim, space) if about.sampled else None
    statement = draft_of(
        claim,
        space,
        None,
        family="discovered",
        name="",
        title="every quantity asked for",
        place="as asked",
        expected=Verdict.SUPPORTED,
    )
    if computed:
        options["computed"] = computed
    if assumed:
        options["assume"] = assumed
    count = len(wanted)
    parts = (tuple(sides[:count]), tuple(sides[count:]))
    return Question(*parts, about, declaration, space, statement, design, options)


def _about(
    subject: str | Callable[..., Chain], symbols: Mapping[str, object]
) -> tuple[Subject, dict[str, object]]:
    """What it is about, and how a claim says so."""
    clash = sorted({"chain", "over", "quantifier", "computed", "assume", "name"} & set(symbols))
    refuse((bool(clash), f"{clash and clash[0]!r} cannot be declared: it has a meaning of its own"))
    if isinstance(subject, str) and subject in _EVERY:
        return read_subject(None, subject), {"over": subject, **symbols}
    sizes = {**symbols, "ell": symbols.get("ell", _LAYERS)}
    if "d" in symbols:
        return read_subject(subject), {"chain": subject, **sizes}
    limit = {"chain": subject, "quantifier": "mean field", **sizes}
    return read_subject(subject, quantifier="mean field"), limit


def _declared(options: Mapping[str, object]) -> list[str]:
    return [name for name in options if name not in ("over", "chain", "quantifier")]


def _texts(name: str, given: str | Iterable[str]) -> tuple[str, ...]:
    """Formulas, each once; a text alone is one, or some between commas."""
    listed = _split(given) if isinstance(given, str) else list(given)
    found = tuple(dict.fromkeys(" ".join(str(text).split()) for text in listed))
    refuse(
        ("" in found, f"{name}={given!r}: an empty name"),
        (len(found) > MOST, f"{name}=: {len(found)} quantities, and at most {MOST} are taken"),
    )
    return found


def _split(text: str) -> list[str]:
    """What stands between the commas that no bracket holds; nothing of an empty text."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts if text.strip() else []


def _side(text: str, about: Subject, declaration: Declaration) -> Side:
    expression = read_expression(text, declaration.with_parameters(text))
    if about.chain is None:
        return Side(text, expression)
    measured, _ = declaration.used(expression)
    start, at_start = expression, text
    for q in sorted(measured, key=lambda q: -len(q.name)):
        start = start.subs(q.symbol, q.at_start)
        at_start = re.sub(rf"(?<!\w){re.escape(q.name)}(?!\w)", f"{q.name}_0", at_start)
    return Side(text, expression, at_start, start)


def _everything(sides: Sequence[Side], about: Subject, declaration: Declaration) -> StatedClaim:
    """A claim that names all that is asked about: what is measured, and the start where rates are
    of.
    """
    texts = [side.text for side in sides]
    if about.over == "paths":
        texts += [side.start_text for side in sides]
    # so that nothing cancels
    parts = [f"{2**k}*({text})" for k, text in enumerate(texts)]
    try:
        return stated(f"{' + '.join(parts)} <= 1", about, declaration)
    except ClaimError as error:
        listed = ", ".join(side.text for side in sides)
        raise ClaimError(f"{listed}: {str(error).rpartition(' <= 1: ')[2]}") from None
