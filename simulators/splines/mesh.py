"""A polygon cut into convex faces by lines: half-edges, cut where signs say so.

Only combinatorics: which vertex lies on which side of the next line is decided elsewhere, exactly,
and so the faces fit together whatever the floats are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.splines.growing import Growing

__all__ = ["OUTSIDE", "Crossings", "Mesh", "Splits"]

OUTSIDE = 0
"""The number of the face outside the polygon. Those inside are numbered from 1."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Crossings:
    """Edges that a line crosses between their ends: one half-edge of each, the new vertices on
    them, and all half-edges that are new.

    Example:
        >>> Mesh(3, (0, 1, 2)).split_edges(np.array([1, -1, 0], np.int8)).vertices.tolist()
        [3]
    """

    half_edges: Ints
    vertices: Ints
    new: Ints


@dataclass(frozen=True)
class Splits:
    """Faces that a line splits: what is left on its positive side keeps its number ``positive``,
    the other side is ``negative``; ``edges`` are the new half-edges on the positive side.

    Example:
        >>> mesh = Mesh(4, (0, 1, 2, 3))
        >>> mesh.split_faces(np.array([0, 1, 0, -1], np.int8)).negative.tolist()
        [2]
    """

    positive: Ints
    negative: Ints
    edges: Ints


