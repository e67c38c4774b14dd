(* The soft rank is at least (1 - tau)^2 times the effective rank.

   In words: let l_1, ..., l_d >= 0 be the eigenvalues of a covariance M scaled to Tr M = d, and let
   0 <= tau <= 1.  Then #{i : tau <= l_i} >= (1 - tau)^2 (sum_i l_i)^2 / sum_i l_i^2.

   Source: Daneshmand, Kohler, Bach, Hofmann, Lucchi, "Batch Normalization Provably Avoids Rank Collapse
   for Randomly Initialised Deep Networks", NeurIPS 2020, arXiv 2003.01652 (lemma on the soft rank).
   Proof: Paley-Zygmund, that is, Cauchy-Schwarz on the eigenvalues above the threshold.

   soft_rank_lower_bound           division-free, the count as a cardinal
   soft_rank_lower_bound_sum       division-free, the count as a sum of indicators
   soft_rank_lower_bound_ratio     with the effective rank as a quotient
   soft_rank_lower_bound_matrix    for a matrix given with an orthogonal diagonalisation
   soft_rank_lower_bound_sharp     Cantelli: (1 - tau)^2 d^2 <= #{i : tau <= l_i} sum_i (l_i - tau)^2
   soft_rank_lower_bound_sharper   the sharp form in terms of sum_i l_i^2
   soft_rank_sharp_attained        with equality for all l_i = 1
   soft_rank_every_width           (1 - tau)^2 + tau (2 - tau)/d in place of (1 - tau)^2

   Depends on: common/Sums.v (cauchy_schwarz).
   Proves the Python statement: rank.soft_rank_lower_bound *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma count_indicator (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  \sum_(i < d) (if tau <= l i then 1 else 0) = #|[pred i : 'I_d | tau <= l i]|%:R :> R.
Proof. by rewrite -big_mkcond sumr_const. Qed.

(* The signs of the l_i are not needed; they stay out of the proof. *)
Lemma soft_rank_centred (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  tau <= 1 -> \sum_(i < d) l i = d%:R ->
  (1 - tau) ^+ 2 * d%:R ^+ 2
  <= (\sum_(i < d) (if tau <= l i then 1 else 0)) * (\sum_(i < d) (l i - tau) ^+ 2).
Proof.
move=> tau1 trace; pose w i : R := if tau <= l i then 1 else 0.
have w01 i : 0 <= w i <= 1 by rewrite /w; case: ifP; rewrite ?ler01 ?lexx.
have above : (1 - tau) * d%:R <= \sum_i w i * (l i - tau).
  have -> : (1 - tau) * d%:R = \sum_(i < d) (l i - tau).
    by rewrite sumrB trace sumr_const card_ord -[tau *+ d]mulr_natr mulrBl mul1r.
  apply: ler_sum => i _; rewrite /w.
  by case: ifPn; rewrite ?mul1r ?mul0r // -ltNge subr_le0 => /ltW.
have start0 : 0 <= (1 - tau) * d%:R by rewrite mulr_ge0 ?subr_ge0 ?ler0n.
rewrite -exprMn; apply: (le_trans (_ : _ <= (\sum_i w i * (l i - tau)) ^+ 2)).
  by rewrite ler_expn2r // nnegrE (le_trans start0 above).
have -> : \sum_i w i * (l i - tau) = \sum_i w i * (1 * (l i - tau)).
  by apply: eq_bigr => i _; rewrite mul1r.
apply: le_trans (cauchy_schwarz (fun=> 1) (fun i => l i - tau) (fun i => proj1 (andP (w01 i)))) _.
have -> : \sum_i w i * 1 ^+ 2 = \sum_i w i by apply: eq_bigr => i _; rewrite expr1n mulr1.
apply: ler_wpmul2l; first by apply: sumr_ge0 => i _; case/andP: (w01 i).
apply: ler_sum => i _; have /andP[_ w1] := w01 i.
by rewrite -[X in _ <= X]mul1r ler_wpmul2r ?sqr_ge0.
Qed.

Lemma centred_squares (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  \sum_(i < d) l i = d%:R ->
  \sum_(i < d) (l i - tau) ^+ 2 = \sum_(i < d) l i ^+ 2 - (1 - (1 - tau) ^+ 2) * d%:R.
Proof.
move=> trace; have E i : (l i - tau) ^+ 2 = 1 * l i ^+ 2 + (- 2%:R * tau) * l i + tau ^+ 2 * 1 by ring.
rewrite (eq_bigr _ (fun i _ => E i)) ord_lin3 trace sumr_const card_ord.
by move: (\sum_(i < d) l i ^+ 2) => q; ring.
Qed.

Lemma soft_rank_signed (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  0 <= tau -> tau <= 1 -> \sum_(i < d) l i = d%:R ->
  (1 - tau) ^+ 2 * (\sum_(i < d) l i) ^+ 2
  <= (\sum_(i < d) (if tau <= l i then 1 else 0)) * (\sum_(i < d) l i ^+ 2).
Proof.
move=> tau0 tau1 trace; rewrite trace; apply: le_trans (soft_rank_centred tau1 trace) _.
apply: ler_wpmul2l; first by apply: sumr_ge0 => i _; case: ifP; rewrite ?ler01.
rewrite (centred_squares _ trace) ler_subl_addr ler_addl mulr_ge0 ?ler0n //.
by rewrite subr_ge0 expr_le1 ?subr_ge0 // ler_subl_addr ler_addl.
Qed.

Theorem soft_rank_lower_bound_sum (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  (forall i : 'I_d, 0 <= l i) -> \sum_(i < d) l i = d%:R -> 0 <= tau -> tau <= 1 ->
  (1 - tau) ^+ 2 * (\sum_(i < d) l i) ^+ 2
  <= (\sum_(i < d) (if tau <= l i then 1 else 0)) * (\sum_(i < d) l i ^+ 2).
Proof. by move=> _ trace tau0 tau1; apply: soft_rank_signed. Qed.

Theorem soft_rank_lower_bound (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  (forall i : 'I_d, 0 <= l i) -> \sum_(i < d) l i = d%:R -> 0 <= tau -> tau <= 1 ->
  (1 - tau) ^+ 2 * (\sum_(i < d) l i) ^+ 2
  <= #|[pred i : 'I_d | tau <= l i]|%:R * (\sum_(i < d) l i ^+ 2).
Proof. by move=> _ trace tau0 tau1; rewrite -count_indicator; apply: soft_rank_signed. Qed.

(* For d = 0 both sides are 0; otherwise the denominator is positive because the trace is. *)
Theorem soft_rank_lower_bound_ratio (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  (forall i : 'I_d, 0 <= l i) -> \sum_(i < d) l i = d%:R -> 0 <= tau -> tau <= 1 ->
  (1 - tau) ^+ 2 * ((\sum_(i < d) l i) ^+ 2 / \sum_(i < d) l i ^+ 2)
  <= #|[pred i : 'I_d | tau <= l i]|%:R.
Proof.
move=> l0 trace tau0 tau1.
have q0 : 0 <= \sum_(i < d) l i ^+ 2 by apply: sumr_ge0 => i _; apply: sqr_ge0.
move: q0; rewrite le_eqVlt => /orP[/eqP<-|qpos]; first by rewrite invr0 !mulr0 ler0n.
by rewrite mulrA ler_pdivr_mulr //; apply: soft_rank_lower_bound.
Qed.

Theorem soft_rank_lower_bound_matrix (R : realFieldType) (d : nat) (M P : 'M[R]_d) (l : 'I_d -> R)
    (tau : R) :
  P^T *m P = 1%:M -> M = P *m diag_mx (\row_(i < d) l i) *m P^T ->
  (forall i : 'I_d, 0 <= l i) -> \tr M = d%:R -> 0 <= tau -> tau <= 1 ->
  (1 - tau) ^+ 2 * (\tr M) ^+ 2
  <= #|[pred i : 'I_d | tau <= l i]|%:R * (\sum_(i < d) \sum_(j < d) M i j ^+ 2).
Proof.
move=> orth diagM l0 trM tau0 tau1.
have trl : \tr M = \sum_(i < d) l i.
  by rewrite diagM mxtrace_mulC mulmxA orth mul1mx mxtrace_diag; apply: eq_bigr => i _; rewrite mxE.
have sqM : \sum_(i < d) \sum_(j < d) M i j ^+ 2 = \sum_(i < d) l i ^+ 2.
  have -> : \sum_(i < d) \sum_(j < d) M i j ^+ 2 = \tr (M *m M^T).
    apply: eq_bigr => i _; rewrite mxE; apply: eq_bigr => j _; rewrite mxE expr2 //.
  rewrite diagM !trmx_mul trmxK tr_diag_mx -!mulmxA (mulmxA P^T) orth mul1mx mxtrace_mulC.
  rewrite -!mulmxA orth mulmx1 mulmx_diag mxtrace_diag.
  by apply: eq_bigr => i _; rewrite !mxE expr2.
by rewrite sqM trl; apply: soft_rank_lower_bound => //; rewrite -trl.
Qed.

(* What the lemma loses is the mean of the eigenvalues above 0 rather than above tau. *)
Theorem soft_rank_lower_bound_sharp (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  (1 <= d)%N -> (forall i : 'I_d, 0 <= l i) -> 0 <= tau <= 1 -> \sum_(i < d) l i = d%:R ->
  (1 - tau) ^+ 2 * d%:R ^+ 2
  <= (\sum_(i < d) (l i - tau) ^+ 2) * (\sum_(i < d) (if tau <= l i then 1 else 0)).
Proof. by move=> _ _ /andP[_ tau1] trace; rewrite [X in _ <= X]mulrC; apply: soft_rank_centred. Qed.

Theorem soft_rank_lower_bound_sharper (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  tau <= 1 -> \sum_(i < d) l i = d%:R ->
  (1 - tau) ^+ 2 * d%:R ^+ 2
  <= #|[pred i : 'I_d | tau <= l i]|%:R
     * (\sum_(i < d) l i ^+ 2 - (1 - (1 - tau) ^+ 2) * d%:R).
Proof.
move=> tau1 trace; rewrite -count_indicator -(centred_squares tau trace).
exact: soft_rank_centred.
Qed.

Theorem soft_rank_sharp_attained (R : realFieldType) (d : nat) (tau : R) :
  tau <= 1 ->
  (1 - tau) ^+ 2 * d%:R ^+ 2
  = (\sum_(i < d) (if tau <= 1 then 1 else 0)) * (\sum_(i < d) (1 - tau) ^+ 2) :> R.
Proof.
move=> tau1; rewrite tau1 !sumr_const card_ord -[in RHS](mulr_natr ((1 - tau) ^+ 2)); ring.
Qed.

Lemma soft_rank_positive (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  (1 <= d)%N -> tau <= 1 -> \sum_(i < d) l i = d%:R ->
  1 <= \sum_(i < d) (if tau <= l i then 1 else 0) :> R.
Proof.
move=> d1 tau1 trace; rewrite count_indicator ler1n lt0n; apply/negP => /eqP none.
have below i : l i < 1.
  have := card0_eq none i; rewrite !inE => /negbT; rewrite -ltNge => out.
  exact: (lt_le_trans out tau1).
have less : \sum_(i < d) l i < \sum_(i < d) (1 : R).
  case: d d1 l trace none below => // d _ l _ _ below.
  by rewrite !big_ord_recl ltr_le_add // ler_sum // => i _; apply: ltW.
by rewrite trace sumr_const card_ord ltxx in less.
Qed.

(* The quotient of both ranks, for every d: the lemma's constant and what is above it. *)
Theorem soft_rank_every_width (R : realFieldType) (d : nat) (l : 'I_d -> R) (tau : R) :
  (1 <= d)%N -> (forall i : 'I_d, 0 <= l i) -> 0 <= tau <= 1 -> \sum_(i < d) l i = d%:R ->
  (1 - tau) ^+ 2 * d%:R ^+ 2 + d%:R * tau * (2%:R - tau)
  <= (\sum_(i < d) (if tau <= l i then 1 else 0)) * (\sum_(i < d) l i ^+ 2).
Proof.
move=> d1 _ /andP[tau0 tau1] trace.
have gap := soft_rank_centred tau1 trace.
have one := soft_rank_positive d1 tau1 trace.
rewrite (centred_squares tau trace) in gap.
set count := \sum_(i < d) (if _ then _ else _) in gap one *.
set q := \sum_(i < d) l i ^+ 2 in gap *.
have factor : 0 <= d%:R * tau * (2%:R - tau).
  by rewrite mulr_ge0 ?subr_ge0 ?(le_trans tau1) ?ler1n // mulr_ge0 ?ler0n.
have -> : count * q = count * (q - (1 - (1 - tau) ^+ 2) * d%:R)
    + count * (d%:R * tau * (2%:R - tau)) by ring.
by apply: ler_add => //; rewrite -[X in X <= _]mul1r ler_wpmul2r.
Qed.
