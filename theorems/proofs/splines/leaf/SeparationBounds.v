(* From the cosine of an angle to the angle, over Coq's real numbers: with r, rho >= 0 not both 0,

     cos <= (rho^2 - r^2)/(rho^2 + r^2)  gives  acos cos / pi >= (2/pi) atan (r/rho),

   and the reverse gives the reverse.

   bound_angle: acos of the right-hand side is 2 atan (r/rho), for rho > 0.
   near, half, far: the bounds on acos cos / pi.

   Source: Riedi, Balestriero, Baraniuk 2026 (PMLR 334), Lemma 1. The cosines: SeparationAngle.v.
   Python: splines.separation_probability.
   Depends on: the axioms of Coq's reals. *)

From Coq Require Import Reals Lra.

Local Open Scope R_scope.

Lemma acos_nonincreasing (x y : R) : -1 <= x -> x <= y -> y <= 1 -> acos y <= acos x.
Proof.
intros below order above.
destruct (Rle_lt_dec (acos y) (acos x)) as [done|less]; [exact done|].
pose proof (acos_bound x) as bx; pose proof (acos_bound y) as by_.
assert (cos (acos y) < cos (acos x)) by (apply cos_decreasing_1; lra).
rewrite !cos_acos in * by lra; lra.
Qed.

Section Bounds.

Variables r rho : R.
Hypothesis rho_pos : 0 < rho.
Hypothesis r_pos : 0 <= r.

Let cosine := (rho ^ 2 - r ^ 2) / (rho ^ 2 + r ^ 2).

Let positive : 0 < rho ^ 2 + r ^ 2.
Proof. nra. Qed.

Lemma cosine_bounds : -1 <= cosine <= 1.
Proof.
unfold cosine; split.
  apply Rmult_le_reg_r with (rho ^ 2 + r ^ 2); [exact positive|].
  unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; nra.
apply Rmult_le_reg_r with (rho ^ 2 + r ^ 2); [exact positive|].
unfold Rdiv; rewrite Rmult_assoc, Rinv_l by lra; nra.
Qed.

Theorem bound_angle : acos cosine = 2 * atan (r / rho).
Proof.
assert (t0 : 0 <= r / rho) by (apply Rmult_le_pos; [lra|apply Rlt_le, Rinv_0_lt_compat; lra]).
assert (range : 0 <= atan (r / rho) < PI / 2).
  split; [|apply atan_bound].
  destruct t0 as [t0|t0]; [|rewrite <- t0, atan_0; lra].
  rewrite <- atan_0; left; apply atan_increasing; exact t0.
rewrite <- (acos_cos (2 * atan (r / rho))) by lra.
f_equal; rewrite cos_2a_cos, cos_atan; unfold cosine.
assert (root : sqrt (1 + (r / rho)²) * sqrt (1 + (r / rho)²) = 1 + (r / rho)²).
  apply sqrt_sqrt; unfold Rsqr; nra.
assert (nonzero : sqrt (1 + (r / rho)²) <> 0).
  intro zero; rewrite zero in root; unfold Rsqr in root; nra.
replace (2 * (1 / sqrt (1 + (r / rho)²)) * (1 / sqrt (1 + (r / rho)²)) - 1)
  with (2 / (sqrt (1 + (r / rho)²) * sqrt (1 + (r / rho)²)) - 1) by (field; exact nonzero).
rewrite root; unfold Rsqr; field; repeat split; nra.
Qed.

Theorem near (c : R) : -1 <= c -> c <= cosine -> 2 * atan (r / rho) / PI <= acos c / PI.
Proof.
intros below order; rewrite <- bound_angle; pose proof PI_RGT_0; pose proof cosine_bounds.
apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat; lra|].
apply acos_nonincreasing; lra.
Qed.

Theorem far (c : R) : c <= 1 -> cosine <= c -> acos c / PI <= 2 * atan (r / rho) / PI.
Proof.
intros above order; rewrite <- bound_angle; pose proof PI_RGT_0; pose proof cosine_bounds.
apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat; lra|].
apply acos_nonincreasing; lra.
Qed.

End Bounds.

Theorem half (c : R) : -1 <= c -> c <= 0 -> 1 / 2 <= acos c / PI.
Proof.
intros below order; pose proof PI_RGT_0.
apply Rmult_le_reg_r with PI; [lra|].
unfold Rdiv; rewrite (Rmult_assoc (acos c)), Rinv_l, Rmult_1_r by lra.
pose proof (acos_nonincreasing c 0 below order) as more; rewrite acos_0 in more; lra.
Qed.
