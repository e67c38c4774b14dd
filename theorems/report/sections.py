"""What the page says of one statement: of the run's result, and of the statement it was about.

What a run's document does not hold (symbols, formulas, Rocq) is asked of the statement itself: of
one that the caller gives, or of the library's of that name, if it still claims what was checked.
Without either a section says what the document says.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from markupsafe import Markup

from theorems.ledger import digest
from theorems.proofs.rocq import MEANINGS, file_of, stated
from theorems.registry import library
from theorems.report.document import full_name
from theorems.statement import Statement
from theorems.typesetting import inline, notation, number, words
from theorems.typesetting import mathml as typeset
from theorems.verdict_words import (
    is_equality,
    power_word,
    tightness_sentence,
    tightness_word,
)

__all__ = ["Piece", "Section", "Theorem", "sections"]

#: Sources of claims that nobody printed.
_UNPUBLISHED = ("ours", "conjecture", "after ")


@dataclass(frozen=True)
class Theorem:
    """The Rocq theorem of a proof: its name, its file, its text, what it rests on."""

    name: str
    file: str
    text: str
    axioms: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Piece:
    """One piece of evidence of a run's document, beside the section it is in."""

    found: Mapping[str, Any]
    section: Section = field(repr=False)

    @property
    def method(self) -> str:
        """How it was found: "apart from the batch" stands first where that is so."""
        return f"{'apart from the batch, ' * bool(self.found.get('apart'))}{self.found['method']}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is to be known of it first: share in the verdict, sentinel, tightness, power."""
        found = [("false neighbour", self.sentinel)]
        if self.found.get("partial"):
            part = "of a part only: it may refute the statement, and does not carry it"
            found.insert(0, ("speaks", part))
        if self.found["tightness"] is not None:
            sampled = "level" in self.found  # else an interval is of inputs, and of no confidence
            told = self.section.tightness_in_words(self.found["tightness"], sampled=sampled)
            found.append(("tightness", told))
        if self.found["power"] is not None:
            found.append(("power", self.power))
        return [*found, ("time", f"{self.found['seconds']:.1f} s")]

    @property
    def power(self) -> str:
        """The smallest violation that it would have caught, in words."""
        power = self.found["power"]
        if power == 0:
            return "exact: any violation at the inputs that it decided"
        if "slope" in self.found:
            return f"a slope {number(power)} further off would have been caught"
        if self.found["method"] == "sampling":
            return f"violations at {power:.2%} of the inputs drawn from would have been caught"
        return f"a violation by {power:.2g} times the bound would have been caught"

    @property
    def sentinel(self) -> str:
        """What became of the false neighbour, and why it had no say where it had none."""
        claim, verdict = words(self.found["sentinel_claim"]), self.found["sentinel"]
        if verdict == "refuted":
            return f"{claim}: refuted, as it must be"
        if self.found["method"] == "proof" and verdict == "outside":
            return (
                f"{claim}: not tried, as the theorem is tied to the statement by its name, "
                "and no kernel compares the two"
            )
        if not self.sentinel_survived:
            return f"{claim}: {verdict}; the check said nothing of the claim either"
        return f"{claim}: {verdict}, although it is false: this check does not count"

    @property
    def sentinel_survived(self) -> bool:
        """Whether the check spoke and did not refute the false neighbour: a defect.

        On a batch a neighbour may be left open, and not upheld.
        """
        verdict, own = self.found["sentinel"], self.found["verdict"]
        spoke = own in ("proved", "certified", "supported", "refuted")
        untried = self.found["method"] == "proof" and verdict == "outside"
        upheld = verdict in ("proved", "certified", "supported")
        left_open = upheld or not self.section.with_batch
        return verdict != "refuted" and spoke and not untried and left_open

    @property
    def theorem(self) -> Theorem | None:
        """What Rocq proved; None for evidence of another kind."""
        name = self.found.get("theorem")
        if not isinstance(name, str):
            return None
        kernel = self.found.get("link") == "kernel"
        tied = "the kernel compares it with the statement, printed" if kernel else "by name only"
        facts = [("tied to the statement", tied)]
        facts += [(key, words(self.found[key])) for key in ("gloss", "leaves") if key in self.found]
        facts += [(f"{key}", str(self.found[key])) for key in ("rocq", "recorded")]
        names = {"gloss": "says", "leaves": "leaves open", "rocq": "checked by Rocq"}
        try:
            file = f"theorems/proofs/{file_of(name)}"
        except ValueError:
            file = ""
        return Theorem(
            name,
            file,
            stated(name),
            tuple((axiom, MEANINGS.get(axiom, "")) for axiom in self.found.get("axioms", ())),
            tuple((names.get(key, key), value) for key, value in facts),
        )


