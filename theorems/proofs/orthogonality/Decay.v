(* Decay of the orthogonality gap, given the one-step drift inequality.

   affine_recursion: x_{k+1} <= (1-a) x_k + b for k < l gives x_l <= (1-a)^l x_0 + b/a.

   decay_sharp: a Markov chain of representations, seen through its one-step expectation E h f =
   E[f(H+) | H = h] (common.Means.is_kernel, on a space P of functions that holds V, sigma_n^2 and,
   with f, also f on the event and 0 elsewhere), with V <= sqrt(n(n-1)) (1/n - sigma_n^2) and the
   drift inequality
     E[1/n - sigma_n^2(H+) | H] <= (1 - c sigma_n^2)(1/n - sigma_n^2) + sqrt((1-1/n)/d),
   c = 2n/(n+2), satisfies
     E[V(H_{l+1}) 1{sigma_n^2(H_k) >= alpha for 1 <= k <= l} | H_1]
     <= sqrt(n(n-1)) [(1 - c alpha)^l (1/n - sigma_n^2(H_1)) + sqrt((1-1/n)/d) / (c alpha)].
   The left side is written as l rounds of "0 outside the event, else the one-step expectation"
   applied to V; restricted_expectation_paths unfolds it into the sum over paths for a chain on a
   finite set.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Theorem 1, with sigma_n^2 in its
   assumption (it prints sigma_n) and our constants; decay_corrected has the printed ones.
   Python: orthogonality.decay:sharp, :corrected (drift and gap bound are hypotheses here; see
   GapSharp, HarmonicDrift).
   Depends on: common.Means. *)

From mathcomp Require Import all_ssreflect all_algebra ring zify.
From BatchNorm.common Require Import Means.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem affine_recursion (R : realFieldType) (x : nat -> R) (a : R) (b : R) (l : nat) :
  0 < a <= 1 -> 0 <= b ->
  (forall k : nat, (k < l)%N -> x k.+1 <= (1 - a) * x k + b) ->
  x l <= (1 - a) ^+ l * x 0%N + b / a.
Proof.
move=> /andP[a0 a1] b0; elim: l => [|l IH] step.
  by rewrite expr0 mul1r ler_addl divr_ge0 // ltW.
apply: le_trans (step l (ltnSn l)) _.
have q0 : 0 <= 1 - a by rewrite subr_ge0.
have /(ler_wpmul2l q0) := IH (fun k kl => step k (ltnW kl)).
rewrite -(ler_add2r b) => /le_trans; apply.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite exprS.
by move: (_ ^+ l) (x 0%N) => y z; field; rewrite gt_eqF.
Qed.

(* l rounds; the bound carries (1 - (1-a)^l)/a instead of 1/a along the induction. *)
Theorem restricted_decay (R : realFieldType) (S : Type) (P : (S -> R) -> Prop)
    (E : S -> (S -> R) -> R)
    (V : S -> R) (v : S -> R) (A : S -> bool) (K : R) (a : R) (b : R) (l : nat) (h : S) :
  is_space P -> is_kernel P E ->
  (forall f : S -> R, P f -> P (fun t => if A t then f t else 0)) ->
  P V -> P v ->
  0 <= K -> 0 < a <= 1 -> 0 <= b ->
  (forall t : S, 0 <= v t) ->
  (forall t : S, V t <= K * v t) ->
  (forall t : S, A t -> E t v <= (1 - a) * v t + b) ->
  iter l (fun g t => if A t then E t g else 0) V h <= K * ((1 - a) ^+ l * v h + b / a).
Proof.
move=> PS [PE stepE] event PV Pv K0 /andP[a0 a1] b0 v0 Vv drift.
have Piter k : P (iter k (fun g t => if A t then E t g else 0) V).
  by elim: k => // k IH; rewrite iterS; apply: event; exact: stepE.
