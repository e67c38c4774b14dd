"""State a claim of your own and have it attacked.

What an author may write

- ``conjecture``: the decorator and function
- ``parsing``: claims as text; ``domains``: where a symbol lives; ``quantities``: observables and
  chains by name; ``declaration``: all of it read
- ``subject``: every input, random weights or infinite width; ``measured_side``: what is compared
  with a bound; ``assumptions``: what restricts it; ``draft``: the statement of it
- ``examination``: what is refused before a run
- ``loading``: claims in files; ``running``: what the pytest plugin does once an item runs

What it is checked on

- ``spaces``: what a claim about every input ranges over; ``design``: what a claim about a mean is
  sampled on; ``layout``: both, of a stated claim
- ``starts``: the starts of chains, and few that show every pair of their levels
- ``exact_values``: the numbers that quantities are evaluated in

How it is checked

- ``everywhere``: the check of a claim about every input; ``whole_domain``: input by input, on the
  real line, by z3 or by boxes
- ``attack``: which check and search a claim gets
- ``adversaries``: who attacks stated claims, and statements of the library
- ``sentinels``: false neighbours by form; ``ranged_neighbours``: those of what is
  bounded; ``false_neighbour``: which of them a claim gets

What is proposed

- ``discovery``: bounds of simple form that nothing refutes
"""
