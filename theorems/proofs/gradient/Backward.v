(* How gradients go back through normalised layers, and how fast they grow: the algebra.

   hermite_excess, hermite_equality: sum_k (k+1) w_k >= sum_k w_k for weights w_k >= 0; with
     equality only if w_k = 0 for every k >= 1 (w_k = c_(k+1)^2, squared Hermite coefficients of an
     activation: the factor of an infinite batch is at least 1).
   critical_no_mean: hence chi_1 >= 1 at a fixed point q > 0 of layers without bias whose activation
     has no mean.
   harmonic_least, harmonic_equality, harmonic_even: the same for weights on harmonics of degree
     k + 1 of the sphere of dimension n - 2: the factor of any activation at n samples is at least
     (n-2)/(n-3), of an even one 2(n-1)/(n-3).
   rescale_moments, batchnorm_moments: rows whose directions have the second moments of a Gaussian
     law multiply the squared norm of what comes back by (n-1)/(n-2), centred by (n-2)/(n-3).
   normalised_contracts, normalised_trace: I - uu^T, u a unit vector, lengthens nothing; its trace
     is n - 1.
   duality: <G_0, H_0'> = <G_L, H_L'> for tangents H' and gradients G along any layers.
   conditional_law, conditional_gradient, unseen_part: W = A P + W (1 - H P) and its transpose, for
     A = W H; P is the pseudo-inverse of H, of which HPH = H alone is used.
   every_power, linear_explosion: (1 + x)^L >= binomial(L, k) x^k, so that a constant factor above 1
     exceeds every power of the depth; linear_growth, quadratic_growth: the first terms added up.
   linear_factor_falls: (n-1)/(n-2) < (n-2)/(n-3).
   residual_lower, residual_upper: 1 <= f <= 2 and q > 0 imply
     (q+L)/q <= prod_(k < L) (1 + f/(q+k)) <= (q+L)(q+L+1)/(q(q+1)).
   residual_factor_bound: what comes back through BN after a residual sum grows by more than 1.
   leaky_lower, leaky_upper: the factor of leaky ReLU for an infinite batch, p in the place of pi.

   Sources: Yang et al. 2019 (arXiv 1902.08129) for (n-2)/(n-3); the rest ours.
   Python: the family gradient.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* --- Hermite weights --- *)

Section Hermite.

