"""Certificates: files that show a claim about stated instances, and can be checked again from their inputs alone.

- ``document``: the file, its fields and digest; reading refuses what is malformed or altered
- ``numbers``: exact rationals and balls as text
- ``kinds``: what kinds there are, who checks them, and ``recheck``

A new kind is one module with ``KINDS``, named in ``kinds.MODULES``.
"""
