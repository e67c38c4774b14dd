(* C = (1/d) sum_k u_k u_k^T, u_1, ..., u_d pairwise independent copies of a random unit vector u,
   concentrates: E ||C - E C||_F^2 = (1 - ||E C||_F^2) / d, which is (1 - sum p_i^2)/d when
   E C = diag(p), and at most 1/d.

   e is the mean over one row, E over all d of them, each on a class of functions (common.Means):
   for Gaussian weights the bounded Borel functions. Of the law of u only |u| = 1 is used.
   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Lemma 6, which prints the bound 1/d.
   The rows of BN(W H) are such copies, given H; E C is diagonal in the right singular basis of H
   for symmetric weights.
   Python: orthogonality.concentration:sharp and :as_printed.
   Depends on: common.Means, common.Sums. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Means Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Rows.

Variables (R : realFieldType) (d : nat) (n : nat) (Omega T : Type).
Variables (p : (Omega -> R) -> Prop) (e : (Omega -> R) -> R).
Variables (P : (T -> R) -> Prop) (E : (T -> R) -> R) (r : 'I_d -> T -> Omega).
Variable u : Omega -> 'I_n -> R.
Hypothesis d1 : (1 <= d)%N.
Hypothesis n1 : (1 <= n)%N.
Hypothesis pC : is_class p.
Hypothesis pe : is_mean p e.
Hypothesis PC : is_class P.
Hypothesis PE : is_mean P E.
Hypothesis copies : are_copies p e P E r.
Hypothesis pu : forall i j : 'I_n, p (fun o => u o i * u o j).
Hypothesis u1 : forall o : Omega, \sum_(i < n) u o i ^+ 2 = 1.

Let pS := class_space pC.
Let PS := class_space PC.

Lemma deviation_class (i j : 'I_n) :
  P (fun t => ((\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R - e (fun o => u o i * u o j)) ^+ 2).
Proof.
apply: (class_sqr PC); apply: (space_sub PS); last exact: (space_const PS).
exact: (copies_average PC copies (pu i j)).
Qed.

Lemma total_deviation_class : P (fun t => \sum_(i < n) \sum_(j < n)
  ((\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R - e (fun o => u o i * u o j)) ^+ 2).
Proof. by apply: (space_sum PS) => i; apply: (space_sum PS) => j; apply: deviation_class. Qed.

Theorem concentration_identity :
  E (fun t => \sum_(i < n) \sum_(j < n)
    ((\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R - e (fun o => u o i * u o j)) ^+ 2)
  = (1 - \sum_(i < n) \sum_(j < n) e (fun o => u o i * u o j) ^+ 2) / d%:R.
Proof.
have p2 i j : p (fun o => (u o i * u o j) ^+ 2) by exact: (class_sqr pC (pu i j)).
have unit : \sum_(i < n) \sum_(j < n) e (fun o => (u o i * u o j) ^+ 2) = 1.
  rewrite -[RHS](mean_one pe).
  transitivity (e (fun o => \sum_(i < n) \sum_(j < n) (u o i * u o j) ^+ 2)).
    rewrite (mean_sum pS pe) => [|i]; last exact: (space_sum pS).
    by apply: eq_bigr => i _; rewrite (mean_sum pS pe).
  apply: (mean_ext pS pe) => [|o]; first by apply: (space_sum pS) => i; exact: (space_sum pS).
  rewrite -[RHS](expr1n R 2) -[X in X ^+ 2](u1 o) sqr_sum.
  by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite exprMn.
rewrite (mean_sum PS PE) => [|i]; last by apply: (space_sum PS) => j; exact: deviation_class.
rewrite -[X in X - _]unit -sumrB mulr_suml; apply: eq_bigr => i _.
rewrite (mean_sum PS PE) => [|j]; last exact: deviation_class.
rewrite -sumrB mulr_suml; apply: eq_bigr => j _.
exact: (variance_of_average pC pe PC PE copies d1 (pu i j)).
Qed.

(* Python's form: E C is diagonal, with the p_i on its diagonal. *)
Theorem concentration_sharp (q : 'I_n -> R) :
  (forall i j : 'I_n, i != j -> e (fun o => u o i * u o j) = 0) ->
  (forall i : 'I_n, q i = e (fun o => u o i * u o i)) ->
  E (fun t => \sum_(i < n) \sum_(j < n)
    ((\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R - e (fun o => u o i * u o j)) ^+ 2)
  = (1 - \sum_(i < n) q i ^+ 2) / d%:R.
Proof.
move=> diag qE; rewrite concentration_identity; congr ((_ - _) / _).
apply: eq_bigr => i _; rewrite (bigD1 i) //= [X in _ + X]big1 ?addr0 ?qE // => j ji.
by rewrite diag ?expr0n // eq_sym.
Qed.

Theorem concentration_as_printed :
  E (fun t => \sum_(i < n) \sum_(j < n)
    ((\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R - e (fun o => u o i * u o j)) ^+ 2)
  <= d%:R^-1.
Proof.
rewrite concentration_identity ler_pimull ?invr_ge0 ?ler0n //.
by rewrite ler_subl_addr ler_addl !sumr_ge0 // => i _; apply: sumr_ge0 => j _; apply: sqr_ge0.
Qed.

(* Since Tr E C = 1, ||E C||_F^2 >= 1/n: the noise of one_step_drift:sharp. *)
Theorem concentration_noise :
  E (fun t => \sum_(i < n) \sum_(j < n)
    ((\sum_(k < d) u (r k t) i * u (r k t) j) / d%:R - e (fun o => u o i * u o j)) ^+ 2)
  <= (1 - n%:R^-1) / d%:R.
Proof.
rewrite concentration_identity ler_wpmul2r ?invr_ge0 ?ler0n // ler_sub //.
pose q (i : 'I_n) := e (fun o => u o i * u o i).
have q1 : \sum_(i < n) q i = 1.
  rewrite -(mean_one pe) -(mean_sum pS pe) => [|i]; last exact: pu.
  apply: (mean_ext pS pe) => [|o]; first by apply: (space_sum pS) => i; exact: pu.
  by rewrite -[RHS](u1 o); apply: eq_bigr => i _; rewrite expr2.
apply: (@le_trans _ _ (\sum_(i < n) q i ^+ 2)).
  rewrite -[n%:R^-1]mulr1 ler_pdivr_mull ?ltr0n // -[X in X <= _](expr1n R 2) -[X in X ^+ 2 <= _]q1.
  by have := cauchy_schwarz_sum q; rewrite card_ord.
apply: ler_sum => i _; rewrite (bigD1 i) //= ler_addl sumr_ge0 // => j _.
exact: sqr_ge0.
Qed.

End Rows.
