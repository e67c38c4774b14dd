"""Bounds proposed by the workbench: of simple form, with the best constants that nothing refutes.

What is asked and looked at

- ``question``: of which quantities, against which others, over what
- ``inputs``: hostile inputs for every choice of sizes; ``measurements``: what quantities are there;
  ``optimisation``: inputs between them that go further

What is proposed

- ``comparisons``: a quantity over powers of references, or what a layer makes of such a product
- ``extremes``: how far that goes, and whether it has an end
- ``forms``, ``constants``: what is simple; ``fitting``: which simple forms bound a number
- ``bounds``: as claims

What is kept

- ``ranking``: the best first, none that better ones imply; ``refuting``: the attack on each
- ``writing``: a file of claims; ``search``: all of it
"""

from theorems.workbench.discovery.bounds import Bound, Fallen
from theorems.workbench.discovery.search import Discovery, Search, discover, searched

__all__ = ["Bound", "Discovery", "Fallen", "Search", "discover", "searched"]
