(* The eigen-directions of the linearised layer at the symmetric configuration.

   In words: at a Gram matrix with equal norms and equal cosine k = kappa(rho) off the diagonal,
   rho = -1/(n-1), let a small change E of G change K = J G J by D = J E J.  For E and D of trace 0 the
   layer's first-order response (leaf/LayerDerivative.v derives it, entry by entry) is
     L_ii = t D_ii,   L_ij = t ((D_ii + D_jj)/2 k + k' (D_ij - rho (D_ii + D_jj)/2)),
   with t = n/((1 - k)(n - 1)) and k' = kappa'(rho).  Then
     E_ij = x_i + x_j                                       gives L = 0,
     E symmetric, zero on the diagonal, rows summing to 0   gives L = k' n/((1-k)(n-1)) E,
     E_ii = (n-2)/n x_i, E_ij = m (x_i + x_j), sum x = 0, m = (n-2)/(2n) (k - rho k') - k'/n
                        gives L = ((n-2)(1-k+rho k') + 2k')/((n-1)(1-k)) E.
   Together with the two directions alpha I + beta 11^T (one is the scale, the other is forgotten in one
   step: SymmetricFixedPoint.v) these span the symmetric matrices: n-1, n(n-3)/2, n-1 and 2 dimensions.

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).

   jacobian_null, jacobian_pairs, jacobian_single

   Depends on: mathcomp only.
   Proves (the eigenvalues of) the Python statement: cluster.symmetric_fixed_point *)

From mathcomp Require Import all_ssreflect all_algebra ring zify.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem jacobian_null (R : realFieldType) (n : nat) (k k' rho t : R) (x : 'I_n -> R)
    (E D L : 'I_n -> 'I_n -> R) :
  (2 < n)%N ->
  (forall i j : 'I_n, D i j = E i j - (\sum_(p < n) E i p) / n%:R - (\sum_(p < n) E p j) / n%:R
                              + (\sum_(p < n) \sum_(q < n) E p q) / n%:R ^+ 2) ->
  (forall i j : 'I_n, L i j = if i == j then t * D i i
     else t * ((D i i + D j j) / 2%:R * k + k' * (D i j - rho * ((D i i + D j j) / 2%:R)))) ->
  (forall i j : 'I_n, E i j = x i + x j) ->
  forall i j : 'I_n, L i j = 0.
Proof.
move=> n3 defD defL defE; have nn : (n%:R : R) != 0 by rewrite pnatr_eq0; lia.
set T := \sum_(p < n) x p.
have rows i : \sum_(p < n) E i p = n%:R * x i + T.
  by under eq_bigr do rewrite defE; rewrite big_split sumr_const card_ord -[x i *+ n]mulr_natl.
have cols j : \sum_(p < n) E p j = n%:R * x j + T.
  by rewrite -rows; apply: eq_bigr => p _; rewrite !defE addrC.
have D0 i j : D i j = 0.
  rewrite defD rows cols (eq_bigr _ (fun p _ => rows p)) big_split sumr_const card_ord /=.
  by rewrite -mulr_sumr -/T -[T *+ n]mulr_natl defE; field.
move=> i j; rewrite defL !D0; case: ifP => _; first by rewrite mulr0.
by rewrite addr0 mul0r !(mulr0, mul0r) subrr mulr0 addr0 mulr0.
Qed.

Theorem jacobian_pairs (R : realFieldType) (n : nat) (k k' rho t : R)
    (E D L : 'I_n -> 'I_n -> R) :
  (2 < n)%N -> k < 1 -> t = n%:R / ((1 - k) * (n%:R - 1)) ->
  (forall i j : 'I_n, D i j = E i j - (\sum_(p < n) E i p) / n%:R - (\sum_(p < n) E p j) / n%:R
                              + (\sum_(p < n) \sum_(q < n) E p q) / n%:R ^+ 2) ->
  (forall i j : 'I_n, L i j = if i == j then t * D i i
     else t * ((D i i + D j j) / 2%:R * k + k' * (D i j - rho * ((D i i + D j j) / 2%:R)))) ->
  (forall i j : 'I_n, E i j = E j i) -> (forall i : 'I_n, E i i = 0) ->
  (forall i : 'I_n, \sum_(p < n) E i p = 0) ->
  forall i j : 'I_n, L i j = k' * n%:R / ((1 - k) * (n%:R - 1)) * E i j.
Proof.
move=> n3 k1 -> defD defL sym diag rows.
have cols j : \sum_(p < n) E p j = 0 by rewrite (eq_bigr _ (fun p _ => sym p j)) rows.
have DE i j : D i j = E i j.
  by rewrite defD rows cols big1 // !mul0r !subr0 addr0.
move=> i j; rewrite defL !DE !diag; case: ifPn => [/eqP<-|_]; first by rewrite diag !mulr0.
by rewrite addr0 !(mulr0, mul0r) add0r subr0; ring.
Qed.

Theorem jacobian_single (R : realFieldType) (n : nat) (k k' rho t m : R) (x : 'I_n -> R)
    (E D L : 'I_n -> 'I_n -> R) :
  (2 < n)%N -> k < 1 -> t = n%:R / ((1 - k) * (n%:R - 1)) ->
  (forall i j : 'I_n, D i j = E i j - (\sum_(p < n) E i p) / n%:R - (\sum_(p < n) E p j) / n%:R
                              + (\sum_(p < n) \sum_(q < n) E p q) / n%:R ^+ 2) ->
  (forall i j : 'I_n, L i j = if i == j then t * D i i
     else t * ((D i i + D j j) / 2%:R * k + k' * (D i j - rho * ((D i i + D j j) / 2%:R)))) ->
  \sum_(i < n) x i = 0 ->
  m = (n%:R - 2%:R) / (2%:R * n%:R) * (k - rho * k') - k' / n%:R ->
  (forall i j : 'I_n, E i j = if i == j then (n%:R - 2%:R) / n%:R * x i else m * (x i + x j)) ->
  forall i j : 'I_n,
    L i j = ((n%:R - 2%:R) * (1 - k + rho * k') + 2%:R * k') / ((n%:R - 1) * (1 - k)) * E i j.
Proof.
move=> n3 k1 -> defD defL sum0 defm defE.
have nn : (n%:R : R) != 0 by rewrite pnatr_eq0; lia.
have nm : (n%:R - 1 : R) != 0 by rewrite subr_eq0 (eqr_nat _ n 1); lia.
have d0 : 1 - k != 0 by rewrite subr_eq0 gt_eqF.
pose u : R := (n%:R - 2%:R) / n%:R.
have rows i : \sum_(p < n) E i p = (u + (n%:R - 2%:R) * m) * x i.
  rewrite (bigD1 i) //= defE eqxx (eq_bigr (fun p => m * (x i + x p))) => [|p pi]; last first.
    by rewrite defE eq_sym (negbTE pi).
  have -> : \sum_(p < n | p != i) m * (x i + x p) = m * ((n%:R - 1) * x i - x i).
    rewrite -mulr_sumr big_split /= sumr_const cardC1 card_ord; congr (_ * (_ + _)).
      by rewrite -[x i *+ _]mulr_natl -subn1 natrB //; lia.
    by apply/eqP; rewrite -addr_eq0 addrC -[X in _ == X]sum0 [X in _ == X](bigD1 i).
  by rewrite /u; ring.
have cols j : \sum_(p < n) E p j = (u + (n%:R - 2%:R) * m) * x j.
  rewrite -rows; apply: eq_bigr => p _; have [->//|pj] := eqVneq p j.
  by rewrite !defE [j == p]eq_sym (negbTE pj) addrC.
have D_val i j : D i j = E i j - (u + (n%:R - 2%:R) * m) * (x i + x j) / n%:R.
  rewrite defD rows cols (eq_bigr _ (fun p _ => rows p)) -mulr_sumr sum0.
  by rewrite mulr0 mul0r addr0; field.
move=> i j; rewrite defL !D_val !defE !eqxx /u defm; case: (i == j).
  by field; rewrite nn nm d0.
by field; rewrite nn nm d0.
Qed.
