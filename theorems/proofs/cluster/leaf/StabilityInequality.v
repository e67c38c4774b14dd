(* The symmetric configuration of the ReLU layer is stable: 1 - kappa > kappa' n/(n-1) for every n >= 3.

   In words: kappa(rho) = (sqrt(1 - rho^2) + (pi - acos rho) rho)/pi is the normalised product of ReLU of two
   jointly normal numbers with correlation rho, and kappa'(rho) = 1 - acos(rho)/pi its derivative.  At
   rho = -1/(n-1), n >= 3, one has kappa' n/(n-1) < 1 - kappa.

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).
   Proof: n/(n-1) = 1 - rho, and 1 - kappa - kappa' (1 - rho) = (theta - sin theta)/pi with
   theta = acos rho > 0.  So it holds for every rho in [-1, 1), hence for n = 2 too, and no interval
   arithmetic is needed.

   stability_inequality       the statement
   stability_general          every rho in [-1, 1)
   kappa_one                  kappa(1) = 1
   kappa_below_one            kappa(rho) < 1 below 1
   kappa_slope_sign           0 < kappa' < 1 on (-1, 1)
   kappa_derivative           kappa' is the derivative of kappa on (-1, 1)

   Depends on: Coq's real numbers (and their axioms), Coquelicot for the derivative.
   Proves the Python statement: cluster.symmetric_fixed_point (its stability inequality) *)

From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.

Local Open Scope R_scope.

Theorem stability_general (rho kappa slope : R) :
  -1 <= rho < 1 ->
  kappa = (sqrt (1 - rho ^ 2) + (PI - acos rho) * rho) / PI -> slope = 1 - acos rho / PI ->
  slope * (1 - rho) < 1 - kappa.
Proof.
intros range -> ->.
assert (pi_pos := PI_RGT_0).
assert (theta_pos : 0 < acos rho).
{ destruct (Rtotal_order 0 (acos rho)) as [pos|[zero|neg]]; [exact pos| |].
  - assert (c := cos_acos rho ltac:(lra)); rewrite <- zero, cos_0 in c; lra.
  - assert (b := acos_bound rho); lra. }
assert (below := sin_lt_x (acos rho) theta_pos).
rewrite sin_acos in below by lra.
replace (rho²) with (rho ^ 2) in below by (unfold Rsqr; ring).
apply Rminus_gt_0_lt.
replace (1 - (sqrt (1 - rho ^ 2) + (PI - acos rho) * rho) / PI - (1 - acos rho / PI) * (1 - rho))
  with ((acos rho - sqrt (1 - rho ^ 2)) / PI) by (field; lra).
apply Rdiv_lt_0_compat; lra.
Qed.

Lemma size_minus_one (n : nat) : (2 <= n)%nat -> 1 <= INR n - 1.
Proof. intros n2; apply le_INR in n2; simpl in n2; lra. Qed.

Theorem stability_inequality (n : nat) (rho kappa slope : R) :
  (3 <= n)%nat -> rho = -1 / (INR n - 1) ->
  kappa = (sqrt (1 - rho ^ 2) + (PI - acos rho) * rho) / PI -> slope = 1 - acos rho / PI ->
  slope * (INR n / (INR n - 1)) < 1 - kappa.
Proof.
intros n3 defrho defkappa defslope.
assert (n1 := size_minus_one n ltac:(lia)).
replace (INR n / (INR n - 1)) with (1 - rho) by (rewrite defrho; field; lra).
apply stability_general; auto.
assert (small : / (INR n - 1) <= 1) by (rewrite <- Rinv_1; apply Rinv_le_contravar; lra).
assert (pos : 0 < / (INR n - 1)) by (apply Rinv_0_lt_compat; lra).
rewrite defrho; unfold Rdiv; lra.
Qed.

Theorem kappa_one : (sqrt (1 - 1 ^ 2) + (PI - acos 1) * 1) / PI = 1.
Proof.
assert (pi_pos := PI_RGT_0).
rewrite acos_1; replace (1 - 1 ^ 2) with 0 by ring; rewrite sqrt_0; field; lra.
Qed.

Theorem kappa_slope_sign (rho : R) : -1 < rho < 1 -> 0 < 1 - acos rho / PI < 1.
Proof.
intros range; assert (pi_pos := PI_RGT_0); assert (b := acos_bound_lt rho range).
assert (0 < acos rho / PI) by (apply Rdiv_lt_0_compat; lra).
assert (acos rho / PI < 1) by (apply Rmult_lt_reg_r with PI; [lra|]; unfold Rdiv;
  rewrite Rmult_assoc, Rinv_l, Rmult_1_r, Rmult_1_l by lra; lra).
lra.
Qed.

Theorem kappa_below_one (rho : R) :
  -1 < rho < 1 -> (sqrt (1 - rho ^ 2) + (PI - acos rho) * rho) / PI < 1.
Proof.
intros range; assert (slope := kappa_slope_sign rho range).
assert (stable := stability_general rho _ _ ltac:(lra) eq_refl eq_refl).
assert (0 < (1 - acos rho / PI) * (1 - rho)) by (apply Rmult_lt_0_compat; lra).
lra.
Qed.

Lemma acos_derivative (rho : R) : -1 < rho < 1 -> is_derive acos rho (-1 / sqrt (1 - rho ^ 2)).
Proof.
intros range; apply is_derive_Reals.
replace (rho ^ 2) with (rho²) by (unfold Rsqr; ring).
apply (derive_pt_eq_1 _ _ _ (derivable_pt_acos rho range)), derive_pt_acos.
Qed.

Theorem kappa_derivative (rho : R) :
  -1 < rho < 1 ->
  is_derive (fun x : R => (sqrt (1 - x ^ 2) + (PI - acos x) * x) / PI) rho (1 - acos rho / PI).
Proof.
intros range; assert (pi_pos := PI_RGT_0); assert (dacos := acos_derivative rho range).
assert (inside : 0 < 1 - rho ^ 2) by nra.
assert (root : 0 < sqrt (1 - rho ^ 2)) by (apply sqrt_lt_R0; lra).
auto_derive.
- repeat split; auto; eexists; exact dacos.
- replace (Derive (fun x : R => acos x) rho) with (-1 / sqrt (1 - rho ^ 2))
    by (symmetry; apply is_derive_unique, dacos).
  replace (1 + - (rho * (rho * 1))) with (1 - rho ^ 2) by ring.
  set (s := sqrt (1 - rho ^ 2)) in *; clearbody s.
  field; split; lra.
Qed.
