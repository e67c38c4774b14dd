(* C = (1/d) sum_k u_k u_k^T, u_1, ..., u_d independent copies of a random unit vector u, concentrates:
   E ||C - E C||_F^2 = (1 - ||E C||_F^2) / d, which is (1 - sum p_i^2)/d when E C = diag(p), and at most 1/d.

   Expectations are finite sums: u takes the value u o with weight w o, o in a finite type, and a sample is a
   function f : {ffun 'I_d -> Omega} with weight prod_k w (f k) (the product law).
   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Lemma 6, which prints the bound 1/d. The rows of
   BN(W H) are such copies, given H; E C is diagonal in the right singular basis of H for symmetric weights.
   Python: orthogonality.concentration:sharp and :as_printed (Gaussian weights there, a finite law here).
   Depends on: common.Sums. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section ProductLaw.

Variables (R : realFieldType) (d : nat) (Omega : finType) (w : Omega -> R).
Hypothesis w1 : \sum_o w o = 1.

Let P (f : {ffun 'I_d -> Omega}) := \prod_(k < d) w (f k).

Lemma product_factor (g : 'I_d -> Omega -> R) :
  \sum_(f : {ffun 'I_d -> Omega}) P f * \prod_(k < d) g k (f k) = \prod_(k < d) \sum_o w o * g k o.
Proof. by rewrite bigA_distr_bigA; apply: eq_bigr => f _; rewrite -big_split. Qed.

Lemma product_total : \sum_(f : {ffun 'I_d -> Omega}) P f = 1.
Proof.
transitivity (\sum_(f : {ffun 'I_d -> Omega}) P f * \prod_(k < d) 1).
  by apply: eq_bigr => f _; rewrite big1_eq mulr1.
rewrite (product_factor (fun _ _ => 1)); apply: big1 => k _.
by rewrite -[RHS]w1; apply: eq_bigr => o _; rewrite mulr1.
Qed.

Lemma product_pair (y : Omega -> R) (k l : 'I_d) : \sum_o w o * y o = 0 ->
  \sum_(f : {ffun 'I_d -> Omega}) P f * (y (f k) * y (f l)) = if k == l then \sum_o w o * y o ^+ 2 else 0.
Proof.
move=> y0; pose g (i : 'I_d) o := (if i == k then y o else 1) * (if i == l then y o else 1).
transitivity (\sum_(f : {ffun 'I_d -> Omega}) P f * \prod_(i < d) g i (f i)).
  apply: eq_bigr => f _; congr (_ * _); rewrite /g big_split /=.
  by rewrite -!big_mkcond /= !big_pred1_eq.
rewrite product_factor (bigD1 k) //= {1}/g eqxx; case: eqVneq => [e|kl].
  subst l.
  rewrite [X in _ * X]big1 ?mulr1 => [|i /negPf ik]; first by apply: eq_bigr => o _; rewrite expr2.
  by rewrite -[RHS]w1; apply: eq_bigr => o _; rewrite /g ik !mulr1.
by under eq_bigr do rewrite mulr1; rewrite y0 mul0r.
Qed.

Lemma product_square (y : Omega -> R) : \sum_o w o * y o = 0 ->
  \sum_(f : {ffun 'I_d -> Omega}) P f * (\sum_(k < d) y (f k)) ^+ 2 = d%:R * (\sum_o w o * y o ^+ 2).
Proof.
move=> y0; transitivity (\sum_f \sum_(k < d) \sum_(l < d) P f * (y (f k) * y (f l))).
  apply: eq_bigr => f _; rewrite sqr_sum mulr_sumr.
  by apply: eq_bigr => k _; rewrite mulr_sumr.
rewrite exchange_big /=; transitivity (\sum_(k < d) \sum_o w o * y o ^+ 2); last first.
  by rewrite sumr_const card_ord mulr_natl.
apply: eq_bigr => k _; rewrite exchange_big /= (bigD1 k) //=.
rewrite product_pair // eqxx [X in _ + X]big1 ?addr0 // => l lk.
by rewrite product_pair // eq_sym (negPf lk).
Qed.

(* The variance of an average of d independent copies of x. *)
Lemma variance_of_average (x : Omega -> R) : (1 <= d)%N ->
  \sum_(f : {ffun 'I_d -> Omega}) P f * ((\sum_(k < d) x (f k)) / d%:R - \sum_o w o * x o) ^+ 2
  = (\sum_o w o * x o ^+ 2 - (\sum_o w o * x o) ^+ 2) / d%:R.
Proof.
move=> d1; have d0 : d%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
set m := \sum_o w o * x o; pose y o := x o - m.
have y0 : \sum_o w o * y o = 0.
  transitivity (\sum_o (1 * (w o * x o) + - m * w o)); first by apply: eq_bigr => o _; rewrite /y; ring.
  by rewrite sum_lin2 w1 -/m; ring.
transitivity (d%:R^-1 ^+ 2 * (\sum_(f : {ffun 'I_d -> Omega}) P f * (\sum_(k < d) y (f k)) ^+ 2)).
  rewrite mulr_sumr; apply: eq_bigr => f _.
  have -> : \sum_(k < d) y (f k) = \sum_(k < d) x (f k) - d%:R * m.
    by rewrite sumrB sumr_const card_ord mulr_natl.
  by move: (\sum_(k < d) _) (P f) => X Q; field.
rewrite product_square //.
have -> : \sum_o w o * y o ^+ 2 = \sum_o w o * x o ^+ 2 - m ^+ 2.
  transitivity (\sum_o (1 * (w o * x o ^+ 2) + - (2%:R * m) * (w o * x o) + m ^+ 2 * w o)).
    by apply: eq_bigr => o _; rewrite /y; ring.
  by rewrite sum_lin3 w1 -/m; move: (\sum_o _) => X; ring.
by move: (_ - _) => X; field.
Qed.

End ProductLaw.

Theorem concentration_identity (R : realFieldType) (d : nat) (n : nat) (Omega : finType)
    (w : Omega -> R) (u : Omega -> 'I_n -> R) :
  (1 <= d)%N ->
  \sum_o w o = 1 ->
  (forall o : Omega, \sum_(i < n) u o i ^+ 2 = 1) ->
  \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) *
     (\sum_(i < n) \sum_(j < n)
        ((\sum_(k < d) u (f k) i * u (f k) j) / d%:R - \sum_o w o * (u o i * u o j)) ^+ 2)
  = (1 - \sum_(i < n) \sum_(j < n) (\sum_o w o * (u o i * u o j)) ^+ 2) / d%:R.
Proof.
move=> d1 w1 u1; under eq_bigr do rewrite mulr_sumr; rewrite exchange_big /=.
have unit : \sum_(i < n) \sum_(j < n) \sum_o w o * (u o i * u o j) ^+ 2 = 1.
  under eq_bigr do rewrite exchange_big /=; rewrite exchange_big /= -[RHS]w1.
  apply: eq_bigr => o _; rewrite -[RHS]mulr1 -(expr1n _ 2) -(u1 o) sqr_sum mulr_sumr.
  apply: eq_bigr => i _; rewrite mulr_sumr; apply: eq_bigr => j _.
  by rewrite exprMn.
rewrite -[X in X - _]unit -sumrB mulr_suml; apply: eq_bigr => i _.
under eq_bigr do rewrite mulr_sumr; rewrite exchange_big /= -sumrB mulr_suml.
by apply: eq_bigr => j _; apply: (variance_of_average w1 (fun o => u o i * u o j)).
Qed.

(* Python's form: E C is diagonal, with the p_i on its diagonal. *)
Theorem concentration_sharp (R : realFieldType) (d : nat) (n : nat) (Omega : finType)
    (w : Omega -> R) (u : Omega -> 'I_n -> R) (p : 'I_n -> R) :
  (1 <= d)%N -> (1 <= n)%N ->
  (forall o : Omega, 0 <= w o) ->
  \sum_o w o = 1 ->
  (forall o : Omega, \sum_(i < n) u o i ^+ 2 = 1) ->
  (forall i j : 'I_n, i != j -> \sum_o w o * (u o i * u o j) = 0) ->
  (forall i : 'I_n, p i = \sum_o w o * u o i ^+ 2) ->
  \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) *
     (\sum_(i < n) \sum_(j < n)
        ((\sum_(k < d) u (f k) i * u (f k) j) / d%:R - \sum_o w o * (u o i * u o j)) ^+ 2)
  = (1 - \sum_(i < n) p i ^+ 2) / d%:R.
Proof.
move=> d1 _ _ w1 u1 diag pE; rewrite concentration_identity //; congr ((_ - _) / _).
apply: eq_bigr => i _; rewrite (bigD1 i) //= [X in _ + X]big1 ?addr0 => [|j ji].
  by congr (_ ^+ 2); rewrite pE; apply: eq_bigr => o _; rewrite expr2.
by rewrite diag ?expr0n // eq_sym.
Qed.

Theorem concentration_as_printed (R : realFieldType) (d : nat) (n : nat) (Omega : finType)
    (w : Omega -> R) (u : Omega -> 'I_n -> R) :
  (1 <= d)%N -> (1 <= n)%N ->
  (forall o : Omega, 0 <= w o) ->
  \sum_o w o = 1 ->
  (forall o : Omega, \sum_(i < n) u o i ^+ 2 = 1) ->
  \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) *
     (\sum_(i < n) \sum_(j < n)
        ((\sum_(k < d) u (f k) i * u (f k) j) / d%:R - \sum_o w o * (u o i * u o j)) ^+ 2)
  <= d%:R^-1.
Proof.
move=> d1 _ _ w1 u1; rewrite concentration_identity // ler_pimull ?invr_ge0 ?ler0n //.
by rewrite ler_subl_addr ler_addl !sumr_ge0 // => i _; apply: sumr_ge0 => j _; apply: sqr_ge0.
Qed.

(* Since Tr E C = 1, ||E C||_F^2 >= 1/n: the noise of one_step_drift:sharp. *)
Theorem concentration_noise (R : realFieldType) (d : nat) (n : nat) (Omega : finType)
    (w : Omega -> R) (u : Omega -> 'I_n -> R) :
  (1 <= d)%N -> (1 <= n)%N ->
  \sum_o w o = 1 ->
  (forall o : Omega, \sum_(i < n) u o i ^+ 2 = 1) ->
  \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) *
     (\sum_(i < n) \sum_(j < n)
        ((\sum_(k < d) u (f k) i * u (f k) j) / d%:R - \sum_o w o * (u o i * u o j)) ^+ 2)
  <= (1 - n%:R^-1) / d%:R.
Proof.
move=> d1 n1 w1 u1; rewrite concentration_identity // ler_wpmul2r ?invr_ge0 ?ler0n // ler_sub //.
pose q (i : 'I_n) := \sum_o w o * (u o i * u o i).
have q1 : \sum_(i < n) q i = 1.
  rewrite exchange_big /= -[RHS]w1; apply: eq_bigr => o _.
  by rewrite -mulr_sumr -[RHS]mulr1 -(u1 o); congr (_ * _); apply: eq_bigr => i _; rewrite expr2.
apply: (@le_trans _ _ (\sum_(i < n) q i ^+ 2)).
  rewrite -[n%:R^-1]mulr1 ler_pdivr_mull ?ltr0n // -[X in X <= _](expr1n R 2) -[X in X ^+ 2 <= _]q1.
  by have := cauchy_schwarz_sum q; rewrite card_ord.
apply: ler_sum => i _; rewrite (bigD1 i) //= ler_addl sumr_ge0 // => j _.
exact: sqr_ge0.
Qed.
