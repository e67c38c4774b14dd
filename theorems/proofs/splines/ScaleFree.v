(* Batch normalisation does not see the length of the weight: pre-activations are signed distances.

   In words: for weight w and inputs z_1, ..., z_N let x_i = <w,z_i>, mean = (1/N) sum x_i and
   rms = sqrt((1/N) sum (x_i - mean)^2).  The BN pre-activation (x_i - mean)/rms is the same for w and
   c w, c > 0.  It equals the signed distance (x_i - mean)/||w|| of z_i to the boundary, divided by the
   root mean square of those distances.

   Source: after Balestriero, Baraniuk, "Batch Normalization Explained", 2022, arXiv 2209.14778; stated by us.
   If all x_i coincide both sides are 0 (division by 0 gives 0), so no hypothesis excludes it.

   scale_free             invariance under w |-> c w
   scale_free_distance    signed distances over their root mean square

   Depends on: splines/TotalLeastSquares.v (norm_gt0).
   Proves the Python statement: splines.scale_free *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.splines Require Import TotalLeastSquares.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* x / rms(x) is homogeneous of degree 0. *)
Lemma over_rms (R : rcfType) (N : nat) (x : 'I_N -> R) (c : R) (i : 'I_N) : 0 < c ->
  c * x i / Num.sqrt ((\sum_(k < N) (c * x k) ^+ 2) / N%:R)
  = x i / Num.sqrt ((\sum_(k < N) x k ^+ 2) / N%:R).
Proof.
move=> c0; under eq_bigr do rewrite exprMn.
rewrite -mulr_sumr -[c ^+ 2 * _ / _]mulrA sqrtrM ?sqr_ge0 // sqrtr_sqr gtr0_norm //.
by rewrite -mulf_div divff ?mul1r // lt0r_neq0.
Qed.

Theorem scale_free (R : rcfType) (N d : nat) (w : 'I_d -> R) (c : R) (z : 'I_N -> 'I_d -> R)
    (x y : 'I_N -> R) :
  0 < c ->
  (forall i : 'I_N, x i = \sum_(k < d) w k * z i k) ->
  (forall i : 'I_N, y i = \sum_(k < d) c * w k * z i k) ->
  forall i : 'I_N,
    (y i - (\sum_(j < N) y j) / N%:R)
      / Num.sqrt ((\sum_(k < N) (y k - (\sum_(j < N) y j) / N%:R) ^+ 2) / N%:R)
    = (x i - (\sum_(j < N) x j) / N%:R)
      / Num.sqrt ((\sum_(k < N) (x k - (\sum_(j < N) x j) / N%:R) ^+ 2) / N%:R).
Proof.
move=> c0 defx defy i.
have scaled k : y k - (\sum_(j < N) y j) / N%:R = c * (x k - (\sum_(j < N) x j) / N%:R).
  have yx j : y j = c * x j.
    by rewrite defx defy mulr_sumr; apply: eq_bigr => q _; rewrite mulrA.
  by rewrite mulrBr mulrA mulr_sumr yx; under [in LHS]eq_bigr do rewrite yx.
by rewrite scaled; under [X in _ / Num.sqrt (X / _) = _]eq_bigr do rewrite scaled; apply: (over_rms (fun k => x k - _)).
Qed.

Theorem scale_free_distance (R : rcfType) (N d : nat) (w : 'I_d -> R) (z : 'I_N -> 'I_d -> R)
    (x delta : 'I_N -> R) (mean : R) :
  (exists k : 'I_d, w k != 0) ->
  (forall i : 'I_N, x i = \sum_(k < d) w k * z i k) -> mean = (\sum_(i < N) x i) / N%:R ->
  (forall i : 'I_N, delta i = (x i - mean) / Num.sqrt (\sum_(k < d) w k ^+ 2)) ->
  forall i : 'I_N,
    (x i - mean) / Num.sqrt ((\sum_(k < N) (x k - mean) ^+ 2) / N%:R)
    = delta i / Num.sqrt ((\sum_(k < N) delta k ^+ 2) / N%:R).
Proof.
move=> [k wk] _ _ def i; have norm0 : 0 < (Num.sqrt (\sum_(k < d) w k ^+ 2))^-1.
  by rewrite invr_gt0 sqrtr_gt0 (norm_gt0 wk).
have delta_sq j : delta j ^+ 2 = ((Num.sqrt (\sum_(q < d) w q ^+ 2))^-1 * (x j - mean)) ^+ 2.
  by rewrite def mulrC.
rewrite def (eq_bigr _ (fun j _ => delta_sq j)) [(x i - mean) / _ in RHS]mulrC.
by rewrite (over_rms (fun k => x k - mean) i norm0).
Qed.
