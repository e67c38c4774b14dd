"""The script that has the independent checker re-check the core: what it accepts, and what it must
not.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from theorems.proofs.rocq import SOURCES

PRIMITIVES = ("Coq.Numbers.Cyclic.Int63.PrimInt63.add", "Coq.Floats.PrimFloat.Leibniz.eqb")


def context(axioms: tuple[str, ...] = PRIMITIVES, fixpoints: str = "<none>") -> str:
    """As ``coqchk -o`` prints it."""
    listed = "\n    " + "\n    ".join(axioms) if axioms else " <none>"
    return f"""
CONTEXT SUMMARY
===============

* Theory: Set is predicative

* Axioms:{listed}

* Constants/Inductives relying on type-in-type: <none>

* Constants/Inductives relying on unsafe (co)fixpoints: {fixpoints}

* Inductives whose positivity is assumed: <none>
"""


def compared(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "context").write_text(text, encoding="utf-8")
    return subprocess.run(
        ["sh", str(SOURCES / "coqchk.sh"), str(folder / "context")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("axioms", [PRIMITIVES, ()])
def test_primitives_of_the_kernel_are_no_axioms(axioms: tuple[str, ...], tmp_path: Path) -> None:
    done = compared(context(axioms), tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"{len(axioms)} primitives" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            context((*PRIMITIVES, "BatchNorm.common.Sums.wished")),
            "assumed: BatchNorm.common.Sums.wished",
        ),
        (
            context(("Coq.Logic.Classical_Prop.classic",)),
            "assumed: Coq.Logic.Classical_Prop.classic",
        ),
        (context(("Evil.Coq.Floats.PrimFloat.add",)), "assumed: Evil"),
        (context(fixpoints="BatchNorm.common.Sums.loop"), "switched off"),
        (
            context().replace("Set is predicative", "Set is impredicative"),
            "switched off * Theory: Set is impredicative",
        ),
        ("", "want a context of five parts, got 0"),
    ],
)
def test_whatever_else_is_assumed_fails(text: str, said: str, tmp_path: Path) -> None:
    done = compared(text, tmp_path)
    assert done.returncode == 1
    assert said in done.stdout


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        (
            "Axiom wished : False.\nTheorem all (P : Prop) : P. Proof. destruct wished. Qed.\n",
            1,
            "BatchNorm.Some.wished",
        ),
        ("Theorem same (P : Prop) : P -> P. Proof. auto. Qed.\n", 0, "0 objections"),
    ],
)
def test_the_checker_itself_is_asked(source: str, status: int, said: str, tmp_path: Path) -> None:
    if shutil.which("coqchk") is None:
        missing = "coqchk is not installed"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    shutil.copy(SOURCES / "coqchk.sh", tmp_path)
    (tmp_path / "_CoqProject").write_text("Some.v\n", encoding="utf-8")
    (tmp_path / "Some.v").write_text(source, encoding="utf-8")
    subprocess.run(
        ["coqc", "-q", "-Q", ".", "BatchNorm", "Some.v"], cwd=tmp_path, check=True, timeout=60
    )
    done = subprocess.run(
        ["sh", "coqchk.sh"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == status, done.stderr
    assert said in done.stdout
    (tmp_path / "Some.vo").unlink()
    done = subprocess.run(
        ["sh", "coqchk.sh"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, "what cannot be read was not checked"
