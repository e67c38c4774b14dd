(* What "Gaussian" contributes to the theorems of this family: a direction v in R^n, n >= 2, whose
   law no turn in the plane of two coordinates changes has the sphere's second and fourth moments.

   turns_give_moments: E v_i^2 = 1/n, E v_i^4 = 3/(n(n+2)), E v_i^2 v_k^2 = 1/(n(n+2)) for i <> k,
     for every linear functional E with E 1 = 1 on a class P of functions that holds the
     polynomials, if E depends only on values on the unit sphere and is unchanged by turns. No
     integral; positivity is not needed. P is there since no such E exists on all functions (n >=
     3): for a Gaussian row take the bounded Borel functions.
   isotropic_fourth, isotropic_mixed: the two linear equations behind it, solved.
   dirichlet_second, _fourth, _mixed: the same numbers as quotients of rising factorials.

   By a quarter turn all E v_i^4 are equal; the turns by (3/5, 4/5) and (3/5, -4/5) add up to m_4 =
   (337 m_4 + 864 m_22)/625, that is m_4 = 3 m_22; the length gives the rest.

   Source: ours, classical.
   Python: orthogonality.isotropic_moments, orthogonality.sphere_moments.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma size_neq0 (R : realFieldType) (n : nat) : (1 <= n)%N -> n%:R != 0 :> R.
Proof. by move=> n1; rewrite pnatr_eq0 -lt0n. Qed.

Lemma size_add_neq0 (R : realFieldType) (n m : nat) : n%:R + m.+1%:R != 0 :> R.
Proof. by rewrite -natrD pnatr_eq0 addnS. Qed.

Theorem isotropic_mixed (R : realFieldType) (n : nat) (m_4 : R) (m_22 : R) :
  (2 <= n)%N ->
  m_4 = 3%:R * m_22 ->
  m_22 * n%:R * (n%:R - 1) + m_4 * n%:R = 1 ->
  m_22 = (n%:R * (n%:R + 2%:R))^-1.
Proof.
move=> n2 -> total; have n0 : n%:R != 0 :> R by rewrite size_neq0 // ltnW.
have m0 : n%:R * (n%:R + 2%:R) != 0 :> R by rewrite mulf_neq0 // size_add_neq0.
apply: (mulfI m0); rewrite divff //; apply: (etrans _ total).
by move: n%:R => x; ring.
Qed.

Theorem isotropic_fourth (R : realFieldType) (n : nat) (m_4 : R) (m_22 : R) :
  (2 <= n)%N ->
  m_4 = 3%:R * m_22 ->
  m_22 * n%:R * (n%:R - 1) + m_4 * n%:R = 1 ->
  m_4 = 3%:R / (n%:R * (n%:R + 2%:R)).
Proof. by move=> n2 eq total; rewrite eq (isotropic_mixed n2 eq total). Qed.

Section Turns.

Variables (R : realFieldType) (n : nat)
  (P : (('I_n -> R) -> R) -> Prop) (E : (('I_n -> R) -> R) -> R).

Definition turn (i k : 'I_n) (c s : R) (v : 'I_n -> R) (j : 'I_n) : R :=
  if j == i then c * v i - s * v k else if j == k then s * v i + c * v k else v j.

Hypothesis n2 : (2 <= n)%N.
Hypothesis P1 : P (fun=> 1).
Hypothesis Pcoord : forall i : 'I_n, P (fun v => v i).
Hypothesis Plin : forall (a b : R) (f g : ('I_n -> R) -> R), P f -> P g ->
    P (fun v => a * f v + b * g v).
Hypothesis Pmul : forall f g : ('I_n -> R) -> R, P f -> P g -> P (fun v => f v * g v).
Hypothesis E1 : E (fun=> 1) = 1.
Hypothesis linE : forall (a b : R) (f g : ('I_n -> R) -> R), P f -> P g ->
  E (fun v => a * f v + b * g v) = a * E f + b * E g.
Hypothesis sphere : forall f g : ('I_n -> R) -> R, P f -> P g ->
  (forall v : 'I_n -> R, \sum_(i < n) v i ^+ 2 = 1 -> f v = g v) -> E f = E g.
Hypothesis turned : forall (i k : 'I_n) (c s : R) (f g : ('I_n -> R) -> R), P f -> P g ->
  i != k -> c ^+ 2 + s ^+ 2 = 1 -> (forall v : 'I_n -> R, g v = f (turn i k c s v)) -> E g = E f.

Let Pin (f g : ('I_n -> R) -> R) : P f -> P g -> P (fun v => 1 * f v + 1 * g v).
Proof. exact: Plin. Qed.

Let Psquare (i : 'I_n) : P (fun v => v i * v i). Proof. exact: Pmul. Qed.

Let Pmixed (i k : 'I_n) : P (fun v => v i * v i * (v k * v k)).
Proof. by apply: (Pmul (Psquare i) (Psquare k)). Qed.

Let Psum (I : Type) (r : seq I) (f : I -> ('I_n -> R) -> R) :
  (forall j, P (f j)) ->
  exists2 g, P g & (forall v, g v = \sum_(j <- r) f j v) /\ E g = \sum_(j <- r) E (f j).
Proof.
move=> Pf; elim: r => [|j r [g Pg [gE gS]]].
  exists (fun v => 0 * 1 + 0 * 1); first exact: (Plin 0 0 P1 P1).
  by split=> [v|]; rewrite ?linE // big_nil !mul0r addr0.
exists (fun v => 1 * f j v + 1 * g v); first exact: (Pin (Pf j) Pg).
by split=> [v|]; rewrite ?linE // big_cons !mul1r ?gE ?gS.
Qed.

Let quarter (i k : 'I_n) : i != k -> forall v, turn i k 0 1 v i = - v k.
Proof. by move=> ik v; rewrite /turn eqxx mul0r mul1r add0r. Qed.

Let pythagoras (a b c : R) : c != 0 -> a ^+ 2 + b ^+ 2 = c ^+ 2 -> (a / c) ^+ 2 + (b / c) ^+ 2 = 1.
Proof. by move=> c0 abc; rewrite !expr_div_n -mulrDl abc divff // expf_neq0. Qed.

Let unit01 : 0 ^+ 2 + 1 ^+ 2 = 1 :> R. Proof. by rewrite expr0n expr1n add0r. Qed.

Let squares (i k : 'I_n) : E (fun v => v k * v k) = E (fun v => v i * v i).
Proof.
have [->//|ik] := eqVneq i k.
apply: (turned (Psquare i) (Psquare k) ik unit01) => v.
by rewrite quarter // mulrNN.
Qed.

Let fourths (i k : 'I_n) :
  E (fun v => v k * v k * (v k * v k)) = E (fun v => v i * v i * (v i * v i)).
Proof.
have [->//|ik] := eqVneq i k.
apply: (turned (Pmixed i i) (Pmixed k k) ik unit01) => v.
by rewrite quarter // mulrNN.
Qed.

Let three (i k : 'I_n) : i != k ->
  E (fun v => v i * v i * (v i * v i)) = 3%:R * E (fun v => v i * v i * (v k * v k)).
Proof.
move=> ik; pose A := E (fun v => v i * v i * (v i * v i)).
pose Q := E (fun v => v i * v i * (v k * v k)).
have five : 5%:R != 0 :> R by rewrite pnatr_eq0.
pose c : R := 3%:R / 5%:R; pose s : R := 4%:R / 5%:R.
have cs : c ^+ 2 + s ^+ 2 = 1 by apply: pythagoras => //; ring.
have cs' : c ^+ 2 + (- s) ^+ 2 = 1 by rewrite sqrrN.
pose x r (v : 'I_n -> R) := c * v i + r * v k.
have Px r : P (x r) by apply: Plin.
have Px4 r : P (fun v => x r v * x r v * (x r v * x r v)).
  by apply: (Pmul (f := fun v => x r v * x r v) (g := fun v => x r v * x r v)); apply: Pmul.
have one : E (fun v => x (- s) v * x (- s) v * (x (- s) v * x (- s) v)) = A.
  by apply: (turned (Pmixed i i) (Px4 (- s)) ik cs) => v; rewrite /turn eqxx /x mulNr.
have two : E (fun v => x s v * x s v * (x s v * x s v)) = A.
  by apply: (turned (Pmixed i i) (Px4 s) ik cs') => v; rewrite /turn eqxx /x mulNr opprK.
have inner : P (fun v => 6%:R * c ^+ 2 * s ^+ 2 * (v i * v i * (v k * v k)) + s ^+ 4 * (v k * v k *
    (v k * v k))).
  exact: (Plin _ _ (Pmixed i k) (Pmixed k k)).
pose left v := 2%:R^-1 * (x (- s) v * x (- s) v * (x (- s) v * x (- s) v))
  + 2%:R^-1 * (x s v * x s v * (x s v * x s v)).
pose right v := c ^+ 4 * (v i * v i * (v i * v i))
  + 1 * (6%:R * c ^+ 2 * s ^+ 2 * (v i * v i * (v k * v k)) + s ^+ 4 * (v k * v k * (v k * v k))).
have leftE : E left = A by rewrite /left linE // one two; field.
have rightE : E right = c ^+ 4 * A + (6%:R * c ^+ 2 * s ^+ 2 * Q + s ^+ 4 * A).
  rewrite /right (linE _ _ (Pmixed i i) inner) mul1r (linE _ _ (Pmixed i k) (Pmixed k k)).
  by rewrite (fourths i k).
have same : A = c ^+ 4 * A + (6%:R * c ^+ 2 * s ^+ 2 * Q + s ^+ 4 * A).
  rewrite -rightE -[LHS]leftE; apply: sphere.
  - exact: (Plin _ _ (Px4 _) (Px4 _)).
  - exact: (Plin _ _ (Pmixed i i) inner).
  by move=> v _; rewrite /left /right /x; field.
rewrite -/A -/Q; have k0 : 288%:R / 625%:R != 0 :> R by rewrite mulf_neq0 ?invr_eq0 ?pnatr_eq0.
apply: (mulfI k0); transitivity (A - (c ^+ 4 * A + s ^+ 4 * A)); first by rewrite /c /s; field.
by rewrite {1}same /c /s; field.
Qed.

Theorem turns_give_moments (i : 'I_n) :
  [/\ E (fun v => v i ^+ 2) = n%:R^-1,
      E (fun v => v i ^+ 2 * v i ^+ 2) = 3%:R / (n%:R * (n%:R + 2%:R))
    & forall k : 'I_n, i != k -> E (fun v => v i ^+ 2 * v k ^+ 2) = (n%:R * (n%:R + 2%:R))^-1].
Proof.
have n0 : n%:R != 0 :> R by rewrite size_neq0 // ltnW.
pose A := E (fun v => v i * v i * (v i * v i)).
have two : E (fun v => v i * v i) = n%:R^-1.
  have [g Pg [gE gS]] := Psum (index_enum [finType of 'I_n]) (f := fun j v => v j * v j) Psquare.
  have : E g = 1.
    by rewrite -E1; apply: sphere => // v v1; rewrite gE -[RHS]v1; apply: eq_bigr => j _;
        rewrite expr2.
  rewrite gS (eq_bigr (fun=> E (fun v => v i * v i))) => [|j _]; last exact: squares.
  by rewrite sumr_const card_ord => eq; apply: (mulIf n0); rewrite mulr_natr eq mulVf.
have mixed k : i != k -> E (fun v => v i * v i * (v k * v k)) = A / 3%:R.
  by move=> ik; rewrite /A (three ik); move: (E _) => q; field.
have four : A = 3%:R / (n%:R * (n%:R + 2%:R)).
  have [g Pg [gE gS]] := Psum (index_enum [finType of 'I_n]) (f :=
      fun k v => v i * v i * (v k * v k)) (Pmixed i).
  have : E g = n%:R^-1.
    rewrite -two; apply: sphere => // v v1; rewrite gE -mulr_sumr.
    by rewrite (eq_bigr (fun k => v k ^+ 2)) ?v1 ?mulr1 // => k _; rewrite expr2.
  rewrite gS (bigD1 i) //= -/A (eq_bigr (fun=> A / 3%:R)) => [|k ki];
      last by rewrite mixed // eq_sym.
  rewrite sumr_const cardC1 card_ord => eq.
  have m1 : A / 3%:R *+ n.-1 = A / 3%:R * (n%:R - 1) by rewrite -mulr_natr -subn1 natrB // ltnW.
  have k0 : (n%:R + 2%:R) / 3%:R != 0 :> R by rewrite mulf_neq0 ?invr_eq0 ?pnatr_eq0 //
      size_add_neq0.
  apply: (mulIf k0); have -> : A * ((n%:R + 2%:R) / 3%:R) = A + A / 3%:R * (n%:R - 1).
    by move: n%:R => x; field.
  by rewrite -m1 eq; move: n0 (size_add_neq0 R n 1); move: n%:R => x x0 x2; field; rewrite x0 x2.
have plain (f g : ('I_n -> R) -> R) : P f -> (forall v, g v = f v) -> P g -> E g = E f.
  by move=> Pf fg Pg; apply: sphere => // v _; exact: fg.
have P2 j : P (fun v => v j ^+ 2) by exact: (Pmul (Pcoord j) (Pcoord j)).
have P22 j k : P (fun v => v j ^+ 2 * v k ^+ 2) by exact: (Pmul (P2 j) (P2 k)).
split=> [||k ik].
- by rewrite -two; apply: plain.
- by rewrite -four; apply: plain.
transitivity (A / 3%:R); first by rewrite -(mixed k ik); apply: plain.
by rewrite four mulrAC divff ?mul1r // pnatr_eq0.
Qed.

End Turns.

(* --- the same numbers by the Dirichlet law of the squares --- *)

Section Dirichlet.

Variables (R : realFieldType) (n : nat).
Hypothesis n2 : (2 <= n)%N.

Let n0 : n%:R != 0 :> R. Proof. by rewrite size_neq0 // ltnW. Qed.
Let n02 : n%:R + 2%:R != 0 :> R. Proof. exact: size_add_neq0. Qed.
Let pair (f : nat -> R) : \prod_(k < 2) f k = f 0%N * f 1%N.
Proof. by rewrite !big_ord_recl big_ord0 mulr1. Qed.

Theorem dirichlet_second :
  \prod_(k < 1) (k%:R + 2%:R^-1) / (\prod_(k < 1) (k%:R + n%:R / 2%:R)) = n%:R^-1 :> R.
Proof. by rewrite !big_ord1 /= !add0r; move: n%:R n0 => x x0; field. Qed.

Theorem dirichlet_fourth :
  \prod_(k < 2) (k%:R + 2%:R^-1) / (\prod_(k < 2) (k%:R + n%:R / 2%:R))
  = 3%:R / (n%:R * (n%:R + 2%:R)) :> R.
Proof.
rewrite (pair (fun k => k%:R + 2%:R^-1)) (pair (fun k => k%:R + n%:R / 2%:R)).
by move: n%:R n0 n02 => x x0 x2; field; rewrite x0 x2.
Qed.

Theorem dirichlet_mixed :
  (\prod_(k < 1) (k%:R + 2%:R^-1)) ^+ 2 / (\prod_(k < 2) (k%:R + n%:R / 2%:R))
  = (n%:R * (n%:R + 2%:R))^-1 :> R.
Proof.
rewrite big_ord1 (pair (fun k => k%:R + n%:R / 2%:R)) /=.
by move: n%:R n0 n02 => x x0 x2; field; rewrite x0 x2.
Qed.

End Dirichlet.
