(* The symmetric fixed point of the ReLU layer, with ReLU's own kappa over the real numbers.

   In words: with kappa(rho) = (sqrt(1 - rho^2) + (pi - acos rho) rho)/pi the layer G |-> G' (recentre, then
   sqrt(K_ii K_jj) kappa, trace kept) sends every Gram matrix with equal norms a and equal products b < a
   to equal norms a and cosine kappa(-1/(n-1)), for every n >= 2; the point is fixed; and for n >= 3 both
   non-zero eigenvalues of the Jacobian there lie in [0, 1).

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).

   symmetric_one_step_relu, symmetric_fixed_point_relu, symmetric_stability, symmetric_jacobian_relu

   Depends on: cluster/SymmetricFixedPoint.v, cluster/leaf/StabilityInequality.v, the field structure
   that mathcomp-analysis (Rstruct) puts on Coq's real numbers (and their axioms).
   Proves the Python statement: cluster.symmetric_fixed_point *)

From Coq Require Import Reals.
From mathcomp Require Import all_ssreflect all_algebra zify.
From mathcomp.analysis Require Import Rstruct.
From BatchNorm.cluster Require Import SymmetricFixedPoint.
From BatchNorm.cluster.leaf Require StabilityInequality.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma pi_neq0 : PI != 0 :> R.
Proof. by apply/eqP/Rgt_not_eq/PI_RGT_0. Qed.

