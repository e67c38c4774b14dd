(* Counting regions: what the recursions for a further hyperplane add up to.

   any_dimension: f(0, k) = f(m, 0) = 1 and f(m+1, k+1) = f(m, k+1) + f(m, k) give
     f(m, k) = sum_(i <= k) C(m, i), the regions of m hyperplanes in general position in R^k.
   general_position: in the plane, f(m+1) = f(m) + m + 1 gives 1 + m + C(m, 2).
   central: f(m+1) = f(m) + 2 from f(1) = 2 gives 2m.

   That one more hyperplane adds so many regions is a hypothesis: geometry.
   Source: classical.
   Python: splines.region_counts.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect zify.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Theorem any_dimension (f : nat -> nat -> nat) :
  (forall k : nat, f 0 k = 1) -> (forall m : nat, f m 0 = 1) ->
  (forall m k : nat, f m.+1 k.+1 = f m k.+1 + f m k) ->
  forall m k : nat, f m k = \sum_(i < k.+1) 'C(m, i).
Proof.
move=> none point step; elim=> [|m IH] k.
  by rewrite none big_ord_recl bin0 big1 // => i _; rewrite bin0n.
case: k => [|k]; first by rewrite point big_ord_recl big_ord0 bin0.
rewrite step !IH big_ord_recl [in RHS]big_ord_recl !bin0 -addnA; congr (1 + _).
by rewrite -big_split; apply: eq_bigr => i _; rewrite binS.
Qed.

Theorem general_position (f : nat -> nat) :
  f 0 = 1 -> (forall m : nat, f m.+1 = f m + m.+1) -> forall m : nat, f m = 1 + m + 'C(m, 2).
Proof.
move=> none step; elim=> [|m IH]; first by rewrite none bin0n.
by rewrite step IH binS bin1; lia.
Qed.

Theorem central (f : nat -> nat) :
  f 1 = 2 -> (forall m : nat, 1 <= m -> f m.+1 = f m + 2) ->
  forall m : nat, 1 <= m -> f m = 2 * m.
Proof.
move=> one step; elim=> [//|[|m] IH] _; first exact: one.
by rewrite step // IH //; lia.
Qed.
