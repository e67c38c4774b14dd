(* The average over the first L layers of v (1/n - v), v = 1/n - sigma_n^2 the smallest-eigenvalue
   gap, is small: the drift inequality telescopes. No assumption on the path.

   A Markov chain of representations is seen through its one-step expectation E h f = E[f(H+) | H=h]
   (common.Means.is_kernel, on a space P of functions that holds v and v (1/n - v)); its k-th
   iterate on f, read at H_0, is E[f(H_k) | H_0].
   telescoping: c phi <= v - E v + eta at every state gives c sum_{k<L} E^k phi <= v - E^L v +
   L eta.
   averaged_stability_sharp: E[(1/L) sum_{k<L} v_k (1/n - v_k)] <= v_0/(cL) + sqrt((1-1/n)/d)/c,
   c = 2n/(n+2).
   averaged_stability_as_printed: the sum over k = 1 ... L is at most 3 v_0/(2L) + 3/(2 sqrt d). The
   telescoping sum pays for one layer more, which the gap between our drift and the printed one
   covers.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Appendix B.1; sharp form ours.
   Python: orthogonality.averaged_stability:sharp, :as_printed (the drift is a hypothesis; see
   HarmonicDrift).
   Depends on: common.Means. *)

From mathcomp Require Import all_ssreflect all_algebra ring zify.
From BatchNorm.common Require Import Means.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem telescoping (R : realFieldType) (S : Type) (P : (S -> R) -> Prop) (E : S -> (S -> R) -> R)
    (v : S -> R) (phi : S -> R) (c : R) (eta : R) (L : nat) (h : S) :
  is_space P -> is_kernel P E -> P v -> P phi ->
  (forall t : S, E t v <= v t - c * phi t + eta) ->
  c * (\sum_(k < L) iter k (fun (g : S -> R) (t : S) => E t g) phi h)
  <= v h - iter L (fun (g : S -> R) (t : S) => E t g) v h + L%:R * eta.
Proof.
move=> PS [PE stepE] Pv Pphi drift; set T := fun (g : S -> R) (t : S) => E t g.
have Piter k f : P f -> P (iter k T f) by elim: k => // k IH Pf; apply: stepE; exact: IH.
have step k t : c * iter k T phi t <= iter k T v t - iter k.+1 T v t + eta.
  elim: k t => [|k IH] t.
    rewrite /= /T -subr_ge0 (_ : _ - c * phi t = v t - c * phi t + eta - E t v) ?subr_ge0 //.
    by move: (E t v) => x; ring.
  rewrite [X in c * X](_ : _ = E t (iter k T phi)) //.
  have Pk f : P f -> P (fun u => f u + eta) by move=> Pf;
    apply: (space_add PS) Pf (space_const PS _).
  have Pd := space_sub PS (Piter k v Pv) (Piter k.+1 v Pv).
  rewrite -(mean_scale PS (PE t) c (Piter k phi Pphi)).
  apply: le_trans (mean_le (PE t) (space_scale PS c (Piter k phi Pphi)) (Pk _ Pd) IH) _.
  rewrite (mean_add PS (PE t) Pd (space_const PS eta)) (mean_const PS (PE t)).
  by rewrite (mean_sub PS (PE t) (Piter k v Pv) (Piter k.+1 v Pv)).
elim: L => [|L IH]; first by rewrite big_ord0 mulr0 mul0r addr0 subrr.
rewrite big_ord_recr mulrDr; apply: le_trans (ler_add IH (step L h)) _.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite -addn1 natrD.
by move: (iter L T v h) (iter (L + 1) T v h) => x y; ring.
Qed.

(* Where v is nowhere negative, neither is its mean later. *)
Lemma iterate_ge0 (R : realFieldType) (S : Type) (P : (S -> R) -> Prop) (E : S -> (S -> R) -> R)
    (v : S -> R) (L : nat) (h : S) :
  is_space P -> is_kernel P E -> P v -> (forall t : S, 0 <= v t) ->
  0 <= iter L (fun (g : S -> R) (t : S) => E t g) v h.
Proof.
move=> PS [PE stepE] Pv v0.
have Piter k : P (iter k (fun (g : S -> R) (t : S) => E t g) v).
  by elim: k => // k IH; exact: stepE.
elim: L h => [|k IH] h; first exact: v0.
rewrite iterS -[X in X <= _](mean_const PS (PE h) 0).
by apply: (mean_le (PE h)) => //; exact: (space_const PS).
Qed.

