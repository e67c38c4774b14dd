(* The symmetric fixed point of the ReLU layer, with ReLU's own kappa over the real numbers.

   In words: with kappa(rho) = (sqrt(1 - rho^2) + (pi - acos rho) rho)/pi the layer G |-> G' (recentre, then
   sqrt(K_ii K_jj) kappa, trace kept) sends every Gram matrix with equal norms a and equal products b < a
   to equal norms a and cosine kappa(-1/(n-1)), for every n >= 2; the point is fixed; and for n >= 3 both
   non-zero eigenvalues of the Jacobian there (SymmetricJacobian.v) lie in [0, 1).

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).
   The numbers are Coq's reals with Coq's operations, the sums big operators of Rplus: mathcomp's field
   structure on the reals would bring one more axiom (choice).  cluster/SymmetricFixedPoint.v is the same for
   an abstract kappa over any real closed field, without axioms.

   symmetric_one_step_relu, symmetric_fixed_point_relu, symmetric_jacobian_relu

   Depends on: cluster/leaf/StabilityInequality.v (and the axioms of Coq's reals), mathcomp's big operators.
   Proves the Python statement: cluster.symmetric_fixed_point *)

From Coq Require Import Reals Lra.
From mathcomp Require Import all_ssreflect zify.
From BatchNorm.cluster.leaf Require Import StabilityInequality.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Open Scope R_scope.

Lemma Rplus_associative : associative Rplus.
Proof. by move=> x y z; rewrite Rplus_assoc. Qed.
Canonical Rplus_law := Monoid.Law Rplus_associative Rplus_0_l Rplus_0_r.
Canonical Rplus_comlaw := Monoid.ComLaw Rplus_comm.

Lemma sum_constant (n : nat) (t : R) : \big[Rplus/0]_(k < n) t = INR n * t.
Proof.
rewrite big_const_ord; elim: n => [|n IH]; first by rewrite /= Rmult_0_l.
by rewrite iterS IH S_INR; ring.
Qed.

Lemma size_at_least_two (n : nat) : (1 < n)%N -> 1 <= INR n - 1.
Proof. by move=> n1; apply: size_minus_one; apply/leP. Qed.

