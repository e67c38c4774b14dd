(* Two points u, v seen from a point g: with r = |u - v|/2, rho the distance of g from the midpoint,
     <u-g, v-g> = rho^2 - r^2,   |u-g|^2 + |v-g|^2 = 2(rho^2 + r^2), so that the cosine of the angle
     is at most (rho^2 - r^2)/(rho^2 + r^2) if rho <= r, and at least that if rho >= r.

   inner_product, parallelogram: the identities.
   lengths_below: |u-g| |v-g| <= rho^2 + r^2.
   seen_from_near, seen_from_far: the two bounds, without division.

   Source: Riedi, Balestriero, Baraniuk 2026 (PMLR 334), Lemma 1, its algebra.
   Python: splines.separation_angle.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Angle.

Variables (R : realFieldType) (d : nat) (u : 'I_d -> R) (v : 'I_d -> R) (g : 'I_d ->
    R) (r_2 : R) (rho_2 : R).
Hypothesis rE : r_2 = (\sum_(k < d) (u k - v k) ^+ 2) / 4%:R.
Hypothesis rhoE : rho_2 = \sum_(k < d) (u k / 2%:R + v k / 2%:R - g k) ^+ 2.

Theorem inner_product : \sum_(k < d) (u k - g k) * (v k - g k) = rho_2 - r_2.
Proof.
rewrite rE rhoE mulr_suml -sumrB; apply: eq_bigr => k _.
by move: (u k) (v k) (g k) => x y z; field.
Qed.

Theorem parallelogram :
  \sum_(k < d) (u k - g k) ^+ 2 + \sum_(k < d) (v k - g k) ^+ 2 = 2%:R * (r_2 + rho_2).
Proof.
rewrite rE rhoE mulr_suml -!big_split /= mulr_sumr; apply: eq_bigr => k _.
by move: (u k) (v k) (g k) => x y z; field.
Qed.

End Angle.

Section Lengths.

Variables (R : rcfType) (d : nat) (u : 'I_d -> R) (v : 'I_d -> R) (g : 'I_d ->
    R) (r_2 : R) (rho_2 : R) (a_2 : R) (b_2 : R).
Hypothesis rE : r_2 = (\sum_(k < d) (u k - v k) ^+ 2) / 4%:R.
Hypothesis rhoE : rho_2 = \sum_(k < d) (u k / 2%:R + v k / 2%:R - g k) ^+ 2.
Hypothesis aE : a_2 = \sum_(k < d) (u k - g k) ^+ 2.
Hypothesis bE : b_2 = \sum_(k < d) (v k - g k) ^+ 2.

Lemma lengths_below : Num.sqrt a_2 * Num.sqrt b_2 <= r_2 + rho_2.
Proof.
have a0 : 0 <= a_2 by rewrite aE; apply: sumr_ge0 => k _; apply: sqr_ge0.
have b0 : 0 <= b_2 by rewrite bE; apply: sumr_ge0 => k _; apply: sqr_ge0.
have sum := parallelogram rE rhoE; rewrite -aE -bE in sum.
rewrite -(ler_pmul2l (ltr0Sn R 1)) -sum -{2}(sqr_sqrtr a0) -{2}(sqr_sqrtr b0) -subr_ge0.
have -> : Num.sqrt a_2 ^+ 2 + Num.sqrt b_2 ^+ 2 - 2%:R * (Num.sqrt a_2 * Num.sqrt b_2)
    = (Num.sqrt a_2 - Num.sqrt b_2) ^+ 2 by ring.
exact: sqr_ge0.
Qed.

Theorem seen_from_near : rho_2 <= r_2 ->
  (\sum_(k < d) (u k - g k) * (v k - g k)) * (r_2 + rho_2) <= Num.sqrt a_2 * Num.sqrt b_2 * (rho_2
      - r_2).
Proof.
move=> near; rewrite (inner_product rE rhoE) mulrC -subr_ge0 -mulrBl -mulrNN mulr_ge0 //.
  by rewrite oppr_ge0 subr_le0 lengths_below.
by rewrite oppr_ge0 subr_le0.
Qed.

Theorem seen_from_far : r_2 <= rho_2 ->
  Num.sqrt a_2 * Num.sqrt b_2 * (rho_2 - r_2) <= (\sum_(k < d) (u k - g k) * (v k - g k)) * (r_2 +
      rho_2).
Proof.
move=> far; rewrite (inner_product rE rhoE) [X in _ <= X]mulrC ler_wpmul2r ?subr_ge0 //.
exact: lengths_below.
Qed.

End Lengths.
