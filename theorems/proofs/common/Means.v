(* Positive normalised linear functionals, on a class of functions: what the results need of a mean.

   A mean E lives on a class P of functions T -> R and nowhere else, since hardly any law has a mean
   of every function: for Gaussian weights P is the bounded Borel functions, for a finite law all.
   is_space P     P holds the constants and linear combinations
   is_class P     and products, and the inverse of what is bounded away from 0
   is_mean P E    E 1 = 1, E is linear and keeps order, on P
   is_kernel P E  E t is a mean for every state t, and t -> E t f is in P for f in P: one step of a
                  Markov chain
   are_copies     r_1, ..., r_d have the same law, and any two of them are independent
   No integral, no measure, nothing countable. Finite laws have all of it, on all functions:
   finite_mean, finite_copies.

   mean_le_root          E f <= sqrt(E f^2)
   variance_of_average   of d pairwise independent copies: the variance over d

   Depends on: common.Sums. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Record is_space (R : realFieldType) (T : Type) (P : (T -> R) -> Prop) : Prop := IsSpace {
  space_ext : forall f g : T -> R, P f -> (forall t : T, f t = g t) -> P g;
  space_one : P (fun=> 1);
  space_lin : forall (a b : R) (f g : T -> R), P f -> P g -> P (fun t => a * f t + b * g t) }.

Record is_class (R : realFieldType) (T : Type) (P : (T -> R) -> Prop) : Prop := IsClass {
  class_space : is_space P;
  class_mul : forall f g : T -> R, P f -> P g -> P (fun t => f t * g t);
  class_inv : forall (c : R) (f : T -> R), 0 < c -> P f -> (forall t : T, c <= f t) ->
    P (fun t => (f t)^-1) }.

Record is_mean (R : realFieldType) (T : Type) (P : (T -> R) -> Prop) (E : (T -> R) -> R) : Prop :=
  IsMean {
  mean_one : E (fun=> 1) = 1;
  mean_lin : forall (a b : R) (f g : T -> R), P f -> P g ->
    E (fun t => a * f t + b * g t) = a * E f + b * E g;
  mean_le : forall f g : T -> R, P f -> P g -> (forall t : T, f t <= g t) -> E f <= E g }.

Record is_kernel (R : realFieldType) (S : Type) (P : (S -> R) -> Prop) (E : S -> (S -> R) -> R) :
  Prop := IsKernel {
  kernel_mean : forall t : S, is_mean P (E t);
  kernel_space : forall f : S -> R, P f -> P (fun t => E t f) }.

Record are_copies (R : realFieldType) (d : nat) (Omega T : Type) (p : (Omega -> R) -> Prop)
  (e : (Omega -> R) -> R) (P : (T -> R) -> Prop) (E : (T -> R) -> R) (r : 'I_d -> T -> Omega) :
  Prop := AreCopies {
  copy_class : forall (k : 'I_d) (f : Omega -> R), p f -> P (fun t => f (r k t));
  copy_mean : forall (k : 'I_d) (f : Omega -> R), p f -> E (fun t => f (r k t)) = e f;
  copy_pair : forall (k l : 'I_d) (f g : Omega -> R), k != l -> p f -> p g ->
    E (fun t => f (r k t) * g (r l t)) = e f * e g }.

Section Mean.

Variables (R : realFieldType) (T : Type) (P : (T -> R) -> Prop) (E : (T -> R) -> R).
Hypothesis PS : is_space P.
Hypothesis PE : is_mean P E.

Lemma space_scale (a : R) (f : T -> R) : P f -> P (fun t => a * f t).
Proof.
by move=> Pf; apply: space_ext (space_lin PS a 0 Pf Pf) _ => // t; rewrite mul0r addr0.
Qed.

Lemma space_const (c : R) : P (fun=> c).
Proof. by apply: space_ext (space_scale c (space_one PS)) _ => // t; rewrite mulr1. Qed.

Lemma space_add (f g : T -> R) : P f -> P g -> P (fun t => f t + g t).
Proof. by move=> Pf Pg; apply: space_ext (space_lin PS 1 1 Pf Pg) _ => // t; rewrite !mul1r. Qed.

Lemma space_affine (a b : R) (f : T -> R) : P f -> P (fun t => a * f t + b).
Proof. by move=> Pf; apply: space_add (space_scale a Pf) (space_const b). Qed.

Lemma space_sub (f g : T -> R) : P f -> P g -> P (fun t => f t - g t).
Proof.
move=> Pf Pg; apply: (@space_ext _ _ _ PS) (space_lin PS 1 (- 1) Pf Pg) _ => t.
by rewrite mul1r mulN1r.
Qed.

Lemma space_sum (I : Type) (s : seq I) (Q : pred I) (f : I -> T -> R) :
  (forall i : I, P (f i)) -> P (fun t => \sum_(i <- s | Q i) f i t).
Proof.
move=> Pf; elim: s => [|i s IH].
  by apply: (@space_ext _ _ _ PS) (space_const 0) _ => t; rewrite big_nil.
case Qi: (Q i); last by apply: (@space_ext _ _ _ PS) IH _ => t; rewrite big_cons Qi.
by apply: (@space_ext _ _ _ PS) (space_add (Pf i) IH) _ => t; rewrite big_cons Qi.
Qed.

Lemma mean_ext (f g : T -> R) : P f -> (forall t : T, f t = g t) -> E f = E g.
Proof.
move=> Pf fg; have Pg := space_ext PS Pf fg.
by apply/eqP; rewrite eq_le !(mean_le PE) // => t; rewrite fg.
Qed.

Lemma mean_scale (a : R) (f : T -> R) : P f -> E (fun t => a * f t) = a * E f.
Proof.
move=> Pf; rewrite -[RHS]addr0 -[X in _ + X](mul0r (E f)) -(mean_lin PE) //.
by apply: mean_ext (space_scale a Pf) _ => t; rewrite mul0r addr0.
Qed.

Lemma mean_const (c : R) : E (fun=> c) = c.
Proof.
rewrite -[RHS]mulr1 -(mean_one PE) -mean_scale; last exact: space_one.
by apply: mean_ext (space_const c) _ => t; rewrite mulr1.
Qed.

Lemma mean_add (f g : T -> R) : P f -> P g -> E (fun t => f t + g t) = E f + E g.
Proof.
move=> Pf Pg; rewrite -[E f]mul1r -[E g]mul1r -(mean_lin PE) //.
by apply: mean_ext (space_add Pf Pg) _ => t; rewrite !mul1r.
Qed.

Lemma mean_affine (a b : R) (f : T -> R) : P f -> E (fun t => a * f t + b) = a * E f + b.
Proof.
by move=> Pf; rewrite (mean_add (space_scale a Pf) (space_const b)) mean_scale // mean_const.
Qed.

Lemma mean_sub (f g : T -> R) : P f -> P g -> E (fun t => f t - g t) = E f - E g.
Proof.
move=> Pf Pg; rewrite -[E f]mul1r -[- E g]mulN1r -(mean_lin PE) //.
by apply: mean_ext (space_sub Pf Pg) _ => t; rewrite mul1r mulN1r.
Qed.

Lemma mean_sum (I : Type) (s : seq I) (Q : pred I) (f : I -> T -> R) :
  (forall i : I, P (f i)) ->
  E (fun t => \sum_(i <- s | Q i) f i t) = \sum_(i <- s | Q i) E (f i).
Proof.
move=> Pf; elim: s => [|i s IH].
  rewrite big_nil -[RHS]mean_const; apply: mean_ext => [|t]; last by rewrite big_nil.
  exact: space_sum.
rewrite big_cons -IH; case Qi: (Q i); last first.
  by apply: mean_ext => [|t]; [exact: space_sum | rewrite big_cons Qi].
rewrite -mean_add //; last exact: space_sum.
by apply: mean_ext => [|t]; [exact: space_sum | rewrite big_cons Qi].
Qed.

End Mean.

Section Squares.

Variables (R : realFieldType) (T : Type) (P : (T -> R) -> Prop) (E : (T -> R) -> R).
Hypothesis PC : is_class P.
Hypothesis PE : is_mean P E.
Let PS := class_space PC.

Lemma class_sqr (f : T -> R) : P f -> P (fun t => f t ^+ 2).
Proof. by move=> Pf; apply: (space_ext PS) (class_mul PC Pf Pf) _ => t; rewrite expr2. Qed.

Lemma mean_square (f : T -> R) : P f -> E f ^+ 2 <= E (fun t => f t ^+ 2).
Proof.
move=> Pf; have P2 := class_sqr Pf.
have : E (fun=> 0) <= E (fun t => 1 * f t ^+ 2 + - 1 * (2%:R * E f * f t + - E f ^+ 2)).
  apply: (mean_le PE) => [||t]; first exact: (space_const PS).
    exact: (space_lin PS) P2 (space_affine PS _ _ Pf).
  rewrite [X in _ <= X](_ : _ = (f t - E f) ^+ 2) ?sqr_ge0 //; ring.
rewrite (mean_const PS PE) (mean_lin PE) ?(mean_affine PS PE) //; last exact: space_affine.
by move=> positive; rewrite -subr_ge0 (_ : _ - _ = 1 * E (fun t => f t ^+ 2)
  + - 1 * (2%:R * E f * E f + - E f ^+ 2)) //; ring.
Qed.

End Squares.

Lemma mean_le_root (R : rcfType) (T : Type) (P : (T -> R) -> Prop) (E : (T -> R) -> R)
    (f : T -> R) (b : R) :
  is_class P -> is_mean P E -> P f -> E (fun t => f t ^+ 2) <= b -> E f <= Num.sqrt b.
Proof.
move=> PC PE Pf fb; apply: (le_trans (ler_norm _)); rewrite -sqrtr_sqr ler_wsqrtr //.
exact: le_trans (mean_square PC PE Pf) fb.
Qed.

(* --- pairwise independent copies --- *)

Section Copies.

Variables (R : realFieldType) (d : nat) (Omega T : Type).
Variables (p : (Omega -> R) -> Prop) (e : (Omega -> R) -> R).
Variables (P : (T -> R) -> Prop) (E : (T -> R) -> R) (r : 'I_d -> T -> Omega).
Hypothesis pC : is_class p.
Hypothesis pe : is_mean p e.
Hypothesis PC : is_class P.
Hypothesis PE : is_mean P E.
Hypothesis copies : are_copies p e P E r.

Let pS := class_space pC.
Let PS := class_space PC.

Lemma copies_average (x : Omega -> R) : p x -> P (fun t => (\sum_(k < d) x (r k t)) / d%:R).
Proof.
move=> px; apply: (space_ext PS) (space_scale PS d%:R^-1 _) _; last by move=> t; exact: mulrC.
by apply: (space_sum PS) => k; apply: (copy_class copies).
Qed.

Theorem variance_of_average (x : Omega -> R) : (1 <= d)%N -> p x ->
  E (fun t => ((\sum_(k < d) x (r k t)) / d%:R - e x) ^+ 2)
  = (e (fun o => x o ^+ 2) - e x ^+ 2) / d%:R.
Proof.
move=> d1 px; have d0 : d%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
pose y o := x o - e x; have py : p y by apply: (space_sub pS) px (space_const pS _).
have y0 : e y = 0.
  by rewrite (mean_sub pS pe px (space_const pS _)) (mean_const pS pe) subrr.
have py2 := class_sqr pC py.
have y2 : e (fun o => y o ^+ 2) = e (fun o => x o ^+ 2) - e x ^+ 2.
  have px2 := class_sqr pC px.
  rewrite (mean_ext pS pe (g := fun o => 1 * x o ^+ 2 + - 1 * (2%:R * e x * x o + - e x ^+ 2))) //.
    rewrite (mean_lin pe) //; last exact: (space_affine pS).
    by rewrite (mean_affine pS pe) //; ring.
  by move=> o; rewrite /y; ring.
have Py k : P (fun t => y (r k t)) by apply: (copy_class copies).
have Pyy k l : P (fun t => y (r k t) * y (r l t)) by apply: (class_mul PC).
transitivity (E (fun t => d%:R^-1 ^+ 2 * \sum_(k < d) \sum_(l < d) y (r k t) * y (r l t))).
  apply/esym/(mean_ext PS PE) => [|t].
    by apply: (space_scale PS); apply: (space_sum PS) => k; apply: (space_sum PS).
  rewrite -sqr_sum; have -> : \sum_(k < d) y (r k t) = \sum_(k < d) x (r k t) - d%:R * e x.
    by rewrite sumrB sumr_const card_ord mulr_natl.
  by move: (\sum_(k < d) _) (e x) => X m; field.
rewrite (mean_scale PS PE); last by apply: (space_sum PS) => k; apply: (space_sum PS).
rewrite (mean_sum PS PE); last by move=> k; apply: (space_sum PS).
transitivity (d%:R^-1 ^+ 2 * \sum_(k < d) e (fun o => y o ^+ 2)).
  congr (_ * _); apply: eq_bigr => k _; rewrite (mean_sum PS PE) // (bigD1 k) //=.
  rewrite [X in _ + X]big1 ?addr0 => [|l lk]; last first.
    by rewrite (copy_pair copies) ?y0 ?mulr0 // eq_sym.
  by rewrite -(copy_mean copies k).
by rewrite sumr_const card_ord y2; move: (_ - _) => X; rewrite -mulr_natl; field.
Qed.

End Copies.

(* --- finite laws --- *)

Section Finite.

Variables (R : realFieldType) (Omega : finType) (w : Omega -> R).
Hypothesis w0 : forall o : Omega, 0 <= w o.
Hypothesis w1 : \sum_o w o = 1.

Lemma every_function (T : Type) : is_class (fun _ : T -> R => True).
Proof. by split=> //; split. Qed.

Theorem finite_mean : is_mean (fun=> True) (fun f : Omega -> R => \sum_o w o * f o).
Proof.
split=> [|a b f g _ _|f g _ _ fg].
- by rewrite -[RHS]w1; apply: eq_bigr => o _; rewrite mulr1.
- by rewrite -sum_lin2; apply: eq_bigr => o _; ring.
by apply: ler_sum => o _; rewrite ler_wpmul2l.
Qed.

Variable d : nat.
Let W (f : {ffun 'I_d -> Omega}) := \prod_(k < d) w (f k).

Lemma product_factor (g : 'I_d -> Omega -> R) :
  \sum_(f : {ffun 'I_d -> Omega}) W f * \prod_(k < d) g k (f k) = \prod_(k < d) \sum_o w o * g k o.
Proof. by rewrite bigA_distr_bigA; apply: eq_bigr => f _; rewrite -big_split. Qed.

Lemma product_total : \sum_(f : {ffun 'I_d -> Omega}) W f = 1.
Proof.
transitivity (\sum_(f : {ffun 'I_d -> Omega}) W f * \prod_(k < d) 1).
  by apply: eq_bigr => f _; rewrite big1_eq mulr1.
rewrite (product_factor (fun _ _ => 1)); apply: big1 => k _.
by rewrite -[RHS]w1; apply: eq_bigr => o _; rewrite mulr1.
Qed.

Let total (g : Omega -> R) (b : bool) :
  (if b then \sum_o w o * g o else 1) = \sum_o w o * (if b then g o else 1).
Proof. by case: b => //; rewrite -[LHS]w1; apply: eq_bigr => o _; rewrite mulr1. Qed.

(* d independent draws: the product law. *)
Theorem finite_copies : are_copies (fun=> True) (fun f : Omega -> R => \sum_o w o * f o)
  (fun=> True) (fun F => \sum_(f : {ffun 'I_d -> Omega}) (\prod_(k < d) w (f k)) * F f)
  (fun k f => f k).
Proof.
split=> // [k g _|k l g h kl _ _].
  transitivity (\sum_f W f * \prod_(i < d) if i == k then g (f i) else 1).
    by apply: eq_bigr => f _; rewrite -big_mkcond /= big_pred1_eq.
  rewrite (product_factor (fun i o => if i == k then g o else 1)).
  rewrite (eq_bigr (fun i => if i == k then \sum_o w o * g o else 1)) => [|i _];
    last exact/esym/total.
  by rewrite -big_mkcond /= big_pred1_eq.
transitivity (\sum_f W f * \prod_(i < d)
    ((if i == k then g (f i) else 1) * (if i == l then h (f i) else 1))).
  by apply: eq_bigr => f _; rewrite big_split -!big_mkcond /= !big_pred1_eq.
rewrite (product_factor (fun i o => (if i == k then g o else 1) * (if i == l then h o else 1))).
have factor i : \sum_o w o * ((if i == k then g o else 1) * (if i == l then h o else 1))
    = (if i == k then \sum_o w o * g o else 1) * (if i == l then \sum_o w o * h o else 1).
  case: (i =P k) => [->|_]; last by rewrite mul1r total; apply: eq_bigr => o _; rewrite mul1r.
  by rewrite (negPf kl) mulr1; apply: eq_bigr => o _; rewrite mulr1.
rewrite (eq_bigr _ (fun i _ => factor i)).
by rewrite big_split -!big_mkcond /= !big_pred1_eq.
Qed.

End Finite.
