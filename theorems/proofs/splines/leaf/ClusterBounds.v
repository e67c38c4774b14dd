(* Of two bounds on the probability that a boundary does not separate two clusters of K points, over
   Coq's real numbers, which is less: for s = r/delta > 1 and K >= 1

     (2K/pi) arcsin(1/s) < (2/pi)(2K-1) arctan(1/(s-1)).

   arcsine_below: arcsin(1/s) < arctan(1/(s-1)), for arcsin(1/s) = arctan(1/sqrt(s^2-1)).
   sharper: the inequality.

   Source: ours; the right-hand side is from the proof of Theorem 2 of Riedi, Balestriero, Baraniuk
     2026 (PMLR 334).
   Python: splines.cluster_separation.
   Depends on: the axioms of Coq's reals. *)

From Coq Require Import Reals Lra.

Local Open Scope R_scope.

Section Ratio.

Variable s : R.
Hypothesis above : 1 < s.

Let inverse_bounds : 0 < 1 / s < 1.
Proof.
unfold Rdiv; rewrite Rmult_1_l; split; [apply Rinv_0_lt_compat; lra|].
rewrite <- Rinv_1; apply Rinv_lt_contravar; lra.
Qed.

Lemma arcsine_below : 0 < asin (1 / s) < atan (1 / (s - 1)).
Proof.
set (x := 1 / s).
assert (x_bounds : 0 < x < 1) by exact inverse_bounds.
assert (other : 1 / (s - 1) = x / (1 - x)) by (unfold x; field; lra).
assert (inside : 0 < (1 - x)² < 1 - x²) by (unfold Rsqr; split; nra).
assert (longer : 1 - x < sqrt (1 - x²)).
  rewrite <- (sqrt_Rsqr (1 - x)) by lra; apply sqrt_lt_1; lra.
assert (positive : 0 < x / sqrt (1 - x²)) by (apply Rdiv_lt_0_compat; lra).
rewrite asin_atan by lra; rewrite other; split.
  rewrite <- atan_0; apply atan_increasing; exact positive.
apply atan_increasing; unfold Rdiv; apply Rmult_lt_compat_l; [lra|].
apply Rinv_lt_contravar; [nra|exact longer].
Qed.

Theorem sharper (K : nat) : (1 <= K)%nat ->
  2 * INR K * asin (1 / s) / PI < 2 * (2 * INR K - 1) * atan (1 / (s - 1)) / PI.
Proof.
intro some; pose proof PI_RGT_0; pose proof arcsine_below.
assert (one : 1 <= INR K) by (apply (le_INR 1); exact some).
unfold Rdiv; apply Rmult_lt_compat_r; [apply Rinv_0_lt_compat; lra|nra].
Qed.

End Ratio.
