(* Independent weights have a region where all units are positive, and one where all are negative:
   with a right inverse u, w u = 1, every unit is 1 at the sum of the columns of u, and -1 at minus
   that. Dependent ones, sum_i lambda_i w_i = 0, with offsets b_i: sum_i lambda_i (<w_i,y> - b_i) is
   the same at every y, so that where no term is negative, none exceeds it.

   all_positive, all_negative: the two regions. right_inverse: there is such a u if the rows of w
     are independent. bounded: the bound for dependent ones.

   Source: Riedi, Balestriero, Baraniuk 2026 (PMLR 334), Lemma 5; bounded: ours.
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

Section Dependent.

Variables (R : realFieldType) (D_1 : nat) (D_0 : nat) (w : 'I_D_1 -> 'I_D_0 -> R) (lambda : 'I_D_1 ->
    R) (b : 'I_D_1 -> R) (y : 'I_D_0 -> R) (q : 'I_D_1).
Hypothesis dependent : \sum_(k < D_0) (\sum_(i < D_1) lambda i * w i k) ^+ 2 = 0.
Hypothesis sides : \sum_(i < D_1) (`|lambda i * (b i - (\sum_(k < D_0) w i k * y k))|
    - lambda i * ((\sum_(k < D_0) w i k * y k) - b i)) = 0.

Let t (i : 'I_D_1) : R := lambda i * ((\sum_(k < D_0) w i k * y k) - b i).

Let flip (i : 'I_D_1) : `|lambda i * (b i - (\sum_(k < D_0) w i k * y k))| = `|t i|.
Proof. by rewrite /t -opprB mulrN normrN. Qed.

Let positive (i : 'I_D_1) : `|t i| = t i.
Proof.
have pos (j : 'I_D_1) : 0 <= `|lambda j * (b j - (\sum_(k < D_0) w j k * y k))| - t j.
  by rewrite flip subr_ge0 ler_norm.
by have /eqP := sum_eq0 pos sides i; rewrite subr_eq0 flip => /eqP.
Qed.

Let total : \sum_(i < D_1) t i = - \sum_(i < D_1) b i * lambda i.
Proof.
have zero (k : 'I_D_0) : \sum_(i < D_1) lambda i * w i k = 0.
  have pos (l : 'I_D_0) : 0 <= (\sum_(i < D_1) lambda i * w i l) ^+ 2 by apply: sqr_ge0.
  by have /eqP := sum_eq0 pos dependent k; rewrite sqrf_eq0 => /eqP.
have -> : \sum_(i < D_1) t i
    = \sum_(k < D_0) y k * (\sum_(i < D_1) lambda i * w i k) - \sum_(i < D_1) b i * lambda i.
  rewrite [X in _ = X - _](_ : _ = \sum_(i < D_1) lambda i * (\sum_(k < D_0) w i k * y k)).
    by rewrite -sumrB; apply: eq_bigr => i _; rewrite /t mulrBr [b i * _]mulrC.
  under eq_bigr => k _ do rewrite mulr_sumr.
  rewrite exchange_big /=; apply: eq_bigr => i _; rewrite mulr_sumr; apply: eq_bigr => k _; ring.
by rewrite big1 ?sub0r // => k _; rewrite zero mulr0.
Qed.

Theorem bounded :
  `|lambda q * (b q - (\sum_(k < D_0) w q k * y k))| <= `|\sum_(i < D_1) b i * lambda i|.
Proof.
rewrite flip positive -normrN -total (le_trans _ (ler_norm _)) // (bigD1 q) //= ler_addl.
by apply: sumr_ge0 => i _; rewrite -positive.
Qed.

End Dependent.
