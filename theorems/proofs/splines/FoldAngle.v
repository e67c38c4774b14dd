(* Where the boundary of a unit crosses that of an earlier one its normal changes from g to g + c h,
   h the normal of the earlier unit. By Lagrange's identity
     |g|^2 |g + c h|^2 - <g, g + c h>^2 = c^2 (|g|^2 |h|^2 - <g, h>^2),
   so that the sine of the fold is |c| |h| / |g + c h| times the sine of the angle of g and h.

   fold_sine: the identity.

   Source: ours.
   Python: splines.fold_angle:sine.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory.
Local Open Scope ring_scope.

Section Fold.

Variables (R : comRingType) (d : nat) (g : 'I_d -> R) (h : 'I_d -> R) (c : R).

Lemma square_behind :
  \sum_(k < d) (c * h k + g k) ^+ 2
  = (\sum_(k < d) g k ^+ 2) + 2%:R * c * (\sum_(k < d) g k * h k)
      + c ^+ 2 * (\sum_(k < d) h k ^+ 2).
Proof.
rewrite !mulr_sumr -!big_split /=; apply: eq_bigr => k _.
by move: (g k) (h k) => x y; ring.
Qed.

Lemma product_behind :
  \sum_(k < d) g k * (c * h k + g k) = (\sum_(k < d) g k ^+ 2) + c * (\sum_(k < d) g k * h k).
Proof.
rewrite mulr_sumr -big_split /=; apply: eq_bigr => k _.
by move: (g k) (h k) => x y; ring.
Qed.

Theorem fold_sine :
  (\sum_(k < d) (c * h k + g k) ^+ 2) * (\sum_(k < d) g k ^+ 2)
      - (\sum_(k < d) g k * (c * h k + g k)) ^+ 2
  = c ^+ 2 * ((\sum_(k < d) g k ^+ 2) * (\sum_(k < d) h k ^+ 2) - (\sum_(k < d) g k * h k) ^+ 2).
Proof.
rewrite square_behind product_behind.
move: (\sum_(k < d) g k ^+ 2) (\sum_(k < d) g k * h k) (\sum_(k < d) h k ^+ 2) => A B C.
by ring.
Qed.

End Fold.
