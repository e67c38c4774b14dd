"""One module a verb: the arguments it takes (``add_arguments``) and what it does (``run``).

A verb is imported when it is asked for, so that each starts with what it needs and no more. What
several share:

- ``command_line``: the parser of all verbs, and running one
- ``kept_pages``: what two of them printed, printed again while nothing has changed
- ``arguments``: options, names, claims and files that several verbs take, checked before anything
  runs
- ``run_ledger``: the ledger of one run of ``verify``
"""

VERBS = {
    "list": "list the statements, their sources and the verdicts expected of them",
    "show": "print statements in full, with what is known of them and by what evidence",
    "verify": "check statements and print a verdict for each",
    "falsify": "attack claims: look for the input, start, depth or width at which they fail",
    "discover": "propose bounds of simple form, attack each, and write what stands as claims",
    "prove": "have Rocq check the proofs, and that they prove what the statements say",
    "certify": "make the certificates that exist for statements",
    "recheck": "check certificates again, each from its inputs alone",
    "sweep": "simulate a grid of chains, widths, batches, depths, seeds into a store",
    "inspect": "say what becomes of a batch in your own PyTorch network",
    "regions": "cut a plane of input space into the linear regions of your own PyTorch network",
    "report": "render the report of an earlier run",
    "doctor": "say which optional parts are installed, and how to get the others",
    "new": "write the file of a new statement, to be changed into yours",
}
"""Every verb of ``theorems`` with what it is for."""
KEPT = ("list", "show")
"""Verbs that say the same until the library changes."""
