(* Three of four cases of Joudaki and Hofmann on how a layer moves the correlation rho of two samples, for
   kappa(rho) = sum_k c_k rho^k with weights c_k >= 0 of sum 1, so that kappa(1) = 1.

   odds_contract, odds_contract_product: c_0 = 0, q = c_1 = kappa'(0): |kappa|/(1-|kappa|) <= |rho|/((2-q)(1-|rho|)).
   angle_contracts: 1 - kappa(rho) <= kappa'(1) (1 - rho).
   alignment_step, alignment: kappa'(1) = 1, alpha = 1 - kappa(0) - kappa'(0):
     1 - rho_l <= (1 - rho_0)/(1 + alpha l (1 - rho_0)) after l layers.

   Kernels here are polynomials; a power series is a limit of such, in which all of these survive.
   Source: Joudaki, Hofmann 2024 (arXiv 2410.20107), as restated by an author; proofs ours.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Kernel.

Variables (R : realFieldType) (m : nat) (c : 'I_m -> R).
Hypothesis c0 : forall k : 'I_m, 0 <= c k.
Hypothesis c1 : \sum_(k < m) c k = 1.

Let kappa (r : R) := \sum_(k < m) c k * r ^+ k.

Lemma power_le (x : R) (k : nat) : 0 <= x <= 1 -> (2 <= k)%N -> x ^+ k <= x ^+ 2.
Proof. by move=> /andP[x0 x1] k2; rewrite ler_wiexpn2l. Qed.

(* 1 - r^k = (1 - r)(1 + r + ... + r^(k-1)) *)
Lemma one_minus_power (r : R) (k : nat) : 1 - r ^+ k = (1 - r) * \sum_(j < k) r ^+ j.
Proof. by rewrite -[X in X - _](expr1n _ k) subrXX; congr (_ * _); apply: eq_bigr => j _; rewrite expr1n mul1r. Qed.

Lemma power_le1 (r : R) (k : nat) : `|r| <= 1 -> r ^+ k <= 1.
Proof. by move=> r1; rewrite (le_trans (ler_norm _)) // normrX exprn_ile1. Qed.

Theorem angle_contracts (r : R) : `|r| <= 1 ->
  1 - kappa r <= (\sum_(k < m) k%:R * c k) * (1 - r).
Proof.
move=> r1; have r0 : 0 <= 1 - r by rewrite subr_ge0 (le_trans (ler_norm _)).
rewrite /kappa -[X in X - _]c1 -sumrB mulr_suml; apply: ler_sum => k _.
have -> : c k - c k * r ^+ k = c k * (1 - r ^+ k) by ring.
rewrite one_minus_power [k%:R * _]mulrC -mulrA ler_wpmul2l // mulrC ler_wpmul2r //.
rewrite -[X in _ <= X%:R](card_ord k) -sumr_const; apply: ler_sum => j _; exact: power_le1.
Qed.

Lemma kernel_bounded (r : R) : `|r| <= 1 -> `|kappa r| <= 1.
Proof.
move=> r1; apply: le_trans (ler_norm_sum _ _ _) _; rewrite -[X in _ <= X]c1; apply: ler_sum => k _.
by rewrite normrM ger0_norm // normrX ler_pimulr // exprn_ile1.
Qed.

(* --- kappa'(1) = 1 --- *)

Theorem alignment_step (r : R) : `|r| <= 1 ->
  \sum_(k < m) k%:R * c k = 1 ->
  1 - kappa r <= (1 - r) / (1 + (\sum_(k < m | (2 <= k)%N) c k) * (1 - r)).
Proof.
move=> r1 slope; set alpha := \sum_(k < m | _) c k; set t := 1 - r.
have t0 : 0 <= t by rewrite subr_ge0 (le_trans (ler_norm _)).
have a0 : 0 <= alpha by apply: sumr_ge0.
have p0 : 0 < 1 + alpha * t by rewrite ltr_paddr ?mulr_ge0 ?ltr01.
have low : 1 - kappa r <= t * (1 - alpha * t).
  rewrite /kappa -[X in X - _]c1 -sumrB.
  have -> : t * (1 - alpha * t) = \sum_(k < m) c k * (t * (k%:R - (2 <= k)%N%:R * t)).
    transitivity (t * (\sum_(k < m) k%:R * c k) - t * t * alpha); first by rewrite slope; ring.
    rewrite /alpha (big_mkcond (fun k : 'I_m => (2 <= k)%N)) /= !mulr_sumr -sumrB; apply: eq_bigr => k _.
    by case: ifP => _; rewrite ?mul1r ?mul0r ?mulr0; move: k%:R => x; ring.
  apply: ler_sum => k _; have -> : c k - c k * r ^+ k = c k * (1 - r ^+ k) by ring.
  rewrite ler_wpmul2l // one_minus_power -/t ler_wpmul2l //.
  rewrite ler_subr_addl -[k%:R](_ : \sum_(j < k) 1 = k%:R); last by rewrite sumr_const card_ord.
  rewrite -ler_subr_addr -sumrB.
  case: ltnP => [k2|_]; last by rewrite mul0r; apply: sumr_ge0 => j _; rewrite subr_ge0 power_le1.
  rewrite mul1r (bigD1 (Ordinal k2)) //= expr1 ler_addl.
  by apply: sumr_ge0 => j _; rewrite subr_ge0 power_le1.
apply: le_trans low _; rewrite ler_wpmul2l // -subr_ge0.
have -> : (1 + alpha * t)^-1 - (1 - alpha * t) = (alpha * t) ^+ 2 / (1 + alpha * t) by field; rewrite gt_eqF.
by rewrite divr_ge0 ?sqr_ge0 // ltW.
Qed.

Theorem alignment (rho : nat -> R) : `|rho 0%N| <= 1 ->
  (forall l : nat, rho l.+1 = kappa (rho l)) ->
  \sum_(k < m) k%:R * c k = 1 ->
  forall l : nat,
  1 - rho l <= (1 - rho 0%N) / (1 + (\sum_(k < m | (2 <= k)%N) c k) * l%:R * (1 - rho 0%N)).
Proof.
move=> start step slope; set alpha := \sum_(k < m | _) c k.
have a0 : 0 <= alpha by apply: sumr_ge0.
have inside l : `|rho l| <= 1 by elim: l => // l IH; rewrite step kernel_bounded.
have t0 l : 0 <= 1 - rho l by rewrite subr_ge0 (le_trans (ler_norm _)).
elim=> [|l IH]; first by rewrite mulr0 mul0r addr0 divr1.
rewrite step; apply: le_trans (alignment_step (inside l) slope) _; rewrite -/alpha.
have P x y : 0 <= x -> 0 <= y -> 0 < 1 + x * y :> R by move=> x0 y0; rewrite ltr_paddr ?mulr_ge0 ?ltr01.
have pl := P _ _ (mulr_ge0 a0 (ler0n R l)) (t0 0%N); have pl1 := P _ _ (mulr_ge0 a0 (ler0n R l.+1)) (t0 0%N).
have grow (x y : R) : 0 <= x <= y -> x / (1 + alpha * x) <= y / (1 + alpha * y).
  move=> /andP[x0 xy]; have y0 := le_trans x0 xy.
  rewrite ler_pdivr_mulr ?P // mulrAC ler_pdivl_mulr ?P // !mulrDr !mulr1.
  by rewrite ler_add // mulrCA [y * (_ * _)]mulrCA [y * x]mulrC.
have/grow le : 0 <= 1 - rho l <= (1 - rho 0%N) / (1 + alpha * l%:R * (1 - rho 0%N)) by rewrite t0.
apply: le_trans le _; set z := 1 - rho 0%N; have z0 : 0 <= z := t0 0%N.
have -> : z / (1 + alpha * l%:R * z) / (1 + alpha * (z / (1 + alpha * l%:R * z)))
    = z / (1 + alpha * l.+1%:R * z); last by [].
rewrite -/z in pl pl1 *; move: pl1; rewrite -addn1 natrD => pl1.
by field; rewrite !gt_eqF //; apply: le_lt_trans pl1; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

(* --- kappa(0) = 0 --- *)

Theorem odds_contract (r : R) (q : R) : `|r| < 1 ->
  (forall k : 'I_m, nat_of_ord k = 0%N -> c k = 0) ->
  q = \sum_(k < m | nat_of_ord k == 1%N) c k ->
  `|kappa r| / (1 - `|kappa r|) <= (2%:R - q)^-1 * (`|r| / (1 - `|r|)).
Proof.
move=> r1 zero qE; set x := `|r|; have x0 : 0 <= x := normr_ge0 r.
have q0 : 0 <= q by rewrite qE; apply: sumr_ge0.
have q1 : q <= 1.
  by rewrite qE -[X in _ <= X]c1 [X in _ <= X](bigID (fun k : 'I_m => nat_of_ord k == 1%N)) /= ler_addl sumr_ge0.
have up : `|kappa r| <= x * (q + (1 - q) * x).
  apply: le_trans (ler_norm_sum _ _ _) _.
  have -> : x * (q + (1 - q) * x) = \sum_(k < m) c k * (if nat_of_ord k == 1%N then x else x ^+ 2).
    have rest : 1 - q = \sum_(k < m | nat_of_ord k != 1%N) c k.
      by rewrite qE -[X in X - _ = _]c1 [X in X - _ = _](bigID (fun k : 'I_m => nat_of_ord k == 1%N)) /= addrAC subrr add0r.
    rewrite (bigID (fun k : 'I_m => nat_of_ord k == 1%N)) /= rest.
    transitivity (q * x + (\sum_(k < m | nat_of_ord k != 1%N) c k) * x ^+ 2); first by ring.
    rewrite {1}qE !mulr_suml; congr (_ + _); apply: eq_bigr => k; first by move=> /eqP ->.
    by move=> /negPf ->.
  apply: ler_sum => k _; rewrite normrM ger0_norm // normrX -/x.
  case: eqP => [->|/eqP k1]; first by rewrite expr1.
  have [/zero ->|k0] := eqVneq (nat_of_ord k) 0%N; first by rewrite !mul0r.
  rewrite ler_wpmul2l // power_le ?x0 ?ltW //.
  by case: (nat_of_ord k) k0 k1 => [|[|]].
have y1 : 0 < 1 - x by rewrite subr_gt0.
have s0 : 0 < 2%:R - q by rewrite subr_gt0 (le_lt_trans q1) // ltr1n.
have low : 1 - x * (q + (1 - q) * x) = (1 - x) * (1 + (1 - q) * x) by ring.
have w0 : 0 < 1 + (1 - q) * x by rewrite ltr_paddr ?mulr_ge0 ?subr_ge0 ?ltr01.
have k1 : 0 < 1 - `|kappa r|.
  by apply: (@lt_le_trans _ _ (1 - x * (q + (1 - q) * x))); [rewrite low mulr_gt0 | rewrite ler_sub].
rewrite ler_pdivr_mulr //.
apply: (@le_trans _ _ (x * (q + (1 - q) * x))) => //.
apply: (@le_trans _ _ ((2%:R - q)^-1 * (x / (1 - x)) * (1 - x * (q + (1 - q) * x)))); last first.
  by rewrite ler_wpmul2l ?ler_sub // mulr_ge0 ?invr_ge0 ?divr_ge0 ?(ltW s0) ?(ltW y1).
rewrite low -subr_ge0.
have -> : (2%:R - q)^-1 * (x / (1 - x)) * ((1 - x) * (1 + (1 - q) * x)) - x * (q + (1 - q) * x)
    = x * (1 - q) ^+ 2 * (1 - x) / (2%:R - q) by field; rewrite !gt_eqF.
by rewrite divr_ge0 ?(ltW s0) // mulr_ge0 ?(ltW y1) // mulr_ge0 ?sqr_ge0.
Qed.

(* The same without division, so that |r| = 1 is no exception. *)
Theorem odds_contract_product (r : R) (q : R) : `|r| <= 1 ->
  (forall k : 'I_m, nat_of_ord k = 0%N -> c k = 0) ->
  q = \sum_(k < m | nat_of_ord k == 1%N) c k ->
  (2%:R - q) * (`|kappa r| * (1 - `|r|)) <= `|r| * (1 - `|kappa r|).
Proof.
move=> r1 zero qE; have bounded := kernel_bounded r1.
have [x1|x1] := eqVneq `|r| 1; first by rewrite x1 subrr !mulr0 mul1r subr_ge0.
have r2 : `|r| < 1 by rewrite lt_neqAle x1.
have y1 : 0 < 1 - `|r| by rewrite subr_gt0.
have s0 : 0 < 2%:R - q.
  rewrite subr_gt0; apply: (@le_lt_trans _ _ 1); last by rewrite ltr1n.
  by rewrite qE -[X in _ <= X]c1 [X in _ <= X](bigID (fun k : 'I_m => nat_of_ord k == 1%N)) /= ler_addl sumr_ge0.
have [k1|k1] := eqVneq (1 - `|kappa r|) 0; last first.
  have k0 : 0 < 1 - `|kappa r| by rewrite lt_def k1 subr_ge0.
  have := odds_contract r2 zero qE.
  rewrite ler_pdivr_mulr // => /(ler_wpmul2l (ltW (mulr_gt0 s0 y1))) le.
  have <- : (2%:R - q) * (1 - `|r|) * `|kappa r| = (2%:R - q) * (`|kappa r| * (1 - `|r|)) by ring.
  apply: le_trans le _; rewrite le_eqVlt; apply/orP; left; apply/eqP.
  by move: `|kappa r| => z; field; rewrite !gt_eqF.
have : `|kappa r| <= `|r|.
  apply: le_trans (ler_norm_sum _ _ _) _; rewrite -[X in _ <= X]mul1r -[X in _ <= X * _]c1 mulr_suml.
  apply: ler_sum => k _; rewrite normrM ger0_norm // normrX.
  have [/zero ->|k0] := eqVneq (nat_of_ord k) 0%N; first by rewrite !mul0r.
  rewrite ler_wpmul2l // -[X in _ <= X]expr1 ler_wiexpn2l ?normr_ge0 ?ltW //.
  by rewrite lt0n.
by move/eqP: k1; rewrite subr_eq0 => /eqP <-; rewrite leNgt r2.
Qed.

End Kernel.
