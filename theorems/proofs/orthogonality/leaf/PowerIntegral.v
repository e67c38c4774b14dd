(* integral_0^oo s (1 + 2tm)^(-(n+2)/2) dt = s/(n m), for m > 0 and n >= 1.

   Source: calculus; the primitive is -(s/(n m)) (1 + 2tm)^(-n/2).
   Python: a step of orthogonality.contraction:harmonic.
   Depends on: leaf.TangentIntegral, Coquelicot, and the axioms of Coq's real numbers. *)

From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From BatchNorm.orthogonality.leaf Require Import TangentIntegral.

Local Open Scope R_scope.

Section PowerIntegral.

Variables (n : nat) (m s : R).
Hypothesis n1 : (1 <= n)%nat.
Hypothesis m0 : 0 < m.

Let r (t : R) := / sqrt (1 + 2 * t * m).
Let Q (t : R) := - (s / (INR n * m)) * r t ^ n.

Let size_pos : 1 <= INR n. Proof. apply (le_INR 1); exact n1. Qed.

Let positive t : 0 <= t -> 0 < 1 + 2 * t * m. Proof. intros t0; nra. Qed.

Let Q_derive t : 0 < 1 + 2 * t * m -> is_derive Q t (s * r t ^ (n + 2)).
Proof.
  intros b; assert (N := size_pos).
  replace (s * r t ^ (n + 2)) with (- (s / (INR n * m)) * (- (INR n * m) * r t ^ (n + 2))) by
      (field; lra).
  apply is_derive_scal, (power_derive n m n1), b.
Qed.

Let root_vanishes : filterlim r (Rbar_locally p_infty) (locally 0).
Proof.
  intros P [eps HP]; assert (e0 := cond_pos eps).
  exists (/ (2 * m * eps ^ 2)); intros t tbig; apply HP.
  assert (t0 : 0 < t).
  { apply Rlt_trans with (2 := tbig); apply Rinv_0_lt_compat, Rmult_lt_0_compat;
      [lra|apply pow_lt, e0]. }
  assert (b := positive t (Rlt_le _ _ t0)); assert (q := sqrt_lt_R0 (1 + 2 * t * m) b).
  assert (rp : 0 < r t) by (apply Rinv_0_lt_compat, q).
  unfold ball; simpl; unfold AbsRing_ball, abs, minus, plus, opp; simpl.
  replace (r t + - 0) with (r t) by ring; rewrite Rabs_pos_eq; [|lra].
  unfold r; rewrite <- (Rinv_inv eps).
  apply Rinv_lt_contravar; [apply Rmult_lt_0_compat; [apply Rinv_0_lt_compat, e0|exact q]|].
  rewrite <- (sqrt_pow2 (/ eps)); [|left; apply Rinv_0_lt_compat, e0].
  apply sqrt_lt_1_alt; split; [apply pow2_ge_0|].
  replace ((/ eps) ^ 2) with (2 * m * / (2 * m * eps ^ 2)) by (field; lra).
  assert (2 * m * / (2 * m * eps ^ 2) < 2 * m * t) by (apply Rmult_lt_compat_l; lra).
  lra.
Qed.

Let Q_vanishes : filterlim Q (Rbar_locally p_infty) (locally 0).
Proof.
  pose (P (x : R) := - (s / (INR n * m)) * x ^ n).
  apply (filterlim_comp _ _ _ r P _ (locally 0)); [exact root_vanishes|].
  assert (zero : P 0 = 0) by (unfold P; rewrite pow_i; [ring|exact n1]).
  rewrite <- zero at 2.
  apply (ex_derive_continuous P); unfold P; auto_derive; exact I.
Qed.

Let form t : 0 < 1 + 2 * t * m -> s * r t ^ (n + 2) = s / ((1 + 2 * t * m) * sqrt (1 + 2 * t * m) ^
    n).
Proof.
  intros b; unfold r; assert (q := sqrt_lt_R0 _ b).
  assert (e : sqrt (1 + 2 * t * m) ^ 2 = 1 + 2 * t * m) by (apply pow2_sqrt; lra).
  set (x := sqrt (1 + 2 * t * m)) in *; rewrite <- e; assert (qn := pow_lt x n q).
  rewrite pow_add, !pow_inv; field; split; lra.
Qed.

Lemma power_integral :
  is_RInt_gen (fun t => s / ((1 + 2 * t * m) * sqrt (1 + 2 * t * m) ^ n))
    (at_point 0) (Rbar_locally p_infty) (s / (INR n * m)).
Proof.
  assert (N := size_pos).
  assert (range : filter_prod (at_point 0) (Rbar_locally p_infty) (fun ab => fst ab = 0 /\ 0 <= snd
      ab)).
  { exists (fun a => a = 0) (fun b => 0 <= b); [reflexivity| |intros a b; simpl; auto].
    exists 0; intros x; lra. }
  replace (s / (INR n * m)) with (0 - Q 0); cycle 1.
  { unfold Q, r; replace (1 + 2 * 0 * m) with 1 by ring; rewrite sqrt_1, Rinv_1, pow1; lra. }
  apply (is_RInt_gen_ext (Derive Q)).
  { revert range; apply filter_imp; intros [a b]; simpl; intros [-> b0] x.
    rewrite Rmin_left, Rmax_right; [|exact b0|exact b0]; intros x0.
    assert (bx := positive x (Rlt_le _ _ (proj1 x0))).
    rewrite <- form; [|exact bx]; apply is_derive_unique, Q_derive, bx. }
  apply is_RInt_gen_Derive.
  - revert range; apply filter_imp; intros [a b]; simpl; intros [-> b0] x.
    rewrite Rmin_left, Rmax_right; [|exact b0|exact b0]; intros x0.
    eexists; apply Q_derive, positive; lra.
  - revert range; apply filter_imp; intros [a b]; simpl; intros [-> b0] x.
    rewrite Rmin_left, Rmax_right; [|exact b0|exact b0]; intros x0.
    assert (b1 := positive x (proj1 x0)).
    apply (continuous_ext_loc _ (fun u => s * r u ^ (n + 2))).
    + assert (near : locally x (fun u => 0 < 1 + 2 * u * m)) by apply near_pos, b1.
      revert near; apply filter_imp; intros u ub; symmetry; apply is_derive_unique, Q_derive, ub.
    + apply (ex_derive_continuous (V := R_NormedModule)).
      apply ex_derive_scal; eexists; apply (power_derive n m n1), b1.
  - intros P HP; apply locally_singleton in HP; exact HP.
  - exact Q_vanishes.
Qed.

End PowerIntegral.
