(* With orthogonal weights the isometry gap -log det(nC) never rises: what a layer adds to it is the
   logarithm of a product, which the inequality of means bounds by 1.

   never_rises: for lambda >= 0 of sum 1 and a square W whose columns have length 1,
     prod_k n sum_i lambda_i W_ki^2 <= 1.
   Rows of W need not be unit vectors; of orthogonality only the columns' lengths are used.

   Source: ours, after Meterez et al. 2023 (arXiv 2310.02012).
   Python: orthogonality.orthogonal_weights:never_rises.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem never_rises (R : realFieldType) (n : nat) (lambda : 'I_n -> R) (W : 'I_n -> 'I_n -> R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= lambda i) ->
  \sum_(i < n) lambda i = 1 ->
  (forall i : 'I_n, \sum_(k < n) W k i ^+ 2 = 1) ->
  \prod_(k < n) (n%:R * \sum_(i < n) lambda i * W k i ^+ 2) <= 1.
Proof.
move=> n1 lambda0 lambda1 columns.
pose x (k : 'I_n) := n%:R * \sum_(i < n) lambda i * W k i ^+ 2.
have x0 (k : 'I_n) : k \in 'I_n -> 0 <= x k.
  move=> _; rewrite mulr_ge0 ?ler0n // sumr_ge0 // => i _.
  by rewrite mulr_ge0 ?sqr_ge0.
have total : \sum_(k < n) x k = n%:R.
  rewrite /x -mulr_sumr exchange_big /= -[X in _ = X]mulr1 -[X in _ = _ * X]lambda1.
  congr (_ * _); apply: eq_bigr => i _.
  by rewrite -mulr_sumr columns mulr1.
have [means _] := leif_AGM x0.
have n0 : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
by move: means; rewrite total card_ord divff // expr1n.
Qed.
