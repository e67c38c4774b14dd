(* Independent weights have a region where all units are positive, and one where all are negative:
   with a right inverse u, w u = 1, every unit is 1 at the sum of the columns of u, and -1 at minus
   that.

   all_positive, all_negative: the two regions. right_inverse: there is such a u if the rows of w
     are independent.

   Source: Riedi, Balestriero, Baraniuk 2026 (PMLR 334), Lemma 5, the case D_1 <= D_0.
   Python: splines.regions_of_centred_layer.
   Depends on: common.Sums. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem right_inverse (R : realFieldType) (m n : nat) (w : 'M[R]_(m, n)) :
  row_free w -> exists u : 'M[R]_(n, m), w *m u = 1%:M.
Proof. by move=> free; exists (pinvmx w); apply: mulmxVp. Qed.

Section Layer.

Variables (R : realFieldType) (D_1 : nat) (D_0 : nat) (w : 'I_D_1 -> 'I_D_0 -> R) (u : 'I_D_0 ->
    'I_D_1 -> R).
Variable i : 'I_D_1.
Hypothesis inverse : \sum_(j < D_1) \sum_(q < D_1)
  (if j == q then ((\sum_(k < D_0) u k q * w j k) - 1) ^+ 2 else (\sum_(k < D_0) u k q * w j k) ^+
      2) = 0.

Let entry (j q : 'I_D_1) : \sum_(k < D_0) u k q * w j k = (j == q)%:R.
Proof.
have pos (a b : 'I_D_1) : 0 <= (if a == b then ((\sum_(k < D_0) u k b * w a k) - 1) ^+ 2
                                else (\sum_(k < D_0) u k b * w a k) ^+ 2).
  by case: eqP => _; apply: sqr_ge0.
have rows a : 0 <= \sum_(q < D_1) (if a == q then ((\sum_(k < D_0) u k q * w a k) - 1) ^+ 2
                                 else (\sum_(k < D_0) u k q * w a k) ^+ 2).
  by apply: sumr_ge0 => b _; apply: pos.
have row := sum_eq0 rows inverse j.
have := sum_eq0 (pos j) row q; case: eqP => _ /eqP; rewrite sqrf_eq0.
  by rewrite subr_eq0 => /eqP.
by move/eqP.
Qed.

Theorem all_positive : \sum_(k < D_0) w i k * (\sum_(j < D_1) u k j) = 1.
Proof.
under eq_bigr => k _ do rewrite mulr_sumr.
rewrite exchange_big /= (bigD1 i) //= [X in _ + X]big1 => [|j ji].
  by rewrite addr0; under eq_bigr => k _ do rewrite mulrC; rewrite entry eqxx.
by under eq_bigr => k _ do rewrite mulrC; rewrite entry eq_sym (negPf ji).
Qed.

Theorem all_negative : - (\sum_(k < D_0) w i k * (\sum_(j < D_1) u k j)) = - 1.
Proof. by rewrite all_positive. Qed.

End Layer.
