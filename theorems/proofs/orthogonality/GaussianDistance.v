(* Distance of W H to a Gaussian matrix, through the singular values sigma_i of H (sum of squares 1):
   sum (sigma_i - n^(-1/2))^2 <= n sum (sigma_i^2 - 1/n)^2 = n V^2 <= 2 n V.

   The left side is W_2^2(law(W H), law(G/sqrt n)); that identity of laws is not proved here, only its last
   step, the Bures distance between the row covariances C and I/n written as a sum of squares.
   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Lemma 2 and Appendix D.
   Python: orthogonality.gaussian_distance:identity, :sharp, :as_printed.
   gaussian_distance_squares is the inequality without roots: any t >= 0 with t^2 = 1/n, any sigma >= 0.
   Depends on: common.Sums. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem gaussian_distance_squares (R : realFieldType) (n : nat) (sigma : 'I_n -> R) (t : R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= sigma i) ->
  0 <= t -> t ^+ 2 = n%:R^-1 ->
  \sum_(i < n) (sigma i - t) ^+ 2 <= n%:R * (\sum_(i < n) (sigma i ^+ 2 - n%:R^-1) ^+ 2).
Proof.
move=> n1 s0 t0 tt; rewrite mulr_sumr; apply: ler_sum => i _.
rewrite -tt subr_sqr exprMn mulrCA ler_pemulr ?sqr_ge0 //.
rewrite -[X in X <= _](@mulfV _ n%:R) ?pnatr_eq0 -?lt0n // ler_wpmul2l ?ler0n // -tt.
by rewrite ler_expn2r ?nnegrE ?addr_ge0 // ler_addr.
Qed.

Lemma sqrt_inv_natr (R : rcfType) (n : nat) : (Num.sqrt n%:R)^-1 ^+ 2 = n%:R^-1 :> R.
Proof. by rewrite exprVn sqr_sqrtr ?ler0n. Qed.

Theorem gaussian_distance_identity (R : rcfType) (n : nat) (sigma : 'I_n -> R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= sigma i <= 1) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  \sum_(i < n) (sigma i ^+ 2 + n%:R^-1 - 2%:R * sigma i / Num.sqrt n%:R)
  = \sum_(i < n) (sigma i - (Num.sqrt n%:R)^-1) ^+ 2.
Proof.
move=> n1 _ _; apply: eq_bigr => i _.
by rewrite -(sqrt_inv_natr R n); move: (_^-1) => x; ring.
Qed.

Theorem gaussian_distance_sharp (R : rcfType) (n : nat) (sigma : 'I_n -> R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= sigma i <= 1) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  \sum_(i < n) (sigma i - (Num.sqrt n%:R)^-1) ^+ 2
  <= n%:R * (\sum_(i < n) (sigma i ^+ 2 - n%:R^-1) ^+ 2).
Proof.
move=> n1 s01 _; apply: gaussian_distance_squares => // [i||].
- by have /andP[] := s01 i.
- by rewrite invr_ge0 sqrtr_ge0.
- exact: sqrt_inv_natr.
Qed.

(* V^2 = sum sigma^4 - 1/n, and it is at most 1. *)
Lemma gap_squared_sum4 (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (1 <= n)%N -> \sum_(i < n) sigma i ^+ 2 = 1 ->
  \sum_(i < n) (sigma i ^+ 2 - n%:R^-1) ^+ 2 = \sum_(i < n) sigma i ^+ 4 - n%:R^-1.
Proof.
move=> n1 s1; have n0 : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
transitivity (\sum_(i < n) (1 * sigma i ^+ 4 + - (2%:R / n%:R) * sigma i ^+ 2 + n%:R^-1 ^+ 2 * 1)).
  by apply: eq_bigr => i _; ring.
by rewrite ord_lin3 s1 sumr_const card_ord /=; move: (\sum_i sigma i ^+ 4) => T; field.
Qed.

Lemma gap_squared_le1 (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (1 <= n)%N -> \sum_(i < n) sigma i ^+ 2 = 1 ->
  \sum_(i < n) (sigma i ^+ 2 - n%:R^-1) ^+ 2 <= 1.
Proof.
move=> n1 s1; rewrite gap_squared_sum4 // ler_subl_addr.
apply: (@le_trans _ _ 1); last by rewrite ler_addl invr_ge0 ler0n.
rewrite -[X in _ <= X](expr1n _ 2) -s1.
rewrite (eq_bigr (fun i => (sigma i ^+ 2) ^+ 2)) => [|i _]; last by rewrite -exprM.
by apply: sum_sqr_le_sqr_sum => i; apply: sqr_ge0.
Qed.

Theorem gaussian_distance_as_printed (R : rcfType) (n : nat) (sigma : 'I_n -> R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= sigma i <= 1) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  \sum_(i < n) (sigma i - (Num.sqrt n%:R)^-1) ^+ 2
  <= 2%:R * n%:R * Num.sqrt (\sum_(i < n) (sigma i ^+ 2 - n%:R^-1) ^+ 2).
Proof.
move=> n1 s01 s1; apply: le_trans (gaussian_distance_sharp n1 s01 s1) _.
set V2 := \sum_(i < n) _.
have V0 : 0 <= V2 by apply: sumr_ge0 => i _; apply: sqr_ge0.
have V1 : Num.sqrt V2 <= 1 by rewrite -[X in _ <= X]sqrtr1 ler_wsqrtr // gap_squared_le1.
rewrite -{1}(sqr_sqrtr V0) expr2 mulrA ler_wpmul2r ?sqrtr_ge0 //.
apply: (@le_trans _ _ n%:R); first by rewrite ler_pimulr ?ler0n.
by rewrite ler_pmull ?ltr0n // ler1n.
Qed.
