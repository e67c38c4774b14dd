(* Mean and variance of a mini-batch: the exact moments of batch normalisation's jitter.

   In words: a population x_1, ..., x_N has mean mu and variance sigma^2 = (1/N) sum (x_i - mu)^2.  A batch
   B of b members has mean mu_B and variance sigma_B^2 (divided by b).
   Drawn without replacement, all batches of b members equally likely:
     E mu_B = mu,  Var mu_B = (sigma^2/b) (N - b)/(N - 1),  E sigma_B^2 = sigma^2 N (b - 1)/(b (N - 1)).
   Drawn with replacement, all b-tuples equally likely:
     E mu_B = mu,  Var mu_B = sigma^2/b,  E sigma_B^2 = sigma^2 (b - 1)/b.
   The decision boundary {z : <w,z> = mu_B} therefore moves by the root mean square
   sigma/(||w|| sqrt b) sqrt((N - b)/(N - 1)).

   Source: classical sampling theory, stated by us for BN (after Riedi, Balestriero, Baraniuk, 2026).
   Expectations are finite averages: over the sets S of b indices, C(N,b) of them, and over the functions
   f from b places to N indices, N^b of them.
   Proof: of the C(N,b) batches C(N-1,b) avoid i and C(N-2,b) avoid both i and j; a centred sum over the
   batch is minus the sum over what it avoids.

   minibatch_mean, minibatch_mean_variance, minibatch_variance              without replacement
   replacement_mean, replacement_mean_variance, replacement_variance        with replacement
   margin_jitter                                                            the boundary's movement

   Depends on: splines/TotalLeastSquares.v (variance_identity), common/Sums.v (sqr_sum).
   Proves the Python statements: splines.minibatch_jitter, splines.margin_jitter *)

From mathcomp Require Import all_ssreflect all_algebra ring zify.
From BatchNorm.common Require Import Sums.
From BatchNorm.splines Require Import TotalLeastSquares.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma subsetC1 (T : finType) (S : {set T}) (i : T) : (S \subset [set~ i]) = (i \notin S).
Proof. by rewrite subsetC sub1set inE. Qed.

Section Counting.

Variables (N b : nat).