Theorem averaged_stability_sharp (R : rcfType) (S : Type) (P : (S -> R) -> Prop)
    (E : S -> (S -> R) -> R) (s : S -> R) (d : nat) (n : nat) (L : nat) (H_0 : S) :
  (1 <= d)%N -> (1 <= n)%N -> (1 <= L)%N ->
  is_space P -> is_kernel P E -> P s ->
  P (fun u => (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u))) ->
  (forall t : S, 0 <= s t <= n%:R^-1) ->
  (forall t : S, E t (fun u => n%:R^-1 - s u)
    <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s t) * (n%:R^-1 - s t) + Num.sqrt ((1 - n%:R^-1) / d%:R))
      ->
  (\sum_(k < L) iter k (fun (g : S -> R) (t : S) => E t g)
     (fun u => (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u))) H_0) / L%:R
  <= (n%:R^-1 - s H_0) / (2%:R * n%:R / (n%:R + 2%:R) * L%:R)
     + Num.sqrt ((1 - n%:R^-1) / d%:R) / (2%:R * n%:R / (n%:R + 2%:R)).
Proof.
move=> d1 n1 L1 PS PE Ps Pphi s01 drift.
set c := 2%:R * n%:R / (n%:R + 2%:R); set eta := Num.sqrt _.
have c0 : 0 < c by rewrite divr_gt0 ?mulr_gt0 ?ltr0n // -natrD ltr0n addn2.
have L0 : 0 < L%:R :> R by rewrite ltr0n.
pose v u := n%:R^-1 - s u; pose phi u := (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u)).
have down t : E t v <= v t - c * phi t + eta.
  by apply: le_trans (drift t) _; rewrite /phi /v -/c -/eta le_eqVlt; apply/orP; left; apply/eqP;
    ring.
have Pv : P v by apply: (space_sub PS) Ps; exact: (space_const PS).
have sum_le := telescoping L H_0 PS PE Pv Pphi down.
have end_ge0 : 0 <= iter L (fun (g : S -> R) (t : S) => E t g) v H_0.
  by apply: (iterate_ge0 L H_0 PS PE Pv) => t; rewrite /v subr_ge0; have /andP[] := s01 t.
rewrite -/(phi) ler_pdivr_mulr // -(ler_pmul2l c0).
have -> : c * (((n%:R^-1 - s H_0) / (c * L%:R) + eta / c) * L%:R) = v H_0 + L%:R * eta.
  by rewrite /v; move: (s H_0) (n%:R^-1) => x y; field; rewrite !gt_eqF.
by apply: le_trans sum_le _; rewrite ler_add2r ler_subl_addr ler_addl.
Qed.

(* 2 sqrt(1 - 1/n) <= (3/2) c: the layer too many fits into the printed constant. *)
Lemma noise_room (R : rcfType) (n : nat) : (1 <= n)%N ->
  2%:R * Num.sqrt (1 - n%:R^-1) <= 3%:R / 2%:R * (2%:R * n%:R / (n%:R + 2%:R)) :> R.
Proof.
move=> n1; have n0 : 0 < n%:R :> R by rewrite ltr0n.
have n2 : 0 < n%:R + 2%:R :> R by rewrite -natrD ltr0n addn2.
have rhs : 0 <= 3%:R / 2%:R * (2%:R * n%:R / (n%:R + 2%:R)) :> R.
  by rewrite mulr_ge0 ?divr_ge0 ?mulr_ge0 ?ler0n ?(ltW n2).
rewrite -(@ler_pexpn2r _ 2) ?nnegrE //; last by rewrite mulr_ge0 ?sqrtr_ge0 ?ler0n.
rewrite [X in X <= _]exprMn sqr_sqrtr; last first.
  by rewrite subr_ge0 invf_le1 // ler1n.
rewrite -subr_ge0.
have -> : (3%:R / 2%:R * (2%:R * n%:R / (n%:R + 2%:R))) ^+ 2 - 2%:R ^+ 2 * (1 - n%:R^-1)
    = (5%:R * n%:R ^+ 3 - 12%:R * n%:R ^+ 2 + 16%:R) / (n%:R * (n%:R + 2%:R) ^+ 2) :> R.
  by move: n%:R n0 n2 => x x0 x2; field; rewrite !gt_eqF ?ltr0n.
rewrite divr_ge0 ?mulr_ge0 ?sqr_ge0 ?(ltW n0) ?(ltW n2) //.
have -> : 5%:R * n%:R ^+ 3 - 12%:R * n%:R ^+ 2 + 16%:R
    = (n%:R - 8%:R / 5%:R) ^+ 2 * (5%:R * n%:R + 4%:R) + 144%:R / 25%:R :> R.
  by move: n%:R => x; field; rewrite ?pnatr_eq0.
by rewrite addr_ge0 ?divr_ge0 ?ler0n // mulr_ge0 ?sqr_ge0 // addr_ge0 ?mulr_ge0 ?ler0n.
Qed.

