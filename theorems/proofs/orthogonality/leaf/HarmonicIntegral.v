(* Contraction in its harmonic form, for the integral itself: with p = integral_0^oo s/(1+2ts)
     prod_k (1 + 2 t l_k)^(-1/2) dt for l_1, ..., l_n >= 0 of sum 1 and any s >= 0,
     p >= (n+2) s / (n (1 + 2s)).
   The means of arithmetic and geometry, for the n numbers 1 + 2 t l_k and twice 1 + 2ts, whose
   average is 1 + 2tm, m = (1 + 2s)/(n+2): the integrand is at least s (1 + 2tm)^(-(n+2)/2), whose
   integral is s/(n m).

   contraction_integral: the inequality. contraction_sharp follows from it by
     Harmonic.harmonic_below_linear.
   width_limit_decay: a path of spectra each of which is the image of the one before, from any start
     of full rank, has 1/s_k - n <= (n/(n+2))^k (1/s_0 - n) for its least members s_k;
   width_limit_gap: hence sqrt(sum_i (l_i - 1/n)^2) <= sqrt(n(n-1))/n^2 (n/(n+2))^k (1/s_0 - n).

   Source: ours. It replaces Lemmas 8 to 10 of Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970).
   Python: orthogonality.contraction:harmonic, orthogonality.global_decay, orthogonality.gap_decay.
   Depends on: GapSharp, Harmonic, leaf.TangentIntegral, leaf.PowerIntegral, leaf.Contraction,
     Coquelicot, mathcomp-analysis' Rstruct; the axioms of Coq's real numbers. *)

From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import all_ssreflect all_algebra Rstruct ring zify.
From BatchNorm.orthogonality Require Import GapSharp Harmonic.
From BatchNorm.orthogonality.leaf Require Import TangentIntegral PowerIntegral Contraction.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Delimit Scope R_scope with coqR.

Local Open Scope ring_scope.

