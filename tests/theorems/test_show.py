"""``theorems show``: what every check is said to do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from consoles import finding, plain, printed

from theorems.commands.show import print_statement
from theorems.registry import get, library
from theorems.statement import Evidence, Statement


def test_an_unknown_check_is_described_by_its_docstring() -> None:
    class CoinToss:
        """Tosses ``n`` coins.

        More about it.
        """

        def __call__(self, statement: Statement, context: Any) -> Evidence:
            return finding()

    out = plain()
    print_statement(out, replace(get("orthogonality.width_scaling"), checks=(CoinToss(),)))
    assert "Attacked by   coin toss: Tosses n coins." in printed(out).splitlines()


def test_every_check_of_the_library_is_described_in_words() -> None:
    for statement in library():
        out = plain(400)
        print_statement(out, statement)
        after = printed(out).split("Attacked by")[1]
        assert re.match(
            r"\s+(exact arithmetic|simulation|width limit|computer algebra|enclosures in balls): ",
            after,
        )
