(* A fixed point s of kappa(rho) = sum_k c_k rho^k, 0 <= s < 1, attracts every |rho_0| < 1:

   attraction: |rho_l - s| <= a^l |rho_0 - s|/(1 - |rho_0|),
     a = max(1 - kappa(0), 1/(2 - q)), q = kappa'(s).
   attraction_nonnegative: the same with a = 1/(2 - q) from rho_0 >= 0.

   Weights c_k >= 0 have sum 1. From s on, (kappa - s)/(1 - kappa) falls by 2 - q; between 0 and s,
   s - kappa falls by 1/q >= 2 - q; below 0, s - kappa is (1 - kappa(0)) (s - rho) at most.
   Source: the case kappa'(1) > 1 of Joudaki, Hofmann 2024 (arXiv 2410.20107); rate ours.
   Depends on: Shape. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm Require Import kernels.Shape.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Attraction.

Variables (R : realFieldType) (m : nat) (c : 'I_m -> R) (s q : R).
Hypothesis c0 : forall k : 'I_m, 0 <= c k.
Hypothesis c1 : \sum_(k < m) c k = 1.
Hypotheses (s0 : 0 <= s) (s1 : s < 1).
Hypothesis fixed : \sum_(k < m) c k * s ^+ k = s.
Hypothesis qE : q = \sum_(k < m) c k * (k%:R * s ^+ k.-1).

Let kappa := kernel c.
Let G := secant c.

Lemma secant_slope : G s s = q.
Proof.
rewrite qE; apply: eq_bigr => k _; congr (_ * _).
transitivity (\sum_(i < k) s ^+ k.-1); last by rewrite sumr_const card_ord mulr_natl.
by apply: eq_bigr => i _; rewrite -exprD subnK // ord_le_pred.
Qed.

Lemma from_fixed (r : R) : kappa r - s = (r - s) * G s r.
Proof. by have := secantE c r s; rewrite [kernel c s]fixed secant_sym. Qed.

Lemma from_one (r : R) : 1 - kappa r = (1 - r) * G 1 r.
Proof. by have := secantE c 1 r; rewrite (kernel1 c1). Qed.

Lemma secant_one : G s 1 = 1.
Proof. exact: (secant_fixed c1 s1 fixed). Qed.

Lemma slope_le1 : q <= 1.
Proof. by rewrite -secant_slope -secant_one secant_mono // s0 ltW. Qed.

Lemma slope_ge0 : 0 <= q.
Proof. by rewrite -secant_slope secant_ge0. Qed.

Lemma gap_gt0 : 0 < 2%:R - q.
Proof. by rewrite subr_gt0 (le_lt_trans slope_le1) // ltr1n. Qed.

Lemma slope_le_rate : q <= (2%:R - q)^-1.
Proof.
rewrite -div1r ler_pdivl_mulr ?gap_gt0 // -subr_ge0.
have -> : 1 - q * (2%:R - q) = (1 - q) ^+ 2 by ring.
exact: sqr_ge0.
Qed.

(* Third differences of x^k are nonnegative. *)
Lemma third_difference (r : R) : s <= r <= 1 -> G s r + (1 - q) <= G 1 r.
Proof.
move=> /andP[sr r1]; have r0 := le_trans s0 sr.
have -> : 1 - q = G 1 s - G s s.
  by rewrite /G [secant c 1 s]secant_sym [secant c s 1]secant_one [secant c s s]secant_slope.
rewrite -subr_ge0 /G /secant.
rewrite -!sumrB -big_split /= -sumrB; apply: sumr_ge0 => k _.
rewrite -mulrBr -mulrDr -mulrBr mulr_ge0 // -sumrB -big_split /= -sumrB; apply: sumr_ge0 => i _.
set j := (k.-1 - i)%N; rewrite expr1n !mul1r.
have -> : r ^+ i - (s ^+ j * r ^+ i + (s ^+ i - s ^+ j * s ^+ i))
  = (r ^+ i - s ^+ i) * (1 - s ^+ j) by ring.
by rewrite mulr_ge0 ?subr_ge0 ?exprn_ile1 ?(ltW s1) // ler_expn2r ?nnegrE.
Qed.

Lemma above_step (r : R) : s <= r <= 1 ->
  (2%:R - q) * (kappa r - s) * (1 - r) <= (r - s) * (1 - kappa r).
Proof.
move=> sr; have /andP[sr1 r1] := sr; have third := third_difference sr.
have top : G s r <= 1 by rewrite -secant_one secant_mono // (le_trans s0) // sr1.
rewrite from_fixed from_one.
have -> : (2%:R - q) * ((r - s) * G s r) * (1 - r)
  = (r - s) * ((1 - r) * ((2%:R - q) * G s r)) by ring.
rewrite ler_wpmul2l ?subr_ge0 // ler_wpmul2l ?subr_ge0 //; apply: le_trans third.
rewrite -subr_ge0.
have -> : G s r + (1 - q) - (2%:R - q) * G s r = (1 - q) * (1 - G s r) by ring.
by rewrite mulr_ge0 ?subr_ge0 ?slope_le1.
Qed.

Lemma above_stays (r : R) : s <= r -> s <= kappa r.
Proof.
move=> sr; rewrite -subr_ge0 from_fixed mulr_ge0 ?subr_ge0 //.
by rewrite secant_ge0 // (le_trans s0).
Qed.

Lemma below_stays (r : R) : 0 <= r <= s -> kappa r <= s.
Proof.
move=> /andP[r0 rs]; rewrite -subr_le0 from_fixed mulr_le0_ge0 ?subr_le0 //.
exact: secant_ge0.
Qed.

Lemma kernel_le1 (r : R) : `|r| <= 1 -> `|kappa r| <= 1.
Proof.
move=> r1; apply: le_trans (mirror c0 r) _; rewrite -(kernel1 c1); apply: ler_sum => k _.
by rewrite ler_wpmul2l // expr1n exprn_ile1.
Qed.

(* Where w (1 - r) bounds r - s, and 1/(2 - q) is at most a. *)
Lemma above_bound (a w r : R) : (2%:R - q)^-1 <= a -> 0 <= w -> s <= r -> r < 1 ->
  r - s <= w * (1 - r) -> kappa r - s <= a * w * (1 - kappa r).
Proof.
move=> aq w0 sr r1 near; have sr1 : s <= r <= 1 by rewrite sr ltW.
have r0 := le_trans s0 sr; have t0 : 0 < 1 - r by rewrite subr_gt0.
have k1 : 0 <= 1 - kappa r.
  by rewrite subr_ge0 (le_trans (ler_norm _)) // kernel_le1 // ger0_norm // ltW.
apply: (@le_trans _ _ ((2%:R - q)^-1 * w * (1 - kappa r))); last first.
  by rewrite ler_wpmul2r // ler_wpmul2r.
rewrite -mulrA ler_pdivl_mull ?gap_gt0 // -(ler_pmul2r t0).
apply: le_trans (above_step sr1) _; rewrite mulrAC; exact: ler_wpmul2r.
Qed.

(* What is left of a gap below 0. *)
Lemma negative_step (r : R) : -1 < r -> r <= 0 -> s - kappa r <= (1 - kappa 0) * (s - r).
Proof.
move=> r1 r0; have nr : `|r| = - r by rewrite ler0_norm.
have rin : `|r| <= 1 by rewrite nr ler_oppl ltW.
have sin : `|s| <= 1 by rewrite ger0_norm // ltW.
have := lines_up c0 c1 rin; rewrite ler_norml nr => /andP[low _].
have := lines_up c0 c1 sin; rewrite ler_norml (ger0_norm s0) [kernel c s]fixed => /andP[_ up].
rewrite mulrBr; have -> : s - kappa r = (s - kappa 0) - (kappa r - kappa 0) by ring.
apply: ler_add => //; rewrite ler_oppl; apply: le_trans low; by rewrite mulrN.
Qed.

(* How far r may be from s: the rescaled distance is used outside [0, s]. *)
Let room (r : R) := if (0 <= r) && (r <= s) then 1 else 1 - `|r|.

Lemma room_le1 (r : R) : 1 - `|r| <= room r <= 1.
Proof. by rewrite /room; case: ifP => _; rewrite ?lexx ?ler_subl_addr ?ler_addl normr_ge0. Qed.

Variable a : R.
Hypothesis rate : (2%:R - q)^-1 <= a.

Lemma rate_ge0 : 0 <= a.
Proof. by apply: le_trans rate; rewrite invr_ge0 ltW ?gap_gt0. Qed.

Lemma inside_step (w r : R) : 0 <= w -> 0 <= r <= s -> `|r - s| <= w ->
  `|kappa r - s| <= a * w * room (kappa r).
Proof.
move=> w0 rs near; have /andP[r0 rs1] := rs; have below := below_stays rs.
have k0 : 0 <= kappa r by exact: kernel_ge0.
rewrite /room k0 below mulr1 from_fixed normrM (@ger0_norm _ (G s r)) ?secant_ge0 // mulrC.
apply: ler_pmul => //; first exact: secant_ge0.
apply: le_trans rate; apply: le_trans slope_le_rate.
by rewrite -secant_slope secant_mono // r0.
Qed.

Lemma weaken (w r : R) : 0 <= w -> `|r - s| <= w * (1 - `|r|) -> `|r - s| <= w * room r.
Proof. by move=> w0 /le_trans -> //; rewrite ler_wpmul2l //; case/andP: (room_le1 r). Qed.

Lemma above_case (w r : R) : 0 <= w -> s <= r -> r < 1 -> r - s <= w * (1 - r) ->
  `|kappa r - s| <= a * w * room (kappa r).
Proof.
move=> w0 sr r1 near; have above := above_stays sr.
apply: weaken; first by rewrite mulr_ge0 ?rate_ge0.
rewrite ger0_norm ?subr_ge0 // (ger0_norm (le_trans s0 above)).
exact: above_bound.
Qed.

Lemma negative_case (w r : R) : 1 - kappa 0 <= a -> 0 <= w ->
  -1 < r -> r <= 0 -> s - r <= w * (1 + r) ->
  `|kappa r - s| <= a * w * room (kappa r).
Proof.
move=> rate0 w0 r1 r0 near; have aw0 : 0 <= a * w by rewrite mulr_ge0 ?rate_ge0.
have nr : `|r| = - r by rewrite ler0_norm.
have fall : s - kappa r <= a * w * (1 + r).
  apply: le_trans (negative_step r1 r0) _; rewrite -mulrA; apply: ler_pmul => //.
    by rewrite subr_ge0 kernel0_le1.
  by rewrite subr_ge0 (le_trans r0).
have [above|below] := leP s (kappa r).
  apply: weaken => //; rewrite ger0_norm ?subr_ge0 // (ger0_norm (le_trans s0 above)).
  have mir : kappa r <= kappa (- r) by rewrite -nr (le_trans (ler_norm _)) // mirror.
  have [sx|xs] := leP s (- r); last first.
    have -> : kappa r = s.
      by apply/le_anti; rewrite above andbT (le_trans mir) // below_stays // oppr_ge0 r0 ltW.
    by rewrite subrr mulr_ge0 // subr_ge0 ltW.
  apply: le_trans (_ : kappa (- r) - s <= _); first by rewrite ler_add2r.
  apply: le_trans (_ : a * w * (1 - kappa (- r)) <= _); last first.
    by rewrite ler_wpmul2l // ler_add2l ler_opp2.
  apply: above_bound => //; first by rewrite ltr_oppl.
  rewrite opprK; apply: le_trans near; rewrite addrC ler_add2r.
  by rewrite (le_trans _ s0) // oppr_le0.
rewrite distrC ger0_norm; last by rewrite subr_ge0 ltW.
apply: le_trans fall _; rewrite ler_wpmul2l // /room (ltW below) andbT.
have [_|neg] := leP 0 (kappa r); first by rewrite ger_addl.
rewrite ltr0_norm // opprK ler_add2l.
have rin : `|r| <= 1 by rewrite nr ler_oppl ltW.
have := lines_up c0 c1 rin; rewrite ler_norml nr mulrN opprK ler_subr_addr => /andP[low _].
apply: le_trans low; rewrite -subr_ge0.
have -> : (1 - kappa 0) * r + kappa 0 - r = kappa 0 * (1 - r) by ring.
by apply: mulr_ge0; [exact: kernel0_ge0 | rewrite subr_ge0 (le_trans r0) ?ler01].
Qed.

Lemma one_step (w r : R) : 0 <= r \/ 1 - kappa 0 <= a -> 0 <= w -> `|r| < 1 ->
  `|r - s| <= w * room r ->
  `|kappa r - s| <= a * w * room (kappa r).
Proof.
move=> from w0 r1 near; have := r1; rewrite ltr_norml => /andP[rm rp].
have [sr|rs] := leP s r.
  apply: above_case => //; move: near; rewrite /room (le_trans s0 sr) /=.
  rewrite (ger0_norm (le_trans s0 sr)) ger0_norm ?subr_ge0 //.
  have [rs _|_] := leP r s; last by [].
  apply: (@le_trans _ _ 0); first by rewrite subr_le0.
  by rewrite mulr_ge0 // subr_ge0 ltW.
have [r0|neg] := leP 0 r.
  by apply: inside_step; rewrite ?r0 ?(ltW rs) //; move: near; rewrite /room r0 (ltW rs) mulr1.
have rate0 : 1 - kappa 0 <= a by case: from => //; rewrite leNgt neg.
apply: negative_case => //; first exact: ltW.
move: near; rewrite /room [0 <= r]leNgt neg /= distrC ger0_norm ?subr_ge0 ?(ltW rs) //.
by rewrite ltr0_norm // opprK.
Qed.

Lemma stays (r : R) : `|r| < 1 -> `|kappa r| < 1.
Proof.
move=> r1; have k0 : 0 < 1 - kappa 0.
  rewrite lt_def subr_ge0 kernel0_le1 // andbT; apply/eqP => none.
  have sin : `|s| <= 1 by rewrite ger0_norm // ltW.
  have := lines_up c0 c1 sin; rewrite [1 - _]none mul0r normr_le0.
  rewrite [kernel c s]fixed subr_eq0 => /eqP sk.
  by move/eqP: none; rewrite subr_eq0 /kappa -sk => /eqP one; move: s1; rewrite -one ltxx.
have := lines_up c0 c1 (ltW r1); rewrite -/kappa => line.
have -> : kappa r = (kappa r - kappa 0) + kappa 0 by rewrite subrK.
apply: le_lt_trans (ler_norm_add _ _) _; rewrite [`|kappa 0|]ger0_norm ?kernel0_ge0 //.
apply: le_lt_trans (ler_add line (lexx _)) _; rewrite -subr_gt0.
have -> : 1 - ((1 - kappa 0) * `|r| + kappa 0) = (1 - kappa 0) * (1 - `|r|) by ring.
by rewrite mulr_gt0 // subr_gt0.
Qed.

Lemma path (rho : nat -> R) : `|rho 0%N| < 1 -> 0 <= rho 0%N \/ 1 - kappa 0 <= a ->
  (forall l : nat, rho l.+1 = \sum_(k < m) c k * rho l ^+ k) ->
  forall l : nat, `|rho l - s| <= a ^+ l * (`|rho 0%N - s| / (1 - `|rho 0%N|)).
Proof.
move=> start from step l; set w := _ / _.
have p0 : 0 < 1 - `|rho 0%N| by rewrite subr_gt0.
have w0 : 0 <= w by rewrite divr_ge0 // ltW.
suff [_ _ near] : [/\ `|rho l| < 1, 0 <= rho l \/ 1 - kappa 0 <= a
    & `|rho l - s| <= a ^+ l * w * room (rho l)].
  apply: le_trans near _; rewrite ler_pimulr //; last by case/andP: (room_le1 (rho l)).
  by apply: mulr_ge0 w0; rewrite exprn_ge0 ?rate_ge0.
elim: l => [|l [inside side near]].
  by split=> //; apply: weaken; rewrite expr0 mul1r // /w mulfVK ?gt_eqF.
have stepE : rho l.+1 = kappa (rho l) by exact: step.
split; rewrite stepE; first exact: stays.
  by case: side => [l0|side]; [left; exact: kernel_ge0 | right].
rewrite exprS -[a * _ * w]mulrA; apply: one_step => //.
by apply: mulr_ge0 w0; rewrite exprn_ge0 ?rate_ge0.
Qed.

End Attraction.

Section Theorems.

Variables (R : realFieldType) (m : nat) (c : 'I_m -> R) (s q : R) (rho : nat -> R).
Hypothesis c0 : forall k : 'I_m, 0 <= c k.
Hypothesis c1 : \sum_(k < m) c k = 1.
Hypotheses (s0 : 0 <= s) (s1 : s < 1).
Hypothesis fixed : \sum_(k < m) c k * s ^+ k = s.
Hypothesis qE : q = \sum_(k < m) c k * (k%:R * s ^+ k.-1).
Hypothesis step : forall l : nat, rho l.+1 = \sum_(k < m) c k * rho l ^+ k.

Theorem attraction (a : R) : `|rho 0%N| < 1 -> (2%:R - q)^-1 <= a ->
  1 - \sum_(k < m) c k * 0 ^+ k <= a ->
  forall l : nat, `|rho l - s| <= a ^+ l * (`|rho 0%N - s| / (1 - `|rho 0%N|)).
Proof.
by move=> start rate rate0; apply: (path c0 c1 s0 s1 fixed qE rate start) => //; right.
Qed.

Theorem attraction_nonnegative : 0 <= rho 0%N < 1 ->
  forall l : nat, `|rho l - s| <= (2%:R - q)^-1 ^+ l * (`|rho 0%N - s| / (1 - rho 0%N)).
Proof.
move=> /andP[start0 start1] l; have start : `|rho 0%N| < 1 by rewrite ger0_norm.
have := path c0 c1 s0 s1 fixed qE (lexx _) start (or_introl start0) step l.
by rewrite (ger0_norm start0).
Qed.

End Theorems.