(* The means, with 1 + 2ts twice more. *)
Lemma product_le_tilted_mean (F : realFieldType) (n : nat) (l : 'I_n -> F) (s : F) (t : F) :
  0 <= t -> 0 <= s ->
  (forall i : 'I_n, 0 <= l i) ->
  \sum_(i < n) l i = 1 ->
  (1 + 2%:R * t * s) ^+ 2 * \prod_(i < n) (1 + 2%:R * t * l i)
  <= (1 + 2%:R * t * ((1 + 2%:R * s) / (n%:R + 2%:R))) ^+ n.+2.
Proof.
move=> t0 s0 l0 l1.
have pos x : 0 <= x -> 0 <= 1 + 2%:R * t * x by move=> x0; rewrite addr_ge0 ?mulr_ge0 ?ler0n ?ler01.
pose e (i : 'I_n.+2) : F := if unlift ord0 i is Some j then if unlift ord0 j is Some k then l k
    else s else s.
have e0 i : 0 <= e i by rewrite /e; case: unliftP => // j _; case: unliftP.
have [le _] := @leif_AGM F _ 'I_n.+2 (fun i => 1 + 2%:R * t * e i) (fun i _ => pos _ (e0 i)).
have first : e ord0 = s by rewrite /e unlift_none.
have second : e (lift ord0 ord0) = s by rewrite /e liftK unlift_none.
have rest k : e (lift ord0 (lift ord0 k)) = l k by rewrite /e !liftK.
have total : \sum_i e i = 1 + 2%:R * s.
  rewrite !big_ord_recl first second (eq_bigr l) => [|k _]; last exact: rest.
  by rewrite l1; ring.
move: le; rewrite card_ord.
have -> : (\sum_(i in 'I_n.+2) (1 + 2%:R * t * e i)) / n.+2%:R
    = 1 + 2%:R * t * ((1 + 2%:R * s) / (n%:R + 2%:R)).
  rewrite big_split /= -mulr_sumr total sumr_const card_ord.
  have n2 : n%:R + 2%:R != 0 :> F by rewrite -natrD pnatr_eq0 addn2.
  have -> : n.+2%:R = n%:R + 2%:R :> F by rewrite -natrD addn2.
  by rewrite mulrDl divff // mulrA.
apply: le_trans; rewrite le_eqVlt; apply/orP; left; apply/eqP.
rewrite !big_ord_recl first second mulrA -expr2; congr (_ * _).
by apply: eq_bigr => k _; rewrite rest.
Qed.

Theorem contraction_integral (n : nat) (l : 'I_n -> R) (s : R) (p : R) :
  (1 <= n)%N -> 0 <= s ->
  (forall i : 'I_n, 0 <= l i) ->
  \sum_(i < n) l i = 1 ->
  is_RInt_gen (fun t : R => s / (1 + 2%:R * t * s) * (\prod_(k < n) (Num.sqrt (1 + 2%:R * t * l
      k))^-1))
    (at_point (0 : R)) (Rbar_locally p_infty) p ->
  (n%:R + 2%:R) * s / (n%:R * (1 + 2%:R * s)) <= p.
Proof.
move=> n1 s0 l0 l1 Hp; have n0 : 0 < n%:R :> R by rewrite ltr0n.
have n2 : 0 < n%:R + 2%:R :> R by rewrite -natrD ltr0n addn2.
have S0 : 0 < 1 + 2%:R * s by rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
pose m : R := (1 + 2%:R * s) / (n%:R + 2%:R); have m0 : 0 < m by rewrite divr_gt0.
have Hg := power_integral n m s (elimT ssrnat.leP n1) (elimT (RltP _ _) m0).
have -> : (n%:R + 2%:R) * s / (n%:R * (1 + 2%:R * s)) = Rdiv s (Rmult (INR n) m).
  rewrite INRE RmultE RdivE; last by rewrite mulf_neq0 ?(gt_eqF n0) ?(gt_eqF m0).
  by rewrite /m; move: (n%:R : R) n0 n2 => x x0 x2; field; rewrite !gt_eqF.
set f := (fun t : R => s / _ * _) in Hp.
set g := (fun t : R => Rdiv _ _) in Hg.
have below t : 0 <= t -> Rle (g t) (f t).
  move=> t0; apply/RleP.
  have pos x : 0 <= x -> 0 < 1 + 2%:R * t * x by move=> x0;
      rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
  have y0 := pos m (ltW m0); have r0 : 0 < Num.sqrt (1 + 2%:R * t * m) by rewrite sqrtr_gt0.
  have -> : g t = s / ((1 + 2%:R * t * m) * Num.sqrt (1 + 2%:R * t * m) ^+ n).
    rewrite /g !RmultE !RplusE two_R RsqrtE ?(ltW y0) // RpowE RdivE ?mulf_neq0 ?expf_neq0 ?gt_eqF
        //.
  have P0 : 0 < \prod_(k < n) Num.sqrt (1 + 2%:R * t * l k).
    by apply: prodr_gt0 => k _; rewrite sqrtr_gt0 pos.
  have A0 : 0 < (1 + 2%:R * t * s) * \prod_(k < n) Num.sqrt (1 + 2%:R * t * l k) by rewrite
      mulr_gt0 ?pos.
  have B0 : 0 < (1 + 2%:R * t * m) * Num.sqrt (1 + 2%:R * t * m) ^+ n by rewrite mulr_gt0
      ?exprn_gt0.
  rewrite /f prodfV -[X in _ <= X]mulrA ler_wpmul2l // -invfM lef_pinv ?posrE //.
  rewrite -(@ler_pexpn2r _ 2) ?nnegrE ?(ltW A0) ?(ltW B0) //.
  rewrite !exprMn -prodrXl exprAC sqr_sqrtr ?(ltW y0) // -exprD add2n.
  under eq_bigr do rewrite sqr_sqrtr ?ltW ?pos //.
  exact: product_le_tilted_mean.
by apply/RleP; apply: integral_le Hp Hg => t /RleP; exact: below.
Qed.

Lemma harmonic_rises (F : realFieldType) (n : nat) (x y : F) :
  (1 <= n)%N -> 0 <= x -> x <= y ->
  (n%:R + 2%:R) * x / (n%:R * (1 + 2%:R * x)) <= (n%:R + 2%:R) * y / (n%:R * (1 + 2%:R * y)).
Proof.
move=> n1 x0 xy; have y0 := le_trans x0 xy.
have N0 : 0 < n%:R :> F by rewrite ltr0n.
have N2 : 0 < n%:R + 2%:R :> F by rewrite -natrD ltr0n addn2.
have base (z : F) : 0 <= z -> 0 < 1 + 2%:R * z by move=> z0;
    rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
have bx := base _ x0; have by_ := base _ y0; rewrite -subr_ge0.
have -> : (n%:R + 2%:R) * y / (n%:R * (1 + 2%:R * y)) - (n%:R + 2%:R) * x / (n%:R * (1 + 2%:R * x))
    = (n%:R + 2%:R) * (y - x) / (n%:R * (1 + 2%:R * y) * (1 + 2%:R * x)).
  by field; rewrite !gt_eqF.
by rewrite divr_ge0 ?mulr_ge0 ?subr_ge0 ?(ltW N0) ?(ltW N2) ?(ltW bx) ?(ltW by_).
Qed.

(* What is left of the gap of the least eigenvalue, and of its reciprocal. *)
Lemma harmonic_step (F : realFieldType) (n : nat) (x : F) : (1 <= n)%N -> 0 <= x ->
  n%:R^-1 - (n%:R + 2%:R) * x / (n%:R * (1 + 2%:R * x)) = (n%:R^-1 - x) / (1 + 2%:R * x).
Proof.
move=> n1 x0; have n0 : n%:R != 0 :> F by rewrite pnatr_eq0 -lt0n.
have b : 1 + 2%:R * x != 0 by rewrite gt_eqF // ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
by field; rewrite n0 b.
Qed.

Lemma reciprocal_gap (F : realFieldType) (x y : F) : 0 < x -> 0 < y ->
    y^-1 - x <= (y ^+ 2)^-1 * (x^-1 - y).
Proof.
move=> x0 y0; rewrite -subr_ge0.
have -> : (y ^+ 2)^-1 * (x^-1 - y) - (y^-1 - x) = (y^-1 - x) ^+ 2 / x by field; rewrite !gt_eqF.
by rewrite divr_ge0 ?sqr_ge0 // ltW.
Qed.

Section Path.

Variables (n : nat) (l : nat -> 'I_n -> R) (s : nat -> R).
Hypothesis n1 : (1 <= n)%N.
Hypothesis l0 : forall (k : nat) (i : 'I_n), 0 <= l k i.
Hypothesis l1 : forall k : nat, \sum_(i < n) l k i = 1.
Hypothesis image : forall (k : nat) (i : 'I_n),
  is_RInt_gen (fun t : R => l k i / (1 + 2%:R * t * l k i)
                            * (\prod_(j < n) (Num.sqrt (1 + 2%:R * t * l k j))^-1))
    (at_point (0 : R)) (Rbar_locally p_infty) (l k.+1 i).
Hypothesis low : forall (k : nat) (i : 'I_n), s k <= l k i.
Hypothesis at_ : forall k : nat, exists i : 'I_n, s k = l k i.
Hypothesis start : 0 < s 0%N.

Let N0 : 0 < n%:R :> R. Proof. by rewrite ltr0n. Qed.
Let N2 : 0 < n%:R + 2%:R :> R. Proof. by rewrite -natrD ltr0n addn2. Qed.

Let s0 k : 0 <= s k. Proof. by have [i ->] := at_ k. Qed.

Let least k : (n%:R + 2%:R) * s k / (n%:R * (1 + 2%:R * s k)) <= s k.+1.
Proof.
have [i ->] := at_ k.+1; apply: le_trans (harmonic_rises n1 (s0 k) (low k i)) _.
exact: (contraction_integral n1 (l0 k i) (l0 k) (l1 k) (@image k i)).
Qed.

Let positive k : 0 < s k.
Proof.
elim: k => // k sk; apply: lt_le_trans (least k).
by rewrite divr_gt0 ?mulr_gt0 // ltr_paddr ?mulr_ge0 ?ler0n ?ltr01 ?s0.
Qed.

Let below k : s k <= n%:R^-1.
Proof.
rewrite -[X in _ <= X]mul1r ler_pdivl_mulr // -[X in _ <= X](l1 k) mulr_natr.
by rewrite -[X in _ *+ X]card_ord -sumr_const; apply: ler_sum.
Qed.

Theorem width_limit_decay (k : nat) :
  (s k)^-1 - n%:R <= (n%:R / (n%:R + 2%:R)) ^+ k * ((s 0%N)^-1 - n%:R).
Proof.
move: k; apply: (global_decay n1) => k; first by rewrite positive below.
by apply: le_trans (ler_sub (lexx _) (least k)) _; rewrite (harmonic_step n1 (s0 k)).
Qed.

Theorem width_limit_gap (k : nat) :
  Num.sqrt (\sum_(i < n) (l k i - n%:R^-1) ^+ 2)
  <= Num.sqrt (n%:R * (n%:R - 1)) / n%:R ^+ 2 * ((n%:R / (n%:R + 2%:R)) ^+ k * ((s 0%N)^-1 - n%:R)).
Proof.
have first : Num.sqrt (\sum_(i < n) (l k i - n%:R^-1) ^+ 2) <= Num.sqrt (n%:R * (n%:R - 1)) *
    (n%:R^-1 - s k).
  apply: gap_vs_smallest_eigenvalue_sharp => // i;
      rewrite l0 /= -[X in _ <= X](l1 k) (bigD1 i) //= ler_addl.
  by apply: sumr_ge0.
apply: le_trans first _; rewrite -[X in _ <= X]mulrA ler_wpmul2l ?sqrtr_ge0 //.
apply: (@le_trans _ _ ((n%:R ^+ 2)^-1 * ((s k)^-1 - n%:R))); last first.
  by rewrite ler_wpmul2l ?invr_ge0 ?exprn_ge0 ?ler0n ?width_limit_decay.
exact: reciprocal_gap (positive k) N0.
Qed.

End Path.
