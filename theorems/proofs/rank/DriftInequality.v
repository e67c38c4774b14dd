(* The negative term of the drift of the effective rank is controlled by Tr M^3.

   In words: for a symmetric positive semidefinite M with unit diagonal,
   sum_i ((M^2)_ii)^2 <= Tr M^3.

   Source: ours; it signs the drift -8 Tr M^3 + 8 sum_i (M^2)_ii^2 of the residual chain of
   Daneshmand et al., NeurIPS 2020, arXiv 2003.01652.
   Proof: the quadratic form of M at M e_i - (M^2)_ii e_i is (M^3)_ii - ((M^2)_ii)^2, because M_ii = 1.
   No square root of M is needed: positivity of the quadratic form is the hypothesis.

   drift_inequality           matrices
   drift_inequality_row       row by row
   drift_inequality_indexed   the entries as an indexed family
   drift_inequality_gram      M_ij = (1/n) sum_k h_ik h_jk, the covariance of a batch
   drift_inequality_batch     the same in the entries of the batch, as it is printed
   drift_inequality_rescaled  of any batch without zero row, its rows rescaled; no square root occurs

   Depends on: common/Sums.v (cauchy_schwarz1), for the last.
   Proves the Python statements: rank.drift_inequality, rank.drift_inequality_rescaled *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem drift_inequality_row (R : realFieldType) (d : nat) (M : 'M[R]_d) (i : 'I_d) :
  M^T = M -> (forall v : 'cV[R]_d, 0 <= (v^T *m M *m v) 0 0) -> M i i = 1 ->
  ((M *m M) i i) ^+ 2 <= (M *m M *m M) i i.
Proof.
move=> symM psdM Mii; set s := (M *m M) i i.
pose e : 'cV[R]_d := delta_mx i 0.
have entry (A : 'M[R]_d) : (e^T *m A *m e) 0 0 = A i i.
  by rewrite /e trmx_delta -rowE -colE !mxE.
have := psdM (M *m e - s *: e).
have -> : (M *m e - s *: e)^T = e^T *m M - s *: e^T by rewrite linearB linearZ /= trmx_mul symM.
rewrite !mulmxBl !mulmxBr -!scalemxAl -!scalemxAr !mulmxA.
have E2 : (e^T *m M *m M *m e) 0 0 = s by rewrite /s -entry !mulmxA.
have E3 : (e^T *m M *m M *m M *m e) 0 0 = (M *m M *m M) i i.
  by rewrite -entry !mulmxA.
rewrite !scalerA; move: E2 E3 (entry M).
set a := (e^T *m M *m e); set b := (e^T *m M *m M *m e); set c := (e^T *m M *m M *m M *m e).
move=> E2 E3 E1; have -> : (c - s *: b - (s *: b - (s * s) *: a)) 0 0
  = c 0 0 - s * b 0 0 - (s * b 0 0 - s * s * a 0 0) by rewrite !mxE.
rewrite E1 E2 E3 Mii.
have -> x : x - s * s - (s * s - s * s * 1) = x - s ^+ 2 by ring.
by rewrite subr_ge0.
Qed.

Theorem drift_inequality (R : realFieldType) (d : nat) (M : 'M[R]_d) :
  M^T = M -> (forall v : 'cV[R]_d, 0 <= (v^T *m M *m v) 0 0) -> (forall i : 'I_d, M i i = 1) ->
  \sum_(i < d) ((M *m M) i i) ^+ 2 <= \tr (M *m M *m M).
Proof. by move=> symM psdM diagM; apply: ler_sum => i _; apply: drift_inequality_row. Qed.

Theorem drift_inequality_indexed (R : realFieldType) (d : nat) (M : 'I_d -> 'I_d -> R) :
  (forall i j : 'I_d, M i j = M j i) ->
  (forall v : 'I_d -> R, 0 <= \sum_(i < d) \sum_(j < d) v i * M i j * v j) ->
  (forall i : 'I_d, M i i = 1) ->
  \sum_(i < d) (\sum_(j < d) M i j ^+ 2) ^+ 2
  <= \sum_(i < d) \sum_(j < d) \sum_(k < d) M i j * M j k * M k i.
Proof.
move=> symM psdM diagM; pose A : 'M[R]_d := \matrix_(i, j) M i j.
have := @drift_inequality _ _ A; rewrite /mxtrace.
have -> : \sum_(i < d) ((A *m A) i i) ^+ 2 = \sum_(i < d) (\sum_(j < d) M i j ^+ 2) ^+ 2.
  apply: eq_bigr => i _; congr (_ ^+ 2); rewrite mxE; apply: eq_bigr => j _.
  by rewrite !mxE (symM j) expr2.
have -> : \sum_i (A *m A *m A) i i = \sum_(i < d) \sum_(j < d) \sum_(k < d) M i j * M j k * M k i.
  apply: eq_bigr => i _; rewrite exchange_big mxE; apply: eq_bigr => k _ /=.
  by rewrite !mxE mulr_suml; apply: eq_bigr => j _; rewrite !mxE.
apply; first by apply/matrixP => i j; rewrite !mxE.
- move=> v; rewrite mxE; have := psdM (fun i => v i 0); rewrite exchange_big.
  congr (_ <= _); apply: eq_bigr => j _ /=; rewrite !mxE mulr_suml.
  by apply: eq_bigr => i _; rewrite !mxE.
- by move=> i; rewrite mxE.
Qed.

Theorem drift_inequality_gram (R : realFieldType) (d n : nat) (h : 'I_d -> 'I_n -> R)
    (M : 'I_d -> 'I_d -> R) :
  (forall i j : 'I_d, M i j = (\sum_(k < n) h i k * h j k) / n%:R) ->
  (forall i : 'I_d, M i i = 1) ->
  \sum_(i < d) (\sum_(j < d) M i j ^+ 2) ^+ 2
  <= \sum_(i < d) \sum_(j < d) \sum_(k < d) M i j * M j k * M k i.
Proof.
move=> gram diagM; apply: drift_inequality_indexed => // [i j|v].
  by rewrite !gram; congr (_ / _); apply: eq_bigr => k _; rewrite mulrC.
have -> : \sum_(i < d) \sum_(j < d) v i * M i j * v j
  = (\sum_(k < n) (\sum_(i < d) v i * h i k) ^+ 2) / n%:R.
  rewrite (eq_bigr (fun i => \sum_(j < d) \sum_(k < n) v i * h i k * (v j * h j k) / n%:R)).
    rewrite mulr_suml [RHS](eq_bigr (fun k => \sum_(i < d) \sum_(j < d)
      v i * h i k * (v j * h j k) / n%:R)) => [|k _]; last first.
      rewrite expr2 mulr_suml mulr_suml; apply: eq_bigr => i _.
      by rewrite mulr_sumr mulr_suml.
    rewrite [RHS]exchange_big; apply: eq_bigr => i _.
    by rewrite [RHS]exchange_big.
  move=> i _; apply: eq_bigr => j _; rewrite gram mulr_suml mulr_sumr mulr_suml.
  by apply: eq_bigr => k _; ring.
by rewrite divr_ge0 ?ler0n //; apply: sumr_ge0 => k _; apply: sqr_ge0.
Qed.

(* The diagonal is 1 as one equation: a sum of squares that vanishes. *)
Theorem drift_inequality_batch (R : realFieldType) (d n : nat) (h : 'I_d -> 'I_n -> R) :
  (1 <= d)%N -> (1 <= n)%N ->
  \sum_(i < d) ((\sum_(m < n) h i m ^+ 2) / n%:R - 1) ^+ 2 = 0 ->
  \sum_(i < d) (\sum_(j < d) (\sum_(m < n) h i m * h j m) ^+ 2 / n%:R ^+ 2) ^+ 2
  <= \sum_(i < d) \sum_(j < d) \sum_(k < d)
       (\sum_(m < n) h i m * h j m) * (\sum_(m < n) h i m * h k m)
       * (\sum_(m < n) h j m * h k m) / n%:R ^+ 3.
Proof.
move=> d1 n1 /eqP; rewrite psumr_eq0 => [/allP unit|i _]; last exact: sqr_ge0.
pose M i j : R := (\sum_(m < n) h i m * h j m) / n%:R.
have M1 i : M i i = 1.
  have := unit i (mem_index_enum i); rewrite /= sqrf_eq0 subr_eq0 => /eqP <-.
  by congr (_ / _); apply: eq_bigr => m _; rewrite expr2.
have := @drift_inequality_gram R d n h M (fun i j => erefl) M1.
congr (_ <= _); apply: eq_bigr => i _.
  by congr (_ ^+ 2); apply: eq_bigr => j _; rewrite exprMn exprVn.
apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite /M.
have -> : \sum_(m < n) h k m * h i m = \sum_(m < n) h i m * h k m.
  by apply: eq_bigr => m _; rewrite mulrC.
rewrite -!exprVn; move: (n%:R^-1 : R) (\sum_(m < n) h i m * h j m) (\sum_(m < n) h i m * h k m).
by move: (\sum_(m < n) h j m * h k m) => c z a b; ring.
Qed.

(* Cauchy-Schwarz in the samples, row by row: h_i against sum_j (c_ij / c_jj) h_j, where c_ij = sum_m h_im h_jm. *)
Theorem drift_inequality_rescaled (R : realFieldType) (d n : nat) (h : 'I_d -> 'I_n -> R) :
  (1 <= d)%N -> (1 <= n)%N -> 0 < \prod_(i < d) (\sum_(m < n) h i m ^+ 2) ->
  \sum_(i < d) (\sum_(j < d) (\sum_(m < n) h i m * h j m) ^+ 2
                             / ((\sum_(m < n) h i m ^+ 2) * (\sum_(m < n) h j m ^+ 2))) ^+ 2
  <= \sum_(i < d) \sum_(j < d) \sum_(k < d)
       (\sum_(m < n) h i m * h j m) * (\sum_(m < n) h i m * h k m) * (\sum_(m < n) h j m * h k m)
       / ((\sum_(m < n) h i m ^+ 2) * (\sum_(m < n) h j m ^+ 2) * (\sum_(m < n) h k m ^+ 2)).
Proof.
move=> _ _ /lt0r_neq0/prodf_neq0 nonzero.
pose q i : R := \sum_(m < n) h i m ^+ 2; pose c i j : R := \sum_(m < n) h i m * h j m.
apply: ler_sum => i _; pose v m : R := \sum_(j < d) c i j / q j * h j m.
have qi : 0 < q i by rewrite lt_neqAle eq_sym nonzero //=; apply: sumr_ge0 => m _; apply: sqr_ge0.
have vh : \sum_(m < n) v m * h i m = \sum_(j < d) c i j ^+ 2 / q j.
  under eq_bigr do rewrite mulr_suml; rewrite exchange_big; apply: eq_bigr => j _ /=.
  rewrite (eq_bigr (fun m => c i j / q j * (h i m * h j m))) => [|m _]; last by ring.
  by rewrite -mulr_sumr expr2 mulrAC.
have vv : \sum_(m < n) v m ^+ 2 = \sum_(j < d) \sum_(k < d) c i j * c i k * (\sum_(m < n) h j m * h k m) / (q j * q k).
  under eq_bigr do rewrite sqr_sum; rewrite exchange_big; apply: eq_bigr => j _ /=.
  rewrite exchange_big; apply: eq_bigr => k _ /=; rewrite invfM.
  rewrite (eq_bigr (fun m => c i j / q j * (c i k / q k) * (h j m * h k m))) => [|m _]; last by ring.
  rewrite -mulr_sumr; move: (c i j) (c i k) (q j)^-1 (q k)^-1 (\sum_(m < n) h j m * h k m : R) => x y a b z.
  by ring.
have -> : \sum_(j < d) c i j ^+ 2 / (q i * q j) = (\sum_(m < n) v m * h i m) / q i.
  rewrite vh mulr_suml; apply: eq_bigr => j _; rewrite invfM.
  by move: (c i j) (q i)^-1 (q j)^-1 => x a b; ring.
have -> : \sum_(j < d) \sum_(k < d) c i j * c i k * c j k / (q i * q j * q k) = (\sum_(m < n) v m ^+ 2) / q i.
  rewrite vv mulr_suml; apply: eq_bigr => j _; rewrite [RHS]mulr_suml.
  apply: eq_bigr => k _.
  rewrite !invfM -/(c j k); move: (c i j) (c i k) (c j k) (q i)^-1 (q j)^-1 (q k)^-1 => x y z a b e.
  by ring.
rewrite expr_div_n ler_pdivr_mulr ?exprn_gt0 // -mulrA expr2 [_^-1 * _]mulrA mulVf ?mul1r ?gt_eqF //.
exact: cauchy_schwarz1.
Qed.
