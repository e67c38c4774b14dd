(* The boundary of a batch-normalised unit is the total least squares fit among parallel hyperplanes.

   In words: a unit with weight w <> 0 and threshold mu has the boundary {z : <w,z> = mu}; the squared
   distance of z to it is (<w,z> - mu)^2 / ||w||^2.  Over inputs z_1, ..., z_N the sum of squared distances
   is least at mu = mean of <w,z_i>, and only there; the least value is N sigma^2 / ||w||^2, sigma^2 the
   (population) variance of <w,z_i>.

   Source: after Balestriero, Baraniuk, "Batch Normalization Explained", 2022, arXiv 2209.14778, and
   Riedi, Balestriero, Baraniuk, 2026; stated by us.
   Proof: sum (x_i - mu)^2 = sum (x_i - mean)^2 + N (mean - mu)^2.

   offset_identity           that identity
   boundary_distance         the formula for the distance: a lower bound for every point of the boundary,
                             attained by one of them
   total_least_squares       the mean minimises, and is the only minimiser
   residual_variance         the minimum is N sigma^2 / ||w||^2, sigma^2 = mean square - squared mean
   residual_variance_min     the same as a lower bound for every threshold, with equality only at the mean
   boundary_contains_mean    the boundary at the minimiser passes through the mean of the data

   Depends on: common/Sums.v (cauchy_schwarz1, sum_gt0).
   Proves the Python statements: splines.total_least_squares, splines.residual_variance *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Offsets.

Variables (R : realFieldType) (N : nat).
Implicit Types (x : 'I_N -> R) (mu : R).

(* The only computation: how the sum of squares depends on the offset. *)
Lemma offset_identity x mu : (0 < N)%N ->
  \sum_(i < N) (x i - mu) ^+ 2
  = \sum_(i < N) (x i - (\sum_(k < N) x k) / N%:R) ^+ 2
    + N%:R * ((\sum_(k < N) x k) / N%:R - mu) ^+ 2.
Proof.
move=> N0; have N1 : (N%:R : R) != 0 by rewrite pnatr_eq0 -lt0n.
have expand t : \sum_(i < N) (x i - t) ^+ 2
    = \sum_(i < N) x i ^+ 2 - 2 * t * (\sum_(i < N) x i) + N%:R * t ^+ 2.
  have -> : N%:R * t ^+ 2 = \sum_(i < N) t ^+ 2 by rewrite sumr_const card_ord mulr_natl.
  rewrite mulr_sumr -sumrB -big_split /=; apply: eq_bigr => i _; ring.
by rewrite !expand; field.
Qed.

Lemma variance_identity x : (0 < N)%N ->
  \sum_(i < N) (x i - (\sum_(k < N) x k) / N%:R) ^+ 2
  = N%:R * ((\sum_(i < N) x i ^+ 2) / N%:R - ((\sum_(i < N) x i) / N%:R) ^+ 2).
Proof.
move=> N0; have N1 : (N%:R : R) != 0 by rewrite pnatr_eq0 -lt0n.
have := offset_identity x 0 N0; under eq_bigr do rewrite subr0.
by move=> ->; rewrite subr0; field.
Qed.

End Offsets.

Lemma norm_gt0 (R : realFieldType) (d : nat) (w : 'I_d -> R) (k : 'I_d) :
  w k != 0 -> 0 < \sum_(j < d) w j ^+ 2.
Proof. by move=> wk; apply: (sum_gt0 (i := k)) => [j|]; rewrite ?sqr_ge0 // exprn_even_gt0. Qed.

Lemma norm_neq0 (R : realFieldType) (d : nat) (w : 'I_d -> R) :
  0 < \sum_(j < d) w j ^+ 2 -> exists k : 'I_d, w k != 0.
Proof.
move=> w2; apply/existsP; apply: contraTT w2 => /existsPn zero.
by rewrite big1 ?ltxx // => k _; have := zero k; rewrite negbK => /eqP ->; rewrite expr0n.
Qed.

Theorem boundary_distance (R : realFieldType) (d : nat) (w z : 'I_d -> R) (mu : R) :
  (exists k : 'I_d, w k != 0) ->
  (forall y : 'I_d -> R, \sum_(k < d) w k * y k = mu ->
     (\sum_(k < d) w k * z k - mu) ^+ 2 / (\sum_(k < d) w k ^+ 2) <= \sum_(k < d) (z k - y k) ^+ 2)
  /\ (exists y : 'I_d -> R, \sum_(k < d) w k * y k = mu
     /\ \sum_(k < d) (z k - y k) ^+ 2
        = (\sum_(k < d) w k * z k - mu) ^+ 2 / (\sum_(k < d) w k ^+ 2)).
Proof.
move=> [k wk]; have w2 := norm_gt0 wk; have w2n := lt0r_neq0 w2; split=> [y <-|].
  rewrite -sumrB; under eq_bigr do rewrite -mulrBr.
  by rewrite ler_pdivr_mulr // mulrC; apply: cauchy_schwarz1.
pose t := (\sum_(k < d) w k * z k - mu) / (\sum_(k < d) w k ^+ 2).
exists (fun j => z j - t * w j); split.
  have -> : \sum_(j < d) w j * (z j - t * w j)
      = \sum_(j < d) w j * z j - t * (\sum_(j < d) w j ^+ 2).
    by rewrite mulr_sumr -sumrB; apply: eq_bigr => j _; ring.
  by rewrite divfK // subKr.
have -> : \sum_(j < d) (z j - (z j - t * w j)) ^+ 2 = t ^+ 2 * (\sum_(j < d) w j ^+ 2).
  by rewrite mulr_sumr; apply: eq_bigr => j _; ring.
by rewrite /t; field.
Qed.

Theorem total_least_squares (R : realFieldType) (N d : nat) (w : 'I_d -> R) (z : 'I_N -> 'I_d -> R)
    (x : 'I_N -> R) (mean : R) :
  (0 < N)%N -> (exists k : 'I_d, w k != 0) ->
  (forall i : 'I_N, x i = \sum_(k < d) w k * z i k) -> mean = (\sum_(i < N) x i) / N%:R ->
  forall mu : R,
    \sum_(i < N) (x i - mean) ^+ 2 / (\sum_(k < d) w k ^+ 2)
      <= \sum_(i < N) (x i - mu) ^+ 2 / (\sum_(k < d) w k ^+ 2)
    /\ (\sum_(i < N) (x i - mu) ^+ 2 / (\sum_(k < d) w k ^+ 2)
        = \sum_(i < N) (x i - mean) ^+ 2 / (\sum_(k < d) w k ^+ 2) -> mu = mean).
Proof.
move=> N0 [k wk] _ -> mu; have w2 := norm_gt0 wk.
have Npos : 0 < N%:R :> R by rewrite ltr0n.
rewrite -!mulr_suml (offset_identity x mu N0); split.
  by rewrite ler_pmul2r ?invr_gt0 // ler_addl mulr_ge0 ?sqr_ge0 ?ltW.
move/(mulIf (invr_neq0 (lt0r_neq0 w2)))/eqP.
rewrite -subr_eq0 addrAC subrr add0r mulf_eq0 (gt_eqF Npos) /= sqrf_eq0 subr_eq0.
by move=> /eqP ->.
Qed.

Theorem residual_variance (R : realFieldType) (N d : nat) (w : 'I_d -> R) (z : 'I_N -> 'I_d -> R)
    (x : 'I_N -> R) (mean variance : R) :
  (0 < N)%N -> (exists k : 'I_d, w k != 0) ->
  (forall i : 'I_N, x i = \sum_(k < d) w k * z i k) -> mean = (\sum_(i < N) x i) / N%:R ->
  variance = (\sum_(i < N) x i ^+ 2) / N%:R - mean ^+ 2 ->
  \sum_(i < N) (x i - mean) ^+ 2 / (\sum_(k < d) w k ^+ 2)
  = N%:R * variance / (\sum_(k < d) w k ^+ 2).
Proof. by move=> N0 _ _ -> ->; rewrite -mulr_suml variance_identity. Qed.

Theorem residual_variance_min (R : realFieldType) (N d : nat) (w : 'I_d -> R)
    (z : 'I_N -> 'I_d -> R) (x : 'I_N -> R) (mean variance : R) :
  (0 < N)%N -> (exists k : 'I_d, w k != 0) ->
  (forall i : 'I_N, x i = \sum_(k < d) w k * z i k) -> mean = (\sum_(i < N) x i) / N%:R ->
  variance = (\sum_(i < N) (x i - mean) ^+ 2) / N%:R ->
  forall mu : R,
    N%:R * variance / (\sum_(k < d) w k ^+ 2)
      <= \sum_(i < N) (x i - mu) ^+ 2 / (\sum_(k < d) w k ^+ 2)
    /\ (\sum_(i < N) (x i - mu) ^+ 2 / (\sum_(k < d) w k ^+ 2)
        = N%:R * variance / (\sum_(k < d) w k ^+ 2) <-> mu = mean).
Proof.
move=> N0 w0 defx defmean -> mu; have N1 : (N%:R : R) != 0 by rewrite pnatr_eq0 -lt0n.
have [least unique] := total_least_squares N0 w0 defx defmean mu.
have -> : N%:R * ((\sum_(i < N) (x i - mean) ^+ 2) / N%:R) / (\sum_(k < d) w k ^+ 2)
    = \sum_(i < N) (x i - mean) ^+ 2 / (\sum_(k < d) w k ^+ 2).
  by rewrite mulrCA divff // mulr1 mulr_suml.
by split=> //; split=> [|->].
Qed.

Theorem boundary_contains_mean (R : realFieldType) (N d : nat) (w : 'I_d -> R)
    (z : 'I_N -> 'I_d -> R) :
  \sum_(k < d) w k * ((\sum_(i < N) z i k) / N%:R)
  = (\sum_(i < N) \sum_(k < d) w k * z i k) / N%:R.
Proof.
rewrite exchange_big mulr_suml; apply: eq_bigr => k _ /=.
by rewrite -mulr_sumr mulrA.
Qed.
