"""A polygon cut into convex faces by lines: half-edges, cut where signs say so.

Only combinatorics: which vertex lies on which side of the next line is decided elsewhere, exactly,
and so the faces fit together whatever the floats are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["OUTSIDE", "Crossings", "Mesh", "Splits"]

OUTSIDE = 0
"""The number of the face outside the polygon. Those inside are numbered from 1."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Crossings:
    """Edges that a line crosses between their ends: their half-edges from + to −, the new vertices
    on them.

    Example:
        >>> Mesh(3, (0, 1, 2)).split_edges(np.array([1, -1, 0], np.int8)).vertices.tolist()
        [3]
    """

    half_edges: Ints
    vertices: Ints


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
        self.origin: Ints = np.concatenate([inner, (inner + 1) % corners])
        self.after: Ints = np.concatenate([(inner + 1) % corners, corners + (inner - 1) % corners])
        self.twin: Ints = np.concatenate([outer, inner])
        self.face: Ints = np.repeat([1, OUTSIDE], corners)
        self.line: Ints = np.tile(np.asarray(sides, dtype=np.int64), 2)
        self.corner: Ints = inner.copy()
        self.first: Ints = np.array([corners, 0])

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

    def split_edges(self, signs: NDArray[np.int8]) -> Crossings:
        """Put a vertex on every edge with ends of opposite signs.

        Args:
            signs: of each vertex.
        """
        start, end = signs[self.origin], signs[self.origin[self.after]]
        ahead = np.flatnonzero((start > 0) & (end < 0))
        count = len(ahead)
        vertices = self.vertices + np.arange(count)
        if not count:
            return Crossings(ahead, vertices)
        back = self.twin[ahead]
        ahead_rest = len(self.origin) + np.arange(count)
        back_rest = ahead_rest + count
        both = np.concatenate([ahead, back])
        self.origin = np.concatenate([self.origin, vertices, vertices])
        self.after = np.concatenate([self.after, self.after[both]])
        self.face = np.concatenate([self.face, self.face[both]])
        self.line = np.concatenate([self.line, self.line[both]])
        self.twin = np.concatenate([self.twin, back, ahead])
        self.after[ahead], self.after[back] = ahead_rest, back_rest
        self.twin[ahead], self.twin[back] = back_rest, ahead_rest
        inside = self.face[ahead] != OUTSIDE
        self.corner = np.concatenate([self.corner, np.where(inside, ahead_rest, back_rest)])
        return Crossings(ahead, vertices)

    def split_faces(self, signs: NDArray[np.int8]) -> Splits:
        """Split every face with vertices of both signs, between its two vertices of sign 0.

        The faces are convex and the signs those of one affine function on each, so that there are
        two; `split_edges` has put them there. The new edges have line −1.

        Args:
            signs: of each vertex.
        """
        ends = self.origin[self.after]
        into = np.flatnonzero((signs[ends] == 0) & (self.face != OUTSIDE))
        out = self.after[into]
        before, behind = signs[self.origin[into]], signs[ends[out]]
        falls, rises = (before > 0) & (behind < 0), (before < 0) & (behind > 0)
        into_down, into_up = self._by_face(into[falls]), self._by_face(into[rises])
        out_down, out_up = self.after[into_down], self.after[into_up]
        positive = self.face[into_down]
        count = len(positive)
        negative = len(self.first) + np.arange(count)
        above = len(self.origin) + np.arange(count)
        below = above + count
        self.origin = np.concatenate([self.origin, self.origin[out_down], self.origin[out_up]])
        self.after = np.concatenate([self.after, out_up, out_down])
        self.twin = np.concatenate([self.twin, below, above])
        self.face = np.concatenate([self.face, positive, negative])
        self.line = np.concatenate([self.line, np.full(2 * count, -1)])
        self.after[into_down], self.after[into_up] = above, below
        walking, names = out_down, negative
        while len(walking):
            self.face[walking] = names
            walking = self.after[walking]
            going = self.face[walking] != names
            walking, names = walking[going], names[going]
        self.first[positive] = above
        self.first = np.concatenate([self.first, below])
        return Splits(positive, negative, above)

    def face_signs(self, signs: NDArray[np.int8]) -> NDArray[np.int8]:
        """The sign of each face, of shape (F,): that of its vertices which are not 0; 0 if all are.

        Args:
            signs: of each vertex, of one sign but for zeros on each face.
        """
        found = signs[self.origin[self.first]]
        open_faces = np.flatnonzero(found == 0)
        walking = self.first[open_faces]
        while len(open_faces):
            walking = self.after[walking]
            found[open_faces] = signs[self.origin[walking]]
            going = (found[open_faces] == 0) & (walking != self.first[open_faces])
            open_faces, walking = open_faces[going], walking[going]
        found[OUTSIDE] = 0
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
