#!/bin/sh
# Build every proof named in _CoqProject, then print what each exported theorem says and rests on.
#
#   ./check.sh [-s]     -s: also print the statements. JOBS=2 by default. Needs coqc, coq_makefile, make, python3.
#
# EXPORTED lists the theorems, one qualified name per line. All must close under the global context, except
# those in files under leaf/, which may use the axioms behind Coq's real numbers (and the choice operator with which
# mathcomp-analysis makes them a mathcomp field), named below.
set -eu
cd "$(dirname "$0")"
allowed='ClassicalDedekindReals.sig_forall_dec ClassicalDedekindReals.sig_not_dec
FunctionalExtensionality.functional_extensionality_dep Classical_Prop.classic
ClassicalEpsilon.constructive_indefinite_description Epsilon.epsilon_statement'

if ! python3 vernacular.py; then
    echo 'check.sh: assumed, unproved or unchecked, see the lines above' >&2
    exit 1
fi
coq_makefile -f _CoqProject -o Makefile.coq
make -f Makefile.coq -j"${JOBS:-2}" --no-print-directory

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
grep -v '^ *#' EXPORTED | grep . > "$scratch/names"
# Core and leaf apart: a leaf file's libraries are slow to load.
grep '\.leaf\.' "$scratch/names" > "$scratch/leaf" || true
grep -v '\.leaf\.' "$scratch/names" > "$scratch/core" || true
for part in core leaf; do
    [ -s "$scratch/$part" ] || continue
    {
        sed 's/\.[^.]*$//; s/.*/Require &./' "$scratch/$part" | sort -u
        [ "${1-}" != -s ] || [ $part = core ] || printf '%s\n' 'From Coq Require Import Reals.' \
            'From Coquelicot Require Import Coquelicot.' 'Delimit Scope R_scope with coqR.' 'Local Open Scope R_scope.'
        [ "${1-}" != -s ] || printf '%s\n' 'From mathcomp Require Import all_ssreflect all_algebra.' \
            'Local Open Scope ring_scope.' 'Set Printing Width 110.'
        while read -r name; do
            printf 'Goal True. idtac "== %s". Abort.\n' "$name"
            [ "${1-}" != -s ] || printf 'Check @%s.\n' "$name"
            printf 'Print Assumptions %s.\n' "$name"
        done < "$scratch/$part"
    } > "$scratch/audit_$part.v"
    coqc -q -Q . BatchNorm -w none "$scratch/audit_$part.v" > "$scratch/out_$part"
    cat "$scratch/out_$part"
done
awk -v allowed="$allowed" '
    BEGIN { split(allowed, list, /[ \n]+/); for (k in list) free[list[k]] = 1 }
    /^== / { name = $2; axioms = 0; seen++; next }
    /^Closed under the global context/ { closed++; next }
    /^Axioms:/ { axioms = 1; next }
    axioms && /^[^ ]/ { sub(/ *:.*/, ""); if (name !~ /\.leaf\./ || !($0 in free)) { print name ": " $0; bad++ } }
    END {
        printf "%d theorems, %d without axioms, %d axioms not allowed\n", seen, closed, bad
        exit bad > 0
    }' "$scratch"/out_*
