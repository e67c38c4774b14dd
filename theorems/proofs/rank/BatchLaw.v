(* The stationary spectrum of a deep rescaled chain, n = c sqrt d samples: what of it is algebra.

   With p the eigenvalues of M over d and m_k = sum p^k = a_k d^((1-k)/2), one layer leaves a_k in
   place, to leading order, if a_(k+1) = a_2 a_k + 1/4 sum_(0<i<k) a_i a_(k-i).  Here A_k stands for
   a_(k+1), so that A_0 = 1, A_1 = a_2 = t and A_(k+1) = t A_k + 1/4 sum_(i<k) A_i A_(k-1-i).

   semicircle_moments     A_k = sum_j C(k,j) t^(k-j) s_j solves it, s the moments of the semicircle
                          of radius 1 about 0: s_0 = 1, s_1 = 0,
                          s_(j+2) = 1/4 sum_(i<=j) s_i s_(j-i)
   semicircle_unique      nothing else does
   generating_quadratic   the recursion up to K says: 1/4 X^2 G^2 - (1 - t X) G + 1 begins past X^K
   batch_count            0 < c <= 2, a = (c^2+4)/(4c): 2 (a - sqrt(a^2-1)) = c (batch_count_centre)
   batch_count_inverse    a >= 1, c = 2 (a - sqrt(a^2-1)): a = (c^2+4)/(4c) and 0 < c <= 2
   batch_next_order       what the next order adds to a is 1/2 + 7 c^2/48
   batch_lower_edge, batch_upper_edge   a - 1 = (2-c)^2/(4c), a + 1 = (2+c)^2/(4c)
   batch_law_peak         n/(1+n^2/(4d)) <= sqrt d (batch_law_peak_sizes: for whole numbers)
   batch_law_peak_only    with equality at n = 2 sqrt d and nowhere else
   batch_law_monotone     it rises up to n = 2 sqrt d (batch_law_monotone_sizes: up to m n = 4 d)
   batch_law_half         there it is at least n/2

   Source: ours.
   Depends on: nothing but mathcomp.
   Proves the Python statements: rank.semicircle_moments, rank.batch_count, rank.batch_edges,
   rank.batch_next_order, rank.batch_peak, rank.batch_monotone *)

From mathcomp Require Import all_ssreflect all_algebra ring zify.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Semicircle.

Variables (R : realFieldType) (s : nat -> R).
Hypothesis s_zero : s 0%N = 1.
Hypothesis s_one : s 1%N = 0.
Hypothesis s_next : forall j : nat, s j.+2 = 4%:R^-1 * \sum_(i < j.+1) s i * s (j - i)%N.

