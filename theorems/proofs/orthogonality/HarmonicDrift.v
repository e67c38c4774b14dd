(* One layer, and many, of the rescale chain from nothing but the law of the weights: no
   contraction, no drift is assumed.

   A state has the Gram matrix C = Q diag(l) Q^T of trace 1, Q orthogonal. The rows of BN(W H) are,
   given H, d pairwise independent copies of u = Q diag(l)^(1/2) v / |diag(l)^(1/2) v|, v the
   direction of a row of W in the right singular basis; the next state has C+ = (1/d) sum_k u_k
   u_k^T. Means are positive normalised linear functionals on classes of functions (common.Means): e
   over one row, E over all d of them. Of the law of v only this is used, the record
   uniform_moments: |v| = 1, e v_i^2 = 1/n, e v_i^4 = 3/(n(n+2)), e v_i^2 v_k^2 = 1/(n(n+2)), and
   that odd moments of the rescaled direction vanish, e[v_i v_k / sum_j l_j v_j^2] = 0 for i <> k
   and positive l. signs_give_mixed: the last follows where no change of one coordinate's sign
   alters e. A uniform direction, that of a Gaussian row, has all of these, on the bounded Borel
   functions; so have finite ones (spherical designs closed under changes of sign), on all
   functions.

   Of the chain: the functions of a state that are looked at lie in a class PS such that f after the
   layer is in P, its mean is in PS again, and f on the event and 0 elsewhere is in PS (bounded
   Borel functions have these).

   drift_harmonic: E[1/n - s(H+) | H] <= (1/n - s)/(1 + 2s) + sqrt((1-1/n)/d), s = sigma_n^2(H).
   decay_harmonic: E[V(H_{l+1}) 1{s(H_k) >= alpha for 1 <= k <= l} | H_1]
     <= sqrt(n(n-1)) [(1/n - s(H_1))/(1+2 alpha)^l + sqrt((1-1/n)/d) (1+2 alpha)/(2 alpha)].

   The forms with the linear factor 1 - 2n/(n+2) s, and the printed ones, follow for the same laws.

   Source: ours, after Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Theorems 1 and 5.
   Python: orthogonality.one_step_drift, orthogonality.decay and orthogonality.averaged_stability,
   in the variants harmonic, sharp, corrected and as_printed, as far as these are true.
   Depends on: common.Means, common.Sums, AveragedStability, Concentration, Decay, GapSharp, Harmonic,
   OneStepDrift. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Means Sums.
From BatchNorm.orthogonality Require Import AveragedStability Concentration Decay GapSharp Harmonic
  OneStepDrift.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* --- quadratic forms in an orthonormal basis --- *)

Section Basis.

Variables (R : realFieldType) (n : nat) (Q : 'I_n -> 'I_n -> R).
Hypothesis columns : forall i k : 'I_n, \sum_(j < n) Q j i * Q j k = (i == k)%:R.
Hypothesis rows : forall j k : 'I_n, \sum_(i < n) Q j i * Q k i = (j == k)%:R.

Let y (x : 'I_n -> R) (i : 'I_n) := \sum_(j < n) x j * Q j i.

