(* The pointwise inequality behind contraction: for l_i >= 0 with sum 1, any s >= 0 and t >= 0, y = 1 + 2t/n,
     prod_k (1 + 2 t l_k) <= y^n                                   (arithmetic and geometric means)
     1/(1 + 2ts) >= (1/y) (1 + 2t(1/n - s)/y)                      (tangent line)
   so that the integrand of p_n is at least s y^(-(n+2)/2) (1 + 2t(1/n - s)/y), whose integral over t >= 0 is
   s (1 + c (1/n - s)), c = 2n/(n+2): that is contraction:sharp (see leaf/Contraction).

   Source: ours. It replaces Lemmas 9 and 10 of Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), which go
   through convexity in delta = 1/n - s of the integrand at equal remaining eigenvalues.
   Python: the step of orthogonality.contraction:sharp and :as_printed that holds for every t.
   Depends on: mathcomp's inequality of means. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem product_le_mean_power (R : realFieldType) (n : nat) (l : 'I_n -> R) (t : R) :
  (1 <= n)%N -> 0 <= t ->
  (forall i : 'I_n, 0 <= l i) ->
  \sum_(i < n) l i = 1 ->
  \prod_(i < n) (1 + 2%:R * t * l i) <= (1 + 2%:R * t / n%:R) ^+ n.
Proof.
move=> n1 t0 l0 l1; have n0 : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have pos i : 0 <= 1 + 2%:R * t * l i by rewrite addr_ge0 ?mulr_ge0 ?ler0n ?ler01.
have [le _] := @leif_AGM R _ 'I_n (fun i => 1 + 2%:R * t * l i) (fun i _ => pos i).
apply: le_trans le _; rewrite card_ord big_split /= -mulr_sumr l1 sumr_const card_ord.
by rewrite mulr1 mulrDl divff.
Qed.

Theorem tangent_line_rational (R : realFieldType) (m : R) (s : R) (t : R) :
  0 <= m -> 0 <= s -> 0 <= t ->
  (1 + 2%:R * t * (m - s) / (1 + 2%:R * t * m)) / (1 + 2%:R * t * m) <= (1 + 2%:R * t * s)^-1.
Proof.
move=> m0 s0 t0.
have near x : 0 <= x -> 0 < 1 + 2%:R * t * x by move=> x0; rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
have ym := near m m0; have ys := near s s0.
rewrite -[X in _ <= X]div1r ler_pdivl_mulr // -subr_ge0.
rewrite (_ : _ - _ = (2%:R * t * (m - s) / (1 + 2%:R * t * m)) ^+ 2) ?sqr_ge0 //.
by field; rewrite gt_eqF.
Qed.

Theorem tangent_line (R : rcfType) (n : nat) (l : 'I_n -> R) (s : R) (t : R) :
  (1 <= n)%N -> 0 <= t -> 0 <= s ->
  (forall i : 'I_n, 0 <= l i) ->
  \sum_(i < n) l i = 1 ->
  s * (1 + 2%:R * t * (n%:R^-1 - s) / (1 + 2%:R * t / n%:R))
    / ((1 + 2%:R * t / n%:R) * Num.sqrt (1 + 2%:R * t / n%:R) ^+ n)
  <= s / (1 + 2%:R * t * s) * (\prod_(k < n) (Num.sqrt (1 + 2%:R * t * l k))^-1).
Proof.
move=> n1 t0 s0 l0 l1; set y := 1 + 2%:R * t / n%:R.
have y1 : 0 < y by rewrite ltr_paddr ?mulr_ge0 ?invr_ge0 ?ler0n ?ltr01.
have r0 : 0 < Num.sqrt y ^+ n by rewrite exprn_gt0 // sqrtr_gt0.
have pos i : 0 < 1 + 2%:R * t * l i by rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
have means : (Num.sqrt y ^+ n)^-1 <= \prod_(k < n) (Num.sqrt (1 + 2%:R * t * l k))^-1.
  have P0 : 0 < \prod_(k < n) Num.sqrt (1 + 2%:R * t * l k).
    by apply: prodr_gt0 => k _; rewrite sqrtr_gt0.
  rewrite prodfV lef_pinv // -(@ler_pexpn2r _ 2) ?nnegrE ?(ltW P0) ?(ltW r0) //.
  rewrite -prodrXl exprAC sqr_sqrtr ?(ltW y1) //.
  under eq_bigr do rewrite sqr_sqrtr ?ltW //.
  exact: product_le_mean_power.
have := tangent_line_rational (_ : 0 <= n%:R^-1) s0 t0; rewrite -/y.
rewrite invr_ge0 ler0n => /(_ isT) line.
rewrite invfM mulrA; apply: (@le_trans _ _ (s / (1 + 2%:R * t * s) * (Num.sqrt y ^+ n)^-1)).
  by rewrite ler_wpmul2r ?invr_ge0 ?(ltW r0) // -mulrA ler_wpmul2l.
by rewrite ler_wpmul2l // divr_ge0 // addr_ge0 ?mulr_ge0 ?ler0n ?ler01.
Qed.