(* The moments about 0 of the semicircle about 'X, as polynomials in 'X. *)
Let P (k : nat) : {poly R} := \sum_(j < k.+1) ('C(k, j)%:R * s j) *: 'X^(k - j).
Let D (k : nat) : {poly R} :=
  P k.+1 - 'X * P k - 4%:R^-1 *: \sum_(i < k) P i * P (k.-1 - i)%N.

Lemma P_deriv (k : nat) : (P k.+1)^`() = k.+1%:R *: P k.
Proof.
rewrite /P raddf_sum /= big_ord_recr /= subnn expr0 derivZ derivC scaler0 addr0 scaler_sumr.
apply: eq_bigr => j _; have jk : (j <= k)%N by rewrite -ltnS.
rewrite derivZ derivXn subSn //= -scaler_nat !scalerA; congr (_ *: _).
rewrite [in LHS]mulrAC [in RHS]mulrA -!natrM; congr (_%:R * _).
by rewrite mulnC -subSn // -mul_bin_down.
Qed.

Lemma D_deriv (k : nat) : (D k.+1)^`() = k.+1%:R *: D k.
Proof.
rewrite /D !derivB derivZ derivM derivX mul1r !P_deriv.
have conv : (\sum_(i < k.+1) P i * P (k - i)%N)^`() = k.+1%:R *: \sum_(i < k) P i * P (k.-1 - i)%N.
  pose rule (i : 'I_k.+1) := (P i)^`() * P (k - i)%N + P i * (P (k - i)%N)^`().
  rewrite raddf_sum /= (eq_bigr rule) => [|i _]; last by rewrite derivM.
  rewrite /rule.
  rewrite big_split /= big_ord_recl [X in _ + X]big_ord_recr /= subnn.
  have P0 : (P 0%N)^`() = 0 by rewrite /P big_ord1 expr0 derivZ derivC scaler0.
  rewrite P0 mul0r mulr0 add0r addr0 -big_split scaler_sumr /=; apply: eq_bigr => i _.
  have ik := ltn_ord i.
  have -> : (k - i = (k.-1 - i).+1)%N by lia.
  have -> : (k - bump 0 i = k.-1 - i)%N by rewrite /bump /=; lia.
  rewrite /bump /= add1n !P_deriv -scalerAl -scalerAr -scalerDl -natrD; congr (_%:R *: _).
  by lia.
rewrite {}conv !scalerBr !scalerA.
have -> : k.+2%:R *: P k.+1 - (P k.+1 + 'X * (k.+1%:R *: P k))
    = k.+1%:R *: P k.+1 - k.+1%:R *: ('X * P k).
  by rewrite -scalerAr -[k.+2]addn1 natrD scalerDl scale1r opprD addrA addrK.
by rewrite [4%:R^-1 * _]mulrC.
Qed.

Lemma P_zero (k : nat) : (P k).[0] = s k.
Proof.
rewrite /P horner_sum big_ord_recr /= subnn expr0 hornerZ hornerC mulr1 binn mul1r.
rewrite big1 ?add0r // => i _.
by rewrite hornerZ hornerXn expr0n subn_eq0 leqNgt ltn_ord mulr0.
Qed.

Lemma D_zero (k : nat) : D k = 0.
Proof.
have const (p : {poly R}) : p^`() = 0 -> p.[0] = 0 -> p = 0.
  move=> p1 p0; apply/polyP => i; rewrite coef0; case: i => [|i]; first by rewrite -horner_coef0.
  have := congr1 (fun q : {poly R} => q`_i) p1; rewrite coef_deriv coef0 => /eqP.
  by rewrite mulrn_eq0 => /eqP.
elim: k => [|k IH].
  rewrite /D big_ord0 scaler0 subr0 /P big_ord_recl !big_ord1 /= !bin0 binn.
  by rewrite s_zero s_one !mulr1 mulr0 scale0r addr0 !scale1r expr0 mulr1 subrr.
apply: const; first by rewrite D_deriv IH scaler0.
rewrite /D !hornerD !hornerN hornerZ hornerM hornerX mul0r oppr0 addr0 P_zero s_next horner_sum.
apply/eqP; rewrite subr_eq0; apply/eqP; congr (_ * _); apply: eq_bigr => i _.
by rewrite hornerM !P_zero.
Qed.

(* The moments about 0 of the semicircle of radius 1 about t. *)
Let A (t : R) (k : nat) := \sum_(j < k.+1) 'C(k, j)%:R * t ^+ (k - j) * s j.

Lemma A_horner (t : R) (k : nat) : A t k = (P k).[t].
Proof.
rewrite /P horner_sum; apply: eq_bigr => j _.
by rewrite hornerZ hornerXn mulrAC.
Qed.

Theorem semicircle_moments (t : R) :
  A t 0 = 1 /\ A t 1 = t /\
  forall k : nat, A t k.+1 = t * A t k + 4%:R^-1 * \sum_(i < k) A t i * A t (k.-1 - i)%N.
Proof.
split; first by rewrite /A big_ord1 subnn expr0 bin0 s_zero !mulr1.
split.
  by rewrite /A big_ord_recl big_ord1 subn0 bin0 s_zero s_one mulr0 addr0 mul1r mulr1 expr1.
move=> k; have := congr1 (fun p : {poly R} => p.[t]) (D_zero k).
rewrite /D !hornerD !hornerN hornerZ hornerM hornerX -!A_horner horner_sum horner0 => /eqP.
rewrite -addrA -opprD subr_eq0 => /eqP ->; congr (_ + _ * _).
by apply: eq_bigr => i _; rewrite hornerM !A_horner.
Qed.

Theorem semicircle_unique (t : R) (a : nat -> R) :
  a 0%N = 1 ->
  (forall k : nat, a k.+1 = t * a k + 4%:R^-1 * \sum_(i < k) a i * a (k.-1 - i)%N) ->
  forall k : nat, a k = A t k.
Proof.
move=> a0 step k; have [A0 [_ Astep]] := semicircle_moments t.
elim/ltn_ind: k => -[|k] IH; first by rewrite a0 A0.
rewrite step Astep IH //; congr (_ + _ * _); apply: eq_bigr => i _.
by have ik := ltn_ord i; rewrite !IH //; lia.
Qed.

End Semicircle.

Section GeneratingFunction.

Variables (R : realFieldType) (t : R) (a : nat -> R) (K : nat).

Let G : {poly R} := \sum_(k < K.+1) a k *: 'X^k.

Theorem generating_quadratic :
  (a 0%N = 1 /\ forall k : nat, (k < K)%N ->
     a k.+1 = t * a k + 4%:R^-1 * \sum_(i < k) a i * a (k.-1 - i)%N)
  <-> forall i : nat, (i <= K)%N ->
     (4%:R^-1 *: (G * G) * 'X^2 - (G - t *: (G * 'X)) + 1)`_i = 0.
Proof.
have coefG i : (i <= K)%N -> G`_i = a i.
  move=> iK; rewrite /G coef_sum (bigD1 (Ordinal (iK : (i < K.+1)%N))) //= coefZ coefXn eqxx mulr1.
  rewrite big1 ?addr0 // => j ji; rewrite coefZ coefXn.
  have [ij|_] := eqVneq i j; last by rewrite mulr0.
  by move: ji; rewrite -(inj_eq val_inj) /= -ij eqxx.