Variables (R : realFieldType) (m : nat) (w : 'I_m -> R).
Hypothesis w0 : forall k : 'I_m, 0 <= w k.

Lemma hermite_split :
  \sum_(k < m) w k * (k%:R + 1) = \sum_(k < m) w k + \sum_(k < m) w k * k%:R.
Proof. by rewrite -big_split; apply: eq_bigr => k _; rewrite mulrDr mulr1 addrC. Qed.

Theorem hermite_excess : \sum_(k < m) w k <= \sum_(k < m) w k * (k%:R + 1).
Proof. by rewrite hermite_split ler_addl; apply: sumr_ge0 => k _; rewrite mulr_ge0 ?ler0n. Qed.

Theorem hermite_equality : \sum_(k < m) w k * (k%:R + 1) = \sum_(k < m) w k ->
  forall i : 'I_m, (1 <= i)%N -> w i = 0.
Proof.
rewrite hermite_split => same i i1.
have : \sum_(k < m) w k * k%:R = 0 by apply: (addrI (\sum_(k < m) w k)); rewrite addr0.
move=> /eqP; rewrite psumr_eq0 => [/allP /(_ i (mem_index_enum _)) /=|k _]; last first.
  by rewrite mulr_ge0 ?ler0n.
by rewrite mulf_eq0 pnatr_eq0 => /orP[/eqP //|/eqP i0]; rewrite i0 in i1.
Qed.

Theorem critical_no_mean (v q chi : R) : 0 < v -> 0 < q ->
  q = v * (\sum_(k < m) w k) ->
  chi * q = v * (\sum_(k < m) w k * (k%:R + 1)) ->
  1 <= chi.
Proof.
move=> v0 q0 fixed steep; rewrite -(ler_pmul2r q0) mul1r steep {1}fixed.
by rewrite ler_pmul2l // hermite_excess.
Qed.

End Hermite.

(* --- weights on harmonics of degree k + 1 of a sphere of dimension n - 2 --- *)

Section Harmonics.

Variables (R : realFieldType) (n m : nat) (w : 'I_m -> R).
Hypothesis n4 : (4 <= n)%N.
Hypothesis w0 : forall k : 'I_m, 0 <= w k.

Lemma harmonic_split :
  \sum_(k < m) w k * (k%:R + 1) * (k%:R + n%:R - 2%:R)
  = (\sum_(k < m) w k) * (n%:R - 2%:R) + \sum_(k < m) w k * (k%:R * (k%:R + n%:R - 1)).
Proof. by rewrite mulr_suml -big_split; apply: eq_bigr => k _ /=; ring. Qed.

Lemma harmonic_rest (k : 'I_m) : 0 <= k%:R * (k%:R + n%:R - 1) :> R.
Proof.
have n1 : 0 <= n%:R - 1 :> R by rewrite subr_ge0 ler1n (ltn_trans _ n4).
by apply: mulr_ge0; [exact: ler0n | rewrite -addrA; apply: addr_ge0 => //; exact: ler0n].
Qed.

Theorem harmonic_least :
  (\sum_(k < m) w k) * (n%:R - 2%:R) <= \sum_(k < m) w k * (k%:R + 1) * (k%:R + n%:R - 2%:R).
Proof.
rewrite harmonic_split ler_addl; apply: sumr_ge0 => k _.
by rewrite mulr_ge0 // harmonic_rest.
Qed.

Theorem harmonic_equality :
  \sum_(k < m) w k * (k%:R + 1) * (k%:R + n%:R - 2%:R) = (\sum_(k < m) w k) * (n%:R - 2%:R) ->
  forall i : 'I_m, (1 <= i)%N -> w i = 0.
Proof.
rewrite harmonic_split => same i i1.
have : \sum_(k < m) w k * (k%:R * (k%:R + n%:R - 1)) = 0.
  by apply: (addrI ((\sum_(k < m) w k) * (n%:R - 2%:R))); rewrite addr0.
move=> /eqP; rewrite psumr_eq0 => [/allP /(_ i (mem_index_enum _)) /=|k _]; last first.
  by rewrite mulr_ge0 // harmonic_rest.
have n1 : 0 < n%:R - 1 :> R by rewrite subr_gt0 ltr1n (ltn_trans _ n4).
rewrite !mulf_eq0 pnatr_eq0 => /orP[/eqP //|/orP[/eqP i0|]]; first by rewrite i0 in i1.
by rewrite -addrA gt_eqF // ltr_paddl ?ler0n.
Qed.

Theorem harmonic_even : (forall i : 'I_m, nat_of_ord i = 0%N -> w i = 0) ->
  (\sum_(k < m) w k) * (2%:R * (n%:R - 1))
  <= \sum_(k < m) w k * (k%:R + 1) * (k%:R + n%:R - 2%:R).
Proof.
move=> zero; rewrite mulr_suml; apply: ler_sum => k _; rewrite -mulrA.
have [/zero ->|k0] := eqVneq (nat_of_ord k) 0%N; first by rewrite !mul0r.
rewrite ler_wpmul2l // -subr_ge0.
have -> : (k%:R + 1) * (k%:R + n%:R - 2%:R) - 2%:R * (n%:R - 1)
    = (k%:R - 1) * (k%:R + n%:R) :> R by ring.
apply: mulr_ge0; first by rewrite subr_ge0 ler1n lt0n.
by apply: addr_ge0; exact: ler0n.
Qed.

End Harmonics.

(* --- the projection of a normalised row --- *)

Section Row.

Variables (R : realFieldType) (n : nat).
Implicit Types u g : 'I_n -> R.

Lemma projected_norm u g : \sum_(i < n) u i ^+ 2 = 1 ->
  \sum_(i < n) (g i - u i * (\sum_(k < n) g k * u k)) ^+ 2
  = \sum_(i < n) g i ^+ 2 - (\sum_(k < n) g k * u k) ^+ 2.
Proof.
move=> unit; set c := \sum_(k < n) g k * u k.
transitivity (\sum_(i < n) g i ^+ 2 - (c *+ 2) * c + c ^+ 2 * (\sum_(i < n) u i ^+ 2)); last first.
  by rewrite unit mulr1 mulr2n; move: (\sum_(i < n) _) => x; ring.
rewrite {3}/c !mulr_sumr -sumrB -big_split; apply: eq_bigr => i _ /=.
by move: c (u i) (g i) => c x y; rewrite mulr2n; ring.
Qed.

Theorem normalised_contracts u g : \sum_(i < n) u i ^+ 2 = 1 ->
  \sum_(i < n) (g i - u i * (\sum_(k < n) g k * u k)) ^+ 2 <= \sum_(i < n) g i ^+ 2.
Proof. by move=> /projected_norm ->; rewrite ger_addl oppr_le0 sqr_ge0. Qed.

Theorem normalised_trace u : \sum_(i < n) u i ^+ 2 = 1 ->
  \sum_(i < n) (1 - u i ^+ 2) = n%:R - 1.
Proof. by move=> unit; rewrite sumrB sumr_const card_ord unit. Qed.

End Row.

(* --- averages over rows: q_s >= 0 carries the probability of a row and 1/|a_s|^2 --- *)

Section Moments.

Variables (R : realFieldType) (n m : nat) (q : 'I_m -> R) (u : 'I_m -> 'I_n -> R).
Hypothesis unit : forall s : 'I_m, \sum_(i < n) u s i ^+ 2 = 1.

Lemma average_of_projected (c : R) (P : 'I_n -> 'I_n -> R) (g : 'I_n -> R) :
  (forall i k : 'I_n, \sum_(s < m) q s * (u s i * u s k) = c * P i k) ->
  \sum_(s < m) q s * (\sum_(i < n) (g i - u s i * (\sum_(k < n) g k * u s k)) ^+ 2)
  = c * (\sum_(i < n) P i i) * (\sum_(i < n) g i ^+ 2)
    - c * (\sum_(i < n) \sum_(k < n) g i * g k * P i k).
Proof.
move=> second.
have mass : \sum_(s < m) q s = c * (\sum_(i < n) P i i).
  transitivity (\sum_(s < m) \sum_(i < n) q s * (u s i * u s i)).
    apply: eq_bigr => s _; rewrite -mulr_sumr -[LHS]mulr1; congr (_ * _).
    by rewrite -[LHS](unit s); apply: eq_bigr => i _; rewrite expr2.
  by rewrite exchange_big mulr_sumr /=; apply: eq_bigr => i _; rewrite second.
rewrite -mass mulr_suml mulr_sumr.
transitivity (\sum_(s < m) q s * (\sum_(i < n) g i ^+ 2)
              - \sum_(s < m) q s * (\sum_(k < n) g k * u s k) ^+ 2).
  by rewrite -sumrB; apply: eq_bigr => s _; rewrite projected_norm // mulrBr.
congr (_ - _).
transitivity (\sum_(s < m) \sum_(i < n) \sum_(k < n) g i * g k * (q s * (u s i * u s k))).
  apply: eq_bigr => s _; rewrite expr2 mulr_suml mulr_sumr; apply: eq_bigr => i _.
  by rewrite mulr_sumr mulr_sumr; apply: eq_bigr => k _; ring.
rewrite exchange_big; apply: eq_bigr => i _ /=.
rewrite exchange_big mulr_sumr; apply: eq_bigr => k _ /=.
by rewrite -mulr_sumr second mulrCA.
Qed.

Theorem rescale_moments (g : 'I_n -> R) : (3 <= n)%N ->
  (forall i k : 'I_n, \sum_(s < m) q s * (u s i * u s k) = (n%:R - 2%:R)^-1 * (i == k)%:R) ->
  \sum_(s < m) q s * (\sum_(i < n) (g i - u s i * (\sum_(k < n) g k * u s k)) ^+ 2)
  = (n%:R - 1) / (n%:R - 2%:R) * (\sum_(i < n) g i ^+ 2).
Proof.
move=> n3 second; rewrite (average_of_projected _ second).
have -> : \sum_(i < n) (i == i)%:R = n%:R :> R.
  by rewrite (eq_bigr (fun=> 1)) ?sumr_const ?card_ord // => i _; rewrite eqxx.
have -> : \sum_(i < n) \sum_(k < n) g i * g k * (i == k)%:R = \sum_(i < n) g i ^+ 2.
  apply: eq_bigr => i _; rewrite (bigD1 i) //= eqxx mulr1 big1 ?addr0 ?expr2 // => k.
  by rewrite eq_sym => /negPf ->; rewrite mulr0.
by move: (\sum_(i < n) _) => x; ring.
Qed.

Theorem batchnorm_moments (g : 'I_n -> R) : (4 <= n)%N ->
  \sum_(i < n) g i = 0 ->
  (forall i k : 'I_n,
     \sum_(s < m) q s * (u s i * u s k) = (n%:R - 3%:R)^-1 * ((i == k)%:R - n%:R^-1)) ->
  \sum_(s < m) q s * (\sum_(i < n) (g i - u s i * (\sum_(k < n) g k * u s k)) ^+ 2)
  = (n%:R - 2%:R) / (n%:R - 3%:R) * (\sum_(i < n) g i ^+ 2).
Proof.
move=> n4 centred second; rewrite (average_of_projected _ second).
have n0 : n%:R != 0 :> R by rewrite pnatr_eq0; case: (n) n4.
have -> : \sum_(i < n) ((i == i)%:R - n%:R^-1) = n%:R - 1 :> R.
  rewrite sumrB sumr_const card_ord -[_ *+ n]mulr_natr mulVf //; congr (_ - _).
  by rewrite (eq_bigr (fun=> 1)) ?sumr_const ?card_ord // => i _; rewrite eqxx.
have -> : \sum_(i < n) \sum_(k < n) g i * g k * ((i == k)%:R - n%:R^-1) = \sum_(i < n) g i ^+ 2.
  apply: eq_bigr => i _.
  transitivity (\sum_(k < n) g i * g k * (i == k)%:R - g i / n%:R * (\sum_(k < n) g k)).
    by rewrite mulr_sumr -sumrB; apply: eq_bigr => k _; rewrite mulrBr [_ / _ * _]mulrAC.
  rewrite centred mulr0 subr0 (bigD1 i) //= eqxx mulr1 big1 ?addr0 ?expr2 // => k.
  by rewrite eq_sym => /negPf ->; rewrite mulr0.
by move: (\sum_(i < n) _) => x; ring.
Qed.

End Moments.

(* --- tangents and gradients --- *)

Section Duality.

Variables (R : comRingType).

Theorem duality_layer (m n : nat) (J : 'I_m -> 'I_n -> R) (g : 'I_m -> R) (h : 'I_n -> R) :
  \sum_(i < n) h i * (\sum_(k < m) J k i * g k) = \sum_(k < m) g k * (\sum_(i < n) J k i * h i).
Proof.
transitivity (\sum_(i < n) \sum_(k < m) h i * (J k i * g k)).
  by apply: eq_bigr => i _; rewrite mulr_sumr.
rewrite exchange_big; apply: eq_bigr => k _; rewrite mulr_sumr; apply: eq_bigr => i _.
by rewrite mulrCA [h i * _]mulrC mulrCA.
Qed.

Theorem duality (n L : nat) (J : nat -> 'I_n -> 'I_n -> R) (G H : nat -> 'I_n -> R) :
  (forall (l : nat) (i : 'I_n), G l i = \sum_(k < n) J l k i * G l.+1 k) ->
  (forall (l : nat) (k : 'I_n), H l.+1 k = \sum_(i < n) J l k i * H l i) ->
  \sum_(i < n) H 0%N i * G 0%N i = \sum_(i < n) H L i * G L i.
Proof.
move=> back forth; elim: L => // L ->.
rewrite (eq_bigr (fun i => H L i * (\sum_(k < n) J L k i * G L.+1 k))) => [|i _]; last first.
  by rewrite back.
by rewrite duality_layer; apply: eq_bigr => k _; rewrite forth mulrC.
Qed.

(* W given A = W H: the part that A fixes, and the part that nobody has seen. *)
Theorem conditional_law (a b n : nat) (W : 'M[R]_(b, a)) (H : 'M[R]_(a, n)) (P : 'M[R]_(n, a)) :
  W = (W *m H) *m P + W *m (1%:M - H *m P).
Proof. by rewrite mulmxBr mulmx1 mulmxA addrC subrK. Qed.

Theorem conditional_gradient (a b n : nat) (W : 'M[R]_(b, a)) (H : 'M[R]_(a, n)) (P : 'M[R]_(n, a))
    (G : 'M[R]_(b, n)) :
  W^T *m G = P^T *m ((W *m H)^T *m G) + (1%:M - H *m P)^T *m (W^T *m G).
Proof.
by rewrite {1}(conditional_law W H P) linearD /= mulmxDl !trmx_mul !mulmxA.
Qed.

(* ... which the seen rows do not move: (1 - H P) H = 0 where H P H = H. *)
Theorem unseen_part (a n : nat) (H : 'M[R]_(a, n)) (P : 'M[R]_(n, a)) :
  H *m P *m H = H -> (1%:M - H *m P) *m H = 0.
Proof. by move=> same; rewrite mulmxBl mul1mx same subrr. Qed.

End Duality.

(* --- growth in depth --- *)

Section Growth.

Variable R : realFieldType.

Theorem every_power (x : R) (L k : nat) : 0 <= x -> x ^+ k *+ 'C(L, k) <= (1 + x) ^+ L.
Proof.
move=> x0; have [Lk|kL] := ltnP L k.
  by rewrite bin_small // mulr0n exprn_ge0 // addr_ge0 // ler01.
rewrite exprDn (bigD1 (Ordinal (kL : (k < L.+1)%N))) //= expr1n mul1r ler_addl.
by apply: sumr_ge0 => j _; rewrite expr1n mul1r mulrn_wge0 // exprn_ge0.
Qed.

Section Linear.

Variable n : nat.
Hypothesis n4 : (4 <= n)%N.

Lemma linear_positive : 0 < n%:R - 3%:R :> R.
Proof. by rewrite subr_gt0 ltr_nat. Qed.

Lemma linear_above_one : (n%:R - 2%:R) / (n%:R - 3%:R) = 1 + (n%:R - 3%:R)^-1 :> R.
Proof. by field; rewrite gt_eqF // linear_positive. Qed.

Theorem linear_explosion (L k : nat) :
  (n%:R - 3%:R)^-1 ^+ k *+ 'C(L, k) <= ((n%:R - 2%:R) / (n%:R - 3%:R)) ^+ L :> R.
Proof. by rewrite linear_above_one every_power // invr_ge0 ltW // linear_positive. Qed.

Theorem linear_factor_falls :
  (n%:R - 1) / (n%:R - 2%:R) < (n%:R - 2%:R) / (n%:R - 3%:R) :> R.
Proof.
have p3 := linear_positive; have p2 : 0 < n%:R - 2%:R :> R by rewrite subr_gt0 ltr_nat ltnW.
rewrite ltr_pdivr_mulr // mulrAC ltr_pdivl_mulr // -subr_gt0.
have -> : (n%:R - 2%:R) * (n%:R - 2%:R) - (n%:R - 1) * (n%:R - 3%:R) = 1 :> R by ring.
exact: ltr01.
Qed.

Theorem linear_growth (ell : nat) :
  ell%:R / (n%:R - 3%:R) + 1 <= ((n%:R - 2%:R) / (n%:R - 3%:R)) ^+ ell :> R.
Proof.
rewrite linear_above_one; have x0 := linear_positive; move: x0; rewrite -invr_gt0.
move: (_^-1) => x x0; elim: ell => [|l IH]; first by rewrite mul0r add0r expr0.
rewrite exprS (mulrS 1 l); have l0 : 0 <= l%:R :> R := ler0n R l.
apply: (@le_trans _ _ ((1 + x) * (l%:R * x + 1))).
  rewrite -subr_ge0; move: l0; move: (l%:R) => y y0.
  have -> : (1 + x) * (y * x + 1) - ((1 + y) * x + 1) = y * (x * x) by ring.
  by rewrite mulr_ge0 // mulr_ge0 // ltW.
by rewrite ler_wpmul2l // addr_ge0 ?ler01 // ltW.
Qed.

Theorem quadratic_growth (ell : nat) :
  ell%:R * (ell%:R - 1) / (2%:R * (n%:R - 3%:R) ^+ 2) + ell%:R / (n%:R - 3%:R) + 1
  <= ((n%:R - 2%:R) / (n%:R - 3%:R)) ^+ ell :> R.
Proof.
rewrite linear_above_one invfM -exprVn; have x0 := linear_positive; move: x0.
rewrite -invr_gt0; move: (_ - 3%:R)^-1 => x x0.
elim: ell => [|l IH]; first by rewrite !mul0r !add0r expr0.
rewrite (exprS (1 + x) l) (mulrS 1 l); have l0 : 0 <= l%:R * (l%:R - 1) :> R.
  case: l {IH} => [|l]; first by rewrite mul0r.
  by rewrite mulr_ge0 ?ler0n // subr_ge0 ler1n.
apply: (le_trans _ (ler_wpmul2l (addr_ge0 ler01 (ltW x0)) IH)).
rewrite -subr_ge0; move: l0; move: (l%:R) => y y0.
have -> : (1 + x) * (y * (y - 1) * (2%:R^-1 * x ^+ 2) + y * x + 1)
    - ((1 + y) * (1 + y - 1) * (2%:R^-1 * x ^+ 2) + (1 + y) * x + 1)
    = y * (y - 1) * (2%:R^-1 * x ^+ 3) by field.
by rewrite mulr_ge0 // mulr_ge0 ?invr_ge0 ?ler0n // exprn_ge0 // ltW.
Qed.

End Linear.

Section Residual.

Variables (ell : nat) (f q : R).
Hypothesis f12 : 1 <= f <= 2%:R.
Hypothesis q0 : 0 < q.

Lemma stream_positive (k : nat) : 0 < k%:R + q.
Proof. by rewrite ltr_paddl ?ler0n. Qed.

Theorem residual_lower : (ell%:R + q) / q <= \prod_(k < ell) (f / (k%:R + q) + 1).
Proof.
have /andP[f1 _] := f12; elim: ell => [|l IH]; first by rewrite big_ord0 add0r divff ?gt_eqF.
have p := stream_positive l; rewrite big_ord_recr /=.
apply: (@le_trans _ _ ((l%:R + q) / q * (1 / (l%:R + q) + 1))).
  rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite (mulrS 1 l).
  by move: p; move: (l%:R) => x p; field; rewrite !gt_eqF.
apply: ler_pmul => //; first by rewrite divr_ge0 // ltW.
  by rewrite addr_ge0 ?ler01 // divr_ge0 ?ler01 // ltW.
by rewrite ler_add2r ler_pmul2r ?invr_gt0.
Qed.

Theorem residual_upper :
  \prod_(k < ell) (f / (k%:R + q) + 1) <= (ell%:R + q) * (ell%:R + q + 1) / (q * (q + 1)).
Proof.
have /andP[f1 f2] := f12; have f0 : 0 <= f := le_trans ler01 f1.
have q1 : 0 < q + 1 by rewrite addr_gt0 ?ltr01.
elim: ell => [|l IH]; first by rewrite big_ord0 add0r divff // mulf_neq0 ?gt_eqF.
have p := stream_positive l; rewrite big_ord_recr /=.
apply: (@le_trans _ _ ((l%:R + q) * (l%:R + q + 1) / (q * (q + 1)) * (2%:R / (l%:R + q) + 1))).
  apply: ler_pmul => //.
  - apply: prodr_ge0 => k _; rewrite addr_ge0 ?ler01 // divr_ge0 //.
    exact: ltW (stream_positive k).
  - by rewrite addr_ge0 ?ler01 // divr_ge0 // ltW.
  - by rewrite ler_add2r ler_pmul2r ?invr_gt0.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite (mulrS 1 l).
by move: p; move: (l%:R) => x p; field; rewrite !gt_eqF.
Qed.

End Residual.

End Growth.

(* --- BN after a residual sum: x = I and y = J are the integrals of t^(n-3) and t^(n-1) --- *)

Theorem residual_factor_bound (R : realFieldType) (n : nat) (beta x y : R) :
  (4 <= n)%N ->
  0 < beta ->
  x * (n%:R - 2%:R) + y * n%:R / beta = 1 ->
  y <= x ->
  (n%:R + n%:R / beta - 2%:R)^-1 + 1 <= x * n%:R * (beta^-1 + 1) / 2%:R + 2%:R^-1.
Proof.
move=> n4 b0 parts yx.
have n0 : 0 < n%:R :> R by rewrite ltr0n (ltn_trans _ n4).
have n2 : 0 < n%:R - 2%:R :> R by rewrite subr_gt0 ltr_nat ltnW.
have nb : 0 < n%:R / beta by rewrite divr_gt0.
have D0 : 0 < n%:R + n%:R / beta - 2%:R by rewrite addrAC addr_gt0.
have x1 : 1 <= x * (n%:R + n%:R / beta - 2%:R).
  have -> : x * (n%:R + n%:R / beta - 2%:R) = x * (n%:R - 2%:R) + x * (n%:R / beta) by ring.
  by rewrite -[X in X <= _]parts ler_add2l -mulrA ler_pmul2r.
rewrite -subr_ge0.
have -> : x * n%:R * (beta^-1 + 1) / 2%:R + 2%:R^-1 - ((n%:R + n%:R / beta - 2%:R)^-1 + 1)
    = (x * (n%:R + n%:R / beta - 2%:R) - 1) * (n%:R + n%:R / beta)
      / (2%:R * (n%:R + n%:R / beta - 2%:R)).
  move: D0 b0; move: (n%:R) => z D0 b0; field; rewrite (gt_eqF b0) /=.
  have -> : z * beta + z + 1 *- 2 * beta = beta * (z + z / beta - 2%:R) by field; rewrite gt_eqF.
  by rewrite mulf_neq0 ?gt_eqF.
apply: divr_ge0; apply: mulr_ge0; last exact: ltW.
- by rewrite subr_ge0.
- by apply: ltW; exact: addr_gt0.
- exact: ler0n.
Qed.

(* --- leaky ReLU of slope a below 0, infinite batch: p is pi --- *)

Section Leaky.

Variables (R : realFieldType) (a p : R).
Hypothesis p2 : 2%:R < p.

Let m := a ^+ 2 / 2%:R + 2%:R^-1.
Let v := m - (1 - a) ^+ 2 / (2%:R * p).

Lemma leaky_variance : 0 < v.
Proof.
have p0 : 0 < p by apply: lt_trans p2; rewrite ltr0n.
have -> : v = ((p - 2%:R) * (1 + a ^+ 2) + (1 + a) ^+ 2) / (2%:R * p).
  by rewrite /v /m; field; rewrite gt_eqF // pnatr_eq0.
rewrite divr_gt0 ?mulr_gt0 ?ltr0n //.
rewrite ltr_paddr ?sqr_ge0 // mulr_gt0 ?subr_gt0 //.
by rewrite ltr_paddr ?sqr_ge0 ?ltr01.
Qed.

Theorem leaky_lower : 1 <= m / v.
Proof.
rewrite ler_pdivl_mulr ?leaky_variance // mul1r /v ler_subl_addr ler_addl.
by rewrite divr_ge0 ?sqr_ge0 // mulr_ge0 ?ler0n // ltW // (lt_trans _ p2) // ltr0n.
Qed.

Theorem leaky_upper : m / v <= p / (p - 2%:R).
Proof.
have p0 : 0 < p by apply: lt_trans p2; rewrite ltr0n.
rewrite ler_pdivr_mulr ?leaky_variance // mulrAC ler_pdivl_mulr ?subr_gt0 // -subr_ge0.
have -> : p * v - m * (p - 2%:R) = (1 + a) ^+ 2 / 2%:R.
  by rewrite /v /m; field; rewrite gt_eqF // pnatr_eq0.
by rewrite divr_ge0 ?sqr_ge0 ?ler0n.
Qed.

End Leaky.
