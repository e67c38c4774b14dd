(* Contraction: with p_n = integral_0^oo s/(1+2ts) prod_k (1 + 2 t l_k)^(-1/2) dt, the mean-field image of the
   eigenvalue s in a spectrum l_1, ..., l_n >= 0 with sum 1,
     1/n - p_n <= (1 - c s) (1/n - s),  c = 2n/(n+2).
   It holds for every 0 <= s <= 1/n (the smallest eigenvalue in particular), and for every n >= 1.

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
