(* One layer with finitely supported weights: smallest_eigenvalue_concentration and one_step_drift.

   The rows of BN(W H), given H, are d independent copies of a random unit vector u; a finite law gives u the value
   u o with weight w o. C = (1/d) sum_k u_k u_k^T is the next layer's Gram matrix over its trace, E C = diag(p).
   lambda_min is a function on families M i j with the defining property of a smallest eigenvalue on symmetric
   ones: the least value of x^T M x over unit vectors x, and attained.

   smallest_lipschitz: |lambda_min(M) - lambda_min(M')| <= ||M - M'||_F, as squares.
   smallest_eigenvalue_concentration: E((1/n - lambda_min(C)) - (1/n - p_n))^2 <= 1/d, p_n = min p.
   one_step_drift_sharp: if 1/n - p_n <= (1 - c s)(1/n - s) (contraction, for the law of the weights) then
     E[1/n - lambda_min(C)] <= (1 - c s)(1/n - s) + sqrt((1-1/n)/d), c = 2n/(n+2).

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Lemma 7 and Theorem 5; constants ours.
   Python: orthogonality.smallest_eigenvalue_concentration, orthogonality.one_step_drift:sharp, :as_printed
   (Gaussian weights there; contraction for them is leaf/Contraction).
   Depends on: common.Sums, Concentration, Decay (comparison of the two drifts). *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.
From BatchNorm.orthogonality Require Import Concentration Decay.

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
rewrite mulr1 => le; apply: le_trans le; rewrite le_eqVlt; apply/orP; left; apply/eqP; congr (_ ^+ 2).
by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite -mulrA mulrCA.
Qed.

Theorem smallest_lipschitz (R : realFieldType) (n : nat) (M : 'I_n -> 'I_n -> R) (N : 'I_n -> 'I_n -> R)
    (a : R) (b : R) :
  (forall x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 -> a <= \sum_(i < n) \sum_(j < n) x i * M i j * x j) ->
  (exists x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 /\ a = \sum_(i < n) \sum_(j < n) x i * M i j * x j) ->
  (forall x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 -> b <= \sum_(i < n) \sum_(j < n) x i * N i j * x j) ->
  (exists x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 /\ b = \sum_(i < n) \sum_(j < n) x i * N i j * x j) ->
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

Theorem smallest_eigenvalue_concentration (R : realFieldType) (d : nat) (n : nat) (Omega : finType)
    (w : Omega -> R) (u : Omega -> 'I_n -> R) (lambda_min : ('I_n -> 'I_n -> R) -> R) (p_n : R) :
  (1 <= d)%N -> (1 <= n)%N ->
  (forall o : Omega, 0 <= w o) ->
  \sum_o w o = 1 ->
  (forall o : Omega, \sum_(i < n) u o i ^+ 2 = 1) ->
  (forall M : 'I_n -> 'I_n -> R, (forall i j : 'I_n, M i j = M j i) ->
     (forall x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 ->
        lambda_min M <= \sum_(i < n) \sum_(j < n) x i * M i j * x j)
     /\ (exists x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1
        /\ lambda_min M = \sum_(i < n) \sum_(j < n) x i * M i j * x j)) ->
  p_n = lambda_min (fun i j => \sum_o w o * (u o i * u o j)) ->
  \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) *
     ((n%:R^-1 - lambda_min (fun i j => (\sum_(k < d) u (f k) i * u (f k) j) / d%:R)) - (n%:R^-1 - p_n)) ^+ 2
  <= (1 - n%:R^-1) / d%:R.
Proof.
move=> d1 n1 w0 w1 u1 min ->.
apply: le_trans (concentration_noise d1 n1 w1 u1); apply: ler_sum => f _.
have shift (a b c : R) : (c - a - (c - b)) ^+ 2 = (a - b) ^+ 2 by ring.
rewrite ler_wpmul2l ?prodr_ge0 // shift.
have symC i j : (\sum_(k < d) u (f k) i * u (f k) j) / d%:R = (\sum_(k < d) u (f k) j * u (f k) i) / d%:R.
  by congr (_ / _); apply: eq_bigr => k _; rewrite mulrC.
have symE i j : \sum_o w o * (u o i * u o j) = \sum_o w o * (u o j * u o i).
  by apply: eq_bigr => o _; rewrite [u o i * _]mulrC.
have [aC xC] := min (fun i j => (\sum_(k < d) u (f k) i * u (f k) j) / d%:R) symC.
have [bE xE] := min (fun i j => \sum_o w o * (u o i * u o j)) symE.
exact: smallest_lipschitz aC xC bE xE.
Qed.

(* E X <= sqrt(E X^2), for weights w with total 1. *)
Lemma mean_le_root (R : rcfType) (Omega : finType) (w : Omega -> R) (X : Omega -> R) (b : R) :
  (forall o : Omega, 0 <= w o) -> \sum_o w o = 1 ->
  \sum_o w o * X o ^+ 2 <= b -> \sum_o w o * X o <= Num.sqrt b.
Proof.
move=> w0 w1 Xb; apply: (le_trans (ler_norm _)); rewrite -sqrtr_sqr ler_wsqrtr //.
apply: le_trans Xb; have := cauchy_schwarz (fun=> 1) X w0.
under eq_bigr do rewrite mul1r.
by under [X in _ <= X * _]eq_bigr do rewrite expr1n mulr1; rewrite w1 mul1r.
Qed.

Theorem one_step_drift_sharp (R : rcfType) (d : nat) (n : nat) (s : R) (Omega : finType)
    (w : Omega -> R) (u : Omega -> 'I_n -> R) (lambda_min : ('I_n -> 'I_n -> R) -> R) (p_n : R) :
  (1 <= d)%N -> (1 <= n)%N -> 0 <= s <= n%:R^-1 ->
  (forall o : Omega, 0 <= w o) ->
  \sum_o w o = 1 ->
  (forall o : Omega, \sum_(i < n) u o i ^+ 2 = 1) ->
  (forall M : 'I_n -> 'I_n -> R, (forall i j : 'I_n, M i j = M j i) ->
     (forall x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 ->
        lambda_min M <= \sum_(i < n) \sum_(j < n) x i * M i j * x j)
     /\ (exists x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1
        /\ lambda_min M = \sum_(i < n) \sum_(j < n) x i * M i j * x j)) ->
  p_n = lambda_min (fun i j => \sum_o w o * (u o i * u o j)) ->
  n%:R^-1 - p_n <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s) * (n%:R^-1 - s) ->
  \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) *
     (n%:R^-1 - lambda_min (fun i j => (\sum_(k < d) u (f k) i * u (f k) j) / d%:R))
  <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s) * (n%:R^-1 - s) + Num.sqrt ((1 - n%:R^-1) / d%:R).
Proof.
move=> d1 n1 _ w0 w1 u1 min pE contraction.
have W0 (f : {ffun 'I_d -> Omega}) : 0 <= \prod_(k < d) w (f k) by apply: prodr_ge0.
have W1 := product_total d w1.
have noise := mean_le_root W0 W1 (smallest_eigenvalue_concentration d1 n1 w0 w1 u1 min pE).
rewrite addrC -ler_subl_addr; apply: le_trans noise.
apply: (@le_trans _ _ (\sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) *
     (n%:R^-1 - lambda_min (fun i j => (\sum_(k < d) u (f k) i * u (f k) j) / d%:R)) - (n%:R^-1 - p_n))).
  by rewrite ler_sub.
rewrite le_eqVlt; apply/orP; left; apply/eqP.
apply/esym; under eq_bigr do rewrite mulrBr.
by rewrite sumrB -mulr_suml W1 mul1r.
Qed.

Theorem one_step_drift_as_printed (R : rcfType) (d : nat) (n : nat) (s : R) (Omega : finType)
    (w : Omega -> R) (u : Omega -> 'I_n -> R) (lambda_min : ('I_n -> 'I_n -> R) -> R) (p_n : R) :
  (1 <= d)%N -> (1 <= n)%N -> 0 <= s <= n%:R^-1 ->
  (forall o : Omega, 0 <= w o) ->
  \sum_o w o = 1 ->
  (forall o : Omega, \sum_(i < n) u o i ^+ 2 = 1) ->
  (forall M : 'I_n -> 'I_n -> R, (forall i j : 'I_n, M i j = M j i) ->
     (forall x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1 ->
        lambda_min M <= \sum_(i < n) \sum_(j < n) x i * M i j * x j)
     /\ (exists x : 'I_n -> R, \sum_(i < n) x i ^+ 2 = 1
        /\ lambda_min M = \sum_(i < n) \sum_(j < n) x i * M i j * x j)) ->
  p_n = lambda_min (fun i j => \sum_o w o * (u o i * u o j)) ->
  n%:R^-1 - p_n <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s) * (n%:R^-1 - s) ->
  \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) *
     (n%:R^-1 - lambda_min (fun i j => (\sum_(k < d) u (f k) i * u (f k) j) / d%:R))
  <= (1 - 2%:R / 3%:R * s) * (n%:R^-1 - s) + (Num.sqrt d%:R)^-1.
Proof.
move=> d1 n1 s01 w0 w1 u1 min pE contraction.
apply: drift_sharp_implies_printed => //.
exact: (one_step_drift_sharp d1 n1 s01 w0 w1 u1 min pE).
Qed.
