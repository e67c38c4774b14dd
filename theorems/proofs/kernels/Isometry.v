(* Samples divided by their norms: what becomes of the isometry det(C)^(1/n)/(tr C/n) of their Gram
   matrix C, whose diagonal holds the squares of the norms a_i.

   normalised_determinant: the Gram matrix of samples divided by a_i has the determinant
     det C/prod a_i^2.
   isometry_gain: so the n-th power of the isometry is multiplied by that of AM(a^2)/GM(a^2).
   means_of_squares: GM(a^2) <= AM(a^2), as n-th powers.
   gain_by_spread: AM(a^2)/GM(a^2) >= AM(a^2)/AM(a)^2 = 1 + Var a/AM(a)^2, as n-th powers.

   Source: the first two after Joudaki, Daneshmand, Bach 2023 (arXiv 2305.18399); proofs ours.
   Depends on: Products. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm Require Import products.Products.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Isometry.

Variables (R : realFieldType) (n : nat) (a : 'I_n -> R).

Variable C : 'M[R]_n.

Theorem normalised_determinant :
  \det (\matrix_(i < n, j < n) (C i j / (a i * a j))) = \det C / \prod_(i < n) a i ^+ 2.
Proof.
pose D := diag_mx (\row_(i < n) (a i)^-1).
have -> : \matrix_(i < n, j < n) (C i j / (a i * a j)) = D *m C *m D.
  apply/matrixP => i j; rewrite mul_mx_diag mul_diag_mx !mxE invfM.
  by rewrite [C i j * _]mulrCA mulrA.
rewrite !det_mulmx det_diag; under eq_bigr do rewrite mxE.
rewrite prodfV prodrXl mulrAC -invfM mulrC.
by rewrite expr2.
Qed.

Hypotheses (n1 : (1 <= n)%N) (a0 : forall i : 'I_n, 0 < a i).

Theorem isometry_gain : (forall i : 'I_n, C i i = a i ^+ 2) ->
  let normalised := \matrix_(i < n, j < n) (C i j / (a i * a j)) in
  \det normalised / (\tr normalised / n%:R) ^+ n
  = \det C / (\tr C / n%:R) ^+ n
    * (((\sum_(i < n) a i ^+ 2) / n%:R) ^+ n / \prod_(i < n) a i ^+ 2).
Proof.
move=> norms normalised; have nn : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have -> : \tr normalised = n%:R.
  rewrite -[in RHS](card_ord n) -sum1_card natr_sum; apply: eq_bigr => i _.
  by rewrite mxE norms -expr2 divff // expf_neq0 // gt_eqF.
have <- : \tr C = \sum_(i < n) a i ^+ 2 by apply: eq_bigr => i _.
have trace : \tr C / n%:R != 0.
  rewrite mulf_neq0 ?invr_eq0 // gt_eqF // /mxtrace (bigD1 (Ordinal n1)) //= norms.
  rewrite ltr_paddr ?exprn_gt0 // sumr_ge0 // => i _.
  by rewrite norms exprn_ge0 // ltW.
rewrite normalised_determinant divff // expr1n divr1.
by rewrite mulrA mulfVK // expf_neq0.
Qed.

Theorem means_of_squares :
  \prod_(i < n) a i ^+ 2 <= ((\sum_(i < n) a i ^+ 2) / n%:R) ^+ n.
Proof. by apply: arithmetic_geometric => i; rewrite exprn_ge0 // ltW. Qed.

Theorem gain_by_spread :
  (n%:R * (\sum_(i < n) a i ^+ 2) / (\sum_(i < n) a i) ^+ 2) ^+ n
  <= ((\sum_(i < n) a i ^+ 2) / n%:R) ^+ n / \prod_(i < n) a i ^+ 2.
Proof.
have nn : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have sum : \sum_(i < n) a i != 0.
  by rewrite gt_eqF // (bigD1 (Ordinal n1)) //= ltr_paddr // sumr_ge0 // => i _; rewrite ltW.
have -> : n%:R * (\sum_(i < n) a i ^+ 2) / (\sum_(i < n) a i) ^+ 2
    = (\sum_(i < n) a i ^+ 2) / n%:R / ((\sum_(i < n) a i) / n%:R) ^+ 2.
  move: n%:R (\sum_(i < n) a i) (\sum_(i < n) a i ^+ 2) nn sum => z x y z0 x0.
  by field; rewrite z0 x0.
set M := _ / n%:R; set A := _ / n%:R.
have M0 : 0 <= M by rewrite divr_ge0 ?ler0n // sumr_ge0 // => i _; rewrite exprn_ge0 // ltW.
have P0 : 0 < \prod_(i < n) a i by apply: prodr_gt0.
have le : \prod_(i < n) a i <= A ^+ n by apply: arithmetic_geometric => i; rewrite ltW.
rewrite expr_div_n prodrXl ler_wpmul2l ?exprn_ge0 // -exprM mulnC exprM lef_pinv.
- by apply: ler_expn2r; rewrite ?nnegrE ?(ltW P0) // (le_trans (ltW P0)).
- by rewrite posrE exprn_gt0 // (lt_le_trans P0).
- by rewrite posrE exprn_gt0.
Qed.

End Isometry.
