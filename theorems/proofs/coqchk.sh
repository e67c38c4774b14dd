#!/bin/sh
# Have the independent checker re-check the core with everything it loads, and compare what it assumes with a list.
#
#   ./coqchk.sh           after ./check.sh; two minutes and 1 GiB. Needs coqchk.
#   ./coqchk.sh FILE      compare a context that `coqchk -o` printed before
#
# The core is every file of _CoqProject outside leaf/. `coqchk -o` lists what all loaded libraries declare, used or
# not (Print Assumptions, in check.sh, tells of one theorem): here the kernel's own machine integers and floats, the
# primitives of two modules of Coq's library. Any axiom, and any check that was switched off, fails.
set -eu
cd "$(dirname "$0")"
primitives='^Coq\.(Numbers\.Cyclic\.Int63\.PrimInt63|Floats\.PrimFloat)\.[A-Za-z0-9_.]+$'

if [ $# -eq 0 ]; then
    context=$(mktemp)
    trap 'rm -f "$context"' EXIT
    # shellcheck disable=SC2046  # module names, one word each
    coqchk -silent -o -Q . BatchNorm \
        $(grep '\.v$' _CoqProject | grep -v '/leaf/' | sed 's|/|.|g; s|\.v$||; s|^|BatchNorm.|') > "$context" 2>&1 ||
        { cat "$context" >&2; exit 1; }
else
    context=$1
fi
primitives=$primitives awk '
    /^\* Theory: Set is predicative/ { inside = 0; seen++; next }
    /^\* Axioms:/ { inside = !/<none>/; seen++; next }
    /^\* / { inside = 0; seen++; if (!/<none>/) { print "switched off " $0; bad++ } next }
    inside && NF { if ($1 ~ ENVIRON["primitives"]) { found++ } else { print "assumed: " $1; bad++ } }
    END {
        if (seen != 5) { print "want a context of five parts, got " seen + 0; bad++ }
        printf "coqchk: %d primitives of the kernel declared, %d objections\n", found, bad
        exit bad > 0
    }' "$context"