(* A sum with one exceptional term. *)
Lemma sum_one_off (n : nat) (i : 'I_n) (a b : R) (x : 'I_n -> R) :
  (forall k : 'I_n, x k = if k == i then a else b) ->
  \big[Rplus/0]_(k < n) x k = a + (INR n - 1) * b.
Proof.
move=> defx; have := sum_constant n b.
rewrite [X in X = _ -> _](bigD1 i) //= [X in _ -> X = _](bigD1 i) //= defx eqxx.
have -> : \big[Rplus/0]_(k < n | k != i) x k = \big[Rplus/0]_(k < n | k != i) b.
  by apply: eq_bigr => k ki; rewrite defx (negbTE ki).
by set rest := (\big[_/_]_(_ < n | _) _); lra.
Qed.

Theorem symmetric_one_step_relu (n : nat) (a b t rho : R) (G K C G' : 'I_n -> 'I_n -> R) :
  (1 < n)%N -> b < a -> rho = -1 / (INR n - 1) ->
  (forall i j : 'I_n, G i j = if i == j then a else b) ->
  (forall i j : 'I_n,
     K i j = G i j - (\big[Rplus/0]_(k < n) G i k) / INR n - (\big[Rplus/0]_(k < n) G k j) / INR n
             + (\big[Rplus/0]_(k < n) \big[Rplus/0]_(l < n) G k l) / INR n ^ 2) ->
  (forall i j : 'I_n, C i j = K i j / sqrt (K i i * K j j)) ->
  (forall i j : 'I_n,
     G' i j = t * (sqrt (K i i * K j j)
                   * ((sqrt (1 - C i j ^ 2) + (PI - acos (C i j)) * C i j) / PI))) ->
  \big[Rplus/0]_(i < n) G' i i = \big[Rplus/0]_(i < n) G i i ->
  forall i j : 'I_n,
    G' i j = if i == j then a else a * ((sqrt (1 - rho ^ 2) + (PI - acos rho) * rho) / PI).
Proof.
move=> n1 ab -> defG defK defC defG' trace i j.
have size := size_at_least_two n1.
have row k : \big[Rplus/0]_(l < n) G k l = a + (INR n - 1) * b.
  by apply: (sum_one_off (i := k)) => l; rewrite defG eq_sym.
have col l : \big[Rplus/0]_(k < n) G k l = a + (INR n - 1) * b.
  by apply: (sum_one_off (i := l)) => k; rewrite defG.
set s := (a - b) * (INR n - 1) / INR n.
have s0 : 0 < s by apply: Rdiv_lt_0_compat; [apply: Rmult_lt_0_compat|]; lra.
have total : \big[Rplus/0]_(k < n) \big[Rplus/0]_(l < n) G k l = INR n * (a + (INR n - 1) * b).
  by rewrite -sum_constant; apply: eq_bigr => k _; apply: row.
have Kval k l : K k l = if k == l then s else - ((a - b) / INR n).
  by rewrite defK row col total defG /s; case: (k == l); field; lra.
have root k l : sqrt (K k k * K l l) = s by rewrite !Kval !eqxx; apply: sqrt_square; lra.
have diag k : G' k k = t * s.
  have Ckk : C k k = 1 by rewrite defC root Kval eqxx; field; lra.
  by rewrite defG' root Ckk kappa_one Rmult_1_r.
have ts : t * s = a.
  have left : \big[Rplus/0]_(k < n) G' k k = INR n * (t * s).
    by rewrite -sum_constant; apply: eq_bigr => p _; apply: diag.
  have right : \big[Rplus/0]_(k < n) G k k = INR n * a.
    by rewrite -sum_constant; apply: eq_bigr => p _; rewrite defG eqxx.
  by apply: (Rmult_eq_reg_l (INR n)); [rewrite -left -right | lra].
case: (eqVneq i j) => [<-|ij]; first by rewrite diag.
have Cij : C i j = -1 / (INR n - 1).
  by rewrite defC root Kval (negbTE ij) /s; field; repeat split; lra.
by rewrite defG' root Cij -ts; ring.
Qed.

Lemma angle_range (n : nat) (rho : R) :
  (2 < n)%N -> rho = -1 / (INR n - 1) -> -1 < rho < 1.
Proof.
move=> n3 ->; have size : 3 <= INR n by have := le_INR 3 n (leP n3); rewrite /=; lra.
have pos : 0 < / (INR n - 1) by apply: Rinv_0_lt_compat; lra.
have small : / (INR n - 1) < 1 by rewrite -Rinv_1; apply: Rinv_lt_contravar; lra.
by rewrite /Rdiv; lra.
Qed.

Theorem symmetric_fixed_point_relu (n : nat) (a t rho kappa : R) (G K C G' : 'I_n -> 'I_n -> R) :
  (2 < n)%N -> 0 < a -> rho = -1 / (INR n - 1) ->
  kappa = (sqrt (1 - rho ^ 2) + (PI - acos rho) * rho) / PI ->
  (forall i j : 'I_n, G i j = if i == j then a else a * kappa) ->
  (forall i j : 'I_n,
     K i j = G i j - (\big[Rplus/0]_(k < n) G i k) / INR n - (\big[Rplus/0]_(k < n) G k j) / INR n
             + (\big[Rplus/0]_(k < n) \big[Rplus/0]_(l < n) G k l) / INR n ^ 2) ->
  (forall i j : 'I_n, C i j = K i j / sqrt (K i i * K j j)) ->
  (forall i j : 'I_n,
     G' i j = t * (sqrt (K i i * K j j)
                   * ((sqrt (1 - C i j ^ 2) + (PI - acos (C i j)) * C i j) / PI))) ->
  \big[Rplus/0]_(i < n) G' i i = \big[Rplus/0]_(i < n) G i i ->
  forall i j : 'I_n, G' i j = G i j.
Proof.
move=> n3 a0 defrho defkappa defG defK defC defG' trace i j.
have [low high] := angle_range n3 defrho.
have below := kappa_below_one rho (conj low high).
rewrite (symmetric_one_step_relu (ltnW n3) _ defrho defG defK defC defG' trace) ?defG ?defkappa //.
by rewrite -{2}(Rmult_1_r a); apply: Rmult_lt_compat_l.
Qed.

Theorem symmetric_jacobian_relu (n : nat) (rho kappa slope : R) :
  (2 < n)%N -> rho = -1 / (INR n - 1) ->
  kappa = (sqrt (1 - rho ^ 2) + (PI - acos rho) * rho) / PI -> slope = 1 - acos rho / PI ->
  0 <= slope * INR n / ((1 - kappa) * (INR n - 1)) < 1 /\
  0 <= ((INR n - 2) * (1 - kappa + rho * slope) + 2 * slope) / ((INR n - 1) * (1 - kappa)) < 1.
Proof.
move=> n3 defrho defkappa defslope.
have range := angle_range n3 defrho.
have below : kappa < 1 by rewrite defkappa; apply: kappa_below_one.
have [slope0 _] : 0 < slope < 1 by rewrite defslope; apply: kappa_slope_sign.
have stable := stability_inequality n rho kappa slope (leP n3) defrho defkappa defslope.
have size : 3 <= INR n by have := le_INR 3 n (leP n3); rewrite /=; lra.
have pos : 0 < slope * (INR n / (INR n - 1)).
  by apply: Rmult_lt_0_compat => //; apply: Rdiv_lt_0_compat; lra.
have unit_quotient (x y : R) : 0 < y -> 0 <= x < y -> 0 <= x / y < 1.
  move=> y0 [x0 xy]; split; first by apply: Rmult_le_pos => //; left; apply: Rinv_0_lt_compat.
  by apply: (Rmult_lt_reg_r y) => //; rewrite /Rdiv Rmult_assoc Rinv_l; lra.
split.
  have -> : slope * INR n / ((1 - kappa) * (INR n - 1)) = slope * (INR n / (INR n - 1)) / (1 - kappa).
    by field; lra.
  by apply: unit_quotient; lra.
have -> : (INR n - 2) * (1 - kappa + rho * slope) + 2 * slope
    = (INR n - 2) * (1 - kappa) + slope * (INR n / (INR n - 1)) by rewrite defrho; field; lra.
have gap : 0 < (INR n - 2) * (1 - kappa) by apply: Rmult_lt_0_compat; lra.
by apply: unit_quotient; lra.
Qed.
