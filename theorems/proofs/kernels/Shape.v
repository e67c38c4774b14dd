(* The shape of kappa(rho) = sum_k c_k rho^k with weights c_k >= 0 of sum 1, so that kappa(1) = 1.

   lines_up: |kappa(r) - kappa(0)| <= (1 - kappa(0)) |r|.
   mirror: |kappa(r)| <= kappa(|r|).
   kernel_convex: kappa(t x + (1-t) y) <= t kappa(x) + (1-t) kappa(y) for x, y >= 0.
   product_cauchy: kappa(x y)^2 <= kappa(x^2) kappa(y^2).
   poincare: kappa'(1) >= 1 - kappa(0).
   slope_at_one: kappa'(1) >= 2 - 2 kappa(0) - kappa'(0).
   never_less_alike: kappa'(1) <= 1 implies rho <= kappa(rho).
   fixed_point_lower, fixed_point_slope: kappa(s) = s, 0 <= s < 1: s - kappa(0) <= s kappa'(s) <= s.
   near_orthogonal: kappa(0) = 0, q = kappa'(0): |kappa(r)| <= |r| (q + (1-q)|r|).

   Kernels here are polynomials; a power series is a limit of such, in which all of these survive.
   Source: ours.
   Depends on: Correlations. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm Require Import kernels.Correlations.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Shape.

Variables (R : realFieldType) (m : nat) (c : 'I_m -> R).
Hypothesis c0 : forall k : 'I_m, 0 <= c k.

Definition kernel (r : R) := \sum_(k < m) c k * r ^+ k.

Lemma ord_le_pred (k : nat) (i : 'I_k) : (i <= k.-1)%N.
Proof. by case: k i => [[]//|k] i; rewrite -ltnS. Qed.

(* The divided difference of kappa at x and y. *)
Definition secant (x y : R) := \sum_(k < m) c k * \sum_(i < k) x ^+ (k.-1 - i) * y ^+ i.

Lemma secantE (x y : R) : kernel x - kernel y = (x - y) * secant x y.
Proof.
rewrite /kernel /secant -sumrB mulr_sumr; apply: eq_bigr => k _.
by rewrite -mulrBr subrXX mulrCA.
Qed.

Lemma secant_diagonal (s : R) : s * secant s s = \sum_(k < m) k%:R * c k * s ^+ k.
Proof.
rewrite /secant mulr_sumr; apply: eq_bigr => k _.
have -> : \sum_(i < k) s ^+ (k.-1 - i) * s ^+ i = k%:R * s ^+ k.-1.
  transitivity (\sum_(i < k) s ^+ k.-1); last by rewrite sumr_const card_ord mulr_natl.
  by apply: eq_bigr => i _; rewrite -exprD subnK // ord_le_pred.
case: (nat_of_ord k) => [|j]; first by rewrite !mul0r !mulr0 // mul0r.
by rewrite exprS; move: (s ^+ j) => z; ring.
Qed.

Lemma secant_mono (x y z : R) : 0 <= x -> 0 <= y <= z -> secant x y <= secant x z.
Proof.
move=> x0 /andP[y0 yz]; apply: ler_sum => k _; rewrite ler_wpmul2l //.
by apply: ler_sum => i _; rewrite ler_wpmul2l ?exprn_ge0 // ler_expn2r ?nnegrE // (le_trans y0).
Qed.

Lemma secant_ge0 (x y : R) : 0 <= x -> 0 <= y -> 0 <= secant x y.
Proof.
move=> x0 y0; apply: sumr_ge0 => k _; rewrite mulr_ge0 //.
by apply: sumr_ge0 => i _; rewrite mulr_ge0 ?exprn_ge0.
Qed.

Lemma secant_sym (x y : R) : secant x y = secant y x.
Proof.
apply: eq_bigr => k _; congr (_ * _); rewrite (reindex_inj rev_ord_inj) /=; apply: eq_bigr => i _.
have -> : (k - i.+1 = k.-1 - i)%N by rewrite subnS -subn1 subnAC subn1.
by rewrite mulrC subKn // ord_le_pred.
Qed.

Lemma kernel_ge0 (x : R) : 0 <= x -> 0 <= kernel x.
Proof. by move=> x0; apply: sumr_ge0 => k _; rewrite mulr_ge0 ?exprn_ge0. Qed.

Theorem mirror (x : R) : `|kernel x| <= kernel `|x|.
Proof.
apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => k _.
by rewrite normrM ger0_norm // normrX.
Qed.

Theorem kernel_convex (x y t : R) : 0 <= x -> 0 <= y -> 0 <= t <= 1 ->
  kernel (t * x + (1 - t) * y) <= t * kernel x + (1 - t) * kernel y.
Proof.
move=> x0 y0 /andP[t0 t1]; set z := t * x + _.
have u0 : 0 <= 1 - t by rewrite subr_ge0.
have z0 : 0 <= z by rewrite addr_ge0 ?mulr_ge0.
have tangent (w : R) : 0 <= w -> (w - z) * secant z z <= kernel w - kernel z.
  move=> w0; rewrite secantE [secant w z]secant_sym.
  have [wz|zw] := leP w z; first by rewrite ler_wnmul2l ?subr_le0 // secant_mono ?w0.
  by rewrite ler_wpmul2l ?subr_ge0 ?(ltW zw) // secant_mono // z0 ltW.
have /(ler_wpmul2l t0) px := tangent x x0; have /(ler_wpmul2l u0) py := tangent y y0.
rewrite -subr_ge0; set g := secant z z in px py.
apply: le_trans (_ : t * ((x - z) * g) + (1 - t) * ((y - z) * g) <= _).
  by rewrite le_eqVlt /z; apply/orP; left; apply/eqP; ring.
by apply: le_trans (ler_add px py) _; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

Theorem product_cauchy (x y : R) : kernel (x * y) ^+ 2 <= kernel (x ^+ 2) * kernel (y ^+ 2).
Proof.
have pairs (a b : 'I_m) :
    2%:R * ((c a * (x * y) ^+ a) * (c b * (x * y) ^+ b))
    <= c a * (x ^+ 2) ^+ a * (c b * (y ^+ 2) ^+ b) + c b * (x ^+ 2) ^+ b * (c a * (y ^+ 2) ^+ a).
  rewrite -!exprM ![(2 * _)%N]mulnC !exprM !exprMn -subr_ge0.
  set xa := x ^+ a; set ya := y ^+ a; set xb := x ^+ b; set yb := y ^+ b.
  have -> : c a * xa ^+ 2 * (c b * yb ^+ 2) + c b * xb ^+ 2 * (c a * ya ^+ 2)
      - 2%:R * (c a * (xa * ya) * (c b * (xb * yb))) = c a * c b * (xa * yb - xb * ya) ^+ 2 by ring.
  by apply: mulr_ge0 (sqr_ge0 _); apply: mulr_ge0.
have double (f : 'I_m -> 'I_m -> R) :
    2%:R * (\sum_i \sum_j f i j) = \sum_i \sum_j (f i j + f j i).
  rewrite mulr2n mulrDl mul1r {2}exchange_big /= -big_split /=.
  by apply: eq_bigr => i _; rewrite big_split.
have : 2%:R * kernel (x * y) ^+ 2 <= 2%:R * (kernel (x ^+ 2) * kernel (y ^+ 2)).
  rewrite expr2 /kernel !big_distrlr /= [X in _ <= X]double mulr_sumr; apply: ler_sum => a _.
  by rewrite mulr_sumr; apply: ler_sum => b _; exact: pairs.
by rewrite ler_pmul2l ?ltr0n.
Qed.

Theorem fixed_point_lower (s : R) : 0 <= s -> kernel s = s ->
  s - kernel 0 <= \sum_(k < m) k%:R * c k * s ^+ k.
Proof.
move=> s0 fixed; rewrite -secant_diagonal; have := secantE s 0; rewrite fixed subr0 => ->.
by rewrite ler_wpmul2l // secant_mono // lexx.
Qed.

Hypothesis c1 : \sum_(k < m) c k = 1.

Lemma kernel1 : kernel 1 = 1.
Proof. by rewrite -[RHS]c1; apply: eq_bigr => k _; rewrite expr1n mulr1. Qed.

Lemma kernel0_ge0 : 0 <= kernel 0.
Proof. exact: kernel_ge0. Qed.

Theorem lines_up (x : R) : `|x| <= 1 -> `|kernel x - kernel 0| <= (1 - kernel 0) * `|x|.
Proof.
move=> x1; rewrite -kernel1 /kernel -!sumrB mulr_suml.
apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => k _.
rewrite -!mulrBr normrM ger0_norm // -mulrA ler_wpmul2l // expr1n.
case: (nat_of_ord k) => [|j]; first by rewrite !expr0 !subrr normr0 mul0r.
by rewrite expr0n subr0 subr0 mul1r normrX exprS ler_pimulr // exprn_ile1.
Qed.

Lemma kernel0_le1 : kernel 0 <= 1.
Proof.
rewrite -kernel1; apply: ler_sum => k _; rewrite ler_wpmul2l // expr1n expr0n.
by case: eqP => _; rewrite ?ler01.
Qed.

Theorem slope_at_one :
  2%:R - 2%:R * kernel 0 - \sum_(k < m | nat_of_ord k == 1%N) c k <= \sum_(k < m) k%:R * c k.
Proof.
have two : 2%:R = \sum_(k < m) 2%:R * c k by rewrite -mulr_sumr c1 mulr1.
rewrite {1}two /kernel mulr_sumr -sumrB.
rewrite (big_mkcond (fun k : 'I_m => nat_of_ord k == 1%N)) -sumrB; apply: ler_sum => k _.
move: (c k) (c0 k) => x x0; case: (nat_of_ord k) => [|[|j]] /=.
- by rewrite expr0 mulr1 subrr subr0 mul0r.
- by rewrite expr0n /= le_eqVlt; apply/orP; left; apply/eqP; ring.
- by rewrite expr0n /= !mulr0 !subr0 ler_wpmul2r // ler_nat.
Qed.

Theorem poincare : 1 - kernel 0 <= \sum_(k < m) k%:R * c k.
Proof.
rewrite -{1}kernel1 /kernel -sumrB; apply: ler_sum => k _; rewrite -mulrBr mulrC ler_wpmul2r //.
by rewrite expr1n expr0n; case: (nat_of_ord k) => [|j]; rewrite ?subrr // subr0 ler1n.
Qed.

Theorem never_less_alike (r : R) : `|r| <= 1 -> \sum_(k < m) k%:R * c k <= 1 -> r <= kernel r.
Proof.
move=> r1 slope; have t0 : 0 <= 1 - r by rewrite subr_ge0 (le_trans (ler_norm _)).
have := le_trans (angle_contracts c0 c1 r1) (ler_wpmul2r t0 slope).
by rewrite mul1r ler_add2l ler_opp2.
Qed.

Theorem near_orthogonal (r q : R) : `|r| <= 1 ->
  (forall k : 'I_m, nat_of_ord k = 0%N -> c k = 0) ->
  q = \sum_(k < m | nat_of_ord k == 1%N) c k ->
  `|kernel r| <= `|r| * (q + (1 - q) * `|r|).
Proof.
move=> r1 zero qE; set x := `|r|; have x0 : 0 <= x := normr_ge0 r.
apply: le_trans (mirror r) _; rewrite -/x.
have -> : x * (q + (1 - q) * x) = \sum_(k < m) c k * (if nat_of_ord k == 1%N then x else x ^+ 2).
  have rest : 1 - q = \sum_(k < m | nat_of_ord k != 1%N) c k.
    rewrite qE -[X in X - _ = _]c1 [X in X - _ = _](bigID (fun k : 'I_m => nat_of_ord k == 1%N)) /=.
    by rewrite addrAC subrr add0r.
  rewrite (bigID (fun k : 'I_m => nat_of_ord k == 1%N)) /= rest.
  transitivity (q * x + (\sum_(k < m | nat_of_ord k != 1%N) c k) * x ^+ 2); first by ring.
  rewrite {1}qE !mulr_suml; congr (_ + _); apply: eq_bigr => k; first by move=> /eqP ->.
  by move=> /negPf ->.
apply: ler_sum => k _; case: eqP => [->|/eqP k1]; first by rewrite expr1.
have [/zero ->|k0] := eqVneq (nat_of_ord k) 0%N; first by rewrite !mul0r.
by rewrite ler_wpmul2l // power_le ?x0 //; case: (nat_of_ord k) k0 k1 => [|[|]].
Qed.

Section FixedPoint.

Variable s : R.
Hypotheses (s0 : 0 <= s) (s1 : s < 1) (fixed : kernel s = s).

Lemma secant_fixed : secant s 1 = 1.
Proof.
have ne : s - 1 != 0 by rewrite subr_eq0 lt_eqF.
by apply: (mulfI ne); rewrite -secantE fixed kernel1 mulr1.
Qed.

Theorem fixed_point_slope : \sum_(k < m) k%:R * c k * s ^+ k <= s.
Proof.
rewrite -secant_diagonal.
apply: (@le_trans _ _ (s * secant s 1)); last by rewrite secant_fixed mulr1.
by rewrite ler_wpmul2l // secant_mono // s0 ltW.
Qed.

End FixedPoint.

End Shape.
