"""Certificates: files that show a claim about stated instances, and can be checked again from their inputs alone.

- ``document``: the file, its fields and digest; reading refuses what is malformed or altered
- ``numbers``: exact rationals and balls as text
- ``kinds``: what kinds there are, who checks them, and ``recheck``

- ``boxes``: the contraction for every spectrum of a size (``branching`` over enclosures of ``growth``)
- ``instances``: exact witnesses, and crossings in the width limit
- ``small_sizes``: polynomial claims at small sizes, by z3
- ``shipped``: the certificates that come with the package (``data``), as evidence

A new kind is one module with ``KINDS``, named in ``kinds.MODULES``.
"""