class Mesh:
    """A subdivision of a convex polygon of ``corners`` sides.

    Half-edge h runs from ``origin[h]`` to ``origin[after[h]]`` with ``face[h]`` to its left, and
    ``twin[h]`` runs back. ``line[h]`` is the number of the line it lies on, ``corner[v]`` a
    half-edge inside the polygon that starts at vertex v, ``first[f]`` one with face f to its left.

    Args:
        corners: at least 3; vertices 0 … corners − 1 counter-clockwise.
        sides: the number of the line of each side, from vertex k to vertex k + 1.

    Example:
        >>> square = Mesh(4, (0, 1, 2, 3))
        >>> square.faces, square.edges, square.vertices, square.euler
        (1, 4, 4, 2)
        >>> crossed = square.split_edges(np.array([1, 1, -1, -1], np.int8))
        >>> split = square.split_faces(np.array([1, 1, -1, -1, 0, 0], np.int8))
        >>> square.faces, square.edges, square.vertices, square.euler
        (2, 7, 6, 2)
    """

    def __init__(self, corners: int, sides: tuple[int, ...]) -> None:
        inner = np.arange(corners)
        outer = corners + inner
        following = (inner + 1) % corners
        self._origin = Growing(np.concatenate([inner, following]))
        self._after = Growing(np.concatenate([following, corners + (inner - 1) % corners]))
        self._twin = Growing(np.concatenate([outer, inner]))
        self._face = Growing(np.repeat([1, OUTSIDE], corners))
        self._line = Growing(np.tile(np.asarray(sides, dtype=np.int64), 2))
        self._corner = Growing(inner.copy())
        self._first = Growing(np.array([corners, 0]))

    @property
    def origin(self) -> Ints:
        """The vertex that each half-edge starts at."""
        return self._origin.rows

    @property
    def after(self) -> Ints:
        """The half-edge that comes after each, around its face."""
        return self._after.rows

    @property
    def twin(self) -> Ints:
        """The half-edge that runs back beside each."""
        return self._twin.rows

    @property
    def face(self) -> Ints:
        """The face to the left of each half-edge."""
        return self._face.rows

    @property
    def line(self) -> Ints:
        """The line that each half-edge lies on."""
        return self._line.rows

    @property
    def corner(self) -> Ints:
        """A half-edge inside the polygon that starts at each vertex."""
        return self._corner.rows

    @property
    def first(self) -> Ints:
        """A half-edge of each face."""
        return self._first.rows

    @property
    def vertices(self) -> int:
        """Their number V."""
        return len(self.corner)

    @property
    def edges(self) -> int:
        """Their number E."""
        return len(self.origin) // 2

    @property
    def faces(self) -> int:
        """The number of faces inside the polygon, F − 1."""
        return len(self.first) - 1

    @property
    def euler(self) -> int:
        """V − E + F, with the face outside."""
        return self.vertices - self.edges + len(self.first)

    def split_edges(self, signs: NDArray[np.int8], among: Ints | None = None) -> Crossings:
        """Put a vertex on every edge with ends of opposite signs.

        Args:
            signs: of each vertex.
            among: half-edges inside the polygon, those of every edge to be split; all by default.
        """
        if among is None:
            among = np.flatnonzero(self.face != OUTSIDE)
        start, end = signs[self.origin[among]], signs[self.origin[self.after[among]]]
        both = np.flatnonzero(start * end < 0)
        # an edge with two sides inside comes twice
        once = (start[both] > 0) | (self.face[self.twin[among[both]]] == OUTSIDE)
        ahead = among[both[once]]
        count = len(ahead)
        vertices = self.vertices + np.arange(count)
        back = self.twin[ahead]
        ahead_rest = len(self.origin) + np.arange(count)
        back_rest = ahead_rest + count
        self._origin.append(vertices, vertices)
        self._after.append(self.after[ahead], self.after[back])
        self._face.append(self.face[ahead], self.face[back])
        self._line.append(self.line[ahead], self.line[back])
        self._twin.append(back, ahead)
        self.after[ahead], self.after[back] = ahead_rest, back_rest
        self.twin[ahead], self.twin[back] = back_rest, ahead_rest
        self._corner.append(ahead_rest)
        return Crossings(ahead, vertices, np.concatenate([ahead_rest, back_rest]))

    def split_faces(self, signs: NDArray[np.int8], among: Ints | None = None) -> Splits:
        """Split every face with vertices of both signs, between its two vertices of sign 0.

        The faces are convex and the signs those of one affine function on each, so that there are
        two; `split_edges` has put them there. The new edges have line −1.

        Args:
            signs: of each vertex.
            among: half-edges, all those of every face to be split; all by default.
        """
        if among is None:
            among = np.arange(len(self.origin))
        following = self.after[among]
        zero = (signs[self.origin[following]] == 0) & (self.face[among] != OUTSIDE)
        into, out = among[zero], following[zero]
        before, behind = signs[self.origin[into]], signs[self.origin[self.after[out]]]
        falls, rises = (before > 0) & (behind < 0), (before < 0) & (behind > 0)
        into_down, into_up = self._by_face(into[falls]), self._by_face(into[rises])
        out_down, out_up = self.after[into_down], self.after[into_up]
        positive = self.face[into_down]
        count = len(positive)
        negative = len(self.first) + np.arange(count)
        above = len(self.origin) + np.arange(count)
        below = above + count
        self._origin.append(self.origin[out_down], self.origin[out_up])
        self._after.append(out_up, out_down)
        self._twin.append(below, above)
        self._face.append(positive, negative)
        self._line.append(np.full(2 * count, -1))
        self.after[into_down], self.after[into_up] = above, below
        walking, names = out_down, negative
        while len(walking):
            self.face[walking] = names
            walking = self.after[walking]
            going = self.face[walking] != names
            walking, names = walking[going], names[going]
        self.first[positive] = above
        self._first.append(below)
        return Splits(positive, negative, above)

    def face_signs(self, signs: NDArray[np.int8], faces: Ints) -> NDArray[np.int8]:
        """The sign of each of some faces: that of its vertices which are not 0; 0 if all are.

        Args:
            signs: of each vertex, of one sign but for zeros on each face.
            faces: their numbers.
        """
        starts = self.first[faces]
        found = signs[self.origin[starts]]
        left = np.flatnonzero(found == 0)
        walking = starts[left]
        while len(left):
            walking = self.after[walking]
            found[left] = signs[self.origin[walking]]
            going = (found[left] == 0) & (walking != starts[left])
            left, walking = left[going], walking[going]
        return found

    def cycles(self) -> tuple[Ints, Ints]:
        """The half-edges of the faces inside, face after face and in order, and where each begins.

        The second array has one entry more than there are faces.
        """
        sizes = np.bincount(self.face, minlength=len(self.first))[1:]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        order = np.empty(starts[-1], dtype=np.int64)
        faces = np.arange(self.faces)
        walking, place = self.first[1:], starts[:-1].copy()
        while len(faces):
            order[place] = walking
            walking, place = self.after[walking], place + 1
            going = place < starts[faces + 1]
            faces, walking, place = faces[going], walking[going], place[going]
        return order, starts

    def _by_face(self, half_edges: Ints) -> Ints:
        return half_edges[np.argsort(self.face[half_edges])]
