(* SVD initialisation lowers the orthogonality gap: sigma_i >= 0 with sum of squares 1 satisfy
   1 <= (sum sigma)^2 (sum sigma^4), strictly if all are positive and not all equal; equality exactly when the
   nonzero ones are equal. After W = Sigma^(-1/2) U^T the squared singular values are sigma_i / sum sigma, so
   V(WH)^2 = 1/(sum sigma)^2 - 1/n, against V(H)^2 = sum sigma^4 - 1/n: V does not grow.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Appendix E. Its last step
   (sum sigma^3)^2 <= (sum sigma^4)^2 is false, refuted below at sigma = (4/5, 3/5); the step that works is
   (sum sigma^3)^2 <= (sum sigma^4)(sum sigma^2).
   Python: orthogonality.iterative_initialisation:corrected, :conclusion, and the negation of :as_printed.
   Depends on: common.Sums (Lagrange's identity, Cauchy-Schwarz). *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem iterative_initialisation_as_printed_refuted (R : realFieldType) :
  ~ (forall (n : nat) (sigma : 'I_n -> R),
       (1 <= n)%N ->
       (forall i : 'I_n, 0 <= sigma i <= 1) ->
       \sum_(i < n) sigma i ^+ 2 = 1 ->
       (\sum_(i < n) sigma i ^+ 3) ^+ 2 <= (\sum_(i < n) sigma i ^+ 4) ^+ 2).
Proof.
pose sigma (i : 'I_2) : R := if i == ord0 then 4%:R / 5%:R else 3%:R / 5%:R.
have e (k : nat) : \sum_(i < 2) sigma i ^+ k = (4%:R / 5%:R) ^+ k + (3%:R / 5%:R) ^+ k.
  by rewrite big_ord_recl big_ord1 /sigma eqxx eqE.
have n5 : 5%:R != 0 :> R by rewrite pnatr_eq0.
have p5 : 0 < 5%:R :> R by rewrite ltr0n.
move=> /(_ 2%N sigma isT); rewrite !e => false_step.
have /false_step/(_ _) : forall i : 'I_2, 0 <= sigma i <= 1.
  by move=> i; rewrite /sigma; case: eqP => _;
     rewrite divr_ge0 ?ler0n //= ler_pdivr_mulr // mul1r ler_nat.
have -> : (4%:R / 5%:R) ^+ 2 + (3%:R / 5%:R) ^+ 2 = 1 :> R by field.
have -> : (4%:R / 5%:R) ^+ 3 + (3%:R / 5%:R) ^+ 3 = 455%:R / 625%:R :> R.
  by rewrite (_ : 625%:R = 5%:R ^+ 4) -?natrX //; field.
have -> : (4%:R / 5%:R) ^+ 4 + (3%:R / 5%:R) ^+ 4 = 337%:R / 625%:R :> R.
  by rewrite (_ : 625%:R = 5%:R ^+ 4) -?natrX //; field.
move=> /(_ erefl); rewrite leNgt => /negP; apply.
by rewrite ltr_expn2r ?divr_ge0 ?ler0n // ltr_pmul2r ?invr_gt0 ?ltr0n // ltr_nat.
Qed.

Lemma cauchy_schwarz_cubes (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (\sum_(i < n) sigma i ^+ 3) ^+ 2 <= (\sum_(i < n) sigma i ^+ 4) * (\sum_(i < n) sigma i ^+ 2).
Proof.
rewrite [X in X ^+ 2 <= _](eq_bigr (fun i => sigma i ^+ 2 * sigma i)) => [|i _]; last by rewrite exprSr.
rewrite [X in _ <= X * _](eq_bigr (fun i => (sigma i ^+ 2) ^+ 2)) => [|i _]; last by rewrite -exprM.
exact: (cauchy_schwarz1 (fun i => sigma i ^+ 2)).
Qed.

Theorem iterative_initialisation_corrected (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= sigma i <= 1) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  (\sum_(i < n) sigma i ^+ 3) ^+ 2 <= (\sum_(i < n) sigma i ^+ 4) * (\sum_(i < n) sigma i ^+ 2).
Proof.
by move=> _ _ _; apply: cauchy_schwarz_cubes.
Qed.

Section Chain.

Variables (R : realFieldType) (n : nat) (sigma : 'I_n -> R).
Hypothesis s0 : forall i, 0 <= sigma i.
Hypothesis s1 : \sum_(i < n) sigma i ^+ 2 = 1.

Let S p := \sum_(i < n) sigma i ^+ p.

(* Lagrange: how far (sum sigma)(sum sigma^3) exceeds (sum sigma^2)^2 = 1. *)
Lemma spread_identity :
  \sum_(i < n) \sum_(j < n) sigma i * sigma j * (sigma j - sigma i) ^+ 2 = 2%:R * (S 1 * S 3 - 1).
Proof.
transitivity (\sum_(i < n) \sum_(j < n) sigma i * sigma j * (1 * sigma j - 1 * sigma i) ^+ 2).
  by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite !mul1r.
rewrite (lagrange sigma (fun=> 1) sigma); congr (_ * (_ * _ - _)).
- by rewrite /S; apply: eq_bigr => i _; rewrite expr1n mulr1.
- rewrite (eq_bigr (fun i => sigma i ^+ 2)) ?s1 ?expr1n // => i _.
  by rewrite mul1r.
Qed.

Lemma sum_ge0 p : 0 <= S p.
Proof. by apply: sumr_ge0 => i _; apply: exprn_ge0. Qed.

Lemma spread_ge0 i j : 0 <= sigma i * sigma j * (sigma j - sigma i) ^+ 2.
Proof. by rewrite mulr_ge0 ?sqr_ge0 ?mulr_ge0. Qed.

Lemma one_le_S1S3 : 1 <= S 1 * S 3.
Proof.
rewrite -subr_ge0 -(pmulr_rge0 _ (@ltr0Sn R 1)) -spread_identity.
by apply: sumr_ge0 => i _; apply: sumr_ge0 => j _; apply: spread_ge0.
Qed.

Lemma S3_le_S4 : S 3 ^+ 2 <= S 4.
Proof. by have := cauchy_schwarz_cubes sigma; rewrite s1 mulr1. Qed.

Lemma S1S3_le : (S 1 * S 3) ^+ 2 <= S 1 ^+ 2 * S 4.
Proof. by rewrite exprMn ler_wpmul2l ?sqr_ge0 // S3_le_S4. Qed.

Lemma spread_zero : S 1 ^+ 2 * S 4 = 1 -> forall i j, sigma i * sigma j * (sigma j - sigma i) ^+ 2 = 0.
Proof.
move=> E; have S13 : S 1 * S 3 = 1.
  apply/eqP; rewrite eq_le one_le_S1S3 andbT.
  by rewrite -(@ler_pexpn2r _ 2) ?nnegrE ?mulr_ge0 ?sum_ge0 ?ler01 // expr1n -E S1S3_le.
have Z : \sum_(i < n) \sum_(j < n) sigma i * sigma j * (sigma j - sigma i) ^+ 2 = 0.
  by rewrite spread_identity S13 subrr mulr0.
have row i := sum_eq0 (fun i => sumr_ge0 _ (fun j _ => spread_ge0 i j)) Z i.
by move=> i j; apply: (sum_eq0 (spread_ge0 i) (row i)).
Qed.

Lemma one_le_S1S4 : 1 <= S 1 ^+ 2 * S 4.
Proof. by apply: le_trans S1S3_le; rewrite exprn_ege1 // one_le_S1S3. Qed.

End Chain.

Theorem iterative_initialisation_weak (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (forall i : 'I_n, 0 <= sigma i) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  1 <= (\sum_(i < n) sigma i) ^+ 2 * (\sum_(i < n) sigma i ^+ 4).
Proof. exact: one_le_S1S4. Qed.

(* Equality: the nonzero singular values are equal. Zeros are allowed beside them. *)
Theorem iterative_initialisation_equality (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (forall i : 'I_n, 0 <= sigma i) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  (\sum_(i < n) sigma i) ^+ 2 * (\sum_(i < n) sigma i ^+ 4) = 1
  <-> (exists c : R, forall i : 'I_n, sigma i = 0 \/ sigma i = c).
Proof.
move=> s0 s1; split=> [E|[c h]].
  have Z := spread_zero s0 s1 E.
  have [i nz|all0] := pickP (fun i => sigma i != 0).
    exists (sigma i) => j; have /eqP := Z i j.
    rewrite -mulrA mulf_eq0 (negPf nz) /= mulf_eq0 sqrf_eq0 subr_eq0 => /orP[]/eqP; by [left|right].
  by exists 0 => j; left; apply/eqP; have := all0 j => /negbT; rewrite negbK.
have pw k i : sigma i ^+ k.+1 = c ^+ k * sigma i.
  by case: (h i) => ->; rewrite ?mulr0 ?expr0n // exprSr.
have e k : \sum_(i < n) sigma i ^+ k.+1 = c ^+ k * (\sum_(i < n) sigma i).
  by rewrite mulr_sumr; apply: eq_bigr => i _; apply: pw.
have := e 1%N; rewrite s1 expr1 e => E.
by rewrite -[RHS](expr1n _ 3) E; move: (\sum_i _) => x; ring.
Qed.

Theorem iterative_initialisation_strict (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (forall i : 'I_n, 0 < sigma i) ->
  (exists i j : 'I_n, sigma i != sigma j) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  1 < (\sum_(i < n) sigma i) ^+ 2 * (\sum_(i < n) sigma i ^+ 4).
Proof.
move=> s0 [i [j ne]] s1; have s0' k := ltW (s0 k).
rewrite lt_def iterative_initialisation_weak // andbT; apply: contraNneq ne => E.
have /(iterative_initialisation_equality s0' s1)[c h] : _ = 1 := E.
by case: (h i) (h j) (s0 i) (s0 j) => [->|->] [->|->] //; rewrite ltxx.
Qed.

Theorem iterative_initialisation_conclusion (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= sigma i <= 1) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  n%:R * (\sum_(i < n) sigma i ^+ 4) != 1 ->
  0 < \prod_(i < n) sigma i ->
  ((\sum_(i < n) sigma i) ^+ 2)^-1 < \sum_(i < n) sigma i ^+ 4.
Proof.
move=> n1 s01 s1 neq /lt0r_neq0/prodf_neq0 nz.
have s0 i : 0 < sigma i by rewrite lt_def nz //; have /andP[] := s01 i.
have S0 : 0 < \sum_(i < n) sigma i.
  by apply: (sum_gt0 (i := Ordinal n1)) => // j; apply: ltW.
rewrite -div1r ltr_pdivr_mulr ?exprn_gt0 // mulrC iterative_initialisation_strict //.
have [/existsP[i /existsP[j ne]]|] := boolP [exists i, exists j, sigma i != sigma j].
  by exists i, j.
rewrite negb_exists => /forallP same; case/eqP: neq.
have const i : sigma i = sigma (Ordinal n1).
  have := same i; rewrite negb_exists => /forallP/(_ (Ordinal n1)).
  by rewrite negbK => /eqP.
move: s1; rewrite (eq_bigr (fun=> sigma (Ordinal n1) ^+ 2)) => [|i _]; last by rewrite const.
rewrite [X in _ -> _ * X = _](eq_bigr (fun=> sigma (Ordinal n1) ^+ 4)) => [|i _]; last by rewrite const.
rewrite !sumr_const card_ord => E; rewrite -[RHS](expr1n _ 2) -[X in _ = X ^+ 2]E.
by rewrite -[_ ^+ 2 *+ n]mulr_natl -[_ ^+ 4 *+ n]mulr_natl; move: (sigma _) (n%:R) => x y; ring.
Qed.

(* The gaps before and after, so that the inequality above is one between gaps. *)
Theorem gap_after_initialisation (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= sigma i) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  \sum_(i < n) (sigma i / (\sum_(k < n) sigma k) - n%:R^-1) ^+ 2 = ((\sum_(i < n) sigma i) ^+ 2)^-1 - n%:R^-1.
Proof.
move=> n1 s0 s1; have n0 : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
set T := \sum_(k < n) sigma k.
have T0 : T != 0.
  apply/eqP => T0; have z := sum_eq0 s0 T0.
  by move: s1; rewrite big1 => [/esym/eqP|i _]; rewrite ?oner_eq0 // z expr0n.
transitivity (\sum_(i < n) (T^-1 ^+ 2 * sigma i ^+ 2 + - (2%:R / (n%:R * T)) * sigma i + n%:R^-1 ^+ 2 * 1)).
  by apply: eq_bigr => i _; rewrite invfM; move: (T^-1) (n%:R^-1) (sigma i) => x y z; ring.
by rewrite ord_lin3 s1 -/T sumr_const card_ord; field; rewrite ?n0 ?T0.
Qed.

Theorem gap_never_grows (R : realFieldType) (n : nat) (sigma : 'I_n -> R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= sigma i) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  \sum_(i < n) (sigma i / (\sum_(k < n) sigma k) - n%:R^-1) ^+ 2
  <= \sum_(i < n) (sigma i ^+ 2 - n%:R^-1) ^+ 2.
Proof.
move=> n1 s0 s1; have n0 : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have -> : \sum_(i < n) (sigma i ^+ 2 - n%:R^-1) ^+ 2 = \sum_(i < n) sigma i ^+ 4 - n%:R^-1.
  transitivity (\sum_(i < n) (1 * sigma i ^+ 4 + - (2%:R / n%:R) * sigma i ^+ 2 + n%:R^-1 ^+ 2 * 1)).
    by apply: eq_bigr => i _; ring.
  by rewrite ord_lin3 s1 sumr_const card_ord /=; move: (\sum_i sigma i ^+ 4) => T; field.
rewrite gap_after_initialisation // ler_sub //.
have [z|nz] := eqVneq (\sum_(i < n) sigma i) 0.
  by rewrite z expr0n invr0 sumr_ge0 // => i _; apply: exprn_ge0.
have T0 : 0 < (\sum_(i < n) sigma i) ^+ 2 by rewrite exprn_even_gt0.
by rewrite -div1r ler_pdivr_mulr // mulrC iterative_initialisation_weak.
Qed.
