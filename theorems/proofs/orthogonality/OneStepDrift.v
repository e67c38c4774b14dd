(* The smallest eigenvalue of one layer: smallest_eigenvalue_concentration.

   The rows of BN(W H), given H, are d pairwise independent copies of a random unit vector u
   (common.Means). C = (1/d) sum_k u_k u_k^T is the next layer's Gram matrix over its trace,
   E C = diag(p). lambda_min is a function on families M i j with the defining property of a
   smallest eigenvalue on symmetric ones: the least value of x^T M x over unit vectors x, attained.

   smallest_lipschitz: |lambda_min(M) - lambda_min(M')| <= ||M - M'||_F, as squares.
   smallest_eigenvalue_concentration: E((1/n - lambda_min(C)) - (1/n - p_n))^2 <= (1 - 1/n)/d,
   p_n = min p. The drift itself is HarmonicDrift.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Lemma 7; constant ours.
   Python: orthogonality.smallest_eigenvalue_concentration.
   Depends on: common.Means, common.Sums, Concentration. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Means Sums.
From BatchNorm.orthogonality Require Import Concentration.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma form_le_frobenius (R : realFieldType) (n : nat) (D : 'I_n -> 'I_n -> R) (x : 'I_n -> R) :
  \sum_(i < n) x i ^+ 2 = 1 ->
  (\sum_(i < n) \sum_(j < n) x i * D i j * x j) ^+ 2 <= \sum_(i < n) \sum_(j < n) D i j ^+ 2.
Proof.
move=> x1.
have := cauchy_schwarz2 D (fun i j => x i * x j).
have -> : \sum_(i < n) \sum_(j < n) (x i * x j) ^+ 2 = 1.
  transitivity ((\sum_(i < n) x i ^+ 2) * (\sum_(i < n) x i ^+ 2)); last by rewrite x1 mulr1.
  rewrite sum_prod.
  by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite exprMn.
rewrite mulr1 => le; apply: le_trans le; rewrite le_eqVlt; apply/orP; left; apply/eqP;
  congr (_ ^+ 2).
by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite -mulrA mulrCA.
Qed.

Theorem smallest_lipschitz (R : realFieldType) (n : nat) (M : 'I_n -> 'I_n -> R) (N : 'I_n ->
  'I_n -> R)
    (a : R) (b : R) :
  (forall x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 ->
    a <= \sum_(i < n) \sum_(j < n) x i * M i j * x j) ->
  (exists x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 /\ a
    = \sum_(i < n) \sum_(j < n) x i * M i j * x j) ->
  (forall x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 ->
    b <= \sum_(i < n) \sum_(j < n) x i * N i j * x j) ->
  (exists x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 /\ b
    = \sum_(i < n) \sum_(j < n) x i * N i j * x j) ->
  (a - b) ^+ 2 <= \sum_(i < n) \sum_(j < n) (M i j - N i j) ^+ 2.
Proof.
move=> aM [x [x1 ax]] bN [y [y1 by_]].
have diff (z : 'I_n -> R) : \sum_(i < n) \sum_(j < n) z i * (M i j - N i j) * z j
    = \sum_(i < n) \sum_(j < n) z i * M i j * z j - \sum_(i < n) \sum_(j < n) z i * N i j * z j.
  rewrite -sumrB; apply: eq_bigr => i _; rewrite -sumrB; apply: eq_bigr => j _.
  by rewrite mulrBr mulrBl.
have [ab|/ltW ba] := leP a b.
  (* b <= x^T N x, so b - a <= x^T (N - M) x *)
  apply: le_trans (form_le_frobenius _ x1); rewrite -sqrrN -[X in _ <= X]sqrrN.
  rewrite ler_expn2r ?nnegrE ?opprB ?subr_ge0 //.
    by rewrite -oppr_le0 opprK diff -ax subr_le0 (le_trans ab) // bN.
  by rewrite diff opprB ax ler_add2r bN.
apply: le_trans (form_le_frobenius _ y1); rewrite ler_expn2r ?nnegrE ?subr_ge0 //.
  by rewrite diff -by_ subr_ge0 (le_trans ba) // aM.
by rewrite diff by_ ler_add2r aM.
Qed.

Theorem smallest_eigenvalue_concentration (R : realFieldType) (d : nat) (n : nat) (Omega T : Type)
    (p : (Omega -> R) -> Prop) (e : (Omega -> R) -> R) (P : (T -> R) -> Prop) (E : (T -> R) -> R)
    (r : 'I_d -> T -> Omega) (u : Omega -> 'I_n -> R) (lambda_min : ('I_n -> 'I_n -> R) -> R)
    (p_n : R) :
  (1 <= d)%N -> (1 <= n)%N ->
  is_class p -> is_mean p e -> is_class P -> is_mean P E -> are_copies p e P E r ->
  (forall i j : 'I_n, p (fun o => u o i * u o j)) ->
  P (fun t => lambda_min (fun i j => (\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R)) ->
  (forall o : Omega, \sum_(i < n) u o i ^+ 2 = 1) ->
  (forall M : 'I_n -> 'I_n -> R, (forall i j : 'I_n, M i j = M j i) ->
     (forall x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 ->
        lambda_min M <= \sum_(i < n) \sum_(j < n) x i * M i j * x j)
     /\ (exists x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1
        /\ lambda_min M = \sum_(i < n) \sum_(j < n) x i * M i j * x j)) ->
  p_n = lambda_min (fun i j => e (fun o => u o i * u o j)) ->
  E (fun t => ((n%:R^-1 - lambda_min (fun i j => (\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R))
     - (n%:R^-1 - p_n)) ^+ 2)
  <= (1 - n%:R^-1) / d%:R.
Proof.
move=> d1 n1 pC pe PC PE copies pu Pl u1 min ->; have PS := class_space PC.
apply: le_trans (concentration_noise d1 n1 pC pe PC PE copies pu u1).
apply: (mean_le PE) => [||t]; last 1 first.
- have shift (a b c : R) : (c - a - (c - b)) ^+ 2 = (a - b) ^+ 2 by ring.
  rewrite shift; have symC i j : (\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R
      = (\sum_(k < d) u (r k t) j * u (r k t) i) / d%:R.
    by congr (_ / _); apply: eq_bigr => k _; rewrite mulrC.
  have symE i j : e (fun o => u o i * u o j) = e (fun o => u o j * u o i).
    by apply: (mean_ext (class_space pC) pe (pu i j)) => o; rewrite mulrC.
  have [aC xC] := min (fun i j => (\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R) symC.
  have [bE xE] := min (fun i j => e (fun o => u o i * u o j)) symE.
  exact: smallest_lipschitz aC xC bE xE.
- apply: (class_sqr PC); apply: (space_sub PS); last exact: (space_const PS).
  by apply: (space_sub PS) Pl; exact: (space_const PS).
exact: (total_deviation_class PC copies pu).
Qed.
