"""Rules of the house that neither a reader of one file sees nor ruff and import-linter know."""

import ast
import io
import re
import tokenize
from collections import Counter
from pathlib import Path

import pytest

from theorems.families import FAMILIES

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path for package in ("simulators", "theorems") for path in (ROOT / package).rglob("*.py")
)
SLICES = ROOT / "theorems" / "families"
GENERAL = [path for path in SOURCES if not path.is_relative_to(SLICES)]
NAMES = [reference.rpartition(":")[0].rpartition(".")[2] for reference in FAMILIES]


def asserts(tree: ast.AST) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


def silent(text: str) -> list[str]:
    """Lines that switch a type check off without naming the error: any other would pass as well."""
    return [
        line
        for line in text.splitlines()
        if "# type: ignore" in line and not re.search(r"# type: ignore\[[\w-]+\]", line)
    ]


def told(text: str) -> str:
    """The comments and strings of a module, a line each: ``gradient.rows`` in code is an attribute
    of a variable.
    """
    parts = getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)  # from Python 3.12 on
    words = (tokenize.COMMENT, tokenize.STRING, parts)
    found = tokenize.generate_tokens(io.StringIO(text).readline)
    return "\n".join(token.string for token in found if token.type in words)


def named_families(text: str) -> list[str]:
    """Names of statements, families and their modules: ``rank.drift``, ``families/rank``.

    A family's name alone is also a word of the field, as in ``rank = 2``.
    """
    name = "|".join(NAMES)
    modules = rf"\bfamilies[./]({name})\b|from theorems\.families"
    statements = rf"(?<![\w.])({name})\.[a-z_]\w*([:.\s'\"`]|$)"
    found = [*re.finditer(modules, text), *re.finditer(statements, told(text), re.MULTILINE)]
    return [each[0] for each in found]


def test_there_is_something_to_read() -> None:
    assert len(SOURCES) > 30
    assert len(GENERAL) < len(SOURCES)
    assert len(NAMES) == len(
        [path for path in SLICES.iterdir() if (path / "__init__.py").is_file()]
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_house_rules(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert asserts(ast.parse(text)) == [], "python -O removes asserts; raise instead"
    assert silent(text) == []


def test_modules_of_tests_have_names_of_their_own() -> None:
    """pytest imports them by name alone, and the second of a name fails the whole run."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("path", GENERAL, ids=lambda p: str(p.relative_to(ROOT)))
def test_general_rooms_name_no_family(path: Path) -> None:
    """What speaks of one family alone is in its folder; the others ask the registry."""
    assert named_families(path.read_text(encoding="utf-8")) == []


def test_the_rules_see_what_they_forbid() -> None:
    """Each rule is fed a breach."""
    bad = ast.parse("def f():\n    from theorems.verification import verify\n    assert f\n")
    assert asserts(bad) == [3]
    assert silent("x = 1  # type: ignore") != []
    assert silent("x = 1  # type: ignore[misc]") == []
    for breach in (
        "import theorems.families.rank",
        "'rank.drift:sharp'",
        "get('cluster.emergence')",
        "# see splines.jitter ",
        "from theorems.families import x",
        "theorems/families/rank/drift.py",
        'f"{x}: gradient.duality"',
    ):
        assert named_families(breach) != [], breach
    assert named_families("rank = 2; self.cluster.append(1); axes.rank = 'rank'") == []
