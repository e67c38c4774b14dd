"""Branch and bound for q(v) ≥ 1 + κ (1/n - v_0) on the simplex, q = p_n / σ_n² (``growth``).

That is the contraction 1/n - p_n ≤ (1 - κ σ_n²) (1/n - σ_n²) over σ_n²; where σ_n = 0 both its
sides are 1/n. Let F = q - 1 - κ (1/n - v_0), to be shown nonnegative for 0 < v_0 ≤ v_1 ≤ … ≤
v_{n-1}, Σ v_j = 1. At the uniform spectrum F = 0, and for κ = 2n/(n+2) its gradient along the
simplex vanishes too, so that no enclosure of F alone decides near it. A box is settled by one of
three rules,

- value (v): q at the box's upper corner, below which q never falls, is at least 1 + κ (1/n - low
  v_0)
- slope (s): F at a point of the box, and the most that the enclosed gradient lets it fall along Σ
  ε_j = 0, leave it ≥ 0
- curvature (c): over the hull of the box and the uniform spectrum the enclosed Hessian is positive
  definite along Σ ε_j = 0; at the uniform spectrum F = 0 and its derivative along ε is (2n/(n+2) -
  κ)(-ε_0), exactly (Beta integrals), which is nonnegative for κ ≤ 2n/(n+2)

or holds no point of the simplex (x). A tree of bisections is text in preorder: a digit names the
coordinate that is halved, a letter a settled box. Whoever reads it halves the same boxes, so the
leaves cover the root by construction. Before it is settled or halved, a box is cut to what order
and sum leave of it, exactly.

That the Hessian is positive definite everywhere (the integrand is log-convex) would settle the
claim in one line, and is how it is proved for all n. The boxes do not use it: what they rest on is
monotonicity and enclosures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce

from flint import arb, ctx, fmpq

from simulators.arguments import require
from theorems.checking.covering import Box, halves
from theorems.families.orthogonality.growth import growth

__all__ = ["CounterexampleFound", "Problem", "Settled", "cover", "positive_definite", "walk"]

#: Bisections on the way to one box.
DEEPEST = 100
#: Marks of the rules, and of a box outside the simplex.
RULES = "vscx"


class CounterexampleFound(Exception):
    """A spectrum, smallest eigenvalue first, at which F is certainly negative, and F there."""

    def __init__(self, point: list[fmpq], value: arb) -> None:
        super().__init__(f"false at {', '.join(map(str, point))}")
        self.point, self.value = point, value


@dataclass(frozen=True)
class Problem:
    """The inequality with constant ``kappa`` for ``n`` ≥ 2 eigenvalues, at ``precision`` bits."""

    n: int
    kappa: fmpq
    precision: int

    @property
    def uniform(self) -> fmpq:
        return fmpq(1, self.n)

    def root(self) -> Box:
        """All the simplex: v_j is at most an equal share with those not below it.

        Example:
            >>> Problem(2, fmpq(1), 40).root()
            ((0, 1/2), (0, 1))
        """
        return tuple((fmpq(0), fmpq(1, self.n - j)) for j in range(self.n))

    def cut(self, box: Box) -> Box | None:
        """The box less what order and then sum exclude; None if nothing is left.

        Example:
            >>> problem = Problem(2, fmpq(1), 40)
            >>> problem.cut(problem.root())
            ((0, 1/2), (1/2, 1))
        """
        low, high = [b[0] for b in box], [b[1] for b in box]
        for j in range(1, self.n):
            low[j] = max(low[j], low[j - 1])
        for j in range(self.n - 2, -1, -1):
            high[j] = min(high[j], high[j + 1])
        least, most = sum(low, fmpq(0)), sum(high, fmpq(0))
        found = tuple(
            (max(a, 1 - most + b), min(b, 1 - least + a)) for a, b in zip(low, high, strict=True)
        )
        return None if least > 1 or most < 1 or any(a > b for a, b in found) else found

    def inner(self, box: Box) -> list[fmpq]:
        """A point of the box with Σ v_j = 1, equally far along every edge.

        Example:
            >>> problem = Problem(2, fmpq(1), 40)
            >>> problem.inner(((fmpq(0), fmpq(1, 2)), (fmpq(1, 2), fmpq(1))))
            [1/4, 3/4]
        """
        least, most = (sum(ends, fmpq(0)) for ends in zip(*box, strict=True))
        share = (1 - least) / (most - least) if most > least else fmpq(0)
        return [a + share * (b - a) for a, b in box]

    def excess(self, point: Sequence[fmpq]) -> arb:
        """F at a point of n positive numbers, the smallest first, in a ball.

        Raises ``ValueError`` for a number that is not positive.

        Example:
            >>> bool(Problem(2, fmpq(1), 40).excess([fmpq(1, 4), fmpq(3, 4)]) > 0)
            True
        """
        return growth(point, 0, self.precision).value - 1 - self.kappa * (self.uniform - point[0])

    def by_value(self, box: Box) -> arb:
        """A bound of F on the box from below; the rule settles it if that is certainly not
        negative.
        """
        if box[0][1] == 0:
            return arb("inf")
        corner = growth([b for _, b in box], 0, self.precision).value
        return corner - 1 - self.kappa * (self.uniform - box[0][0])

    def by_slope(self, box: Box) -> arb:
        """As `by_value`, from a point inside and the gradient: -∞ for a box that reaches v_0
        = 0.

        Cost: three growths, two of them with a gradient.
        """
        if box[0][0] <= 0:
            return arb("-inf")
        point = self.inner(box)
        ends = zip(*box, strict=True)
        corners = [growth(corner, 1, self.precision).gradient for corner in ends]
        value = self.excess(point)
        with ctx.workprec(self.precision):
            slopes = list(map(arb.union, *corners))
            slopes[0] += self.kappa
            reaches = [arb(a - x).union(arb(b - x)) for (a, b), x in zip(box, point, strict=True)]

            def least(common: arb) -> arb:
                parts = ((g - common) * r for g, r in zip(slopes, reaches, strict=True))
                return arb((value + sum(parts, arb(0))).lower())

            # a common part of all slopes drops out along the simplex: try the middle of each
            return max((least(slope.mid()) for slope in slopes), key=float)

    def by_curvature(self, box: Box) -> bool:
        """Whether the Hessian is positive definite along the simplex between the box and the
        uniform spectrum.
        """
        low = [min(a, self.uniform) for a, _ in box]
        high = [max(b, self.uniform) for _, b in box]
        if self.kappa > fmpq(2 * self.n, self.n + 2) or low[0] <= 0:
            return False
        corners = [growth(corner, 2, self.precision).hessian for corner in (low, high)]
        with ctx.workprec(self.precision):
            *hull, last = (list(map(arb.union, *rows)) for rows in zip(*corners, strict=True))

            # ε_k = -Σ ε_j for the last one, whose entries are the smallest
            def along(row: list[arb]) -> list[arb]:
                *others, end = zip(row, last, strict=True)
                return [a - end[0] - b + end[1] for a, b in others]

            return positive_definite(list(map(along, hull)))


def positive_definite(matrix: list[list[arb]]) -> bool:
    """Whether every symmetric matrix inside an enclosure certainly is positive definite.

    Args:
        matrix: k rows of k balls, symmetric.

    Returns:
        True if the middle, less the largest row sum of radii, is so by elimination; False where
        that does not show it.

    Example:
        >>> positive_definite([[arb(2), arb(1)], [arb(1), arb(2)]])
        True
        >>> positive_definite([[arb(1, 1.5)]])
        False
    """
    spread = reduce(arb.max, (sum(map(arb.rad, row), arb(0)) for row in matrix))
    left = [list(map(arb.mid, row)) for row in matrix]
    for p, pivot_row in enumerate(left):
        pivot_row[p] -= spread
    for p, pivot_row in enumerate(left):
        if not pivot_row[p] > 0:
            return False
        for row in left[p + 1 :]:
            share = row[p] / pivot_row[p]
            for j in range(p, len(left)):
                row[j] -= share * pivot_row[j]
    return True


@dataclass
class Settled:
    """What a walk over the boxes found: how many each rule settled, and the least bound of F by
    value and slope.
    """

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RULES, 0))
    margin: arb = field(default_factory=lambda: arb("inf"))

    def add(self, rule: str, margin: arb) -> None:
        self.counts[rule] += 1
        self.margin = self.margin.min(margin)


def _coordinate(problem: Problem, box: Box) -> int:
    """The coordinate along which log q may move most: about a_j times the relative width, a_0 =
    3/2, else 1/2.
    """
    return max(
        range(problem.n),
        key=lambda j: (
            (box[j][1] - box[j][0]) / (box[j][1] + box[j][0] + problem.uniform) * (1 if j else 3)
        ),
    )


def _rule(problem: Problem, box: Box | None) -> tuple[str, arb]:
    """The first rule that settles the box, with its bound; "" if none does."""
    near = box is not None and all(
        2 * a > problem.uniform and b < 2 * problem.uniform for a, b in box
    )
    rules = "vcs" if near else "vs"
    for rule in "x" if box is None else rules:
        if (margin := _bound_by(problem, box, rule)) >= 0:
            return rule, margin
    return "", arb(0)


def cover(
    problem: Problem, most: int, progress: Callable[[int], None] = lambda _: None
) -> tuple[str, Settled]:
    """A tree that settles every box, and what it found.

    ``progress`` hears how many boxes were met. Raises `CounterexampleFound`, or
    ``ArithmeticError`` if a box is left open after ``most`` boxes or ``DEEPEST`` bisections.
    """
    settled, tree = Settled(), ""
    stack: list[tuple[Box, int]] = [(problem.root(), 0)]
    while stack:
        whole, depth = stack.pop()
        progress(len(tree))
        box = problem.cut(whole)
        rule, margin = _rule(problem, box)
        if box is None or rule:
            settled.add(rule, margin)
            tree += rule
            continue
        point = problem.inner(box)
        if 0 < point[0] <= min(point) and (value := problem.excess(point)) < 0:
            raise CounterexampleFound(point, value)
        require(
            depth < DEEPEST and len(tree) < most,
            f"a box is left open after {len(tree)}",
            ArithmeticError,
        )
        j = _coordinate(problem, box)
        tree += str(j)
        stack += [(half, depth + 1) for half in reversed(halves(box, j))]
    return tree, settled


def walk(problem: Problem, tree: str, progress: Callable[[int], None] = lambda _: None) -> Settled:
    """Halve the boxes as the tree says and settle every leaf by the rule it names.

    Raises ``ValueError`` at the first leaf that its rule does not settle, and for text that is no
    tree.
    """
    settled = Settled()
    stack: list[tuple[Box, int]] = [(problem.root(), 0)]
    for place, mark in enumerate(tree):
        require(stack, f"goes on after its last box, at character {place}")
        progress(place)
        whole, depth = stack.pop()
        box = problem.cut(whole)
        if mark in RULES:
            margin = _bound_by(problem, box, mark)
            require(margin >= 0, f"the box at character {place} is not settled by rule {mark!r}")
            settled.add(mark, margin)
        elif "0" <= mark < str(problem.n) and box is not None and depth < DEEPEST:
            stack += [(half, depth + 1) for half in reversed(halves(box, int(mark)))]
        else:
            raise ValueError(
                f"{mark!r} at character {place} is neither a rule nor a bisection that is due"
            )
    require(not stack, f"ends early: {len(stack)} boxes are left")
    return settled


def _bound_by(problem: Problem, box: Box | None, rule: str) -> arb:
    """A bound of F on the box by that rule: infinite where there is nothing to bound, -infinite
    where it fails.
    """
    if box is None or rule == "x":
        return arb("inf" if box is None and rule == "x" else "-inf")
    if rule == "c":
        return arb("inf" if problem.by_curvature(box) else "-inf")
    return problem.by_value(box) if rule == "v" else problem.by_slope(box)
