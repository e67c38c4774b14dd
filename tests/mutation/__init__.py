"""Mutation testing of what gives the verdicts: `python -m tests.mutation --help`.

Neither tool at hand fits: mutmut 3 changes function bodies only, by operators and a runner of its own, so that the
statements, which are data at the level of modules, and the budget splits would stay whole; cosmic-ray runs one test
command for every mutant and rewrites the files of the working tree.

- ``operators``: the fixed list of changes, each of one kind, to the text of one expression
- ``sites``: the files, every mutant in them, the planted kinds and the seeded sample
- ``reach``: which tests run which lines, by coverage contexts, kept until a source changes
- ``runner``: one mutant at a time in a copy of the tree, against the tests that reach it, the quickest first
- ``loaded``: mutants put into what is loaded once, where that shows them whole
- ``known``: outcomes of an earlier run, and which of them hold still
- ``score``: what is on record, mutants shown to be equivalent, what may not fall
"""