have square k : (k < K)%N -> ((4%:R^-1 *: (G * G)) * 'X^2)`_k.+1
    = 4%:R^-1 * \sum_(i < k) a i * a (k.-1 - i)%N.
  move=> kK; rewrite coefMXn; case: k kK => [|k] kK; first by rewrite big_ord0 mulr0.
  rewrite -[k.+2]addn2 ltnNge leq_addl /= addnK coefZ coefM; congr (_ * _).
  apply: eq_bigr => i _; have ik := ltn_ord i.
  by rewrite !coefG //; lia.
have first_term : (4%:R^-1 *: (G * G) * 'X^2 - (G - t *: (G * 'X)) + 1)`_0 = 1 - a 0%N.
  rewrite !coefD !coefN coefMXn /= coefD coefN coefZ coefMX /= mulr0 subr0.
  by rewrite coefG // coef1 sub0r addrC.
have term k : (k < K)%N -> (4%:R^-1 *: (G * G) * 'X^2 - (G - t *: (G * 'X)) + 1)`_k.+1
    = t * a k + 4%:R^-1 * (\sum_(i < k) a i * a (k.-1 - i)%N) - a k.+1.
  move=> kK; rewrite !coefD !coefN square // coefD coefN coefZ coefMX /= !coefG // 1?ltnW //.
  by rewrite coef1 /= addr0 opprB addrCA addrA.
split=> [[a0 step]|zero].
  case=> [|k] kK; first by rewrite first_term a0 subrr.
  by rewrite term // -step // subrr.
split; first by have := zero 0%N (leq0n K); rewrite first_term => /eqP; rewrite subr_eq0 => /eqP.
by move=> k kK; have := zero k.+1 kK; rewrite term // => /eqP; rewrite subr_eq0 => /eqP.
Qed.

End GeneratingFunction.