Theorem averaged_stability_as_printed (R : rcfType) (S : Type) (P : (S -> R) -> Prop)
    (E : S -> (S -> R) -> R) (s : S -> R) (d : nat) (n : nat) (L : nat) (H_0 : S) :
  (1 <= d)%N -> (1 <= n)%N -> (1 <= L)%N ->
  is_space P -> is_kernel P E -> P s ->
  P (fun u => (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u))) ->
  (forall t : S, 0 <= s t <= n%:R^-1) ->
  (forall t : S, E t (fun u => n%:R^-1 - s u)
    <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s t) * (n%:R^-1 - s t) + Num.sqrt ((1 - n%:R^-1) / d%:R))
      ->
  (\sum_(k < L) iter k.+1 (fun (g : S -> R) (t : S) => E t g)
     (fun u => (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u))) H_0) / L%:R
  <= 3%:R / 2%:R * ((n%:R^-1 - s H_0) / L%:R + (Num.sqrt d%:R)^-1).
Proof.
move=> d1 n1 L1 PS PE Ps Pphi s01 drift.
pose c : R := 2%:R * n%:R / (n%:R + 2%:R); pose eta : R := Num.sqrt ((1 - n%:R^-1) / d%:R).
have c0 : 0 < c by rewrite divr_gt0 ?mulr_gt0 ?ltr0n // -natrD ltr0n addn2.
have L0 : 0 < L%:R :> R by rewrite ltr0n.
have r0 : 0 < (Num.sqrt d%:R)^-1 :> R by rewrite invr_gt0 sqrtr_gt0 ltr0n.
pose v u := n%:R^-1 - s u; pose phi u := (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u)).
have v0 u : 0 <= v u by rewrite /v subr_ge0; have /andP[] := s01 u.
have phi0 u : 0 <= phi u by rewrite /phi mulr_ge0 ?v0 // subKr; have /andP[] := s01 u.
have down t : E t v <= v t - c * phi t + eta.
  by apply: le_trans (drift t) _; rewrite /phi /v -/c -/eta le_eqVlt; apply/orP; left; apply/eqP;
    ring.
have Pv : P v by apply: (space_sub PS) Ps; exact: (space_const PS).
have sum_le := telescoping L.+1 H_0 PS PE Pv Pphi down.
have end_ge0 : 0 <= iter L.+1 (fun (g : S -> R) (t : S) => E t g) v H_0.
  exact: (iterate_ge0 _ H_0 PS PE Pv).
rewrite big_ord_recl /= in sum_le.
set X := \sum_(k < L) _ in sum_le *.
have total : c * X <= v H_0 + L.+1%:R * eta.
  apply: (@le_trans _ _ (c * (phi H_0 + X))); first by rewrite ler_pmul2l // ler_addr.
  by apply: le_trans sum_le _; rewrite ler_add2r ler_subl_addr ler_addl.
have c23 : 2%:R / 3%:R <= c.
  rewrite /c ler_pdivr_mulr ?ltr0n // mulrAC ler_pdivl_mulr -?natrD ?ltr0n ?addn2 // -!natrM
    ler_nat.
  by move: n1; clear; lia.
have noise : L.+1%:R * eta <= c * (3%:R / 2%:R * (L%:R * (Num.sqrt d%:R)^-1)).
  have -> : eta = Num.sqrt (1 - n%:R^-1) * (Num.sqrt d%:R)^-1.
    by rewrite /eta sqrtrM ?sqrtrV ?ler0n // subr_ge0 invf_le1 ?ltr0n // ler1n.
  rewrite !mulrA ler_pmul2r //.
  apply: (@le_trans _ _ (L%:R * (2%:R * Num.sqrt (1 - n%:R^-1)))).
    rewrite mulrA ler_wpmul2r ?sqrtr_ge0 // -natrM ler_nat.
    by move: L1; clear; lia.
  rewrite [X in _ <= X](_ : _ = L%:R * (3%:R / 2%:R * c));
    first by rewrite ler_pmul2l // noise_room.
  by rewrite mulrC; congr (_ * _); rewrite -mulrA mulrC.
rewrite ler_pdivr_mulr // -(ler_pmul2l c0); apply: le_trans total _.
have -> : c * (3%:R / 2%:R * ((n%:R^-1 - s H_0) / L%:R + (Num.sqrt d%:R)^-1) * L%:R)
  = c * (3%:R / 2%:R) * v H_0 + c * (3%:R / 2%:R * (L%:R * (Num.sqrt d%:R)^-1)).
  rewrite /v; move: (s H_0) (n%:R^-1) (Num.sqrt _)^-1 => x y z.
  by field; rewrite !gt_eqF.
rewrite ler_add // ler_pemull // -[X in X <= _](@mulfV _ (2%:R / 3%:R)) ?gt_eqF ?divr_gt0 ?ltr0n //.
by rewrite invf_div ler_wpmul2r ?divr_ge0 ?ler0n.
Qed.