have q0 : 0 <= 1 - a by rewrite subr_ge0.
have Q0 k : 0 <= (1 - a) ^+ k by rewrite exprn_ge0.
have Q1 k : 0 <= (1 - (1 - a) ^+ k) / a.
  by rewrite divr_ge0 ?(ltW a0) // subr_ge0 exprn_ile1 // ler_subl_addr ler_addl ltW.
suff {h} sharper k h : iter k (fun g t => if A t then E t g else 0) V h
    <= K * (1 - a) ^+ k * v h + K * b * ((1 - (1 - a) ^+ k) / a).
  apply: le_trans (sharper l h) _.
  rewrite mulrDr !mulrA ler_add2l -!mulrA ler_wpmul2l // ler_wpmul2l //.
  by rewrite ler_pimull ?invr_ge0 ?(ltW a0) // ler_subl_addr ler_addl.
elim: k h => [|k IH] h.
  by rewrite /= expr0 subrr mul0r mulr0 addr0 mulr1.
rewrite iterS; case: ifP => [Ah|_]; last first.
  by apply: addr_ge0; [exact: mulr_ge0 (mulr_ge0 K0 (Q0 _)) (v0 _) | exact: mulr_ge0 (mulr_ge0 K0
    b0) (Q1 _)].
apply: le_trans (mean_le (PE h) (Piter k) (space_affine PS _ _ Pv) IH) _.
rewrite (mean_affine PS (PE h) _ _ Pv).
have /(ler_wpmul2l (mulr_ge0 K0 (Q0 k))) := drift h Ah.
rewrite -(ler_add2r (K * b * ((1 - (1 - a) ^+ k) / a))) => /le_trans; apply.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite exprS.
by move: (_ ^+ k) => y; field; rewrite gt_eqF.
Qed.

(* c = 2n/(n+2) lies between 2/3 and 2, and c/n <= 1. *)
Lemma rate_bounds (R : realFieldType) (n : nat) (alpha : R) :
  (1 <= n)%N -> 0 < alpha <= n%:R^-1 -> 0 < 2%:R * n%:R / (n%:R + 2%:R) * alpha <= 1.
Proof.
move=> n1 /andP[a0 a1]; have n0 : 0 < n%:R :> R by rewrite ltr0n.
have n2 : 0 < n%:R + 2%:R :> R by rewrite addr_gt0 ?ltr0n.
rewrite mulr_gt0 ?divr_gt0 ?mulr_gt0 ?ltr0n //=.
have /le_trans : 2%:R * n%:R / (n%:R + 2%:R) * alpha <= 2%:R * n%:R / (n%:R + 2%:R) * n%:R^-1.
  by rewrite ler_wpmul2l ?divr_ge0 ?mulr_ge0 ?ler0n // ltW.
apply; rewrite (_ : _ * n%:R^-1 = 2%:R / (n%:R + 2%:R)); last by field; rewrite !gt_eqF.
by rewrite ler_pdivr_mulr // mul1r ler_addr ler0n.
Qed.

Theorem decay_sharp (R : rcfType) (S : Type) (P : (S -> R) -> Prop) (E : S -> (S -> R) -> R)
    (V : S -> R) (s : S -> R) (d : nat) (n : nat) (alpha : R) (ell : nat) (H_1 : S) :
  (1 <= d)%N -> (1 <= n)%N -> 0 < alpha <= n%:R^-1 ->
  is_space P -> is_kernel P E ->
  (forall f : S -> R, P f -> P (fun t => if alpha <= s t then f t else 0)) ->
  P V -> P s ->
  (forall t : S, 0 <= s t <= n%:R^-1) ->
  (forall t : S, V t <= Num.sqrt (n%:R * (n%:R - 1)) * (n%:R^-1 - s t)) ->
  (forall t : S, E t (fun u => n%:R^-1 - s u)
    <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s t) * (n%:R^-1 - s t) + Num.sqrt ((1 - n%:R^-1) / d%:R))
      ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0) V H_1
  <= Num.sqrt (n%:R * (n%:R - 1))
     * ((1 - 2%:R * n%:R / (n%:R + 2%:R) * alpha) ^+ ell * (n%:R^-1 - s H_1)
        + Num.sqrt ((1 - n%:R^-1) / d%:R) / (2%:R * n%:R / (n%:R + 2%:R) * alpha)).
