"""Certificates: files that show a claim about stated instances, checked again from inputs alone.

- ``document``: the file, its fields and digest; reading refuses what is malformed or altered
- ``numbers``: exact rationals and balls as text
- ``kind``: what a kind is, and what all kinds demand; ``kinds``: all there are, and ``recheck``
- ``instances``: exact witnesses, and crossings in the width limit
- ``small_sizes``: polynomial claims at small sizes, by z3

A kind for one family alone is in that family's folder, and named in its ``Family``.
"""