Lemma avoid_one (i : 'I_N) :
  #|[pred S : {set 'I_N} | (#|S| == b) && (i \notin S)]| = 'C(N.-1, b).
Proof.
have <- : #|[set~ i]| = N.-1 by rewrite cardsC1 card_ord.
by rewrite -cards_draws; apply: eq_card => S; rewrite !inE subsetC1 andbC.
Qed.

Lemma avoid_two (i j : 'I_N) : i != j ->
  #|[pred S : {set 'I_N} | (#|S| == b) && ((i \notin S) && (j \notin S))]| = 'C(N.-2, b).
Proof.
move=> ij; have <- : #|~: [set i; j]| = N.-2.
  by have := cardsC [set i; j]; rewrite cards2 ij card_ord; lia.
rewrite -cards_draws; apply: eq_card => S.
by rewrite !inE setCU subsetI !subsetC1 andbC.
Qed.

End Counting.

Section WithoutReplacement.

Variables (R : realFieldType) (N b : nat).
Variables (b0 : (0 < b)%N) (bN : (b <= N)%N).
Implicit Types (x y : 'I_N -> R).

Let C : R := 'C(N, b)%:R.
Let C1 : R := 'C(N.-1, b)%:R.
Let C2 : R := 'C(N.-2, b)%:R.
Let batches (F : {set 'I_N} -> R) : R := \sum_(S : {set 'I_N} | #|S| == b) F S.

Lemma N_pos : (0 < N)%N. Proof. exact: leq_trans bN. Qed.
Lemma N_neq0 : (N%:R : R) != 0. Proof. by rewrite pnatr_eq0 -lt0n N_pos. Qed.
Lemma b_neq0 : (b%:R : R) != 0. Proof. by rewrite pnatr_eq0 -lt0n. Qed.
Lemma C_neq0 : C != 0. Proof. by rewrite pnatr_eq0 -lt0n bin_gt0. Qed.

Lemma count_batches (t : R) : batches (fun=> t) = C * t.
Proof.
rewrite /batches sumr_const -mulr_natl; congr (_%:R * _).
rewrite -[in RHS](card_ord N) -cardsT -cards_draws; apply: eq_card => S.
by rewrite !inE subsetT.
Qed.

Lemma C1_val : C1 * N%:R = (N%:R - b%:R) * C.
Proof. by rewrite -natrB // -!natrM mulnC mul_bin_down. Qed.

Lemma C2_val : (1 < N)%N -> C2 * (N%:R - 1) = (N%:R - 1 - b%:R) * C1.
Proof.
move=> N1; have [bN1|bN1] : b = N \/ (b <= N.-1)%N by lia.
  by rewrite /C2 /C1 !bin_small ?mulr0 ?mul0r //; lia.
have -> : N%:R - 1 = N.-1%:R :> R by rewrite -subn1 natrB ?N_pos.
by rewrite -natrB // -!natrM mulnC mul_bin_down.
Qed.

Lemma avoided x : batches (fun S => \sum_(i | i \notin S) x i) = C1 * \sum_(i < N) x i.
Proof.
rewrite /batches (exchange_big_dep xpredT) //= mulr_sumr; apply: eq_bigr => i _.
by rewrite sumr_const avoid_one mulr_natl.
Qed.

Lemma drawn x : batches (fun S => \sum_(i in S) x i) = C * (b%:R / N%:R) * \sum_(i < N) x i.
Proof.
have split (S : {set 'I_N}) : \sum_(i in S) x i = \sum_(i < N) x i - \sum_(i | i \notin S) x i.
  by rewrite [X in X - _](bigID (mem S)) /= addrK.
rewrite /batches (eq_bigr _ (fun S _ => split S)) sumrB.
have := count_batches (\sum_(i < N) x i); rewrite /batches => ->.
have := avoided x; rewrite /batches => ->.
have -> : C1 = (N%:R - b%:R) * C / N%:R by rewrite -C1_val mulfK ?N_neq0.
by field; apply: N_neq0.
Qed.

Lemma drawn_squared y : (1 < N)%N -> \sum_(i < N) y i = 0 ->
  batches (fun S => (\sum_(i in S) y i) ^+ 2)
  = C * (b%:R * (N%:R - b%:R) / (N%:R * (N%:R - 1))) * \sum_(i < N) y i ^+ 2.
Proof.
move=> N1 sum0; pose out (S : {set 'I_N}) i : R := if i \notin S then 1 else 0.
have avoid (S : {set 'I_N}) : (\sum_(i in S) y i) ^+ 2 = \sum_i \sum_j y i * y j * (out S i * out S j).
  have -> : \sum_(i in S) y i = - \sum_i y i * out S i.
    apply/eqP; rewrite -addr_eq0 -[X in _ == X]sum0 [X in _ == X](bigID (mem S)) /=; apply/eqP.
    congr (_ + _); rewrite [RHS]big_mkcond; apply: eq_bigr => i _.
    by rewrite /out; case: ifP; rewrite ?mulr1 ?mulr0.
  rewrite sqrrN sqr_sum; apply: eq_bigr => i _; apply: eq_bigr => j _; ring.
rewrite /batches (eq_bigr _ (fun S _ => avoid S)) exchange_big /=.
have pair i j : \sum_(S : {set 'I_N} | #|S| == b) y i * y j * (out S i * out S j)
    = C2 * (y i * y j) + (C1 - C2) * (if i == j then y i ^+ 2 else 0).
  rewrite -mulr_sumr (eq_bigr (fun S : {set 'I_N} =>
    if (i \notin S) && (j \notin S) then 1 else 0)) => [|S _]; last first.
    by rewrite /out; do 2 case: ifP => _; rewrite ?mulr1 ?mulr0.
  rewrite -big_mkcondr sumr_const; case: ifPn => [/eqP<-|ij].
    have -> : #|[pred S : {set 'I_N} | (#|S| == b) && ((i \notin S) && (i \notin S))]|
        = 'C(N.-1, b).
      by rewrite -(avoid_one b i); apply: eq_card => S; rewrite !inE andbb.
    by rewrite -/C1; ring.
  by rewrite avoid_two // -/C2; ring.
transitivity ((C1 - C2) * \sum_(i < N) y i ^+ 2).
  rewrite mulr_sumr; apply: eq_bigr => i _; rewrite exchange_big /= (eq_bigr _ (fun j _ => pair i j)).
  rewrite big_split /= -!mulr_sumr sum0 mulr0 mulr0 add0r; congr (_ * _).
  by rewrite -big_mkcond (eq_bigl (pred1 i)) ?big_pred1_eq // => j; rewrite eq_sym.
congr (_ * _); have n1 : N%:R - 1 != 0 :> R by rewrite subr_eq0 (eqr_nat _ N 1) neq_ltn N1 orbT.
have -> : C2 = (N%:R - 1 - b%:R) * C1 / (N%:R - 1) by rewrite -C2_val ?mulfK.
have -> : C1 = (N%:R - b%:R) * C / N%:R by rewrite -C1_val mulfK ?N_neq0.
by field; rewrite n1 N_neq0.
Qed.

End WithoutReplacement.

Theorem minibatch_mean (R : realFieldType) (N b : nat) (x : 'I_N -> R) (mean : R) :
  (0 < b)%N -> (b <= N)%N -> mean = (\sum_(i < N) x i) / N%:R ->
  (\sum_(S : {set 'I_N} | #|S| == b) (\sum_(i in S) x i) / b%:R) / 'C(N, b)%:R = mean.
Proof.
move=> b0 bN ->; have bn := b_neq0 R b0; have Nn := N_neq0 R b0 bN; have Cn := C_neq0 R bN.
by rewrite -mulr_suml drawn //; field; rewrite bn Nn Cn.
Qed.

Theorem minibatch_mean_variance (R : realFieldType) (N b : nat) (x : 'I_N -> R) (mean variance : R) :
  (0 < b)%N -> (b <= N)%N -> (1 < N)%N -> mean = (\sum_(i < N) x i) / N%:R ->
  variance = (\sum_(i < N) (x i - mean) ^+ 2) / N%:R ->
  (\sum_(S : {set 'I_N} | #|S| == b) ((\sum_(i in S) x i) / b%:R - mean) ^+ 2) / 'C(N, b)%:R
  = variance / b%:R * ((N%:R - b%:R) / (N%:R - 1)).
Proof.
move=> b0 bN N1 defmean ->; have bn := b_neq0 R b0; have Nn := N_neq0 R b0 bN; have Cn := C_neq0 R bN.
have n1 : N%:R - 1 != 0 :> R by rewrite subr_eq0 (eqr_nat _ N 1) neq_ltn N1 orbT.
have centred : \sum_(i < N) (x i - mean) = 0.
  by rewrite sumrB sumr_const card_ord -[mean *+ N]mulr_natl defmean mulrC divfK ?subrr.
rewrite (eq_bigr (fun S : {set 'I_N} => (\sum_(i in S) (x i - mean)) ^+ 2 / b%:R ^+ 2)) => [|S /eqP cardS].
  by rewrite -mulr_suml drawn_squared //; field; rewrite bn Nn Cn n1.
by rewrite sumrB sumr_const cardS -[mean *+ b]mulr_natl -expr_div_n mulrBl mulrAC divff ?mul1r.
Qed.

Lemma sample_variance (R : realFieldType) (I : finType) (S : {set I}) (x : I -> R) (m : R) :
  #|S| != 0%N ->
  \sum_(i in S) (x i - (\sum_(k in S) x k) / #|S|%:R) ^+ 2
  = \sum_(i in S) (x i - m) ^+ 2 - #|S|%:R * ((\sum_(i in S) x i) / #|S|%:R - m) ^+ 2.
Proof.
move=> S0; have Sn : (#|S|%:R : R) != 0 by rewrite pnatr_eq0.
have expand t : \sum_(i in S) (x i - t) ^+ 2
    = \sum_(i in S) x i ^+ 2 - 2 * t * (\sum_(i in S) x i) + #|S|%:R * t ^+ 2.
  have -> : #|S|%:R * t ^+ 2 = \sum_(i in S) t ^+ 2 by rewrite sumr_const mulr_natl.
  rewrite mulr_sumr -sumrB -big_split /=; apply: eq_bigr => i _; ring.
by rewrite !expand; field.
Qed.

Theorem minibatch_variance (R : realFieldType) (N b : nat) (x : 'I_N -> R) (mean variance : R) :
  (0 < b)%N -> (b <= N)%N -> (1 < N)%N -> mean = (\sum_(i < N) x i) / N%:R ->
  variance = (\sum_(i < N) (x i - mean) ^+ 2) / N%:R ->
  (\sum_(S : {set 'I_N} | #|S| == b)
     (\sum_(i in S) (x i - (\sum_(k in S) x k) / b%:R) ^+ 2) / b%:R) / 'C(N, b)%:R
  = variance * ((N%:R * (b%:R - 1)) / (b%:R * (N%:R - 1))).
Proof.
move=> b0 bN N1 defmean defvar.
have bn := b_neq0 R b0; have Nn := N_neq0 R b0 bN; have Cn := C_neq0 R bN.
have n1 : N%:R - 1 != 0 :> R by rewrite subr_eq0 (eqr_nat _ N 1) neq_ltn N1 orbT.
rewrite (eq_bigr (fun S : {set 'I_N} => (\sum_(i in S) (x i - mean) ^+ 2) / b%:R
    - ((\sum_(i in S) x i) / b%:R - mean) ^+ 2)) => [|S /eqP cardS]; last first.
  by have := sample_variance x mean (S := S); rewrite cardS -lt0n => ->; rewrite // mulrBl mulrAC divff ?mul1r.
rewrite sumrB mulrBl (minibatch_mean_variance b0 bN N1 defmean defvar) -mulr_suml drawn // defvar.
set q := \sum_(i < N) (x i - mean) ^+ 2; rewrite -/q.
by field; rewrite bn Nn Cn n1.
Qed.

Section WithReplacement.

Variables (R : realFieldType) (N b : nat).

Lemma sum_one_place (g : 'I_N -> R) (k : 'I_b) :
  \sum_(f : {ffun 'I_b -> 'I_N}) g (f k) = N%:R ^+ b.-1 * \sum_(i < N) g i.
Proof.
pose F (l : 'I_b) i : R := if l == k then g i else 1.
have -> : \sum_(f : {ffun 'I_b -> 'I_N}) g (f k) = \sum_(f : {ffun 'I_b -> 'I_N}) \prod_l F l (f l).
  apply: eq_bigr => f _; rewrite (bigD1 k) //= {1}/F eqxx big1 ?mulr1 // => l lk.
  by rewrite /F (negbTE lk).
rewrite -bigA_distr_bigA (bigD1 k) //= mulrC; congr (_ * _); last by rewrite /F eqxx.
rewrite (eq_bigr (fun=> N%:R)) => [|l lk]; last by rewrite /F (negbTE lk) sumr_const card_ord.
by rewrite prodr_const -[in RHS](card_ord b) -(cardC1 k).
Qed.

Lemma sum_two_places (y : 'I_N -> R) (k l : 'I_b) : k != l -> \sum_(i < N) y i = 0 ->
  \sum_(f : {ffun 'I_b -> 'I_N}) y (f k) * y (f l) = 0.
Proof.
move=> kl sum0; pose F (q : 'I_b) i : R := (if q == k then y i else 1) * (if q == l then y i else 1).
have -> : \sum_(f : {ffun 'I_b -> 'I_N}) y (f k) * y (f l)
    = \sum_(f : {ffun 'I_b -> 'I_N}) \prod_q F q (f q).
  apply: eq_bigr => f _; rewrite big_split /= -!big_mkcond !big_pred1_eq //.
rewrite -bigA_distr_bigA (bigD1 k) //= (eq_bigr y) ?sum0 ?mul0r // => i _.
by rewrite /F eqxx (negbTE kl) mulr1.
Qed.

Lemma all_maps : (0 < b)%N -> N%:R ^+ b = N%:R * N%:R ^+ b.-1 :> R.
Proof. by move=> b0; rewrite -exprS prednK. Qed.

End WithReplacement.

Theorem replacement_mean (R : realFieldType) (N b : nat) (x : 'I_N -> R) (mean : R) :
  (0 < b)%N -> (0 < N)%N -> mean = (\sum_(i < N) x i) / N%:R ->
  (\sum_(f : {ffun 'I_b -> 'I_N}) (\sum_(k < b) x (f k)) / b%:R) / N%:R ^+ b = mean.
Proof.
move=> b0 N0 ->; have bn := b_neq0 R b0; have Nn := b_neq0 R N0.
rewrite -mulr_suml exchange_big /= (eq_bigr _ (fun k _ => sum_one_place x k)) sumr_const card_ord.
rewrite -[_ * _ *+ b]mulr_natl (all_maps R N b0); set p : R := N%:R ^+ b.-1; set t := \sum_(i < N) x i; rewrite -/t -/p.
have pn : p != 0 by rewrite expf_neq0.
by field; rewrite bn Nn pn.
Qed.

Theorem replacement_mean_variance (R : realFieldType) (N b : nat) (x : 'I_N -> R)
    (mean variance : R) :
  (0 < b)%N -> (0 < N)%N -> mean = (\sum_(i < N) x i) / N%:R ->
  variance = (\sum_(i < N) (x i - mean) ^+ 2) / N%:R ->
  (\sum_(f : {ffun 'I_b -> 'I_N}) ((\sum_(k < b) x (f k)) / b%:R - mean) ^+ 2) / N%:R ^+ b
  = variance / b%:R.
Proof.
move=> b0 N0 defmean ->; have bn := b_neq0 R b0; have Nn := b_neq0 R N0.
pose y i := x i - mean.
have centred : \sum_(i < N) y i = 0.
  by rewrite sumrB sumr_const card_ord -[mean *+ N]mulr_natl defmean mulrC divfK ?subrr.
rewrite (eq_bigr (fun f : {ffun 'I_b -> 'I_N} =>
    \sum_(k < b) \sum_(l < b) y (f k) * y (f l) / b%:R ^+ 2)) => [|f _]; last first.
  have -> : (\sum_(k < b) x (f k)) / b%:R - mean = (\sum_(k < b) y (f k)) / b%:R.
    by rewrite sumrB sumr_const card_ord -[mean *+ b]mulr_natl mulrBl mulrAC divff ?mul1r.
  rewrite expr_div_n sqr_sum mulr_suml; apply: eq_bigr => k _; exact: mulr_suml.
rewrite exchange_big /= (eq_bigr (fun=> N%:R ^+ b.-1 * (\sum_(i < N) y i ^+ 2) / b%:R ^+ 2)) => [|k _].
  rewrite sumr_const card_ord -[_ * _ *+ b]mulr_natl (all_maps R N b0).
  set p : R := N%:R ^+ b.-1; set t := \sum_(i < N) y i ^+ 2; rewrite -/t -/p.
  have pn : p != 0 by rewrite expf_neq0.
  by field; rewrite bn Nn pn.
rewrite exchange_big (bigD1 k) //= [X in _ + X]big1 ?addr0 => [|l lk]; last first.
  by rewrite -mulr_suml sum_two_places ?mul0r // eq_sym.
by rewrite -mulr_suml -(sum_one_place (fun i => y i ^+ 2) k).
Qed.

Theorem replacement_variance (R : realFieldType) (N b : nat) (x : 'I_N -> R)
    (mean variance : R) :
  (0 < b)%N -> (0 < N)%N -> mean = (\sum_(i < N) x i) / N%:R ->
  variance = (\sum_(i < N) (x i - mean) ^+ 2) / N%:R ->
  (\sum_(f : {ffun 'I_b -> 'I_N})
     (\sum_(k < b) (x (f k) - (\sum_(l < b) x (f l)) / b%:R) ^+ 2) / b%:R) / N%:R ^+ b
  = variance * ((b%:R - 1) / b%:R).
Proof.
move=> b0 N0 defmean defvar; have bn := b_neq0 R b0; have Nn := b_neq0 R N0.
rewrite (eq_bigr (fun f : {ffun 'I_b -> 'I_N} => (\sum_(k < b) (x (f k) - mean) ^+ 2) / b%:R
    - ((\sum_(k < b) x (f k)) / b%:R - mean) ^+ 2)) => [|f _]; last first.
  have := offset_identity (fun k => x (f k)) mean b0 => /= ->.
  by rewrite [X in X - _]mulrDl [b%:R * _ / _]mulrAC divff // mul1r addrK.
rewrite sumrB mulrBl (replacement_mean_variance b0 N0 defmean defvar) -mulr_suml exchange_big /=.
rewrite (eq_bigr _ (fun k _ => sum_one_place (fun i => (x i - mean) ^+ 2) k)) sumr_const card_ord.
rewrite -[_ * _ *+ b]mulr_natl defvar (all_maps R N b0); set p : R := N%:R ^+ b.-1; set t := \sum_(i < N) (x i - mean) ^+ 2.
rewrite -/t -/p; have pn : p != 0 by rewrite expf_neq0.
by field; rewrite bn Nn pn.
Qed.

(* The boundaries {<w,z> = mu_B} and {<w,z> = mu} are parallel, |mu_B - mu|/||w|| apart. *)
Theorem margin_jitter (R : rcfType) (N b d : nat) (w : 'I_d -> R) (z : 'I_N -> 'I_d -> R)
    (x : 'I_N -> R) (mean sigma : R) :
  (0 < b)%N -> (b <= N)%N -> (1 < N)%N -> (exists k : 'I_d, w k != 0) ->
  (forall i : 'I_N, x i = \sum_(k < d) w k * z i k) -> mean = (\sum_(i < N) x i) / N%:R ->
  sigma = Num.sqrt ((\sum_(i < N) (x i - mean) ^+ 2) / N%:R) ->
  Num.sqrt ((\sum_(S : {set 'I_N} | #|S| == b)
     (((\sum_(i in S) x i) / b%:R - mean) / Num.sqrt (\sum_(k < d) w k ^+ 2)) ^+ 2) / 'C(N, b)%:R)
  = sigma / (Num.sqrt (\sum_(k < d) w k ^+ 2) * Num.sqrt b%:R)
    * Num.sqrt ((N%:R - b%:R) / (N%:R - 1)).
Proof.
move=> b0 bN N1 [k wk] _ defmean ->; have w2 := norm_gt0 wk.
set q := (\sum_(i < N) _) / _; set W := Num.sqrt (\sum_(k < d) w k ^+ 2).
have q0 : 0 <= q by rewrite divr_ge0 ?ler0n // sumr_ge0 // => i _; rewrite sqr_ge0.
have W0 : 0 < W by rewrite sqrtr_gt0.
have n1 : N%:R - 1 != 0 :> R by rewrite subr_eq0 (eqr_nat _ N 1) neq_ltn N1 orbT.
under eq_bigr do rewrite expr_div_n.
rewrite -mulr_suml mulrAC (minibatch_mean_variance b0 bN N1 defmean erefl) -/q.
have -> : q / b%:R * ((N%:R - b%:R) / (N%:R - 1)) / W ^+ 2
    = q * (W * Num.sqrt b%:R) ^- 2 * ((N%:R - b%:R) / (N%:R - 1)).
  rewrite exprMn [Num.sqrt b%:R ^+ 2]sqr_sqrtr ?ler0n //.
  by field; rewrite n1 (b_neq0 R b0) lt0r_neq0.
rewrite sqrtrM; last by rewrite mulr_ge0 // invr_ge0 sqr_ge0.
rewrite sqrtrM // -exprVn sqrtr_sqr ger0_norm // invr_ge0 mulr_ge0 ?sqrtr_ge0 //.
Qed.