@dataclass(frozen=True)
class Section:
    """One result of a run's document, and the statement it was about where that is known.

    - ``changed``: the library has another statement of this name, which is not shown
    - ``shipped``: the statement is the library's, so that its name is enough to check it again
    """

    result: Mapping[str, Any]
    statement: Statement | None = None
    changed: bool = False
    shipped: bool = False
    claimed: Mapping[str, str] = field(default_factory=dict)
    with_batch: bool = False

    @property
    def name(self) -> str:
        return full_name(self.result)

    @property
    def anchor(self) -> str:
        """An id: the name, with everything unusual replaced."""
        return "s-" + re.sub(r"[^A-Za-z0-9_.-]", "-", self.name)

    @property
    def family(self) -> str:
        return str(self.result["statement"]).partition(".")[0]

    @property
    def theorem(self) -> str:
        """``family.theorem``, which its variants share."""
        return str(self.result["statement"])

    @property
    def verdict(self) -> str:
        return str(self.result["verdict"])

    @property
    def holds(self) -> bool:
        return self.verdict in ("proved", "certified", "supported")

    @property
    def published(self) -> bool:
        """Whether the claim is printed in a paper of others: as it stands, not after one."""
        return not str(self.result["source"]).lower().startswith(_UNPUBLISHED)

    @property
    def pieces(self) -> list[Piece]:
        return [Piece(found, self) for found in self.result["evidence"]]

    @property
    def methods(self) -> list[str]:
        """The methods of its evidence, each once."""
        return list(dict.fromkeys(found["method"] for found in self.result["evidence"]))

    # --- tightness --------------------------------------------------------------------------------

    @property
    def relation(self) -> str:
        """``<=`` and the like; empty where neither statement nor document says."""
        return self.statement.relation if self.statement else self.claimed.get("relation", "")

    @property
    def equality(self) -> bool:
        return is_equality(self.relation)

    @property
    def tightness(self) -> str:
        """The tightness in a column of numbers: words where no tightness is meant."""
        return tightness_word(self.result["tightness"], self.relation, self.verdict)

    def tightness_in_words(self, value: float, *, sampled: bool = False) -> str:
        """What a tightness of this statement means, with its confidence interval if it has one.

        The document holds that of the statement's own tightness alone, the largest.
        """
        ends = self.result.get("tightness_interval") if sampled else None
        own = ends if value == self.result["tightness"] else None
        return tightness_sentence(value, self.relation, self.verdict, own)

    @property
    def power(self) -> str:
        return power_word(self.result["power"])

    # --- the claim --------------------------------------------------------------------------------

    @property
    def claim(self) -> Markup | str:
        """The formula: MathML where the statement is known, else text; may be empty."""
        if self.statement is None:
            return self.claimed.get("claim", "")
        return Markup(typeset.claim(self.statement))

    @property
    def title(self) -> str:
        return words(str(self.result["title"]))

    @property
    def symbols(self) -> list[tuple[Markup, str]]:
        """Each variable with its domain, and what it means."""
        if self.statement is None:
            return []
        found = self.statement.variables
        return [(Markup(typeset.domain(v)), words(v.meaning)) for v in found]

    @property
    def definitions(self) -> list[tuple[Markup, str]]:
        """Each defined symbol with its definition in words, or an equation alone."""
        if self.statement is None:
            return []
        return [
            (Markup(typeset.mathml(name)), words(meaning))
            if isinstance(meaning, str)
            else (Markup(typeset.definition(name, meaning)), "")
            for name, meaning in self.statement.definitions.items()
        ]

    @property
    def assumptions(self) -> list[tuple[str, Markup]]:
        """Each assumption in words and as a formula."""
        if self.statement is None:
            return []
        names = notation(self.statement)
        return [
            (
                words(a.words) + ", at every layer of the path" * (a.along == "path"),
                Markup(typeset.mathml(a.relation, names)),
            )
            for a in self.statement.assumptions
        ]

    def assumptions_unlike(self, other: Section | None) -> list[tuple[str, Markup]]:
        """The assumptions that another section does not make.

        Args:
            other: the section compared with; None where there is none.

        Returns:
            Words and formula of each; none without another section.
        """
        if other is None:
            return []
        shared = {said for said, _ in other.assumptions}
        return [(said, formula) for said, formula in self.assumptions if said not in shared]

    @property
    def ceiling(self) -> Markup | None:
        """What the left side never exceeds, from which on the bound is vacuous."""
        if self.statement is None or self.statement.ceiling is None:
            return None
        return Markup(typeset.mathml(self.statement.ceiling, notation(self.statement)))

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What else is to be known of the claim and of the verdict."""
        result = self.result
        found = [(key, str(result[key])) for key in ("quantifier", "source", "expected")]
        if self.statement is not None:
            found += [("chain", self.statement.chain)] if self.statement.chain else []
            found += [("remark", words(self.statement.remark))] if self.statement.remark else []
        if (level := result.get("level")) is not None:
            told = f"{level:g}: the probability that this verdict is false, by its family"
            found.append(("error level", told))
        if weakened := result.get("weakened_by"):
            found.append(("weakened by", ", ".join(weakened)))
        if self.changed:
            note = (
                "the library's statement of this name has changed since the run; "
                "what is shown is what the run wrote down"
            )
            found.append(("note", note))
        return found + [("note", words(note)) for note in result.get("notes", ())]

    @property
    def plain(self) -> str:
        """The claim in one line of text, to search in and to copy."""
        if self.statement is None:
            return self.claimed.get("claim", "")
        return inline(self.statement.claim, notation(self.statement))

    # --- where it says something ------------------------------------------------------------------

    @property
    def readouts(self) -> list[Mapping[str, Any]]:
        """The means that were measured, of all evidence about the claim."""
        pieces = (piece for piece in self.result["evidence"] if not piece.get("apart"))
        rows = chain.from_iterable(piece.get("readouts", ()) for piece in pieces)
        return [row for row in rows if isinstance(row, dict)]

    @property
    def vacuous(self) -> list[Mapping[str, Any]]:
        """Readouts at which the bound cannot fail."""
        return [row for row in self.readouts if row.get("verdict") == "vacuous"]

    @property
    def how_it_fell(self) -> list[str]:
        """Of a refuted statement, what refuted it, a sentence for each piece of evidence."""
        return [
            words(piece["summary"])
            for piece in self.result["evidence"]
            if piece["verdict"] == "refuted" and not piece.get("apart")
        ]

    # --- again ------------------------------------------------------------------------------------

    @property
    def command(self) -> str:
        """What checks this statement alone, with the share of the error level it had in the run.

        Empty for a claim that is not the library's, and for a run on a batch, which the document
        names by its digest alone.
        """
        if self.statement is None or self.with_batch or not self.shipped:
            return ""
        return f"theorems verify {self.name}"

    @property
    def level(self) -> float | None:
        """The error level at which the statement alone has the share it had in the run.

        None where none of its evidence was sampled.
        """
        found = [piece for piece in self.result["evidence"] if piece["method"] != "proof"]
        share = next((piece["level"] for piece in found if "level" in piece), None)
        return _whole_of(share, len(found)) if isinstance(share, float) else None


def _whole_of(share: float, parts: int) -> float:
    """A level whose ``parts``-th part is ``share`` to the last bit, or as near as there is."""
    near = share * parts
    candidates = (near, math.nextafter(near, 0), math.nextafter(near, 1))
    return min(candidates, key=lambda level: abs(level / parts - share))


def sections(
    document: Mapping[str, Any], statements: Iterable[Statement] = ()
) -> Sequence[Section]:
    """A section for each result of a validated document, in its order.

    - ``statements``: those that the run was about, where the caller has them
    """
    given = {statement.name: statement for statement in statements}
    claims = document.get("claims", {})
    with_batch = document["environment"]["batch"] is not None
    found = []
    for result in document["results"]:
        name = full_name(result)
        known = _in_library(name)
        statement = given.get(name, known)
        claimed = claims.get(name, {})
        same = statement is not None and _same(statement, result, claimed)
        found.append(
            Section(
                result,
                statement if same else None,
                statement is not None and not same,
                same and statement is known,
                claimed,
                with_batch,
            )
        )
    return found


def _in_library(name: str) -> Statement | None:
    known = library(name.partition(".")[0])
    return next((statement for statement in known if statement.name == name), None)


def _same(statement: Statement, result: Mapping[str, Any], claimed: Mapping[str, str]) -> bool:
    """Whether a statement is the one that was checked; older documents know its title alone."""
    if claimed:
        return digest(statement) == claimed["digest"]
    return bool(statement.title == result["title"])
