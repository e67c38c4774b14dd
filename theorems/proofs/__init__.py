"""Machine-checked proofs: the Rocq development, and what ties it to the statements.

- ``*/*.v``, ``_CoqProject``, ``EXPORTED``, ``check.sh``: the development; it builds and audits
  itself
- ``printer``, ``formulas``: a statement as a Rocq proposition
- ``rocq``: the installed Rocq: build, compile one file, axioms
- ``bridge``: has the kernel compare print and theorem, and audits the axioms
- ``certificate``: what was established when it last was, valid while nothing it rests on changed
"""
