"""What the command shows on a terminal.

- ``screen``: consoles (colour only where it is wanted), styles, numbers as text
- ``typesetting``: SymPy expressions as Unicode mathematics that fits the width
- ``listing``: ``theorems list``
- ``page``: ``theorems show``
- ``outcome``: ``theorems verify``: the table, the refutations, the closing lines
- ``certifying``: ``theorems certify`` and ``theorems recheck``
- ``claims``: files of claims and a claim as text on the command line; ``falsify``: ``theorems falsify``
- ``progress``: what is seen while it runs
"""
