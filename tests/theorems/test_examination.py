"""What is declared or assumed and does nothing is refused at every door, in one line, with status
2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulators import Chain, rescale_chain, residual_chain
from theorems import ClaimError, conjecture
from theorems.cli import main

pytest_plugins = ("pytester",)
CHAIN: dict[str, Any] = dict(chain="rescale", n="2..4", d="64..128", ell="16")
GAP = "orthogonality_gap <= 3*d**-0.5"


def deaf(width: int, gamma: float) -> Chain:
    """A chain that takes a parameter and ignores it."""
    return rescale_chain(width)


def hearing(width: int, gamma: float) -> Chain:
    return residual_chain(width, gamma)


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        (GAP, CHAIN | {"sigma_w": "[1,4]"}, "sigma_w=.* has no effect"),
        (GAP, CHAIN | {"sigma_w": "3"}, "sigma_w='3' has no effect"),
        (
            "orthogonality_gap <= 3*d**-0.5 + 0*beta",
            CHAIN | {"beta": "[1,4]"},
            "beta=.* no effect .it cancels",
        ),
        (
            "orthogonality_gap <= 3*d**-0.5 + beta - beta",
            CHAIN | {"beta": "[1,4]"},
            "beta=.* no effect .it cancels",
        ),
        (GAP, CHAIN | {"top": "1", "beta": "(0, top]"}, "has no effect"),
        ("x <= 1", {"x": "[0, 1/2]", "n": "2..8"}, "n='2..8' has no effect"),
        ("x <= 1", {"x": "[0, 1/2]", "ell": "2..8"}, "ell='2..8' has no effect"),
        (
            "smallest_eigenvalue <= 1/n",
            {"over": "spectra", "n": "2..4", "d": "4..8"},
            "d='4..8' has no effect",
        ),
        (
            "smallest_eigenvalue <= 1/n",
            {"over": "spectra", "n": "2..4", "ell": "4..8"},
            "ell='4..8' has no",
        ),
        (
            "orthogonality_gap <= 3/4",
            CHAIN | {"quantifier": "mean field"},
            "d='64..128': .* infinite width",
        ),
        (
            "x <= 1",
            {"x": "[0, 1/2]", "computed": {"twice": lambda x: 2 * x}},
            "computed: twice has no effect",
        ),
        (
            GAP,
            CHAIN | {"chain": deaf, "gamma": "[1/10, 1]"},
            "gamma has no effect: the chain deaf is the same",
        ),
        ("x <= 1", {"x": "[0, 1/2]", "assume": "x >= 0"}, "the assumption x >= 0 has no effect"),
        (
            "x <= 1",
            {"x": "[1/3, 1/2]", "assume": "x >= 1/3"},
            "the assumption x >= 1/3 has no effect",
        ),
        (
            "x <= 1",
            {"x": "(1/3, 1/2]", "assume": "1/3 < x"},
            "the assumption 1/3 < x has no effect",
        ),
        ("n*x <= 1", {"n": "2..4", "x": "(0, 1/n]", "assume": "x <= 1/n"}, "has no effect"),
        ("x <= 1", {"x": "[1, 2]", "assume": "sqrt(x) + 1/x >= 1"}, "has no effect"),
        ("x <= 1", {"x": "[0, 1/2]", "assume": "1 <= 2"}, "the assumption 1 <= 2 has no effect"),
        ("x <= 1", {"x": "[0, 1]", "assume": ("x >= 2/5", "x >= 2/5")}, "given twice"),
        (
            GAP,
            CHAIN | {"assume": "smallest_eigenvalue_0 >= 0"},
            "smallest_eigenvalue_0 >= 0 has no effect",
        ),
        (GAP, CHAIN | {"assume": "n <= d"}, "the assumption n <= d has no effect"),
    ],
)
def test_what_does_nothing_is_refused(claim: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ClaimError, match=words) as caught:
        conjecture(claim, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("orthogonality_gap <= c*d**-0.5", CHAIN | {"c": "3"}),
        ("orthogonality_gap <= c*d**-0.5", CHAIN | {"top": "4", "c": "[3, top]"}),
        (
            "orthogonality_gap <= 3*d**-0.5",
            CHAIN | {"chain": hearing, "n": "2", "gamma": "[1/10, 1]"},
        ),
        (
            "orthogonality_gap <= 3*d**-0.5",
            CHAIN | {"chain": "residual", "n": "2", "gamma": "1/10"},
        ),
        (
            "orthogonality_gap <= 3*d**-0.5",
            CHAIN | {"beta": "[0, 1]", "assume": "smallest_eigenvalue_0 >= beta/n"},
        ),
        ("probability >= 1/2", CHAIN | {"event": "effective_rank >= beta", "beta": "[1, 3/2]"}),
        ("soft_rank(1/2) <= 2", {"over": "spectra", "n": "3..4", "d": "4..8"}),
        ("twice <= 1", {"x": "[0, 1/2]", "computed": {"twice": lambda x: 2 * x}}),
        ("x <= 1", {"x": "[-1/3, 1/2]", "assume": "x != 0"}),
        ("x <= 1", {"x": "[1/3, 1/2]", "assume": "1/3 < x"}),
        ("1/x <= 100", {"x": "[-1, 1]", "assume": "x > 1/100"}),
        ("x <= 1", {"x": "[0, oo)", "assume": "sqrt(x) <= 1"}),
    ],
)
def test_what_does_something_is_let_in(claim: str, options: dict[str, Any]) -> None:
    conjecture(claim, **options)


def test_an_assumption_that_keeps_a_side_defined_does_something() -> None:
    """Where its sides have no value it is not met, whatever SymPy makes of their signs."""
    conjecture("x <= 1", x="[0, 1]", assume="1/(x - 1/2) != 0")


def test_a_function_whose_parameter_is_not_used_declares_nothing() -> None:
    with pytest.raises(ClaimError, match="has no effect \\(it cancels"):
        conjecture(lambda x, beta: x <= 1, x="[0, 1/2]", beta="[0, 1]")


@pytest.mark.parametrize("verb", ["verify", "falsify"])
def test_the_command_line_refuses_what_does_nothing(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(
            [
                verb,
                "--claim",
                "mean_absolute_cosine <= 2/5",
                "--chain",
                "batchnorm(relu)",
                "--where",
                "n=8",
                "--where",
                "d=64",
                "--where",
                "ell=4",
                "--where",
                "sigma_w=[1,4]",
            ]
        )
        == 2
    )
    assert "sigma_w='[1,4]' has no effect" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["verify", "falsify"])
def test_a_claim_file_with_an_idle_symbol_is_refused(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "claims.py"
    path.write_text(
        'from theorems import conjecture\nidle = conjecture("x <= 1", x="[0, 1/2]", y="[1,4]")\n'
    )
    assert main([verb, str(path)]) == 2
    assert "y='[1,4]' has no effect" in capsys.readouterr().err


def test_pytest_refuses_a_claim_with_an_idle_symbol(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        from theorems import conjecture

        idle = conjecture("x <= 1", x="[0, 1/2]", y="[1,4]")
    """)
    result = pytester.runpytest_inprocess("-q")
    assert result.ret != 0
    assert "y='[1,4]' has no effect" in result.stdout.str() + result.stderr.str()
