"""How claims are attacked: a check for each kind of claim, and what checks are made of.

Checks, which a statement holds and a run calls:

- ``pointwise.Pointwise``: every input, in exact numbers; ``search.Falsification``: an adversary
- ``expectation.Expectation``: means; ``medians.Medians``: what half of all networks do;
  ``scaling.Scaling``: exponents in the width; ``drawn_means.DrawnMeans``: means of other draws
- ``width_limit.WidthLimit``: one path at infinite width; ``enclosures.Enclosed``: enclosed numbers;
  ``symbolic``: identities and signs by computer algebra
- ``lost_samples.UndefinedMean``: a mean that is not there

What they are made of:

- ``check``: what all have in common
- ``confidence_sequence``, ``confidence_intervals``: statistics; ``lost_samples``: what rounding
  spoiled
- ``symbol_values``: the numbers of a statement at an input; ``declared``, ``rational_inputs``:
  inputs, and the domains they lie in
- ``real_line``, ``covering``, ``smt``, ``root_isolation``: decisions over a whole domain
- ``ascent``, ``hypothesis_search``, ``shrinking``: what proposes counterexamples, and what makes
  them simple
"""