Proof.
move=> d1 n1 al PS PE event PV Ps s01 Vs drift.
have Pv : P (fun t => n%:R^-1 - s t) by apply: (space_sub PS) Ps; exact: (space_const PS).
have v0 t : 0 <= n%:R^-1 - s t by rewrite subr_ge0; have /andP[] := s01 t.
apply: (@restricted_decay R S P E V (fun u => n%:R^-1 - s u) (fun t =>
  alpha <= s t) _ _ _ ell H_1 PS
  PE event PV Pv) => //; rewrite ?sqrtr_ge0 ?rate_bounds //.
move=> t alt; apply: le_trans (drift t) _; rewrite ler_add2r ler_wpmul2r // ler_sub // ler_wpmul2l
  //.
by apply: divr_ge0; [rewrite mulr_ge0 ?ler0n | rewrite -natrD ler0n].
Qed.

Theorem decay_corrected (R : rcfType) (S : Type) (P : (S -> R) -> Prop) (E : S -> (S -> R) -> R)
    (V : S -> R) (s : S -> R) (d : nat) (n : nat) (alpha : R) (ell : nat) (H_1 : S) :
  (1 <= d)%N -> (1 <= n)%N -> 0 < alpha <= n%:R^-1 ->
  is_space P -> is_kernel P E ->
  (forall f : S -> R, P f -> P (fun t => if alpha <= s t then f t else 0)) ->
  P V -> P s ->
  (forall t : S, 0 <= s t <= n%:R^-1) ->
  (forall t : S, V t <= 2%:R * n%:R * (n%:R^-1 - s t)) ->
  (forall t : S, E t (fun u => n%:R^-1 - s u)
    <= (1 - 2%:R / 3%:R * s t) * (n%:R^-1 - s t) + (Num.sqrt d%:R)^-1) ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0) V H_1
  <= 2%:R * (1 - 2%:R / 3%:R * alpha) ^+ ell + 3%:R * n%:R / (alpha * Num.sqrt d%:R).
Proof.
move=> d1 n1 /andP[a0 an] PS PE event PV Ps s01 Vs drift.
have Pv : P (fun t => n%:R^-1 - s t) by apply: (space_sub PS) Ps; exact: (space_const PS).
have n0 : 0 < n%:R :> R by rewrite ltr0n.
have c0 : 0 <= 2%:R / 3%:R :> R by rewrite divr_ge0 ?ler0n.
have v0 t : 0 <= n%:R^-1 - s t by rewrite subr_ge0; have /andP[] := s01 t.
have a1 : 2%:R / 3%:R * alpha <= 1.
  rewrite -[X in _ <= X]mulr1 ler_pmul ?(ltW a0) //.
    by rewrite ler_pdivr_mulr ?ltr0n // mul1r ler_nat.
  by apply: le_trans an _; rewrite invf_le1 // ler1n.
have rate : 0 < 2%:R / 3%:R * alpha <= 1 by rewrite mulr_gt0 ?divr_gt0 ?ltr0n.
have := @restricted_decay R S P E V (fun t => n%:R^-1 - s t) (fun t => alpha <= s t) (2%:R * n%:R)
  (2%:R / 3%:R * alpha) (Num.sqrt d%:R)^-1 ell H_1 PS PE event PV Pv.
move=> /(_ (mulr_ge0 (ler0n _ _) (ler0n _ _)) rate) /= /(_ _ v0 Vs _)/le_trans; apply.
- by rewrite invr_ge0 sqrtr_ge0.
- move=> t alt; apply: le_trans (drift t) _.
  by rewrite ler_add2r ler_wpmul2r // ler_sub // ler_wpmul2l.
