(* The first-order response of one entry of the ReLU layer to a change of the recentred Gram matrix.

   In words: let K_ii = s + p e, K_jj = s + q e and K_ij = rho s + h e, with s > 0 and -1 < rho < 1.  At e = 0
   the entry t sqrt(K_ii K_jj) kappa(K_ij/sqrt(K_ii K_jj)) has the derivative
   t ((p + q)/2 kappa(rho) + kappa'(rho) (h - rho (p + q)/2)); a diagonal entry (K_ij = K_ii) has t p.

   Source: ours; SymmetricJacobian.v finds the eigen-directions of this response.

   layer_entry_derivative, layer_diagonal_derivative

   Depends on: cluster/leaf/StabilityInequality.v (kappa_derivative, kappa_one), Coquelicot.
   Proves (the Jacobian's entries in) the Python statement: cluster.symmetric_fixed_point *)

From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From BatchNorm.cluster.leaf Require Import StabilityInequality.

Local Open Scope R_scope.

Theorem layer_entry_derivative (t s p q h rho : R) (kappa : R -> R) (slope : R) :
  0 < s -> -1 < rho < 1 ->
  (forall x : R, kappa x = (sqrt (1 - x ^ 2) + (PI - acos x) * x) / PI) ->
  slope = 1 - acos rho / PI ->
  is_derive
    (fun e : R => t * (sqrt ((s + p * e) * (s + q * e))
                       * kappa ((rho * s + h * e) / sqrt ((s + p * e) * (s + q * e)))))
    0 (t * ((p + q) / 2 * kappa rho + slope * (h - rho * ((p + q) / 2)))).
Proof.
intros s0 range defkappa defslope.
assert (dk : is_derive kappa rho slope).
{ rewrite defslope; apply is_derive_ext with (fun x => (sqrt (1 - x ^ 2) + (PI - acos x) * x) / PI);
    [intros x; symmetry; apply defkappa | apply kappa_derivative, range]. }
clear defkappa defslope.
assert (root : sqrt (s * s) = s) by (apply sqrt_square; lra).
assert (dk' : is_derive kappa ((rho * s + h * 0) / sqrt ((s + p * 0) * (s + q * 0))) slope).
{ replace ((rho * s + h * 0) / sqrt ((s + p * 0) * (s + q * 0))) with rho; [exact dk|].
  rewrite !Rmult_0_r, !Rplus_0_r, root; field; lra. }
auto_derive.
- rewrite !Rmult_0_r, !Rplus_0_r, root.
  repeat split; try nra.
  replace ((rho * s) * / s) with rho by (field; lra); eexists; exact dk.
- rewrite !Rmult_0_r, !Rplus_0_r, root.
  replace ((rho * s) * / s) with rho by (field; lra).
  replace (Derive (fun x : R => kappa x) rho) with slope by (symmetry; apply is_derive_unique, dk).
  field; lra.
Qed.

Theorem layer_diagonal_derivative (t s p : R) (kappa : R -> R) :
  0 < s ->
  (forall x : R, kappa x = (sqrt (1 - x ^ 2) + (PI - acos x) * x) / PI) ->
  is_derive
    (fun e : R => t * (sqrt ((s + p * e) * (s + p * e))
                       * kappa ((s + p * e) / sqrt ((s + p * e) * (s + p * e)))))
    0 (t * p).
Proof.
intros s0 defkappa.
apply (is_derive_ext_loc (fun e => t * (s + p * e))).
- assert (near : locally 0 (fun e => 0 < s + p * e)).
  { apply (open_comp (fun e => s + p * e) (fun y => 0 < y)); [|apply open_gt|lra].
    intros x _; apply (ex_derive_continuous (fun e => s + p * e)); auto_derive; exact I. }
  apply filter_imp with (2 := near); intros e pos.
  rewrite sqrt_square by lra.
  replace ((s + p * e) / (s + p * e)) with 1 by (field; lra).
  rewrite defkappa, kappa_one, Rmult_1_r; reflexivity.
- auto_derive; [exact I | ring].
Qed.
