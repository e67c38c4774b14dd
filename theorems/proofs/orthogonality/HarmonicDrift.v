(* One layer, and many, of the rescale chain from nothing but the law of the weights: no contraction, no drift is
   assumed.

   A state has the Gram matrix C = Q diag(l) Q^T of trace 1, Q orthogonal. The rows of BN(W H) are, given H, d
   independent copies of u = Q diag(l)^(1/2) v / |diag(l)^(1/2) v|, v the direction of a row of W in the right
   singular basis; the next state has C+ = (1/d) sum_k u_k u_k^T. Of the law of v, finite here, only this is used:
   |v| = 1, E v_i^2 = 1/n, E v_i^4 = 3/(n(n+2)), E v_i^2 v_k^2 = 1/(n(n+2)), and that it is invariant when the sign
   of one coordinate is changed. A uniform direction, that of a Gaussian row, has all of these; so have finite ones
   (spherical designs closed under changes of sign).

   drift_harmonic: E[1/n - s(H+) | H] <= (1/n - s)/(1 + 2s) + sqrt((1-1/n)/d), s = sigma_n^2(H).
   decay_harmonic: E[V(H_{l+1}) 1{s(H_k) >= alpha for 1 <= k <= l} | H_1]
     <= sqrt(n(n-1)) [(1/n - s(H_1))/(1+2 alpha)^l + sqrt((1-1/n)/d) (1+2 alpha)/(2 alpha)].

   The forms with the linear factor 1 - 2n/(n+2) s, and the printed ones, follow for the same laws; what one_step_drift,
   decay and averaged_stability had for a hypothesis is gone.

   Source: ours, after Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Theorems 1 and 5.
   Python: orthogonality.one_step_drift, orthogonality.decay and orthogonality.averaged_stability, in the variants
   harmonic, sharp, corrected and as_printed, as far as these are true.
   Depends on: common.Sums, AveragedStability, Concentration, Decay, GapSharp, Harmonic, OneStepDrift. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.
From BatchNorm.orthogonality Require Import AveragedStability Concentration Decay GapSharp Harmonic OneStepDrift.

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
  by rewrite -basis_norm (bigD1 i) //= unit eqxx expr1n big1 ?addr0 // => k ki; rewrite unit eq_sym (negPf ki) expr0n.
rewrite basis_form (bigD1 i) //= unit eqxx expr1n mulr1 big1 ?addr0 // => k ki.
by rewrite unit eq_sym (negPf ki) expr0n mulr0.
Qed.

End Basis.

(* --- the law of a direction --- *)

Section Direction.

Variables (R : rcfType) (n : nat) (Omega : finType) (w : Omega -> R) (v : Omega -> 'I_n -> R).
Hypothesis n1 : (1 <= n)%N.
Hypothesis w0 : forall o : Omega, 0 <= w o.
Hypothesis m2 : forall i : 'I_n, \sum_o w o * v o i ^+ 2 = n%:R^-1.
Hypothesis m4 : forall i : 'I_n, \sum_o w o * (v o i ^+ 2 * v o i ^+ 2) = 3%:R / (n%:R * (n%:R + 2%:R)).
Hypothesis m22 : forall i k : 'I_n, k != i ->
  \sum_o w o * (v o i ^+ 2 * v o k ^+ 2) = (n%:R * (n%:R + 2%:R))^-1.
Hypothesis signs : forall i : 'I_n, exists flip : Omega -> Omega,
  [/\ bijective flip, forall o : Omega, w (flip o) = w o
    & forall (o : Omega) (k : 'I_n), v (flip o) k = if k == i then - v o k else v o k].

Lemma mean_image (l : 'I_n -> R) (i : 'I_n) :
  (forall i, 0 <= l i) -> \sum_(i < n) l i = 1 ->
  (n%:R + 2%:R) * l i / (n%:R * (1 + 2%:R * l i))
  <= \sum_o w o * (l i * v o i ^+ 2 / (\sum_(k < n) l k * v o k ^+ 2)).
Proof.
move=> l0 l1; apply: (@harmonic_image R n Omega (fun f => \sum_o w o * f o) v l n1) => //.
  move=> a b f g; rewrite -sum_lin2; apply: eq_bigr => o _; ring.
by move=> f g fg; apply: ler_sum => o _; rewrite ler_wpmul2l.
Qed.

Lemma mean_mixed (l : 'I_n -> R) (i k : 'I_n) : i != k ->
  \sum_o w o * (v o i * v o k / (\sum_(j < n) l j * v o j ^+ 2)) = 0.
Proof.
move=> ik; have [flip [bij wf vf]] := signs i.
pose F o := w o * (v o i * v o k / (\sum_(j < n) l j * v o j ^+ 2)); rewrite -/(F _).
have odd o : F (flip o) = - F o.
  rewrite /F wf vf vf eqxx eq_sym (negPf ik).
  under eq_bigr => j _ do rewrite vf (fun_if (fun z => z ^+ 2)) sqrrN if_same.
  by rewrite !mulNr mulrN.
have : \sum_o F o = - (\sum_o F o).
  rewrite [LHS](reindex flip) /=; last exact: onW_bij.
  by rewrite -sumrN; apply: eq_bigr => o _; rewrite odd.
by move/eqP; rewrite -addr_eq0 -mulr2n mulrn_eq0 /= => /eqP.
Qed.

End Direction.

(* --- one layer --- *)

Section Layer.

Variables (R : rcfType) (d n : nat) (Omega : finType) (w : Omega -> R) (v : Omega -> 'I_n -> R).
Hypothesis d1 : (1 <= d)%N.
Hypothesis n1 : (1 <= n)%N.
Hypothesis w0 : forall o : Omega, 0 <= w o.
Hypothesis w1 : \sum_o w o = 1.
Hypothesis v1 : forall o : Omega, \sum_(i < n) v o i ^+ 2 = 1.
Hypothesis m2 : forall i : 'I_n, \sum_o w o * v o i ^+ 2 = n%:R^-1.
Hypothesis m4 : forall i : 'I_n, \sum_o w o * (v o i ^+ 2 * v o i ^+ 2) = 3%:R / (n%:R * (n%:R + 2%:R)).
Hypothesis m22 : forall i k : 'I_n, k != i ->
  \sum_o w o * (v o i ^+ 2 * v o k ^+ 2) = (n%:R * (n%:R + 2%:R))^-1.
Hypothesis signs : forall i : 'I_n, exists flip : Omega -> Omega,
  [/\ bijective flip, forall o : Omega, w (flip o) = w o
    & forall (o : Omega) (k : 'I_n), v (flip o) k = if k == i then - v o k else v o k].

Variables (l : 'I_n -> R) (Q : 'I_n -> 'I_n -> R) (s : R).
Hypothesis l1 : \sum_(i < n) l i = 1.
Hypothesis columns : forall i k : 'I_n, \sum_(j < n) Q j i * Q j k = (i == k)%:R.
Hypothesis rows : forall j k : 'I_n, \sum_(i < n) Q j i * Q k i = (j == k)%:R.
Hypothesis s0 : 0 < s.
Hypothesis sl : forall i : 'I_n, s <= l i.

Let S (o : Omega) := \sum_(i < n) l i * v o i ^+ 2.
Let u (o : Omega) (j : 'I_n) := (\sum_(i < n) Q j i * (Num.sqrt (l i) * v o i)) / Num.sqrt (S o).
Let p (i : 'I_n) := \sum_o w o * (l i * v o i ^+ 2 / S o).

Let l0 i : 0 <= l i. Proof. exact: le_trans (ltW s0) (sl i). Qed.

Let S0 o : 0 < S o.
Proof.
apply: (@lt_le_trans _ _ (\sum_(i < n) s * v o i ^+ 2)); first by rewrite -mulr_sumr v1 mulr1.
by apply: ler_sum => i _; rewrite ler_wpmul2r ?sqr_ge0.
Qed.

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

Lemma layer_mean j k : \sum_o w o * (u o j * u o k) = \sum_(i < n) p i * (Q j i * Q k i).
Proof.
transitivity (\sum_(i < n) \sum_(m < n) Q j i * Q k m * (Num.sqrt (l i) * Num.sqrt (l m))
    * \sum_o w o * (v o i * v o m / S o)).
  transitivity (\sum_o \sum_(i < n) \sum_(m < n)
      Q j i * Q k m * (Num.sqrt (l i) * Num.sqrt (l m)) * (w o * (v o i * v o m / S o))).
    apply: eq_bigr => o _; rewrite /u.
    have split_ (a b r : R) : w o * (a / r * (b / r)) = w o * (a * b / r ^+ 2).
      by rewrite expr2 invfM; move: r^-1 => z; ring.
    rewrite split_ sqr_sqrtr ?(ltW (S0 o)) // sum_prod mulr_suml mulr_sumr.
    apply: eq_bigr => i _; rewrite mulr_suml mulr_sumr.
    by apply: eq_bigr => m _; move: (S o)^-1 => r; ring.
  rewrite exchange_big /=; apply: eq_bigr => i _; rewrite exchange_big /=.
  by apply: eq_bigr => m _; rewrite mulr_sumr.
apply: eq_bigr => i _; rewrite (bigD1 i) //= [X in _ + X]big1 ?addr0 => [|m mi]; last first.
  by rewrite (mean_mixed signs) ?mulr0 // eq_sym.
rewrite -expr2 sqr_sqrtr // mulr_sumr /p [in RHS]mulr_suml.
by apply: eq_bigr => o _; rewrite expr2; move: (S o)^-1 => r; ring.
Qed.

Lemma layer_least i : (n%:R + 2%:R) * s / (n%:R * (1 + 2%:R * s)) <= p i.
Proof.
apply: le_trans (mean_image n1 w0 m2 m4 m22 i l0 l1).
have N0 : 0 < n%:R :> R by rewrite ltr0n.
have N2 : 0 < n%:R + 2%:R :> R by rewrite -natrD ltr0n addn2.
have P (x : R) : 0 <= x -> 0 < 1 + 2%:R * x by move=> x0; rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
have Ps := P s (ltW s0); have Pl := P (l i) (l0 i).
rewrite -subr_ge0.
have -> : (n%:R + 2%:R) * l i / (n%:R * (1 + 2%:R * l i)) - (n%:R + 2%:R) * s / (n%:R * (1 + 2%:R * s))
    = (n%:R + 2%:R) * (l i - s) / (n%:R * (1 + 2%:R * l i) * (1 + 2%:R * s)).
  by field; rewrite !gt_eqF.
by rewrite divr_ge0 ?mulr_ge0 ?subr_ge0 ?ler0n ?(ltW N2) ?(ltW Pl) ?(ltW Ps).
Qed.

(* For any s+ that is the smallest eigenvalue of the next state. *)
Theorem drift_harmonic (next : {ffun 'I_d -> Omega} -> R) :
  (forall f : {ffun 'I_d -> Omega}, exists (m : 'I_n -> R) (P : 'I_n -> 'I_n -> R),
     [/\ (forall i k : 'I_n, \sum_(j < n) P j i * P j k = (i == k)%:R)
           /\ (forall j k : 'I_n, \sum_(i < n) P j i * P k i = (j == k)%:R),
         forall j k : 'I_n, (\sum_(k' < d) u (f k') j * u (f k') k) / d%:R
           = \sum_(i < n) m i * (P j i * P k i),
         forall i : 'I_n, next f <= m i & exists i : 'I_n, next f = m i]) ->
  \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) * (n%:R^-1 - next f)
  <= (n%:R^-1 - s) / (1 + 2%:R * s) + Num.sqrt ((1 - n%:R^-1) / d%:R).
Proof.
move=> least; case: (@arg_minP _ R [finType of 'I_n] (Ordinal n1) xpredT p isT) => i0 _ pmin.
have {}pmin i : p i0 <= p i by exact: pmin.
have W0 (f : {ffun 'I_d -> Omega}) : 0 <= \prod_(k < d) w (f k) by apply: prodr_ge0.
have W1 := product_total d w1.
have near : \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) * (p i0 - next f) ^+ 2
    <= (1 - n%:R^-1) / d%:R.
  apply: le_trans (concentration_noise d1 n1 w1 layer_unit); apply: ler_sum => f _.
  rewrite ler_wpmul2l //; have [m [P [[Pc Pr] C low [i at_]]]] := least f.
  rewrite -[p i0 - _]opprB sqrrN; apply: smallest_lipschitz.
  - move=> x x1; under eq_bigr => j _ do under eq_bigr => k _ do rewrite C.
    exact: basis_least.
  - have [x [x1 xi]] := basis_attained Pc Pr m i; exists x; split=> //; rewrite at_ xi.
    by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite C.
  - move=> x x1; under eq_bigr => j _ do under eq_bigr => k _ do rewrite layer_mean.
    exact: basis_least.
  have [x [x1 xi]] := basis_attained columns rows p i0; exists x; split=> //; rewrite xi.
  by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite layer_mean.
have noise := mean_le_root W0 W1 near.
have mean : \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) * (n%:R^-1 - next f)
    = (n%:R^-1 - p i0) + \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) * (p i0 - next f).
  have -> : n%:R^-1 - p i0 = \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) * (n%:R^-1 - p i0).
    by rewrite -mulr_suml W1 mul1r.
  by rewrite -big_split /=; apply: eq_bigr => f _; rewrite -mulrDr addrA subrK.
rewrite mean ler_add //.
have N0 : 0 < n%:R :> R by rewrite ltr0n.
have Ps : 0 < 1 + 2%:R * s by rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01 // ltW.
apply: le_trans (ler_sub (lexx _) (layer_least i0)) _.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite !gt_eqF.
Qed.

End Layer.

(* --- many layers --- *)

Section Chain.

Variables (R : rcfType) (d n : nat) (Omega : finType) (w : Omega -> R) (v : Omega -> 'I_n -> R).
Hypothesis d1 : (1 <= d)%N.
Hypothesis n1 : (1 <= n)%N.
Hypothesis w0 : forall o : Omega, 0 <= w o.
Hypothesis w1 : \sum_o w o = 1.
Hypothesis v1 : forall o : Omega, \sum_(i < n) v o i ^+ 2 = 1.
Hypothesis m2 : forall i : 'I_n, \sum_o w o * v o i ^+ 2 = n%:R^-1.
Hypothesis m4 : forall i : 'I_n, \sum_o w o * (v o i ^+ 2 * v o i ^+ 2) = 3%:R / (n%:R * (n%:R + 2%:R)).
Hypothesis m22 : forall i k : 'I_n, k != i ->
  \sum_o w o * (v o i ^+ 2 * v o k ^+ 2) = (n%:R * (n%:R + 2%:R))^-1.
Hypothesis signs : forall i : 'I_n, exists flip : Omega -> Omega,
  [/\ bijective flip, forall o : Omega, w (flip o) = w o
    & forall (o : Omega) (k : 'I_n), v (flip o) k = if k == i then - v o k else v o k].

(* States: l t the spectrum of H^T H / |H|^2, s t its least member, Q t the right singular basis. *)
Variables (S : Type) (l : S -> 'I_n -> R) (Q : S -> 'I_n -> 'I_n -> R) (s : S -> R).
Variable next : S -> {ffun 'I_d -> Omega} -> S.
Hypothesis l0 : forall (t : S) (i : 'I_n), 0 <= l t i.
Hypothesis l1 : forall t : S, \sum_(i < n) l t i = 1.
Hypothesis sl : forall (t : S) (i : 'I_n), s t <= l t i.
Hypothesis ls : forall t : S, exists i : 'I_n, s t = l t i.
Hypothesis columns : forall (t : S) (i k : 'I_n), \sum_(j < n) Q t j i * Q t j k = (i == k)%:R.
Hypothesis rows : forall (t : S) (j k : 'I_n), \sum_(i < n) Q t j i * Q t k i = (j == k)%:R.
Hypothesis layer : forall (t : S) (f : {ffun 'I_d -> Omega}), 0 < s t -> forall j k : 'I_n,
  \sum_(i < n) l (next t f) i * (Q (next t f) j i * Q (next t f) k i)
  = (\sum_(m < d)
       ((\sum_(i < n) Q t j i * (Num.sqrt (l t i) * v (f m) i)) / Num.sqrt (\sum_(i < n) l t i * v (f m) i ^+ 2))
       * ((\sum_(i < n) Q t k i * (Num.sqrt (l t i) * v (f m) i)) / Num.sqrt (\sum_(i < n) l t i * v (f m) i ^+ 2)))
    / d%:R.

Let E (t : S) (g : S -> R) := \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) * g (next t f).
Let noise : R := Num.sqrt ((1 - n%:R^-1) / d%:R).

Let W0 (f : {ffun 'I_d -> Omega}) : 0 <= \prod_(k < d) w (f k). Proof. by apply: prodr_ge0. Qed.

Let mono (t : S) (f g : S -> R) : (forall u : S, f u <= g u) -> E t f <= E t g.
Proof. by move=> fg; apply: ler_sum => h _; rewrite ler_wpmul2l. Qed.

Let linear (t : S) (a b c : R) (f g : S -> R) : E t (fun u => a * f u + b * g u + c) = a * E t f + b * E t g + c.
Proof.
transitivity (\sum_(h : {ffun 'I_d -> Omega})
   (a * ((\prod_(k < d) w (h k)) * f (next t h)) + b * ((\prod_(k < d) w (h k)) * g (next t h))
    + c * (\prod_(k < d) w (h k)))); first by apply: eq_bigr => h _; ring.
by rewrite sum_lin3 (product_total d w1) mulr1.
Qed.

Let affine (t : S) (a b : R) (f : S -> R) : E t (fun u => a * f u + b) = a * E t f + b.
Proof.
rewrite -[X in _ = X + _]addr0 -[X in _ = _ + X + _](mul0r (E t f)) -linear.
by apply: eq_bigr => h _; rewrite mul0r addr0.
Qed.

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
  have /mono le : forall u, n%:R^-1 - s u <= 0 * s u + n%:R^-1.
    by move=> u; rewrite mul0r add0r ler_subl_addl ler_addr; have /andP[] := s_range u.
  apply: le_trans (le t) _; rewrite affine mul0r add0r ler_addl; exact: sqrtr_ge0.
apply: (drift_harmonic d1 n1 w0 w1 v1 m2 m4 m22 signs (l1 t) (columns t) (rows t) st (sl t)) => f.
exists (l (next t f)), (Q (next t f)); split; [split; [exact: columns|exact: rows]| | exact: sl | exact: ls].
by move=> j k; rewrite layer.
Qed.

Theorem decay_harmonic (alpha : R) (ell : nat) (H_1 : S) :
  0 < alpha <= n%:R^-1 ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0)
    (fun t => Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)) H_1
  <= Num.sqrt (n%:R * (n%:R - 1))
     * ((n%:R^-1 - s H_1) / (1 + 2%:R * alpha) ^+ ell
        + Num.sqrt ((1 - n%:R^-1) / d%:R) * (1 + 2%:R * alpha) / (2%:R * alpha)).
Proof.
move=> /andP[a0 _]; have A0 : 0 < 1 + 2%:R * alpha by rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01 // ltW.
have v0 t : 0 <= n%:R^-1 - s t by rewrite subr_ge0; have /andP[] := s_range t.
pose a : R := 2%:R * alpha / (1 + 2%:R * alpha).
have q : 1 - a = (1 + 2%:R * alpha)^-1 by rewrite /a; field; rewrite gt_eqF.
have a01 : 0 < a <= 1.
  by rewrite divr_gt0 ?mulr_gt0 ?ltr0n //= ler_pdivr_mulr // mul1r ler_addr ler01.
have Vv t : Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2) <= Num.sqrt (n%:R * (n%:R - 1)) * (n%:R^-1 - s t).
  apply: gap_vs_smallest_eigenvalue_sharp => // i; rewrite l0 /= -(l1 t) (bigD1 i) //= ler_addl.
  by apply: sumr_ge0.
have down t : alpha <= s t -> E t (fun u => n%:R^-1 - s u) <= (1 - a) * (n%:R^-1 - s t) + noise.
  move=> alt; apply: le_trans (drift_from_moments t) _; rewrite ler_add2r q mulrC ler_wpmul2r //.
  by rewrite lef_pinv ?posrE ?ler_add2l ?ler_pmul2l ?ltr0n // (lt_le_trans A0) // ler_add2l ler_pmul2l ?ltr0n.
apply: le_trans (restricted_decay ell H_1 mono affine (sqrtr_ge0 _) a01 (sqrtr_ge0 _) v0 Vv down) _.
rewrite q exprVn le_eqVlt; apply/orP; left; apply/eqP; congr (_ * (_ + _)); first exact: mulrC.
by rewrite /a /noise; move: (Num.sqrt _) => z; field; rewrite !gt_eqF.
Qed.

Let unit_gap (t : S) (i : 'I_n) : 0 <= l t i <= 1.
Proof.
by rewrite l0 -[X in _ <= X](l1 t) (bigD1 i) //= ler_addl; apply: sumr_ge0.
Qed.

Theorem drift_sharp_from_moments (t : S) :
  E t (fun u => n%:R^-1 - s u) <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s t) * (n%:R^-1 - s t) + noise.
Proof. by apply: le_trans (drift_from_moments t) _; rewrite ler_add2r; apply: harmonic_below_linear. Qed.

Theorem drift_as_printed_from_moments (t : S) :
  E t (fun u => n%:R^-1 - s u) <= (1 - 2%:R / 3%:R * s t) * (n%:R^-1 - s t) + (Num.sqrt d%:R)^-1.
Proof. exact: drift_sharp_implies_printed (s_range t) (drift_sharp_from_moments t). Qed.

Theorem decay_sharp_from_moments (alpha : R) (ell : nat) (H_1 : S) :
  0 < alpha <= n%:R^-1 ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0)
    (fun t => Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)) H_1
  <= Num.sqrt (n%:R * (n%:R - 1))
     * ((1 - 2%:R * n%:R / (n%:R + 2%:R) * alpha) ^+ ell * (n%:R^-1 - s H_1)
        + Num.sqrt ((1 - n%:R^-1) / d%:R) / (2%:R * n%:R / (n%:R + 2%:R) * alpha)).
Proof.
move=> al; apply: decay_sharp => // t; last exact: drift_sharp_from_moments.
exact: gap_vs_smallest_eigenvalue_sharp.
Qed.

Theorem decay_corrected_from_moments (alpha : R) (ell : nat) (H_1 : S) :
  0 < alpha <= n%:R^-1 ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0)
    (fun t => Num.sqrt (\sum_(i < n) (l t i - n%:R^-1) ^+ 2)) H_1
  <= 2%:R * (1 - 2%:R / 3%:R * alpha) ^+ ell + 3%:R * n%:R / (alpha * Num.sqrt d%:R).
Proof.
move=> al; apply: decay_corrected => // t; last exact: drift_as_printed_from_moments.
exact: gap_vs_smallest_eigenvalue_as_printed.
Qed.

Theorem averaged_stability_sharp_from_moments (L : nat) (H_0 : S) :
  (1 <= L)%N ->
  (\sum_(k < L) iter k (fun (g : S -> R) (t : S) => E t g)
     (fun u => (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u))) H_0) / L%:R
  <= (n%:R^-1 - s H_0) / (2%:R * n%:R / (n%:R + 2%:R) * L%:R)
     + Num.sqrt ((1 - n%:R^-1) / d%:R) / (2%:R * n%:R / (n%:R + 2%:R)).
Proof. by move=> L1; apply: averaged_stability_sharp => // t; apply: drift_sharp_from_moments. Qed.

Theorem averaged_stability_as_printed_from_moments (L : nat) (H_0 : S) :
  (1 <= L)%N ->
  (\sum_(k < L) iter k.+1 (fun (g : S -> R) (t : S) => E t g)
     (fun u => (n%:R^-1 - s u) * (n%:R^-1 - (n%:R^-1 - s u))) H_0) / L%:R
  <= 3%:R / 2%:R * ((n%:R^-1 - s H_0) / L%:R + (Num.sqrt d%:R)^-1).
Proof. by move=> L1; apply: averaged_stability_as_printed => // t; apply: drift_sharp_from_moments. Qed.

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
have sum_le := telescoping L H_0 mono linear down.
have end_ge0 : 0 <= iter L (fun (g : S -> R) (t : S) => E t g) gap H_0.
  elim: (L) (H_0) => [|k IH] h; first exact: gap0.
  have zero : E h (fun u => 0 * gap u + 0 * gap u + 0) = 0 by rewrite linear !mul0r !addr0.
  by rewrite iterS -zero; apply: mono => u; rewrite !mul0r !addr0.
rewrite -/phi ler_pdivr_mulr // -(ler_pmul2l (ltr0Sn R 1)).
have -> : 2%:R * (((n%:R^-1 - s H_0) / (2%:R * L%:R) + Num.sqrt ((1 - n%:R^-1) / d%:R) / 2%:R) * L%:R)
    = gap H_0 + L%:R * noise.
  rewrite /noise /gap; move: (Num.sqrt _) => x; move: (n%:R^-1) (s H_0) => y z.
  by field; rewrite gt_eqF.
by apply: le_trans sum_le _; rewrite ler_add2r ler_subl_addr ler_addl.
Qed.

End Chain.
