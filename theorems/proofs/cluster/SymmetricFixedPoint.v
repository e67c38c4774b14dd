(* The mean-field layer of recentring and ReLU sends every symmetric configuration to one point.

   In words: let G be an n x n Gram matrix, K = J G J with J = I - 11^T/n, and let the layer be
   G'_ij = t sqrt(K_ii K_jj) kappa(K_ij / sqrt(K_ii K_jj)), t chosen so that the trace is kept.  If G has
   equal norms a and equal products b <> a off the diagonal, then G' has equal norms a and cosine
   kappa(-1/(n-1)) off the diagonal: b is forgotten in one step, and that point is fixed.

   Only kappa(1) = 1 is used, so kappa is any function with that value; the leaf file
   leaf/KappaReLU.v gives the kappa of ReLU, which satisfies it.

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).

   symmetric_one_step          one step from any symmetric G
   symmetric_fixed_point       the point reached is fixed
   recentred_gram_matrix       the recentred Gram matrix K is J G J, for any G
   jacobian_eigenvalues_below_one   both non-zero eigenvalues of the Jacobian there lie in [0, 1) as soon
                               as 1 - kappa > kappa' n/(n-1)

   Depends on: mathcomp only.
   Proves (the algebraic part of) the Python statement: cluster.symmetric_fixed_point *)

From mathcomp Require Import all_ssreflect all_algebra ring zify.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Symmetric.

Variables (R : rcfType) (n : nat) (a b : R) (G : 'I_n -> 'I_n -> R).
Variables (n1 : (1 < n)%N) (defG : forall i j, G i j = if i == j then a else b).

Lemma nn0 : (n%:R : R) != 0. Proof. by rewrite pnatr_eq0 -lt0n ltnW. Qed.
Lemma nm1 : (n%:R - 1 : R) != 0. Proof. by rewrite subr_eq0 (eqr_nat _ n 1) neq_ltn n1 orbT. Qed.

Lemma row_sum i : \sum_(k < n) G i k = a + (n%:R - 1) * b.
Proof.
rewrite (bigD1 i) //= defG eqxx (eq_bigr (fun=> b)) => [|k /negbTE ki]; last by rewrite defG eq_sym ki.
rewrite sumr_const cardC1 card_ord -[b *+ _]mulr_natl; congr (_ + _ * _).
by rewrite -subn1 natrB // ltnW.
Qed.

Lemma col_sum j : \sum_(k < n) G k j = a + (n%:R - 1) * b.
Proof. by rewrite -(row_sum j); apply: eq_bigr => k _; rewrite !defG eq_sym. Qed.

Lemma recentred_gram i j :
  G i j - (\sum_(k < n) G i k) / n%:R - (\sum_(k < n) G k j) / n%:R
    + (\sum_(k < n) \sum_(l < n) G k l) / n%:R ^+ 2
  = if i == j then (a - b) * (n%:R - 1) / n%:R else - ((a - b) / n%:R).
Proof.
rewrite (eq_bigr _ (fun k _ => row_sum k)) sumr_const card_ord row_sum col_sum defG.
set t := a + (n%:R - 1) * b; rewrite -[t *+ n]mulr_natl {}/t; have nn := nn0.
by case: ifP => _; field.
Qed.

End Symmetric.

