(* Finite sums over an ordered field: what the results need again and again.

   sum_lin2, sum_lin3     the sum of a linear combination
   ord_lin3               sum_lin3 over 'I_n (ring tells the two forms of the sum apart)
   sqr_sum                (sum a)^2 as a double sum
   cauchy_schwarz         (sum w a b)^2 <= (sum w a^2) (sum w b^2), weights w >= 0
   cauchy_schwarz1        the same with w = 1
   cauchy_schwarz2        cauchy_schwarz1 for double sums
   cauchy_schwarz_sum     (sum a)^2 <= n sum a^2
   sum_sqr_le_sqr_sum     sum u^2 <= (sum u)^2 for u >= 0
   sum_gt0                a sum of nonnegative terms, one of them positive, is positive

   Depends on: nothing but mathcomp. No square roots, so any ordered field will do. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Sums.

Variables (R : realFieldType) (I : finType).
Implicit Types (a b c w u : I -> R) (x y z : R).

Lemma sum_lin2 x y a b :
  \sum_i (x * a i + y * b i) = x * (\sum_i a i) + y * (\sum_i b i).
Proof. by rewrite big_split /= -!mulr_sumr. Qed.

Lemma sum_lin3 x y z a b c :
  \sum_i (x * a i + y * b i + z * c i)
  = x * (\sum_i a i) + y * (\sum_i b i) + z * (\sum_i c i).
Proof. by rewrite !big_split /= -!mulr_sumr. Qed.

Lemma ord_lin3 n x y z (f g h : 'I_n -> R) :
  \sum_(i < n) (x * f i + y * g i + z * h i)
  = x * (\sum_(i < n) f i) + y * (\sum_(i < n) g i) + z * (\sum_(i < n) h i).
Proof. by rewrite !big_split /= -!mulr_sumr. Qed.

Lemma sum_prod a b : (\sum_i a i) * (\sum_j b j) = \sum_i \sum_j a i * b j.
Proof. by rewrite mulr_suml; apply: eq_bigr => i _; rewrite mulr_sumr. Qed.

Lemma sqr_sum a : (\sum_i a i) ^+ 2 = \sum_i \sum_j a i * a j.
Proof. by rewrite expr2 sum_prod. Qed.

(* Lagrange's identity; the inequality is its sign. *)
Lemma lagrange w a b :
  \sum_i \sum_j w i * w j * (a i * b j - a j * b i) ^+ 2
  = 2%:R * ((\sum_i w i * a i ^+ 2) * (\sum_i w i * b i ^+ 2)
            - (\sum_i w i * (a i * b i)) ^+ 2).
Proof.
have E (x y z : R) : 2%:R * (x * y - z ^+ 2) = x * y + y * x + - 2%:R * z ^+ 2 by ring.
rewrite E sqr_sum !sum_prod mulr_sumr -!big_split /=; apply: eq_bigr => i _.
by rewrite mulr_sumr -!big_split /=; apply: eq_bigr => j _; ring.
Qed.

Lemma cauchy_schwarz w a b : (forall i, 0 <= w i) ->
  (\sum_i w i * (a i * b i)) ^+ 2
  <= (\sum_i w i * a i ^+ 2) * (\sum_i w i * b i ^+ 2).
Proof.
move=> w0; rewrite -subr_ge0 -(pmulr_rge0 _ (@ltr0Sn R 1)) -lagrange.
by apply: sumr_ge0 => i _; apply: sumr_ge0 => j _; rewrite mulr_ge0 ?sqr_ge0 ?mulr_ge0.
Qed.

Lemma cauchy_schwarz1 a b :
  (\sum_i a i * b i) ^+ 2 <= (\sum_i a i ^+ 2) * (\sum_i b i ^+ 2).
Proof.
have := @cauchy_schwarz (fun=> 1) a b (fun=> ler01).
by under eq_bigr do rewrite mul1r; under [X in X * _]eq_bigr do rewrite mul1r;
   under [X in _ * X]eq_bigr do rewrite mul1r.
Qed.

Lemma cauchy_schwarz_sum a : (\sum_i a i) ^+ 2 <= #|I|%:R * (\sum_i a i ^+ 2).
Proof.
have := @cauchy_schwarz1 (fun=> 1) a; under eq_bigr do rewrite mul1r.
by under [X in _ <= X * _]eq_bigr do rewrite expr1n; rewrite sumr_const.
Qed.

Lemma le_sum_term u i : (forall j, 0 <= u j) -> u i <= \sum_j u j.
Proof. by move=> u0; rewrite (bigD1 i) //= ler_addl sumr_ge0. Qed.

Lemma sum_sqr_le_sqr_sum u : (forall i, 0 <= u i) ->
  \sum_i u i ^+ 2 <= (\sum_i u i) ^+ 2.
Proof.
move=> u0; rewrite sqr_sum; apply: ler_sum => i _.
by rewrite expr2 -mulr_sumr ler_wpmul2l // le_sum_term.
Qed.

Lemma sum_gt0 u i : (forall j, 0 <= u j) -> 0 < u i -> 0 < \sum_j u j.
Proof. by move=> u0 ui; apply: lt_le_trans ui (le_sum_term _ u0). Qed.

Lemma sum_eq0 u : (forall i, 0 <= u i) -> \sum_i u i = 0 -> forall i, u i = 0.
Proof.
move=> u0 /eqP; rewrite psumr_eq0 => [/allP h i|i _]; last exact: u0.
by apply/eqP/(implyP (h i (mem_index_enum i))).
Qed.

End Sums.

Lemma cauchy_schwarz2 (R : realFieldType) (I J : finType) (a b : I -> J -> R) :
  (\sum_i \sum_j a i j * b i j) ^+ 2 <= (\sum_i \sum_j a i j ^+ 2) * (\sum_i \sum_j b i j ^+ 2).
Proof. by rewrite !pair_bigA; apply: (cauchy_schwarz1 (fun q => a q.1 q.2) (fun q => b q.1 q.2)). Qed.