(* What the next order adds to a_2: -P(0)/G(0) with G(0) = -c, as all eigenvalues are kept. *)
Theorem batch_next_order_terms (R : realFieldType) (c : R) : 0 < c <= 2%:R ->
  let a := (c ^+ 2 + 4%:R) / (4%:R * c) in
  a / c - a ^+ 2 + 4%:R^-1 + a * c / 2%:R + c ^+ 2 / 12%:R = 7%:R * c ^+ 2 / 48%:R + 2%:R^-1.
Proof. by move=> /andP[c0 _] a; rewrite /a; field; rewrite lt0r_neq0. Qed.

Theorem batch_next_order (R : realFieldType) (c : R) : 0 < c <= 2%:R ->
  (c ^+ 2 + 4%:R) / (4%:R * c ^+ 2) + 5%:R * c ^+ 2 / 24%:R + 3%:R / 4%:R
  - (c ^+ 2 + 4%:R) ^+ 2 / (16%:R * c ^+ 2) = 7%:R * c ^+ 2 / 48%:R + 2%:R^-1.
Proof. by move=> /andP[c0 _]; field; rewrite lt0r_neq0. Qed.

(* --- where the spectrum ends --- *)

Theorem batch_lower_edge (R : realFieldType) (c : R) : 0 < c <= 2%:R ->
  (c ^+ 2 + 4%:R) / (4%:R * c) - 1 = (2%:R - c) ^+ 2 / (4%:R * c).
Proof. by move=> /andP[c0 _]; field; rewrite lt0r_neq0. Qed.

Theorem batch_upper_edge (R : realFieldType) (c : R) : 0 < c <= 2%:R ->
  (c ^+ 2 + 4%:R) / (4%:R * c) + 1 = (2%:R + c) ^+ 2 / (4%:R * c).
Proof. by move=> /andP[c0 _]; field; rewrite lt0r_neq0. Qed.

(* Larger batches, larger rank: m n <= 4 d is all it takes. *)
Lemma below_pos (R : realFieldType) (n d : R) : 0 < n -> 0 < d -> 0 < 4%:R * d + n ^+ 2.
Proof. by move=> n0 d0; apply: addr_gt0; rewrite ?exprn_gt0 ?mulr_gt0 ?ltr0n. Qed.

Lemma batch_law_rises (R : realFieldType) (m n d : R) : 0 < m -> 0 < n -> 0 < d -> m <= n ->
  m * n <= 4%:R * d -> m / (1 + m ^+ 2 / (4%:R * d)) <= n / (1 + n ^+ 2 / (4%:R * d)).
Proof.
move=> m0 n0 d0 mn below; have p0 (x : R) : 0 < x -> 0 < 4%:R * d + x ^+ 2.
  by move=> x0; apply: below_pos.
rewrite -subr_ge0.
have -> : n / (1 + n ^+ 2 / (4%:R * d)) - m / (1 + m ^+ 2 / (4%:R * d))
    = 4%:R * d * (n - m) * (4%:R * d - m * n) / ((4%:R * d + n ^+ 2) * (4%:R * d + m ^+ 2)).
  by field; apply/and3P; split; apply: lt0r_neq0; rewrite ?p0.
apply: divr_ge0; last by rewrite mulr_ge0 // ltW ?p0.
by rewrite !mulr_ge0 ?subr_ge0 ?ler0n // ltW.
Qed.

Theorem batch_law_monotone_sizes (R : realFieldType) (d : nat) (n : nat) (m : nat) :
  (1 <= d)%N -> (1 <= n)%N -> (1 <= m)%N ->
  m%:R <= n%:R :> R -> m%:R * n%:R <= 4%:R * d%:R :> R ->
  m%:R / (m%:R ^+ 2 / (4%:R * d%:R) + 1) <= n%:R / (n%:R ^+ 2 / (4%:R * d%:R) + 1) :> R.
Proof.
move=> d1 n1 m1 mn below; rewrite ![_ + 1]addrC.
by apply: batch_law_rises => //; rewrite ltr0n.
Qed.

