(* All first-layer boundaries of a batch-normalised layer meet in the data mean; no region is bounded.

   In words: unit r has weight w_r and threshold mu_r, the mean of <w_r,z_i>.  Then <w_r,zbar> = mu_r for every r.
   A region is a set of points with the same signs of <w_r,y> - mu_r; with y it contains every point
   zbar + t (y - zbar), t > 0, and unless y lies on all boundaries at once such points are arbitrarily far
   from zbar.

   Source: after Balestriero, Baraniuk, "Batch Normalization Explained", 2022, arXiv 2209.14778; stated by us.

   central_arrangement              the common point
   central_arrangement_ray          the ray from it
   central_arrangement_beyond       how far along it lies outside a radius
   central_arrangement_unbounded    points of the region beyond every radius

   Depends on: splines/TotalLeastSquares.v (boundary_contains_mean), common/Sums.v (sum_gt0).
   Proves the Python statement: splines.central_arrangement *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.
From BatchNorm.splines Require Import TotalLeastSquares.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem central_arrangement (R : realFieldType) (units N d : nat) (w : 'I_units -> 'I_d -> R)
    (z : 'I_N -> 'I_d -> R) (zbar : 'I_d -> R) (mu : 'I_units -> R) :
  (forall k : 'I_d, zbar k = (\sum_(i < N) z i k) / N%:R) ->
  (forall r : 'I_units, mu r = (\sum_(i < N) \sum_(k < d) w r k * z i k) / N%:R) ->
  forall r : 'I_units, \sum_(k < d) w r k * zbar k = mu r.
Proof.
move=> defz defmu r; rewrite defmu -boundary_contains_mean.
by apply: eq_bigr => k _; rewrite defz.
Qed.

Theorem central_arrangement_ray (R : realFieldType) (units N d : nat) (w : 'I_units -> 'I_d -> R)
    (z : 'I_N -> 'I_d -> R) (zbar y : 'I_d -> R) (mu : 'I_units -> R) (t : R) :
  (forall k : 'I_d, zbar k = (\sum_(i < N) z i k) / N%:R) ->
  (forall r : 'I_units, mu r = (\sum_(i < N) \sum_(k < d) w r k * z i k) / N%:R) ->
  0 < t ->
  forall r : 'I_units,
    Num.sg (\sum_(k < d) w r k * (zbar k + t * (y k - zbar k)) - mu r)
    = Num.sg (\sum_(k < d) w r k * y k - mu r).
Proof.
move=> defz defmu t0 r; rewrite -(central_arrangement defz defmu r).
have -> : \sum_(k < d) w r k * (zbar k + t * (y k - zbar k)) - \sum_(k < d) w r k * zbar k
    = t * (\sum_(k < d) w r k * y k - \sum_(k < d) w r k * zbar k).
  by rewrite -!sumrB mulr_sumr; apply: eq_bigr => k _; ring.
by rewrite sgrM gtr0_sg ?mul1r.
Qed.

Theorem central_arrangement_beyond (R : realFieldType) (d : nat) (zbar y : 'I_d -> R) (radius : R) :
  0 < \sum_(l < d) (y l - zbar l) ^+ 2 ->
  radius ^+ 2 < \sum_(k < d)
    (zbar k + (1 + radius ^+ 2 / (\sum_(l < d) (y l - zbar l) ^+ 2)) * (y k - zbar k) - zbar k) ^+ 2.
Proof.
set q := \sum_(l < d) _; move=> q0; set t := 1 + _.
have s0 : 0 <= radius ^+ 2 / q by rewrite divr_ge0 ?sqr_ge0 // ltW.
have t1 : 1 <= t by rewrite ler_addl.
have -> : \sum_(k < d) (zbar k + t * (y k - zbar k) - zbar k) ^+ 2 = t ^+ 2 * q.
  by rewrite mulr_sumr; apply: eq_bigr => k _; ring.
apply: (lt_le_trans (_ : _ < t * q)).
  by rewrite mulrDl mul1r divfK ?lt0r_neq0 // ltr_addr.
by rewrite ler_pmul2r // expr2 ler_pemulr // (le_trans ler01).
Qed.

Theorem central_arrangement_unbounded (R : realFieldType) (units N d : nat)
    (w : 'I_units -> 'I_d -> R) (z : 'I_N -> 'I_d -> R) (zbar y : 'I_d -> R) (mu : 'I_units -> R)
    (radius : R) :
  (forall k : 'I_d, zbar k = (\sum_(i < N) z i k) / N%:R) ->
  (forall r : 'I_units, mu r = (\sum_(i < N) \sum_(k < d) w r k * z i k) / N%:R) ->
  (exists r : 'I_units, \sum_(k < d) w r k * y k != mu r) ->
  exists x : 'I_d -> R,
    (forall r : 'I_units, Num.sg (\sum_(k < d) w r k * x k - mu r)
                          = Num.sg (\sum_(k < d) w r k * y k - mu r))
    /\ radius ^+ 2 < \sum_(k < d) (x k - zbar k) ^+ 2.
Proof.
move=> defz defmu [r off].
have [k yk] : exists k : 'I_d, y k - zbar k != 0.
  apply/existsP; rewrite -[X in is_true X]negbK negb_exists; apply/negP => /forallP same.
  case/negP: off; rewrite -(central_arrangement defz defmu r); apply/eqP.
  by apply: eq_bigr => k _; congr (_ * _); have := same k; rewrite negbK subr_eq0 => /eqP.
have q0 : 0 < \sum_(l < d) (y l - zbar l) ^+ 2 by apply: (norm_gt0 yk).
pose t : R := 1 + radius ^+ 2 / (\sum_(l < d) (y l - zbar l) ^+ 2).
exists (fun l => zbar l + t * (y l - zbar l)); split; last exact: central_arrangement_beyond.
apply: (central_arrangement_ray y defz defmu); apply: lt_le_trans ltr01 _.
by rewrite ler_addl divr_ge0 ?sqr_ge0 // ltW.
Qed.
