"""State a claim of your own and have it attacked.

- ``conjecture``: the decorator and function; ``declaring``, ``parsing``, ``domains``: what an author may write
- ``quantities``: observables and chains by name; ``spaces``, ``design``: what a claim ranges over, what is sampled
- ``examining``: what is refused before a run; ``sentinels``: the false neighbour, measured
- ``everywhere``: the check of a claim about every input; ``exactly``, ``solving``, ``covers``: the whole
  domain, on the real line, by z3 or by boxes
- ``eigenvalues``, ``given``: a user's batch and its spectrum as inputs
- ``adversaries``, ``library``: who attacks stated claims, and statements of the library
- ``loading``: claims in files; ``naming``: claims without a name; ``running``: what the pytest plugin does once an
  item runs
"""