Section Count.

Variable R : rcfType.

Theorem batch_count_centre (c : R) : 0 < c -> c <= 2%:R ->
  let a := (c ^+ 2 + 4%:R) / (4%:R * c) in 2%:R * (a - Num.sqrt (a ^+ 2 - 1)) = c.
Proof.
move=> c0 c2 a; have cn := lt0r_neq0 c0.
have -> : a ^+ 2 - 1 = ((4%:R - c ^+ 2) / (4%:R * c)) ^+ 2 by rewrite /a; field; rewrite cn.
have sq : c ^+ 2 <= 4%:R.
  by rewrite (_ : 4%:R = 2%:R ^+ 2 :> R) ?ler_sqr ?nnegrE ?ler0n ?(ltW c0) // -natrX.
rewrite sqrtr_sqr ger0_norm; last by rewrite divr_ge0 ?subr_ge0 // mulr_ge0 ?ler0n // ltW.
by rewrite /a; field; rewrite cn.
Qed.

Theorem batch_count (c : R) : 0 < c <= 2%:R ->
  (c ^+ 2 + 4%:R) / (2%:R * c)
  - 2%:R * Num.sqrt ((c ^+ 2 + 4%:R) ^+ 2 / (16%:R * c ^+ 2) - 1) = c.
Proof.
move=> /andP[c0 c2]; have cn := lt0r_neq0 c0; rewrite -[RHS](batch_count_centre c0 c2) mulrBr.
congr (_ - _ * Num.sqrt (_ - _)); first by field; rewrite cn.
by field; rewrite cn.
Qed.

Theorem batch_count_inverse (a c : R) : 1 <= a -> c = 2%:R * (a - Num.sqrt (a ^+ 2 - 1)) ->
  0 < c <= 2%:R /\ a = (c ^+ 2 + 4%:R) / (4%:R * c).
Proof.
move=> a1 ->; set s := Num.sqrt _.
have a0 : 0 <= a := le_trans ler01 a1.
have q0 : 0 <= a ^+ 2 - 1 by rewrite subr_ge0 expr_ge1.
have s0 : 0 <= s := sqrtr_ge0 _.
have sE : s ^+ 2 = a ^+ 2 - 1 by rewrite sqr_sqrtr.
have sa : s < a by rewrite -ltr_sqr ?nnegrE // sE ltr_subl_addr ltr_addl ltr01.
have as1 : a - s <= 1.
  rewrite ler_subl_addl -ler_subl_addr -ler_sqr ?nnegrE ?subr_ge0 // sE -subr_ge0.
  have -> : a ^+ 2 - 1 - (a - 1) ^+ 2 = 2%:R * (a - 1) by ring.
  by rewrite mulr_ge0 ?ler0n ?subr_ge0.
have d0 : 0 < a - s by rewrite subr_gt0.
split; first by rewrite mulr_gt0 ?ltr0n //= -[X in _ <= X]mulr1 ler_pmul2l ?ltr0n.
apply: (mulIf (lt0r_neq0 (mulr_gt0 (ltr0n R 8 : 0 < 8%:R) d0))).
have -> : (2%:R * (a - s)) ^+ 2 + 4%:R = 8%:R * a * (a - s).
  transitivity (4%:R * a ^+ 2 - 8%:R * a * s + 4%:R * s ^+ 2 + 4%:R); first by ring.
  by rewrite sE; ring.
by field; rewrite lt0r_neq0.
Qed.

(* n samples at width d, both as numbers above 0. *)
Let law (n d : R) := n / (1 + n ^+ 2 / (4%:R * d)).

Lemma law_below (n d : R) : 0 < n -> 0 < d ->
  Num.sqrt d - law n d = (n - 2%:R * Num.sqrt d) ^+ 2 * Num.sqrt d / (4%:R * d + n ^+ 2).
