(* The smallest eigenvalue controls the orthogonality gap: for l_1, ..., l_n with sum 1 and minimum s,
   sum (l_i - 1/n)^2 <= n(n-1) (1/n - s)^2, with equality at one large eigenvalue and the others equal.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Lemma 4, which prints V <= 2n (1/n - s);
   the constant sqrt(n(n-1)) is ours, and the best possible.
   Python: orthogonality.gap_vs_smallest_eigenvalue:sharp and :as_printed.
   gap_squared_sharp is the form without roots, over any ordered field and for any lower bound s.
   Depends on: common.Sums (sum u^2 <= (sum u)^2 for u >= 0). *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma natn_neq0 (R : numDomainType) (n : nat) : (1 <= n)%N -> n%:R != 0 :> R.
Proof. by rewrite pnatr_eq0 -lt0n. Qed.

Lemma lower_bound_le_mean (R : realFieldType) (n : nat) (l : 'I_n -> R) (s : R) :
  (1 <= n)%N -> \sum_(i < n) l i = 1 -> (forall i : 'I_n, s <= l i) -> s <= n%:R^-1.
Proof.
move=> n1 l1 sl; rewrite -[n%:R^-1]div1r ler_pdivl_mulr ?ltr0n // -[X in _ <= X]l1.
apply: (@le_trans _ _ (\sum_(i < n) s)); first by rewrite sumr_const card_ord mulr_natr.
exact: ler_sum.
Qed.

Theorem gap_squared_sharp (R : realFieldType) (n : nat) (l : 'I_n -> R) (s : R) :
  (1 <= n)%N ->
  (forall i : 'I_n, s <= l i) ->
  \sum_(i < n) l i = 1 ->
  \sum_(i < n) (l i - n%:R^-1) ^+ 2 <= n%:R * (n%:R - 1) * (n%:R^-1 - s) ^+ 2.
Proof.
move=> n1 sl l1; have n0 := natn_neq0 R n1; set m := n%:R^-1 - s.
have u0 i : 0 <= l i - s by rewrite subr_ge0.
have U : \sum_(i < n) (l i - s) = n%:R * m.
  by rewrite sumrB l1 sumr_const card_ord /m mulrBr divff // mulr_natl.
have -> : \sum_(i < n) (l i - n%:R^-1) ^+ 2 = \sum_(i < n) (l i - s) ^+ 2 - n%:R * m ^+ 2.
  transitivity (\sum_(i < n) (1 * (l i - s) ^+ 2 + - (2%:R * m) * (l i - s) + m ^+ 2 * 1)).
    by apply: eq_bigr => i _; rewrite /m; ring.
  by rewrite ord_lin3 U sumr_const card_ord /=; move: (\sum_i _) (m) => x y; ring.
rewrite ler_subl_addr (_ : _ + _ = (\sum_(i < n) (l i - s)) ^+ 2); last by rewrite U; ring.
exact: sum_sqr_le_sqr_sum.
Qed.

(* One large eigenvalue, the others equal to s. *)
Theorem gap_squared_attained (R : realFieldType) (n : nat) (s : R) :
  (2 <= n)%N -> s <= n%:R^-1 ->
  exists l : 'I_n -> R,
    [/\ \sum_(i < n) l i = 1, forall i : 'I_n, s <= l i, exists i : 'I_n, s = l i
      & \sum_(i < n) (l i - n%:R^-1) ^+ 2 = n%:R * (n%:R - 1) * (n%:R^-1 - s) ^+ 2].
Proof.
case: n => [|[|n]] // _; set N := n.+2 => sN.
have n0 : N%:R != 0 :> R by rewrite pnatr_eq0.
pose l (i : 'I_N) : R := if i == ord0 then 1 - (N%:R - 1) * s else s.
have body (f : R -> R) : \sum_(i < N) f (l i) = f (1 - (N%:R - 1) * s) + (N%:R - 1) * f s.
  rewrite big_ord_recl /l eqxx; congr (_ + _).
  rewrite (eq_bigr (fun=> f s)) => [|i _]; last by rewrite eqE.
  by rewrite sumr_const card_ord /N -[n.+2]addn1 natrD addrK mulr_natl.
exists l; split.
- by rewrite (body id); ring.
- move=> i; rewrite /l; case: eqP => // _.
  rewrite -subr_ge0 (_ : _ - _ = N%:R * (N%:R^-1 - s)); first by rewrite mulr_ge0 ?subr_ge0 ?ler0n.
  by field.
- by exists (lift ord0 ord0); rewrite /l eqE.
- by rewrite (body (fun x => (x - N%:R^-1) ^+ 2)); field.
Qed.

(* No constant below n(n-1) will do. *)
Theorem gap_squared_optimal (R : realFieldType) (n : nat) (K : R) :
  (2 <= n)%N ->
  (forall (l : 'I_n -> R) (s : R),
    (forall i : 'I_n, 0 <= l i <= 1) -> (forall i : 'I_n, s <= l i) -> (exists i : 'I_n, s = l i) ->
    \sum_(i < n) l i = 1 ->
    \sum_(i < n) (l i - n%:R^-1) ^+ 2 <= K * (n%:R^-1 - s) ^+ 2) ->
  n%:R * (n%:R - 1) <= K.
Proof.
move=> n2 bound; have n1 : (0 < n)%N by apply: leq_trans n2.
have inv0 : 0 < n%:R^-1 :> R by rewrite invr_gt0 ltr0n.
have [|l [l1 l0 m E]] := @gap_squared_attained R n 0 n2; first exact: ltW.
have := bound l 0 _ l0 m l1; rewrite E subr0 ler_pmul2r ?exprn_gt0 //; apply.
by move=> i; rewrite l0 -l1 le_sum_term.
Qed.

Theorem gap_vs_smallest_eigenvalue_sharp (R : rcfType) (n : nat) (l : 'I_n -> R) (s : R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= l i <= 1) ->
  (forall i : 'I_n, s <= l i) -> (exists i : 'I_n, s = l i) ->
  \sum_(i < n) l i = 1 ->
  Num.sqrt (\sum_(i < n) (l i - n%:R^-1) ^+ 2) <= Num.sqrt (n%:R * (n%:R - 1)) * (n%:R^-1 - s).
Proof.
move=> n1 _ sl _ l1; have s1 := lower_bound_le_mean n1 l1 sl.
have nn : 0 <= n%:R * (n%:R - 1) :> R by rewrite mulr_ge0 ?ler0n ?subr_ge0 ?ler1n.
rewrite -[n%:R^-1 - s]ger0_norm ?subr_ge0 // -sqrtr_sqr -sqrtrM // ler_wsqrtr //.
exact: gap_squared_sharp.
Qed.

Theorem gap_vs_smallest_eigenvalue_as_printed (R : rcfType) (n : nat) (l : 'I_n -> R) (s : R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= l i <= 1) ->
  (forall i : 'I_n, s <= l i) -> (exists i : 'I_n, s = l i) ->
  \sum_(i < n) l i = 1 ->
  Num.sqrt (\sum_(i < n) (l i - n%:R^-1) ^+ 2) <= 2%:R * n%:R * (n%:R^-1 - s).
Proof.
move=> n1 l01 sl ms l1; have s1 := lower_bound_le_mean n1 l1 sl.
apply: le_trans (gap_vs_smallest_eigenvalue_sharp n1 l01 sl ms l1) _.
rewrite ler_wpmul2r ?subr_ge0 //; apply: (@le_trans _ _ n%:R).
  rewrite -[X in _ <= X]ger0_norm ?ler0n // -sqrtr_sqr ler_wsqrtr //.
  rewrite expr2 ler_wpmul2l ?ler0n //.
  by rewrite ler_subl_addr ler_addl ler01.
by rewrite ler_pmull ?ltr0n // ler1n.
Qed.