Lemma basis_form (l x : 'I_n -> R) :
  \sum_(j < n) \sum_(k < n) x j * (\sum_(i < n) l i * (Q j i * Q k i)) * x k
  = \sum_(i < n) l i * y x i ^+ 2.
Proof.
under eq_bigr => j _ do under eq_bigr => k _ do rewrite mulr_sumr mulr_suml.
under eq_bigr => j _ do rewrite exchange_big.
rewrite exchange_big /=; apply: eq_bigr => i _.
rewrite sqr_sum mulr_sumr; apply: eq_bigr => j _; rewrite mulr_sumr; apply: eq_bigr => k _.
by ring.
Qed.

Lemma basis_norm (x : 'I_n -> R) : \sum_(i < n) y x i ^+ 2 = \sum_(j < n) x j ^+ 2.
Proof.
under eq_bigr => i _ do rewrite sqr_sum.
rewrite exchange_big /=; apply: eq_bigr => j _; rewrite exchange_big /= (bigD1 j) //=.
have inner k : \sum_(i < n) x j * Q j i * (x k * Q k i) = x j * x k * (j == k)%:R.
  by rewrite -rows mulr_sumr; apply: eq_bigr => i _; ring.
rewrite inner eqxx mulr1 big1 ?addr0 ?expr2 // => k kj.
by rewrite inner eq_sym (negPf kj) mulr0.
Qed.

(* A smallest l_i is the least value of the form on unit vectors, and attained. *)
Lemma basis_least (l : 'I_n -> R) (s : R) (x : 'I_n -> R) :
  (forall i, s <= l i) -> \sum_(i < n) x i ^+ 2 = 1 ->
  s <= \sum_(j < n) \sum_(k < n) x j * (\sum_(i < n) l i * (Q j i * Q k i)) * x k.
Proof.
move=> sl x1; rewrite basis_form -[s]mulr1 -x1 -basis_norm mulr_sumr.
by apply: ler_sum => i _; rewrite ler_wpmul2r ?sqr_ge0.
Qed.

Lemma basis_attained (l : 'I_n -> R) (i : 'I_n) :
  exists x : 'I_n -> R, \sum_(j < n) x j ^+ 2 = 1
    /\ l i = \sum_(j < n) \sum_(k < n) x j * (\sum_(i < n) l i * (Q j i * Q k i)) * x k.
Proof.
have unit k : y (Q^~ i) k = (i == k)%:R by rewrite /y -columns.
exists (Q^~ i); split.
  by rewrite -basis_norm (bigD1 i) //= unit eqxx expr1n big1 ?addr0 // => k ki;
    rewrite unit eq_sym (negPf ki) expr0n.
rewrite basis_form (bigD1 i) //= unit eqxx expr1n mulr1 big1 ?addr0 // => k ki.
by rewrite unit eq_sym (negPf ki) expr0n mulr0.
Qed.

End Basis.

(* --- the law of a direction --- *)

Record uniform_moments (R : realFieldType) (n : nat) (Omega : Type) (p : (Omega -> R) -> Prop)
  (e : (Omega -> R) -> R) (v : Omega -> 'I_n -> R) : Prop := UniformMoments {
  direction_class : forall i : 'I_n, p (fun o => v o i);
  direction_unit : forall o : Omega, \sum_(i < n) v o i ^+ 2 = 1;
  moment_two : forall i : 'I_n, e (fun o => v o i ^+ 2) = n%:R^-1;
  moment_four : forall i : 'I_n,
    e (fun o => v o i ^+ 2 * v o i ^+ 2) = 3%:R / (n%:R * (n%:R + 2%:R));
  moment_across : forall i k : 'I_n, k != i ->
    e (fun o => v o i ^+ 2 * v o k ^+ 2) = (n%:R * (n%:R + 2%:R))^-1;
  moment_mixed : forall (l : 'I_n -> R) (i k : 'I_n), (forall j : 'I_n, 0 < l j) -> i != k ->
    e (fun o => v o i * v o k / (\sum_(j < n) l j * v o j ^+ 2)) = 0 }.

Section Direction.

Variables (R : rcfType) (n : nat) (Omega : Type) (p : (Omega -> R) -> Prop) (e : (Omega -> R) -> R).
Variable v : Omega -> 'I_n -> R.
Hypothesis pC : is_class p.
Hypothesis pe : is_mean p e.
Hypothesis pv : forall i : 'I_n, p (fun o => v o i).
Hypothesis v1 : forall o : Omega, \sum_(i < n) v o i ^+ 2 = 1.
Let pS := class_space pC.

Variable l : 'I_n -> R.
Variable s : R.
Hypothesis s0 : 0 < s.
Hypothesis sl : forall i : 'I_n, s <= l i.

Lemma form_least (o : Omega) : s <= \sum_(j < n) l j * v o j ^+ 2.
Proof.
rewrite -[s]mulr1 -(v1 o) mulr_sumr.
by apply: ler_sum => i _; rewrite ler_wpmul2r ?sqr_ge0.
Qed.

Lemma form_class : p (fun o => \sum_(j < n) l j * v o j ^+ 2).
Proof. by apply: (space_sum pS) => j; apply: (space_scale pS); exact: (class_sqr pC). Qed.

Lemma rescaled_class (i k : 'I_n) : p (fun o => v o i * v o k / (\sum_(j < n) l j * v o j ^+ 2)).
Proof.
apply: (class_mul pC); first exact: (class_mul pC).
exact: (class_inv pC s0 form_class form_least).
Qed.

Lemma mean_image (i : 'I_n) :
  (1 <= n)%N ->
  (forall i : 'I_n, e (fun o => v o i ^+ 2) = n%:R^-1) ->
  (forall i : 'I_n, e (fun o => v o i ^+ 2 * v o i ^+ 2) = 3%:R / (n%:R * (n%:R + 2%:R))) ->
  (forall i k : 'I_n, k != i ->
    e (fun o => v o i ^+ 2 * v o k ^+ 2) = (n%:R * (n%:R + 2%:R))^-1) ->
  \sum_(i < n) l i = 1 ->
  (n%:R + 2%:R) * l i / (n%:R * (1 + 2%:R * l i))
  <= e (fun o => l i * v o i ^+ 2 / (\sum_(k < n) l k * v o k ^+ 2)).
Proof.
move=> n1 m2 m4 m22 l1; apply: (harmonic_image n1 pC pe pv) => // [k|k].
  apply: (space_ext pS) (space_scale pS (l k) (rescaled_class k k)) _ => o.
  by rewrite mulrA expr2.
exact: le_trans (ltW s0) (sl k).
Qed.

(* What no change of one coordinate's sign alters has no mixed moment. *)
Theorem signs_give_mixed (i k : 'I_n) (flip : Omega -> Omega) :
  (forall f : Omega -> R, p f -> p (fun o => f (flip o)) /\ e (fun o => f (flip o)) = e f) ->
  (forall (o : Omega) (j : 'I_n), v (flip o) j = if j == i then - v o j else v o j) ->
  i != k ->
  e (fun o => v o i * v o k / (\sum_(j < n) l j * v o j ^+ 2)) = 0.
Proof.
move=> same flips ik; pose F o := v o i * v o k / (\sum_(j < n) l j * v o j ^+ 2).
have pF : p F by exact: rescaled_class.
have [pG eG] := same F pF.
have odd o : F (flip o) = - 1 * F o.
  rewrite /F !flips eqxx eq_sym (negPf ik).
  under eq_bigr => j _ do rewrite flips (fun_if (fun z => z ^+ 2)) sqrrN if_same.
  by rewrite mulN1r !mulNr.
have : e F = - 1 * e F by rewrite -[LHS]eG -(mean_scale pS pe _ pF); apply: (mean_ext pS pe).
by rewrite mulN1r => /eqP; rewrite -addr_eq0 -mulr2n mulrn_eq0 /= => /eqP.
Qed.

End Direction.

(* A finite law closed under changes of sign has them all; its d-fold product are copies of it
   (common.Means.finite_copies). *)
Theorem finite_moments (R : rcfType) (n : nat) (Omega : finType) (w : Omega -> R) (v : Omega ->
  'I_n -> R) :
  (1 <= n)%N ->
  (forall o : Omega, 0 <= w o) ->
  \sum_o w o = 1 ->
  (forall o : Omega, \sum_(i < n) v o i ^+ 2 = 1) ->
  (forall i : 'I_n, \sum_o w o * v o i ^+ 2 = n%:R^-1) ->
  (forall i : 'I_n, \sum_o w o * (v o i ^+ 2 * v o i ^+ 2) = 3%:R / (n%:R * (n%:R + 2%:R))) ->
  (forall i k : 'I_n, k != i ->
    \sum_o w o * (v o i ^+ 2 * v o k ^+ 2) = (n%:R * (n%:R + 2%:R))^-1) ->
  (forall i : 'I_n, exists flip : Omega -> Omega,
    [/\ bijective flip, forall o : Omega, w (flip o) = w o
      & forall (o : Omega) (k : 'I_n), v (flip o) k = if k == i then - v o k else v o k]) ->
  uniform_moments (fun=> True) (fun f => \sum_o w o * f o) v.
Proof.
move=> n1 w0 w1 v1 m2 m4 m22 signs; split=> // l i k l0 ik.
have [flip [bij wf vf]] := signs i.
case: (@arg_minP _ R [finType of 'I_n] (Ordinal n1) xpredT l isT) => i0 _ lmin.
apply: (signs_give_mixed (every_function R Omega) (finite_mean w0 w1) _ v1 (l0 i0) _ _ vf ik) =>
  // [j|f _].
  exact: lmin.
split=> //; rewrite [RHS](reindex flip) /=; last exact: onW_bij.
by apply: eq_bigr => o _; rewrite wf.
Qed.

(* --- one layer --- *)

Section Layer.

Variables (R : rcfType) (d n : nat) (Omega T : Type).
Variables (p : (Omega -> R) -> Prop) (e : (Omega -> R) -> R).
Variables (P : (T -> R) -> Prop) (E : (T -> R) -> R).
Variables (r : 'I_d -> T -> Omega) (v : Omega -> 'I_n -> R).
Hypothesis d1 : (1 <= d)%N.
Hypothesis n1 : (1 <= n)%N.
Hypothesis pC : is_class p.
Hypothesis pe : is_mean p e.
Hypothesis PC : is_class P.
Hypothesis PE : is_mean P E.
Hypothesis copies : are_copies p e P E r.
Hypothesis moments : uniform_moments p e v.

Let pS := class_space pC.
Let PS := class_space PC.
Let v1 := direction_unit moments.
Let pv := direction_class moments.

Variables (l : 'I_n -> R) (Q : 'I_n -> 'I_n -> R) (s : R).
Hypothesis l1 : \sum_(i < n) l i = 1.
Hypothesis columns : forall i k : 'I_n, \sum_(j < n) Q j i * Q j k = (i == k)%:R.
Hypothesis rows : forall j k : 'I_n, \sum_(i < n) Q j i * Q k i = (j == k)%:R.
Hypothesis s0 : 0 < s.
Hypothesis sl : forall i : 'I_n, s <= l i.

Let S (o : Omega) := \sum_(i < n) l i * v o i ^+ 2.
Let u (o : Omega) (j : 'I_n) := (\sum_(i < n) Q j i * (Num.sqrt (l i) * v o i)) / Num.sqrt (S o).
Let q (i : 'I_n) := e (fun o => l i * v o i ^+ 2 / S o).

Let l0 i : 0 <= l i. Proof. exact: le_trans (ltW s0) (sl i). Qed.

Let S0 o : 0 < S o. Proof. exact: lt_le_trans s0 (form_least v1 sl o). Qed.

Let pR i m : p (fun o => v o i * v o m / S o). Proof. exact: (rescaled_class pC pv v1 s0 sl). Qed.

Lemma layer_unit o : \sum_(j < n) u o j ^+ 2 = 1.
Proof.
under eq_bigr => j _ do rewrite exprMn exprVn sqr_sqrtr ?(ltW (S0 o)) //.
rewrite -mulr_suml.
have -> : \sum_(j < n) (\sum_(i < n) Q j i * (Num.sqrt (l i) * v o i)) ^+ 2 = S o.
  under eq_bigr => j _ do under eq_bigr => i _ do rewrite mulrC.
  rewrite (@basis_norm R n (fun j i => Q i j)) => [|j k]; last exact: columns.
  by apply: eq_bigr => i _; rewrite exprMn sqr_sqrtr.
by rewrite divff // gt_eqF.
Qed.

Let layer_pair o j k : u o j * u o k = \sum_(i < n) \sum_(m < n)
  Q j i * Q k m * (Num.sqrt (l i) * Num.sqrt (l m)) * (v o i * v o m / S o).
Proof.
have split_ (a b z : R) : a / z * (b / z) = a * b / z ^+ 2.
  by rewrite expr2 invfM; move: z^-1 => y; ring.
rewrite /u split_ sqr_sqrtr ?(ltW (S0 o)) // sum_prod mulr_suml.
apply: eq_bigr => i _; rewrite mulr_suml; apply: eq_bigr => m _.
by move: (S o)^-1 => y; ring.
Qed.

Let pT j k i m : p (fun o =>
  Q j i * Q k m * (Num.sqrt (l i) * Num.sqrt (l m)) * (v o i * v o m / S o)).
Proof. by apply: (space_scale pS); exact: pR. Qed.

Lemma layer_class j k : p (fun o => u o j * u o k).
Proof.
have pD : p (fun o => \sum_(i < n) \sum_(m < n)
    Q j i * Q k m * (Num.sqrt (l i) * Num.sqrt (l m)) * (v o i * v o m / S o)).
  by apply: (space_sum pS) => i; apply: (space_sum pS) => m; exact: pT.
by apply: (space_ext pS pD) => o; rewrite layer_pair.
Qed.

Lemma layer_mean j k : e (fun o => u o j * u o k) = \sum_(i < n) q i * (Q j i * Q k i).
Proof.
rewrite (mean_ext pS pe (layer_class j k) (fun o => layer_pair o j k)).
rewrite (mean_sum pS pe) => [|i]; last by apply: (space_sum pS) => m; exact: pT.
apply: eq_bigr => i _; rewrite (mean_sum pS pe) => [|m]; last exact: pT.
rewrite (bigD1 i) //= [X in _ + X]big1 ?addr0 => [|m mi]; last first.
  rewrite (mean_scale pS pe) // (moment_mixed moments) ?mulr0 // 1?eq_sym // => t.
  exact: lt_le_trans s0 (sl t).
rewrite (mean_scale pS pe) // -expr2 sqr_sqrtr //.
have -> : q i = l i * e (fun o => v o i * v o i / S o).
  by rewrite -(mean_scale pS pe) //; apply/esym/(mean_ext pS pe) => [|o];
    [exact: (space_scale pS) | rewrite mulrA expr2].
by move: (e _) => y; ring.
Qed.

Lemma layer_least i : (n%:R + 2%:R) * s / (n%:R * (1 + 2%:R * s)) <= q i.
Proof.
apply: le_trans (mean_image pC pe pv v1 s0 sl i n1 (moment_two moments) (moment_four moments)
  (moment_across moments) l1).
have N0 : 0 < n%:R :> R by rewrite ltr0n.
have N2 : 0 < n%:R + 2%:R :> R by rewrite -natrD ltr0n addn2.
have pos (x : R) : 0 <= x -> 0 < 1 + 2%:R * x by move=> x0;
  rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
have Ps := pos s (ltW s0); have Pl := pos (l i) (l0 i).
rewrite -subr_ge0.
have -> : (n%:R + 2%:R) * l i / (n%:R * (1 + 2%:R * l i)) - (n%:R + 2%:R) * s / (n%:R * (1 + 2%:R *
  s))
    = (n%:R + 2%:R) * (l i - s) / (n%:R * (1 + 2%:R * l i) * (1 + 2%:R * s)).
  by field; rewrite !gt_eqF.
by rewrite divr_ge0 ?mulr_ge0 ?subr_ge0 ?ler0n ?(ltW N2) ?(ltW Pl) ?(ltW Ps).
Qed.

(* For any s+ that is the smallest eigenvalue of the next state. *)
Theorem drift_harmonic (next : T -> R) :
  P next ->
  (forall t : T, exists (m : 'I_n -> R) (U : 'I_n -> 'I_n -> R),
     [/\ (forall i k : 'I_n, \sum_(j < n) U j i * U j k = (i == k)%:R)
           /\ (forall j k : 'I_n, \sum_(i < n) U j i * U k i = (j == k)%:R),
         forall j k : 'I_n, (\sum_(k' < d) u (r k' t) j * u (r k' t) k) / d%:R
           = \sum_(i < n) m i * (U j i * U k i),
         forall i : 'I_n, next t <= m i & exists i : 'I_n, next t = m i]) ->
  E (fun t => n%:R^-1 - next t) <= (n%:R^-1 - s) / (1 + 2%:R * s) + Num.sqrt ((1 - n%:R^-1) / d%:R).
Proof.
move=> Pnext least; case: (@arg_minP _ R [finType of 'I_n] (Ordinal n1) xpredT q isT) => i0 _ qmin.
have {}qmin i : q i0 <= q i by exact: qmin.
have Pc c : P (fun=> c) by exact: (space_const PS).
have Pdiff : P (fun t => q i0 - next t) by exact: (space_sub PS).
have near : E (fun t => (q i0 - next t) ^+ 2) <= (1 - n%:R^-1) / d%:R.
  apply: le_trans (concentration_noise d1 n1 pC pe PC PE copies layer_class layer_unit).
  apply: (mean_le PE) => [||t]; first exact: (class_sqr PC).
    exact: (total_deviation_class PC copies layer_class).
  have [m [U [[Uc Ur] C low [i at_]]]] := least t.
  rewrite -[q i0 - _]opprB sqrrN; apply: smallest_lipschitz.
  - move=> x x1; under eq_bigr => j _ do under eq_bigr => k _ do rewrite C.
    exact: basis_least.
  - have [x [x1 xi]] := basis_attained Uc Ur m i; exists x; split=> //; rewrite at_ xi.
    by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite C.
  - move=> x x1; under eq_bigr => j _ do under eq_bigr => k _ do rewrite layer_mean.
    exact: basis_least.
  have [x [x1 xi]] := basis_attained columns rows q i0; exists x; split=> //; rewrite xi.
  by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite layer_mean.
have noise := mean_le_root PC PE Pdiff near.
have mean : E (fun t => n%:R^-1 - next t) = (n%:R^-1 - q i0) + E (fun t => q i0 - next t).
  by rewrite !(mean_sub PS PE) // !(mean_const PS PE) addrA subrK.
rewrite mean ler_add //.
have N0 : 0 < n%:R :> R by rewrite ltr0n.
have Ps : 0 < 1 + 2%:R * s by rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01 // ltW.
apply: le_trans (ler_sub (lexx _) (layer_least i0)) _.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite !gt_eqF.
Qed.

End Layer.

(* --- many layers --- *)

Section Chain.

Variables (R : rcfType) (d n : nat) (Omega T : Type).
Variables (p : (Omega -> R) -> Prop) (e : (Omega -> R) -> R).
Variables (P : (T -> R) -> Prop) (M : (T -> R) -> R).
Variables (r : 'I_d -> T -> Omega) (v : Omega -> 'I_n -> R).
Hypothesis d1 : (1 <= d)%N.
Hypothesis n1 : (1 <= n)%N.
Hypothesis pC : is_class p.
Hypothesis pe : is_mean p e.
Hypothesis PC : is_class P.
Hypothesis PM : is_mean P M.
Hypothesis copies : are_copies p e P M r.
Hypothesis moments : uniform_moments p e v.

(* States: l t the spectrum of H^T H / |H|^2, s t its least member, Q t the right singular basis. *)
Variables (S : Type) (l : S -> 'I_n -> R) (Q : S -> 'I_n -> 'I_n -> R) (s : S -> R).
Variable next : S -> T -> S.
Hypothesis l0 : forall (t : S) (i : 'I_n), 0 <= l t i.
Hypothesis l1 : forall t : S, \sum_(i < n) l t i = 1.
Hypothesis sl : forall (t : S) (i : 'I_n), s t <= l t i.
Hypothesis ls : forall t : S, exists i : 'I_n, s t = l t i.
Hypothesis columns : forall (t : S) (i k : 'I_n), \sum_(j < n) Q t j i * Q t j k = (i == k)%:R.
Hypothesis rows : forall (t : S) (j k : 'I_n), \sum_(i < n) Q t j i * Q t k i = (j == k)%:R.
Hypothesis layer : forall (t : S) (x : T), 0 < s t -> forall j k : 'I_n,
  \sum_(i < n) l (next t x) i * (Q (next t x) j i * Q (next t x) k i)
  = (\sum_(m < d)
       ((\sum_(i < n) Q t j i * (Num.sqrt (l t i) * v (r m x) i))
         / Num.sqrt (\sum_(i < n) l t i * v (r m x) i ^+ 2))
       * ((\sum_(i < n) Q t k i * (Num.sqrt (l t i) * v (r m x) i))
         / Num.sqrt (\sum_(i < n) l t i * v (r m x) i ^+ 2)))
    / d%:R.

(* The functions of a state that have means, layer after layer. *)
Variable PS : (S -> R) -> Prop.
Hypothesis PSC : is_class PS.
Hypothesis PSnext : forall (t : S) (f : S -> R), PS f -> P (fun x => f (next t x)).
Hypothesis PSmean : forall f : S -> R, PS f -> PS (fun t => M (fun x => f (next t x))).
Hypothesis PSs : PS s.

Let E (t : S) (g : S -> R) := M (fun x => g (next t x)).
Let noise : R := Num.sqrt ((1 - n%:R^-1) / d%:R).
Let PSS := class_space PSC.

Let kernel : is_kernel PS E.
Proof.
split=> // t; split=> [|a b f g Pf Pg|f g Pf Pg fg]; first exact: (mean_one PM).
  by rewrite /E (mean_lin PM) //; exact: PSnext.
by apply: (mean_le PM) => [||x]; [exact: PSnext | exact: PSnext | exact: fg].
Qed.

Let PSv : PS (fun t => n%:R^-1 - s t).
Proof. by apply: (space_sub PSS) PSs; exact: (space_const PSS). Qed.

Let s_range t : 0 <= s t <= n%:R^-1.
Proof.
apply/andP; split; first by have [i ->] := ls t.
have N0 : 0 < n%:R :> R by rewrite ltr0n.
rewrite -[X in _ <= X]mul1r ler_pdivl_mulr //.
have -> : s t * n%:R = \sum_(i < n) s t by rewrite sumr_const card_ord mulr_natr.
by rewrite -[X in _ <= X](l1 t); apply: ler_sum.
Qed.

Theorem drift_from_moments (t : S) :
  E t (fun u => n%:R^-1 - s u) <= (n%:R^-1 - s t) / (1 + 2%:R * s t) + noise.
Proof.
have /andP[st _] := s_range t; move: st; rewrite le_eqVlt => /orP[/eqP st|st].
  rewrite -st mulr0 subr0 addr0 divr1.
  apply: (@le_trans _ _ (E t (fun=> n%:R^-1))).
    apply: (mean_le (kernel_mean kernel t)) => // [|u]; first exact: (space_const PSS).
    by rewrite ler_subl_addl ler_addr; have /andP[] := s_range u.
  by rewrite (mean_const PSS (kernel_mean kernel t)) ler_addl; exact: sqrtr_ge0.
apply: (drift_harmonic d1 n1 pC pe PC PM copies moments (l1 t) (columns t) (rows t) st (sl t)).
  exact: PSnext.
move=> x; exists (l (next t x)), (Q (next t x)); split; [split;
  [exact: columns|exact: rows]| | exact: sl | exact: ls].
by move=> j k; rewrite layer.
Qed.

Theorem decay_harmonic (alpha : R) (ell : nat) (H_1 : S) :
  0 < alpha <= n%:R^-1 ->
  PS (fun t => Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)) ->
  (forall f : S -> R, PS f -> PS (fun t => if alpha <= s t then f t else 0)) ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0)
    (fun t => Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)) H_1
  <= Num.sqrt (n%:R * (n%:R - 1))
     * ((n%:R^-1 - s H_1) / (1 + 2%:R * alpha) ^+ ell
        + Num.sqrt ((1 - n%:R^-1) / d%:R) * (1 + 2%:R * alpha) / (2%:R * alpha)).
Proof.
move=> /andP[a0 _] PV event; have A0 : 0 < 1 + 2%:R * alpha by rewrite ltr_paddr ?mulr_ge0 ?ler0n
  ?ltr01 // ltW.
have v0 t : 0 <= n%:R^-1 - s t by rewrite subr_ge0; have /andP[] := s_range t.
pose a : R := 2%:R * alpha / (1 + 2%:R * alpha).
have q : 1 - a = (1 + 2%:R * alpha)^-1 by rewrite /a; field; rewrite gt_eqF.
have a01 : 0 < a <= 1.
  by rewrite divr_gt0 ?mulr_gt0 ?ltr0n //= ler_pdivr_mulr // mul1r ler_addr ler01.
have Vv t : Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)
  <= Num.sqrt (n%:R * (n%:R - 1)) * (n%:R^-1 - s t).
  apply: gap_vs_smallest_eigenvalue_sharp => // i; rewrite l0 /= -(l1 t) (bigD1 i) //= ler_addl.
  by apply: sumr_ge0.
have down t : alpha <= s t -> E t (fun u => n%:R^-1 - s u) <= (1 - a) * (n%:R^-1 - s t) + noise.
  move=> alt; apply: le_trans (drift_from_moments t) _; rewrite ler_add2r q mulrC ler_wpmul2r //.
  by rewrite lef_pinv ?posrE ?ler_add2l ?ler_pmul2l ?ltr0n // (lt_le_trans A0) // ler_add2l
    ler_pmul2l ?ltr0n.
apply: le_trans (restricted_decay ell H_1 PSS kernel event PV PSv (sqrtr_ge0 _) a01 (sqrtr_ge0 _) v0
  Vv down) _.
rewrite q exprVn le_eqVlt; apply/orP; left; apply/eqP; congr (_ * (_ + _)); first exact: mulrC.
by rewrite /a /noise; move: (Num.sqrt _) => z; field; rewrite !gt_eqF.
Qed.

Let unit_gap (t : S) (i : 'I_n) : 0 <= l t i <= 1.
Proof.
by rewrite l0 -[X in _ <= X](l1 t) (bigD1 i) //= ler_addl; apply: sumr_ge0.
Qed.

Theorem drift_sharp_from_moments (t : S) :
  E t (fun u => n%:R^-1 - s u) <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s t) * (n%:R^-1 - s t) + noise.
Proof. by apply: le_trans (drift_from_moments t) _; rewrite ler_add2r;
  apply: harmonic_below_linear. Qed.

Theorem drift_as_printed_from_moments (t : S) :
  E t (fun u => n%:R^-1 - s u) <= (1 - 2%:R / 3%:R * s t) * (n%:R^-1 - s t) + (Num.sqrt d%:R)^-1.
Proof. exact: drift_sharp_implies_printed (s_range t) (drift_sharp_from_moments t). Qed.

Theorem decay_sharp_from_moments (alpha : R) (ell : nat) (H_1 : S) :
  0 < alpha <= n%:R^-1 ->
  PS (fun t => Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)) ->
  (forall f : S -> R, PS f -> PS (fun t => if alpha <= s t then f t else 0)) ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0)
    (fun t => Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)) H_1
  <= Num.sqrt (n%:R * (n%:R - 1))
     * ((1 - 2%:R * n%:R / (n%:R + 2%:R) * alpha) ^+ ell * (n%:R^-1 - s H_1)
        + Num.sqrt ((1 - n%:R^-1) / d%:R) / (2%:R * n%:R / (n%:R + 2%:R) * alpha)).
Proof.
move=> al PV event; apply: (decay_sharp ell H_1 d1 n1 al PSS kernel event PV PSs) => // t;
  last exact: drift_sharp_from_moments.
exact: gap_vs_smallest_eigenvalue_sharp.
Qed.

Theorem decay_corrected_from_moments (alpha : R) (ell : nat) (H_1 : S) :
  0 < alpha <= n%:R^-1 ->
  PS (fun t => Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)) ->
  (forall f : S -> R, PS f -> PS (fun t => if alpha <= s t then f t else 0)) ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0)
    (fun t => Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)) H_1
  <= 2%:R * (1 - 2%:R / 3%:R * alpha) ^+ ell + 3%:R * n%:R / (alpha * Num.sqrt d%:R).
Proof.
move=> al PV event; apply: (decay_corrected ell H_1 d1 n1 al PSS kernel event PV PSs) => // t;
  last exact: drift_as_printed_from_moments.
exact: gap_vs_smallest_eigenvalue_as_printed.
Qed.

Let PSphi : PS (fun u => (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u))).
Proof.
by apply: (class_mul PSC) => //; apply: (space_sub PSS) PSv; exact: (space_const PSS).
Qed.

Theorem averaged_stability_sharp_from_moments (L : nat) (H_0 : S) :
  (1 <= L)%N ->
  (\sum_(k < L) iter k (fun (g : S -> R) (t : S) => E t g)
     (fun u => (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u))) H_0) / L%:R
  <= (n%:R^-1 - s H_0) / (2%:R * n%:R / (n%:R + 2%:R) * L%:R)
     + Num.sqrt ((1 - n%:R^-1) / d%:R) / (2%:R * n%:R / (n%:R + 2%:R)).
Proof. move=> L1; apply: (averaged_stability_sharp H_0 d1 n1 L1 PSS kernel PSs PSphi s_range) => t.
exact: drift_sharp_from_moments. Qed.

Theorem averaged_stability_as_printed_from_moments (L : nat) (H_0 : S) :
  (1 <= L)%N ->
  (\sum_(k < L) iter k.+1 (fun (g : S -> R) (t : S) => E t g)
     (fun u => (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u))) H_0) / L%:R
  <= 3%:R / 2%:R * ((n%:R^-1 - s H_0) / L%:R + (Num.sqrt d%:R)^-1).
Proof. move=> L1; apply: (averaged_stability_as_printed H_0 d1 n1 L1 PSS kernel PSs PSphi s_range)
  => t.
exact: drift_sharp_from_moments. Qed.

Theorem averaged_stability_harmonic_from_moments (L : nat) (H_0 : S) :
  (1 <= L)%N ->
  (\sum_(k < L) iter k (fun (g : S -> R) (t : S) => E t g)
     (fun u => (n%:R^-1 - s u) * s u / (1 + 2%:R * s u)) H_0) / L%:R
  <= (n%:R^-1 - s H_0) / (2%:R * L%:R) + Num.sqrt ((1 - n%:R^-1) / d%:R) / 2%:R.
Proof.
move=> L1; have L0 : 0 < L%:R :> R by rewrite ltr0n.
pose gap u := n%:R^-1 - s u; pose phi u := (n%:R^-1 - s u) * s u / (1 + 2%:R * s u).
have gap0 u : 0 <= gap u by rewrite subr_ge0; have /andP[] := s_range u.
have down t : E t gap <= gap t - 2%:R * phi t + noise.
  apply: le_trans (drift_from_moments t) _; rewrite ler_add2r le_eqVlt; apply/orP; left; apply/eqP.
  have S0 : 0 < 1 + 2%:R * s t.
    by rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01 //; have /andP[] := s_range t.
  by rewrite /phi /gap; move: (n%:R^-1) (s t) S0 => x y S0; field; rewrite gt_eqF.
have Pphi : PS phi.
  have Ps1 : PS (fun u => 2%:R * s u + 1) by exact: (space_affine PSS).
  have Pi : PS (fun u => (1 + 2%:R * s u)^-1).
    apply: (space_ext PSS) (class_inv PSC (@ltr01 R) Ps1 _) _ => u; last by rewrite addrC.
    by rewrite ler_addr mulr_ge0 ?ler0n //; have /andP[] := s_range u.
  by apply: (class_mul PSC) Pi; exact: (class_mul PSC).
have sum_le := telescoping L H_0 PSS kernel PSv Pphi down.
have end_ge0 := iterate_ge0 L H_0 PSS kernel PSv gap0.
rewrite -/phi ler_pdivr_mulr // -(ler_pmul2l (ltr0Sn R 1)).
have -> : 2%:R * (((n%:R^-1 - s H_0) / (2%:R * L%:R) + Num.sqrt ((1 - n%:R^-1) / d%:R) / 2%:R) *
  L%:R)
    = gap H_0 + L%:R * noise.
  rewrite /noise /gap; move: (Num.sqrt _) => x; move: (n%:R^-1) (s H_0) => y z.
  by field; rewrite gt_eqF.
by apply: le_trans sum_le _; rewrite ler_add2r ler_subl_addr ler_addl.
Qed.

End Chain.