(* The same number written with Coq's own operations. *)
Lemma kappaE (rho : R) : -1 <= rho -> rho <= 1 ->
  (Num.sqrt (1 - rho ^+ 2) + (PI - acos rho) * rho) / PI
  = Rdiv (Rplus (sqrt (Rminus R1 (pow rho 2))) (Rmult (Rminus PI (acos rho)) rho)) PI.
Proof.
move=> low high; rewrite RdivE ?pi_neq0 // RpowE -RsqrtE //.
rewrite -(expr1n _ 2) subr_sqr mulr_ge0 ?subr_ge0 //.
by rewrite -[rho]opprK subr_ge0 ler_oppl.
Qed.

Lemma kappa1 : (Num.sqrt (1 - 1 ^+ 2) + (PI - acos 1) * 1) / PI = 1 :> R.
Proof.
by rewrite kappaE ?lexx ?(le_trans (lerN10 _) ler01) //; apply: StabilityInequality.kappa_one.
Qed.

Section Angle.

Variables (n : nat) (rho : R).
Variables (n2 : (2 <= n)%N) (defrho : rho = - 1 / (n%:R - 1)).

Lemma size_pos : 0 < n%:R - 1 :> R.
Proof. by rewrite subr_gt0 (ltr_nat _ 1). Qed.

Lemma rho_neg : rho < 0.
Proof. by rewrite defrho mulN1r oppr_lt0 invr_gt0 size_pos. Qed.

Lemma rho_low : -1 <= rho.
Proof.
rewrite defrho mulN1r ler_oppl opprK invf_le1 ?size_pos // ler_subr_addr.
by rewrite -(natrD _ 1 1) ler_nat.
Qed.

Lemma one_minus_rho : 1 - rho = n%:R / (n%:R - 1).
Proof.
have nz := lt0r_neq0 size_pos; apply: (canRL (mulfK nz)).
by rewrite defrho mulN1r opprK mulrDl mul1r mulVf // subrK.
Qed.

End Angle.

Theorem symmetric_stability (n : nat) (rho kappa slope : R) :
  (2 < n)%N -> rho = - 1 / (n%:R - 1) ->
  kappa = (Num.sqrt (1 - rho ^+ 2) + (PI - acos rho) * rho) / PI -> slope = 1 - acos rho / PI ->
  slope * (n%:R / (n%:R - 1)) < 1 - kappa.
Proof.
move=> n3 defrho -> ->; have n2 := ltnW n3.
have low := rho_low n2 defrho; have neg := rho_neg n2 defrho.
rewrite -(one_minus_rho n2 defrho) kappaE ?(ltW (lt_trans neg ltr01)) //.
rewrite -(RdivE (acos rho) pi_neq0).
apply/RltP; apply: StabilityInequality.stability_general => //.
by split; [apply/RleP | apply/RltP; apply: lt_trans neg ltr01].
Qed.

Theorem symmetric_one_step_relu (n : nat) (a b t rho : R) (G K C G' : 'I_n -> 'I_n -> R) :
  (1 < n)%N -> b < a -> rho = - 1 / (n%:R - 1) ->
  (forall i j : 'I_n, G i j = if i == j then a else b) ->
  (forall i j : 'I_n, K i j = G i j - (\sum_(k < n) G i k) / n%:R - (\sum_(k < n) G k j) / n%:R
                              + (\sum_(k < n) \sum_(l < n) G k l) / n%:R ^+ 2) ->
  (forall i j : 'I_n, C i j = K i j / Num.sqrt (K i i * K j j)) ->
  (forall i j : 'I_n,
     G' i j = t * (Num.sqrt (K i i * K j j)
                   * ((Num.sqrt (1 - C i j ^+ 2) + (PI - acos (C i j)) * C i j) / PI))) ->
  \sum_(i < n) G' i i = \sum_(i < n) G i i ->
  forall i j : 'I_n,
    G' i j = if i == j then a else a * ((Num.sqrt (1 - rho ^+ 2) + (PI - acos rho) * rho) / PI).
Proof.
move=> n1 ab -> defG defK defC defG' trace.
apply: (symmetric_one_step (kappa := fun r => (Num.sqrt (1 - r ^+ 2) + (PI - acos r) * r) / PI)
  n1 kappa1 ab defG defK _ trace) => i j.
by rewrite defG' defC.
Qed.

Lemma kappa_lt1 (n : nat) (rho : R) : (2 < n)%N -> rho = - 1 / (n%:R - 1) ->
  (Num.sqrt (1 - rho ^+ 2) + (PI - acos rho) * rho) / PI < 1 /\ 0 < 1 - acos rho / PI.
Proof.
move=> n3 defrho; have n2 := ltnW n3.
have low := rho_low n2 defrho; have neg := rho_neg n2 defrho.
have range : (Rdefinitions.Rlt (Ropp R1) rho /\ Rdefinitions.Rlt rho R1).
  split; apply/RltP; last exact: lt_trans neg ltr01.
  rewrite defrho mulN1r ltr_oppl opprK invf_lt1 ?size_pos // ltr_subr_addr.
  by rewrite -(natrD _ 1 1) ltr_nat.
rewrite kappaE ?(ltW (lt_trans neg ltr01)) //; split.
  by apply/RltP; apply: StabilityInequality.kappa_below_one.
by rewrite -(RdivE (acos rho) pi_neq0); apply/RltP; have [] := StabilityInequality.kappa_slope_sign _ range.
Qed.

Theorem symmetric_fixed_point_relu (n : nat) (a t rho kappa : R) (G K C G' : 'I_n -> 'I_n -> R) :
  (2 < n)%N -> 0 < a -> rho = - 1 / (n%:R - 1) ->
  kappa = (Num.sqrt (1 - rho ^+ 2) + (PI - acos rho) * rho) / PI ->
  (forall i j : 'I_n, G i j = if i == j then a else a * kappa) ->
  (forall i j : 'I_n, K i j = G i j - (\sum_(k < n) G i k) / n%:R - (\sum_(k < n) G k j) / n%:R
                              + (\sum_(k < n) \sum_(l < n) G k l) / n%:R ^+ 2) ->
  (forall i j : 'I_n, C i j = K i j / Num.sqrt (K i i * K j j)) ->
  (forall i j : 'I_n,
     G' i j = t * (Num.sqrt (K i i * K j j)
                   * ((Num.sqrt (1 - C i j ^+ 2) + (PI - acos (C i j)) * C i j) / PI))) ->
  \sum_(i < n) G' i i = \sum_(i < n) G i i ->
  forall i j : 'I_n, G' i j = G i j.
Proof.
move=> n3 a0 defrho defkappa defG defK defC defG' trace i j.
have [below _] := kappa_lt1 n3 defrho.
rewrite (symmetric_one_step_relu (ltnW n3) _ defrho defG defK defC defG' trace) ?defG ?defkappa //.
by rewrite gtr_pmulr.
Qed.

Theorem symmetric_jacobian_relu (n : nat) (rho kappa slope : R) :
  (2 < n)%N -> rho = - 1 / (n%:R - 1) ->
  kappa = (Num.sqrt (1 - rho ^+ 2) + (PI - acos rho) * rho) / PI -> slope = 1 - acos rho / PI ->
  0 <= slope * n%:R / ((1 - kappa) * (n%:R - 1)) /\
  slope * n%:R / ((1 - kappa) * (n%:R - 1)) < 1 /\
  0 <= ((n%:R - 2%:R) * (1 - kappa + rho * slope) + 2%:R * slope) / ((n%:R - 1) * (1 - kappa)) /\
  ((n%:R - 2%:R) * (1 - kappa + rho * slope) + 2%:R * slope) / ((n%:R - 1) * (1 - kappa)) < 1.
Proof.
move=> n3 defrho defkappa defslope; have [below pos] := kappa_lt1 n3 defrho.
have stable := symmetric_stability n3 defrho defkappa defslope.
rewrite defrho; apply: jacobian_eigenvalues_below_one => //; first by rewrite defslope ltW.
by rewrite defkappa.
Qed.
