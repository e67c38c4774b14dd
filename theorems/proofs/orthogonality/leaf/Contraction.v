(* Contraction: with p_n = integral_0^oo s/(1+2ts) prod_k (1 + 2 t l_k)^(-1/2) dt, the mean-field image of the
   eigenvalue s in a spectrum l_1, ..., l_n >= 0 with sum 1,
     1/n - p_n <= (1 - c s) (1/n - s),  c = 2n/(n+2).
   It holds for every 0 <= s <= 1/n (the smallest eigenvalue in particular), and for every n >= 1.
   contraction_integral_exists: the integral converges, whatever the spectrum.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Lemma 8, which prints 2/3 for c; the constant is that
   of its own last display (Appendix C.6), the proof is ours (TangentLine) and does not need Lemmas 9 and 10.
   Python: orthogonality.contraction:sharp, :as_printed.
   Depends on: TangentLine (pointwise), leaf.TangentIntegral, Coquelicot, mathcomp-analysis' Rstruct; the axioms of
   Coq's real numbers. *)

From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import all_ssreflect all_algebra Rstruct ring zify.
From BatchNorm.orthogonality Require Import TangentLine.
From BatchNorm.orthogonality.leaf Require Import TangentIntegral.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Delimit Scope R_scope with coqR.
Local Open Scope ring_scope.

Lemma two_R : IZR 2 = 2%:R :> R.
Proof. by rewrite -INRE. Qed.

Lemma one_R : IZR 1 = 1 :> R.
Proof. by []. Qed.

Theorem contraction_lower (n : nat) (l : 'I_n -> R) (s : R) (p : R) :
  (1 <= n)%N -> 0 <= s ->
  (forall i : 'I_n, 0 <= l i) ->
  \sum_(i < n) l i = 1 ->
  is_RInt_gen (fun t : R => s / (1 + 2%:R * t * s) * (\prod_(k < n) (Num.sqrt (1 + 2%:R * t * l k))^-1))
    (at_point (0 : R)) (Rbar_locally p_infty) p ->
  s * (1 + 2%:R * n%:R / (n%:R + 2%:R) * (n%:R^-1 - s)) <= p.
Proof.
move=> n1 s0 l0 l1 Hp; have n0 : 0 < n%:R :> R by rewrite ltr0n.
have nm : Rmult (INR n) (n%:R^-1) = 1%coqR by rewrite INRE RmultE divff // gt_eqF.
have Hg := @tangent_integral_step n n%:R^-1 (elimT ssrnat.leP n1) nm s (n%:R^-1 - s).
set G := Rmult s _ in Hg.
have -> : s * (1 + 2%:R * n%:R / (n%:R + 2%:R) * (n%:R^-1 - s)) = G.
  by rewrite /G INRE !RmultE !RplusE two_R RdivE // -natrD pnatr_eq0 addn2.
set f := (fun t : R => s / _ * _) in Hp.
set g := (fun t : R => Rdiv _ _) in Hg.
have below t : 0 <= t -> Rle (g t) (f t).
  move=> t0; apply/RleP; apply: le_trans (tangent_line n1 t0 s0 l0 l1).
  have y0 : 0 < 1 + 2%:R * t / n%:R :> R by rewrite ltr_paddr ?divr_ge0 ?mulr_ge0 ?ler0n ?ltr01.
  rewrite /g !RmultE !RplusE two_R RsqrtE ?(ltW y0) // RpowE !RdivE ?mulf_neq0 ?expf_neq0 ?gt_eqF ?sqrtr_gt0 //.
apply/RleP; apply: integral_le Hp Hg => t t0; apply: below.
exact/RleP.
Qed.

Theorem contraction_sharp (n : nat) (l : 'I_n -> R) (s : R) (p_n : R) :
  (1 <= n)%N -> 0 <= s <= n%:R^-1 ->
  (forall i : 'I_n, 0 <= l i <= 1) ->
  \sum_(i < n) l i = 1 ->
  is_RInt_gen (fun t : R => s / (1 + 2%:R * t * s) * (\prod_(k < n) (Num.sqrt (1 + 2%:R * t * l k))^-1))
    (at_point (0 : R)) (Rbar_locally p_infty) p_n ->
  n%:R^-1 - p_n <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s) * (n%:R^-1 - s).
Proof.
move=> n1 /andP[s0 _] l01 l1 Hp; have n0 : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have l0 i : 0 <= l i by have /andP[] := l01 i.
have n2 : n%:R + 2%:R != 0 :> R by rewrite -natrD pnatr_eq0 addn2.
rewrite ler_subl_addr -ler_subl_addl; apply: le_trans (contraction_lower n1 s0 l0 l1 Hp).
rewrite le_eqVlt; apply/orP; left; apply/eqP; move: n0 n2; move: (n%:R : R) => x n0 n2.
by field; rewrite n0 n2.
Qed.

Theorem contraction_as_printed (n : nat) (l : 'I_n -> R) (s : R) (p_n : R) :
  (1 <= n)%N -> 0 <= s <= n%:R^-1 ->
  (forall i : 'I_n, 0 <= l i <= 1) ->
  \sum_(i < n) l i = 1 ->
  is_RInt_gen (fun t : R => s / (1 + 2%:R * t * s) * (\prod_(k < n) (Num.sqrt (1 + 2%:R * t * l k))^-1))
    (at_point (0 : R)) (Rbar_locally p_infty) p_n ->
  n%:R^-1 - p_n <= (1 - 2%:R / 3%:R * s) * (n%:R^-1 - s).
Proof.
move=> n1 s01 l01 l1 Hp; apply: le_trans (contraction_sharp n1 s01 l01 l1 Hp) _.
have /andP[s0 s1] := s01; rewrite ler_wpmul2r ?subr_ge0 // ler_sub // ler_wpmul2r //.
have n2 : 0 < n%:R + 2%:R :> R by rewrite -natrD ltr0n addn2.
rewrite ler_pdivr_mulr ?ltr0n // mulrAC ler_pdivl_mulr // -natrD -!natrM ler_nat.
by move: n1; clear; lia.
Qed.

(* The integral exists, so that the theorems above speak of something. *)
Lemma continuous_prod (n : nat) (F : 'I_n -> R -> R) (t : R) :
  (forall k : 'I_n, continuous (F k) t) -> continuous (fun u : R => \prod_(k < n) F k u) t.
Proof.
move=> cont; elim: (index_enum _) => [|k r IH].
  apply: (continuous_ext (fun=> 1 : R)) => [u|]; first by rewrite big_nil.
  exact: continuous_const.
apply: (continuous_ext (fun u => Rmult (F k u) (\prod_(i <- r) F i u))) => [u|]; first by rewrite big_cons.
exact: (continuous_mult (F k) _ t (cont k) IH).
Qed.

Theorem contraction_integral_exists (n : nat) (l : 'I_n -> R) (s : R) :
  0 <= s ->
  (forall i : 'I_n, 0 <= l i) ->
  \sum_(i < n) l i = 1 ->
  exists p : R,
    is_RInt_gen (fun t : R => s / (1 + 2%:R * t * s) * (\prod_(k < n) (Num.sqrt (1 + 2%:R * t * l k))^-1))
      (at_point (0 : R)) (Rbar_locally p_infty) p.
Proof.
move=> s0 l0 l1.
have base x t : 0 <= x -> 0 <= t -> 0 < 1 + 2%:R * t * x :> R.
  by move=> x0 t0; rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
have base1 x t : 0 <= x -> 0 <= t -> 1 <= 1 + 2%:R * t * x :> R.
  by move=> x0 t0; rewrite ler_addl !mulr_ge0 ?ler0n.
have [k k0] : exists k, 0 < l k.
  have [k /= nz|z] := pickP (fun k => l k != 0); first by exists k; rewrite lt_def nz l0.
  move: l1; rewrite big1 => [/esym/eqP|k _]; first by rewrite oner_eq0.
  by apply/eqP; have := z k => /negbT; rewrite negbK.
pose f (t : R) : R := s / (1 + 2%:R * t * s) * (\prod_(k < n) (Num.sqrt (1 + 2%:R * t * l k))^-1).
have f0 t : 0 <= t -> 0 <= f t.
  move=> t0; rewrite mulr_ge0 ?divr_ge0 ?(ltW (base _ _ _ _)) //.
  by apply: prodr_ge0 => i _; rewrite invr_ge0 sqrtr_ge0.
have cont t : 0 <= t -> continuous f t.
  move=> /RleP t0; have s0' := elimT (RleP _ _) s0.
  have near_s : locally t (fun u : R => Rdiv s (1 + 2 * u * s)%coqR = s / (1 + 2%:R * u * s)).
    have [eps base_eps] := near_base _ _ s0' t0; exists eps => u /base_eps/RltP.
    by rewrite !RmultE !RplusE two_R => u0; rewrite RdivE // gt_eqF.
  have near_l i : locally t (fun u : R => Rinv (sqrt (1 + 2 * u * l i)%coqR) = (Num.sqrt (1 + 2%:R * u * l i))^-1).
    have [eps base_eps] := near_base _ _ (elimT (RleP _ _) (l0 i)) t0; exists eps => u /base_eps/RltP.
    by rewrite !RmultE !RplusE two_R => u0; rewrite RsqrtE ?(ltW u0) // RinvE // gt_eqF // sqrtr_gt0.
  have cont_s := continuous_ext_loc _ _ t near_s (continuous_ratio s _ _ s0' t0).
  have cont_l i := continuous_ext_loc _ _ t (near_l i) (continuous_inv_root _ _ (elimT (RleP _ _) (l0 i)) t0).
  exact: (continuous_mult _ _ t cont_s (continuous_prod cont_l)).
have [m m0 dom] : exists2 m : R, 0 < m & forall t, 0 <= t ->
    Rle (f t) (Rdiv s (Rmult (1 + 2 * t * m)%coqR (sqrt (1 + 2 * t * m)%coqR))).
  exists (if s == 0 then 1 else Num.min s (l k)).
    by case: eqVneq => // sn; rewrite lt_minr k0 lt_def sn s0.
  move=> t t0; apply/RleP.
  case: eqVneq => [z|sn]; first by rewrite /f z mul0r mul0r /Rdiv RmultE mul0r.
  have sp : 0 < s by rewrite lt_def sn.
  set m := Num.min s (l k); have m0 : 0 < m by rewrite lt_minr sp.
  have b := base _ _ (ltW m0) t0.
  rewrite !RmultE !RplusE two_R one_R RsqrtE ?(ltW b) // RdivE ?mulf_neq0 ?gt_eqF ?sqrtr_gt0 //.
  have P0 : 0 <= \prod_(i < n) (Num.sqrt (1 + 2%:R * t * l i))^-1.
    by apply: prodr_ge0 => i _; rewrite invr_ge0 sqrtr_ge0.
  rewrite /f -mulrA ler_wpmul2l // invfM ler_pmul ?invr_ge0 ?(ltW (base _ _ _ _)) //.
    rewrite lef_pinv ?posrE ?base ?(ltW m0) // ler_add2l ler_wpmul2l ?mulr_ge0 ?ler0n //.
    by rewrite le_minl lexx.
  rewrite (bigD1 k) //= -[X in _ <= X]mulr1 ler_pmul ?invr_ge0 ?sqrtr_ge0 //.
  - by apply: prodr_ge0 => i _; rewrite invr_ge0 sqrtr_ge0.
  - rewrite lef_pinv ?posrE ?sqrtr_gt0 ?base ?(ltW m0) // ler_wsqrtr // ler_add2l ler_wpmul2l ?mulr_ge0 ?ler0n //.
    by rewrite le_minl lexx orbT.
  apply: (@le_trans _ _ (\prod_(i < n | i != k) 1)); last by rewrite big1_eq.
  apply: ler_prod => i _.
  rewrite invr_ge0 sqrtr_ge0 /= invf_le1 ?sqrtr_gt0 ?base //.
  by rewrite -[X in X <= _]sqrtr1 ler_wsqrtr // base1.
apply: (@bounded_integral_exists f (Rdiv s m)) => [t /RleP /cont //|t /RleP /f0 /RleP //|T T0].
have [ex le] := dominating_integral _ _ _ (elimT (RleP _ _) s0) (elimT (RltP _ _) m0) T0.
apply: Rle_trans le; apply: RInt_le => // [|t [t0 _]]; last by apply: dom; apply/RleP/Rlt_le.
apply: (@ex_RInt_continuous R_CompleteNormedModule) => t; rewrite Rmin_left // Rmax_right // => -[t0 _].
by apply: cont; apply/RleP.
Qed.