Theorem symmetric_one_step (R : rcfType) (n : nat) (kappa : R -> R) (a b t : R)
    (G K G' : 'I_n -> 'I_n -> R) :
  (1 < n)%N -> kappa 1 = 1 -> b < a ->
  (forall i j : 'I_n, G i j = if i == j then a else b) ->
  (forall i j : 'I_n, K i j = G i j - (\sum_(k < n) G i k) / n%:R - (\sum_(k < n) G k j) / n%:R
                              + (\sum_(k < n) \sum_(l < n) G k l) / n%:R ^+ 2) ->
  (forall i j : 'I_n,
     G' i j = t * (Num.sqrt (K i i * K j j) * kappa (K i j / Num.sqrt (K i i * K j j)))) ->
  \sum_(i < n) G' i i = \sum_(i < n) G i i ->
  forall i j : 'I_n, G' i j = if i == j then a else a * kappa (- 1 / (n%:R - 1)).
Proof.
move=> n1 kappa1 ab defG defK defG' trace i j.
have nn := nn0 R n1; have nm := nm1 R n1.
have Kval k l : K k l = if k == l then (a - b) * (n%:R - 1) / n%:R else - ((a - b) / n%:R).
  by rewrite defK (recentred_gram n1 defG).
set s := (a - b) * (n%:R - 1) / n%:R in Kval.
have s0 : 0 < s.
  by rewrite divr_gt0 ?mulr_gt0 ?subr_gt0 ?ltr0n ?(ltr_nat _ 1) // ltnW.
have rootK k l : Num.sqrt (K k k * K l l) = s.
  by rewrite !Kval !eqxx -expr2 sqrtr_sqr gtr0_norm.
have diag k : G' k k = t * s.
  by rewrite defG' rootK Kval eqxx divff ?lt0r_neq0 // kappa1 mulr1.
have ts : t * s = a.
  move: trace; rewrite (eq_bigr _ (fun k _ => diag k)) [X in _ = X -> _](eq_bigr (fun=> a)) => [|k _]; last first.
    by rewrite defG eqxx.
  rewrite !sumr_const card_ord -[_ *+ n]mulr_natl -[a *+ n]mulr_natl; exact: mulfI.
case: ifPn => [/eqP<-|ij]; first by rewrite diag.
rewrite defG' rootK mulrA ts Kval (negbTE ij); congr (_ * kappa _).
have d0 : a - b != 0 by rewrite subr_eq0 gt_eqF.
by rewrite /s; field; rewrite d0 nn nm.
Qed.

Theorem symmetric_fixed_point (R : rcfType) (n : nat) (kappa : R -> R) (a t : R)
    (G K G' : 'I_n -> 'I_n -> R) :
  (1 < n)%N -> kappa 1 = 1 -> 0 < a -> kappa (- 1 / (n%:R - 1)) < 1 ->
  (forall i j : 'I_n, G i j = if i == j then a else a * kappa (- 1 / (n%:R - 1))) ->
  (forall i j : 'I_n, K i j = G i j - (\sum_(k < n) G i k) / n%:R - (\sum_(k < n) G k j) / n%:R
                              + (\sum_(k < n) \sum_(l < n) G k l) / n%:R ^+ 2) ->
  (forall i j : 'I_n,
     G' i j = t * (Num.sqrt (K i i * K j j) * kappa (K i j / Num.sqrt (K i i * K j j)))) ->
  \sum_(i < n) G' i i = \sum_(i < n) G i i ->
  forall i j : 'I_n, G' i j = G i j.
Proof.
move=> n1 kappa1 a0 below defG defK defG' trace i j.
rewrite (symmetric_one_step n1 kappa1 _ defG defK defG' trace) ?defG //.
by rewrite gtr_pmulr.
Qed.

(* The entries of K above are those of J G J. *)
Theorem recentred_gram_matrix (R : realFieldType) (n : nat) (G : 'M[R]_n) (i j : 'I_n) :
  ((1%:M - const_mx n%:R^-1) *m G *m (1%:M - const_mx n%:R^-1)) i j
  = G i j - (\sum_(k < n) G i k) / n%:R - (\sum_(k < n) G k j) / n%:R
    + (\sum_(k < n) \sum_(l < n) G k l) / n%:R ^+ 2.
Proof.
rewrite !mulmxBl !mulmxBr mul1mx mulmx1 mulmx1 !mxE.
have -> : \sum_k G i k * (const_mx n%:R^-1 : 'M[R]_n) k j = (\sum_(k < n) G i k) / n%:R.
  by rewrite mulr_suml; apply: eq_bigr => k _; rewrite mxE.
have cG l : (const_mx n%:R^-1 *m G) i l = (\sum_(k < n) G k l) / n%:R.
  by rewrite mxE mulr_suml; apply: eq_bigr => k _; rewrite mxE mulrC.
have -> : \sum_k (const_mx n%:R^-1 : 'M[R]_n) i k * G k j = (\sum_(k < n) G k j) / n%:R.
  by rewrite -cG mxE.
have -> : \sum_l (const_mx n%:R^-1 *m G) i l * (const_mx n%:R^-1 : 'M[R]_n) l j
    = (\sum_(k < n) \sum_(l < n) G k l) / n%:R ^+ 2.
  rewrite exchange_big mulr_suml; apply: eq_bigr => l _.
  by rewrite cG mxE -mulrA -invfM -expr2.
by rewrite opprD opprK addrA.
Qed.

(* With k = kappa(rho), k' = kappa'(rho) at rho = -1/(n-1), the two eigenvalues are
   k' n/((1-k)(n-1)) and ((n-2)(1-k+rho k') + 2k')/((n-1)(1-k)). *)
Theorem jacobian_eigenvalues_below_one (R : realFieldType) (n : nat) (k k' : R) :
  (2 < n)%N -> 0 <= k' -> k < 1 -> k' * (n%:R / (n%:R - 1)) < 1 - k ->
  0 <= k' * n%:R / ((1 - k) * (n%:R - 1)) /\
  k' * n%:R / ((1 - k) * (n%:R - 1)) < 1 /\
  0 <= ((n%:R - 2%:R) * (1 - k + - 1 / (n%:R - 1) * k') + 2%:R * k') / ((n%:R - 1) * (1 - k)) /\
  ((n%:R - 2%:R) * (1 - k + - 1 / (n%:R - 1) * k') + 2%:R * k') / ((n%:R - 1) * (1 - k)) < 1.
Proof.
move=> n3 k0 k1 stable.
have npos : 0 < n%:R :> R by rewrite ltr0n; lia.
have nm : 0 < n%:R - 1 :> R by rewrite subr_gt0 (ltr_nat _ 1) ltnW.
have nm2 : 0 <= n%:R - 2%:R :> R by rewrite subr_ge0 ler_nat ltnW.
have nmn := lt0r_neq0 nm; have d0 : 0 < 1 - k by rewrite subr_gt0.
have st : k' * n%:R < (1 - k) * (n%:R - 1) by rewrite -ltr_pdivr_mulr // -mulrA.
have num : (n%:R - 2%:R) * (1 - k + - 1 / (n%:R - 1) * k') + 2%:R * k'
    = (n%:R - 2%:R) * (1 - k) + k' * (n%:R / (n%:R - 1)) by field.
split; first by rewrite divr_ge0 ?mulr_ge0 // ltW.
split; first by rewrite ltr_pdivr_mulr ?mul1r // mulr_gt0.
rewrite num; split.
  have [nm' d' n'] : [/\ 0 <= n%:R - 1 :> R, 0 <= 1 - k & 0 <= n%:R :> R] by split; apply: ltW.
  by rewrite divr_ge0 ?(mulr_ge0 nm' d') // addr_ge0 ?(mulr_ge0 nm2 d') // mulr_ge0 // divr_ge0.
rewrite ltr_pdivr_mulr ?mulr_gt0 // mul1r.
have -> : (n%:R - 1) * (1 - k) = (n%:R - 2%:R) * (1 - k) + (1 - k) by ring.
by rewrite ltr_add2l.
Qed.
