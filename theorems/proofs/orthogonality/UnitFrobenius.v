(* Rescaled rows have unit norm: Tr(BN(A) BN(A)^T) = d when no row of A (d x n) is zero.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), eq. 10.
   Python: orthogonality.unit_frobenius (theorem unit_frobenius, division of squares, any ordered field).
   unit_frobenius_matrix is the same at matrix level, with BN(A) = diag(A A^T)^(-1/2) A.
   Depends on: nothing. *)

From mathcomp Require Import all_ssreflect all_algebra.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem unit_frobenius (R : realFieldType) (d : nat) (n : nat) (A : 'I_d -> 'I_n -> R) :
  (1 <= d)%N -> (1 <= n)%N ->
  0 < \prod_(i < d) (\sum_(k < n) A i k ^+ 2) ->
  \sum_(i < d) \sum_(j < n) A i j ^+ 2 / (\sum_(k < n) A i k ^+ 2) = d%:R.
Proof.
move=> _ _ /lt0r_neq0 /prodf_neq0 nz.
rewrite (eq_bigr (fun=> 1)) => [|i _]; last by rewrite -mulr_suml divff ?nz.
by rewrite sumr_const card_ord.
Qed.

(* Batch normalisation without mean subtraction: diag(A A^T)^(-1/2) A. *)
Definition bn (R : rcfType) (d n : nat) (A : 'M[R]_(d, n)) : 'M[R]_(d, n) :=
  diag_mx (\row_i (Num.sqrt ((A *m A^T) i i))^-1) *m A.

Lemma gram_diag (R : comRingType) (d n : nat) (A : 'M[R]_(d, n)) i :
  (A *m A^T) i i = \sum_(k < n) A i k ^+ 2.
Proof. by rewrite mxE; apply: eq_bigr => k _; rewrite mxE expr2. Qed.

Lemma row_neq0 (R : realFieldType) (d n : nat) (A : 'M[R]_(d, n)) i :
  row i A != 0 -> 0 < \sum_(k < n) A i k ^+ 2.
Proof.
move=> nz; rewrite lt_def sumr_ge0 ?andbT => [|k _]; last exact: sqr_ge0.
apply: contra nz; rewrite psumr_eq0 => [/allP z|k _]; last exact: sqr_ge0.
apply/eqP/rowP => k; rewrite 2!mxE; apply/eqP.
by rewrite -sqrf_eq0 (implyP (z k (mem_index_enum k))).
Qed.

Theorem unit_rows (R : rcfType) (d : nat) (n : nat) (A : 'M[R]_(d, n)) :
  (forall i : 'I_d, row i A != 0) ->
  forall i : 'I_d, (bn A *m (bn A)^T) i i = 1.
Proof.
move=> nz i; rewrite gram_diag.
have s0 := row_neq0 (nz i).
rewrite (eq_bigr (fun k => (\sum_(k < n) A i k ^+ 2)^-1 * A i k ^+ 2)) => [|k _].
  by rewrite -mulr_sumr mulVf ?gt_eqF.
by rewrite /bn mul_diag_mx 2!mxE exprMn exprVn gram_diag sqr_sqrtr ?ltW.
Qed.

Theorem unit_frobenius_matrix (R : rcfType) (d : nat) (n : nat) (A : 'M[R]_(d, n)) :
  (forall i : 'I_d, row i A != 0) ->
  \tr (bn A *m (bn A)^T) = d%:R.
Proof.
move=> nz; rewrite /mxtrace (eq_bigr (fun=> 1)) => [|i _]; last exact: unit_rows.
by rewrite sumr_const card_ord.
Qed.