Proof.
move=> n0 d0; rewrite /law; have q0 : 0 < Num.sqrt d by rewrite sqrtr_gt0.
have dE : d = Num.sqrt d ^+ 2 by rewrite sqr_sqrtr // ltW.
move: q0 dE; move: (Num.sqrt d) => q q0 ->.
field; apply/andP; split; apply: lt0r_neq0 => //.
by apply: below_pos; rewrite ?exprn_gt0.
Qed.

Theorem batch_law_peak (n d : R) : 0 < n -> 0 < d ->
  n / (1 + n ^+ 2 / (4%:R * d)) <= Num.sqrt d.
Proof.
move=> n0 d0; rewrite -subr_ge0 -/(law n d) law_below //; apply: divr_ge0; last exact/ltW/below_pos.
by rewrite mulr_ge0 ?sqr_ge0 ?sqrtr_ge0.
Qed.

Theorem batch_law_peak_sizes (d : nat) (n : nat) : (1 <= d)%N -> (1 <= n)%N ->
  n%:R / (n%:R ^+ 2 / (4%:R * d%:R) + 1) <= Num.sqrt d%:R :> R.
Proof. by move=> d1 n1; rewrite [_ + 1]addrC batch_law_peak ?ltr0n. Qed.

Theorem batch_law_peak_only (n d : R) : 0 < n -> 0 < d ->
  n / (1 + n ^+ 2 / (4%:R * d)) = Num.sqrt d <-> n = 2%:R * Num.sqrt d.
Proof.
move=> n0 d0; have := law_below n0 d0; rewrite /law => E.
have q0 : 0 < Num.sqrt d by rewrite sqrtr_gt0.
have p0 : 0 < 4%:R * d + n ^+ 2 by apply: below_pos.
split=> [eq|eq].
  move/eqP: E; rewrite eq subrr eq_sym !mulf_eq0 invr_eq0 (gt_eqF p0) (gt_eqF q0) !orbF orbb.
  by rewrite subr_eq0 => /eqP.
by move: E; rewrite [in RHS]eq subrr expr0n /= !mul0r => /eqP; rewrite subr_eq0 => /eqP.
Qed.

Theorem batch_law_monotone (m n d : R) : 0 < m -> m <= n -> n <= 2%:R * Num.sqrt d -> 0 < d ->
  m / (1 + m ^+ 2 / (4%:R * d)) <= n / (1 + n ^+ 2 / (4%:R * d)).
Proof.
move=> m0 mn n2 d0; have n0 := lt_le_trans m0 mn; apply: batch_law_rises => //.
have -> : 4%:R * d = (2%:R * Num.sqrt d) ^+ 2 by rewrite exprMn sqr_sqrtr ?ltW // -natrX.
by rewrite expr2; apply: ler_pmul; rewrite ?(ltW m0) ?(ltW n0) // (le_trans mn).
Qed.

Theorem batch_law_half (n d : R) : 0 < n -> n <= 2%:R * Num.sqrt d -> 0 < d ->
  n / 2%:R <= n / (1 + n ^+ 2 / (4%:R * d)).
Proof.
move=> n0 n2 d0; have d4 : 0 < 4%:R * d by rewrite mulr_gt0 ?ltr0n.
have small : n ^+ 2 / (4%:R * d) <= 1.
  rewrite ler_pdivr_mulr // mul1r.
  have -> : 4%:R * d = (2%:R * Num.sqrt d) ^+ 2 by rewrite exprMn sqr_sqrtr ?ltW // -natrX.
  by rewrite ler_sqr ?nnegrE ?mulr_ge0 ?ler0n ?sqrtr_ge0 // ltW.
have p0 : 0 < 1 + n ^+ 2 / (4%:R * d).
  by apply: ltr_paddr; rewrite ?ltr01 // divr_ge0 ?sqr_ge0 // ltW.
rewrite ler_pmul2l // lef_pinv ?posrE ?ltr0n // (_ : 2%:R = 1 + 1 :> R) // ler_add2l //.
Qed.

End Count.