rewrite mulrDr ler_add //.
  rewrite -mulrA ler_wpmul2l ?ler0n // mulrCA ler_pimulr ?exprn_ge0 ?subr_ge0 //.
  rewrite -[X in _ <= X](@mulfV _ n%:R) ?gt_eqF // ler_wpmul2l ?ler0n //.
  by rewrite ler_subl_addr ler_addl; have /andP[] := s01 H_1.
have r0 : 0 < Num.sqrt d%:R :> R by rewrite sqrtr_gt0 ltr0n.
rewrite le_eqVlt; apply/orP; left; apply/eqP.
by move: (Num.sqrt _) r0 => r r0; field; rewrite !gt_eqF.
Qed.

(* The drift with our constants gives the drift with the printed ones. *)
Theorem drift_sharp_implies_printed (R : rcfType) (d : nat) (n : nat) (s : R) (e : R) :
  (1 <= d)%N -> (1 <= n)%N -> 0 <= s <= n%:R^-1 ->
  e <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s) * (n%:R^-1 - s) + Num.sqrt ((1 - n%:R^-1) / d%:R) ->
  e <= (1 - 2%:R / 3%:R * s) * (n%:R^-1 - s) + (Num.sqrt d%:R)^-1.
Proof.
move=> d1 n1 /andP[s0 s1] /le_trans; apply.
have n0 : 0 < n%:R :> R by rewrite ltr0n.
have n2 : 0 < n%:R + 2%:R :> R by rewrite addr_gt0 ?ltr0n.
rewrite ler_add //.
  rewrite ler_wpmul2r ?subr_ge0 // ler_sub // ler_wpmul2r //.
  rewrite ler_pdivr_mulr ?ltr0n // mulrAC ler_pdivl_mulr // -!natrM -natrD -!natrM ler_nat.
  by move: n1; clear; lia.
rewrite -sqrtrV ?ler0n // ler_wsqrtr // ler_pimull ?invr_ge0 ?ler0n //.
by rewrite ler_subl_addr ler_addl invr_ge0 ler0n.
Qed.

(* For a chain on a finite set with transition weights P the rounds above are the sum over paths
  h_1, ..., h_l
   after h of the weights of the paths that stay in the event, times f at the end. *)
Fixpoint path_weight (R : ringType) (S : Type) (P : S -> S -> R) (A : S ->
  bool) (h : S) (path : seq S) : R :=
  if path is u :: rest then (if A h then P h u else 0) * path_weight P A u rest else 1.

Theorem restricted_expectation_paths (R : ringType) (S : finType) (P : S -> S -> R) (A : S -> bool)
    (f : S -> R) (ell : nat) (h : S) :
  iter ell (fun (g : S -> R) (t : S) => if A t then \sum_u P t u * g u else 0) f h
  = \sum_(path : ell.-tuple S) path_weight P A h path * f (last h path).
Proof.
elim: ell h => [|ell IH] h.
  by rewrite (big_pred1 [tuple]) ?mul1r // => path; apply/esym/eqP/tuple0.
pose cons (q : S * ell.-tuple S) := [tuple of q.1 :: q.2].
have bij : bijective cons.
  exists (fun path : ell.+1.-tuple S => (thead path, [tuple of behead path])).
    by case=> u path; rewrite /= theadE; congr (_, _); apply: val_inj.
  by move=> path; rewrite /cons /= -tuple_eta.
rewrite (reindex cons) /=; last exact: onW_bij.
rewrite -(pair_bigA _ (fun u (path : ell.-tuple S) =>
  (if A h then P h u else 0) * path_weight P A u path * f (last u path))) /=.
case: ifP => _.
  by apply: eq_bigr => u _; rewrite IH mulr_sumr; apply: eq_bigr => path _; rewrite mulrA.
by rewrite big1 // => u _; rewrite big1 // => path _; rewrite !mul0r.
Qed.
