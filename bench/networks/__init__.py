"""Networks by which the errors of `theorems inspect` are counted, small and at initialisation.

Each file maps kinds to functions of a seed, which return a network and a batch. Nobody who wrote
one of these sets, but the first of either sort, had read the rules by which they are judged.

- healthy: `usual`; `healthy`, of `healthy_images`, `healthy_perceptrons` and `healthy_sequences`
  with their `pieces`; `fresh_healthy`, with `fresh_healthy_images` and `fresh_healthy_pieces`;
  `last_healthy`, with `last_images`, `last_sorts` and `last_pieces`
- sick: `sick`, `more_sick`, `third_sick`, whose networks `third_sick_measures` holds to what is
  said of them, `fresh_sick` and `last_sick`
"""
