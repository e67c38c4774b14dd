"""What the Rocq sources assume, hide or switch off, read from their text alone.

``Print Assumptions`` tells of the theorems that are exported; this tells of every line, before
anything is compiled. It knows comments, which nest, strings, which may hold anything, sections, in
which hypotheses are discharged, and the options of ``_CoqProject``. It needs nothing but Python, so
that ``check.sh`` runs it as it stands.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Breach", "breaches", "project_breaches", "statement_in", "stripped"]

#: Refused wherever they stand: what assumes, what leaves a proof open, what switches a check of the
#: kernel off, and what brings in text that is not read here.
_ANYWHERE = re.compile(
    r"(?<![\w'])(?:Admitted|admit|Admit\s+Obligations|give_up|Axioms?|Parameters?|Conjectures?"
    r"|Declare\s+Module|bypass_check|(?:Unset|Set)\s+(?:Guard|Positivity|Universe)\s+Checking"
    r"|Load|Declare\s+ML\s+Module|Add\s+(?:Rec\s+)?LoadPath|Rewrite\s+Rules?)(?![\w'])"
    r"|-type-in-type"
)
#: Refused where no section is open, at whose end they would become arguments.
_OF_A_SECTION = re.compile(r"(?<![\w'])(?:Hypothesis|Hypotheses|Variables?|Context)(?![\w'])")
_OPENING = re.compile(
    r"(?<![\w'])(Section|Module)\s+(?:Type\s+)?(?:Import\s+|Export\s+)?([\w']+)[^.]*?(:=)?"
)
_CLOSING = re.compile(r"(?<![\w'])End\s+([\w']+)")
_SENTENCE_END = re.compile(r"\.(?=\s|$)")
#: What opens or closes a comment or a string, and what of these is blanked out.
_MARKS, _VISIBLE = re.compile(r'"|\(\*|\*\)'), re.compile(r"[^\n]")


@dataclass(frozen=True)
class Breach:
    """A word that is refused, and the line it stands on, from 1."""

    line: int
    word: str


def stripped(text: str) -> str:
    """The text with its comments and strings blanked out, line by line as it was.

    >>> stripped('a (* b (* c *) *) "(*" d')
    'a                      d'
    """
    kept: list[str] = []
    depth, quoted, place = 0, False, 0
    for mark in _MARKS.finditer(text):
        before, token = text[place : mark.start()], mark.group()
        kept.append(_blank(before) if depth or quoted else before)
        place = mark.end()
        hidden = bool(depth) or quoted
        if token == '"':
            quoted, hidden = not quoted, True
        elif not quoted and token == "(*":
            depth, hidden = depth + 1, True
        elif not quoted and depth:
            depth -= 1
        kept.append(_blank(token) if hidden else token)
    rest = text[place:]
    kept.append(_blank(rest) if depth or quoted else rest)
    return "".join(kept)


def _blank(text: str) -> str:
    return _VISIBLE.sub(" ", text)


def breaches(text: str) -> list[Breach]:
    """Every breach in one source file, in the order of the text.

    >>> breaches("Local Axiom a : False.")
    [Breach(line=1, word='Axiom')]
    """
    plain = stripped(text)
    found = [(m.start(), m.group()) for m in _ANYWHERE.finditer(plain)]
    open_sections: list[bool] = []
    for start, sentence in _sentences(plain):
        if not any(open_sections):
            found += [(start + m.start(), m.group()) for m in _OF_A_SECTION.finditer(sentence)]
        if opened := _OPENING.match(sentence.lstrip()):
            if opened.group(1) == "Section" or ":=" not in sentence:
                open_sections.append(opened.group(1) == "Section")
        elif _CLOSING.match(sentence.lstrip()) and open_sections:
            open_sections.pop()
    return [
        Breach(plain.count("\n", 0, place) + 1, " ".join(word.split()))
        for place, word in sorted(set(found))
    ]


def _sentences(plain: str) -> Iterator[tuple[int, str]]:
    start = 0
    for end in _SENTENCE_END.finditer(plain):
        yield start, plain[start : end.start()]
        start = end.end()
    yield start, plain[start:]


_STATING = r"(?:Theorem|Lemma|Corollary|Proposition|Fact|Remark)\s+{name}(?![\w'])"


def statement_in(text: str, name: str) -> str:
    """The sentence that states the theorem ``name``, after those that declare what its sections
    have in common; empty where the text has no such theorem.

    >>> text = "Section S. Variable n : nat. Lemma zero : n * 0 = 0. Proof. by []. Qed."
    >>> statement_in(text, "zero")
    'Variable n : nat.\\nLemma zero : n * 0 = 0.'
    """
    plain = stripped(text)
    stating = re.compile(_STATING.format(name=re.escape(name)))
    shared: list[list[str]] = []
    for start, sentence in _sentences(plain):
        lead = len(sentence) - len(sentence.lstrip())
        said = text[start + lead : start + len(sentence)] + "."
        head = sentence[lead:]
        if stating.match(head):
            return "\n".join([*itertools.chain.from_iterable(shared), said])
        if shared and _OF_A_SECTION.match(head):
            shared[-1].append(said)
        elif (opened := _OPENING.match(head)) and (opened[1] == "Section" or ":=" not in sentence):
            shared.append([])
        elif _CLOSING.match(head) and shared:
            shared.pop()
    return ""


def project_breaches(project: str) -> list[Breach]:
    """Lines of a ``_CoqProject`` beyond the files, ``-Q . BatchNorm`` and one list of warnings that
    are silenced.

    Any other option may weaken the kernel or bring in what is not read here.

    >>> project_breaches("-Q . BatchNorm\\n-arg -type-in-type\\na.v\\n")
    [Breach(line=2, word='-arg -type-in-type')]
    """
    lines = [line.strip() for line in project.splitlines()]
    return [
        Breach(number, line)
        for number, line in enumerate(lines, 1)
        if line
        and not line.startswith("#")
        and not re.fullmatch(r"[\w/]+\.v|-Q \. BatchNorm|-arg -w", line)
        and not (
            lines[number - 2] == "-arg -w"
            and re.fullmatch(r"-arg -[a-z]\S*", line)
            and line != "-arg -type-in-type"
        )
    ]


def _main(root: Path) -> int:
    project = (root / "_CoqProject").read_text(encoding="utf-8")
    told = [("_CoqProject", breach) for breach in project_breaches(project)]
    for name in (line.strip() for line in project.splitlines() if line.strip().endswith(".v")):
        told += [(name, breach) for breach in breaches((root / name).read_text(encoding="utf-8"))]
    for name, breach in told:
        print(f"{name}:{breach.line}: {breach.word}", file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(_main(Path(__file__).parent))
