(* What a random unit does to two samples, by the symmetry of its weight alone.

   W is whatever a unit is drawn from, a and b its values at the two samples, neg its reflection,
   which turns both about; P a finitely additive probability that does not see the reflection, under
   which no sample lies on the boundary. With eta = P[a b < 0], the unit separates them:

   same_side, other_side: P[a > 0, b > 0] = P[a < 0, b < 0] = (1 - eta)/2.
   midpoint: at the midpoint of two samples a b = -(a - b)^2/4, so that a unit separates them.

   Source: Riedi, Balestriero, Baraniuk 2026 (PMLR 334), Lemma 1, for the midpoint; else ours.
   Python: splines.separation_probability.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Symmetry.

Variables (R : realFieldType) (W : Type) (P : pred W -> R) (neg : W -> W) (a b : W -> R).
Hypothesis alike : forall A B : pred W, A =1 B -> P A = P B.
Hypothesis whole : P xpredT = 1.
Hypothesis added : forall A B : pred W,
  (forall w : W, ~~ (A w && B w)) -> P (fun w => A w || B w) = P A + P B.
Hypothesis reflected : forall A : pred W, P (fun w => A (neg w)) = P A.
Hypothesis a_neg : forall w : W, a (neg w) = - a w.
Hypothesis b_neg : forall w : W, b (neg w) = - b w.
Hypothesis off : P (fun w => a w * b w == 0) = 0.

Let separated := P (fun w => a w * b w < 0).
Let both := P (fun w => (0 < a w) && (0 < b w)).
Let neither := P (fun w => (a w < 0) && (b w < 0)).

Theorem other_side : neither = both.
Proof.
rewrite /both -reflected; apply: alike => w.
by rewrite a_neg b_neg !oppr_gt0.
Qed.

Theorem same_side : both = (1 - separated) / 2%:R.
Proof.
have split : 1 = separated + (both + neither).
  rewrite -whole -[LHS]addr0 -off addrC.
  rewrite (@alike xpredT (fun w => (a w * b w < 0) || (((0 < a w) && (0 < b w))
    || ((a w < 0) && (b w < 0))) || (a w * b w == 0))); last first.
    move=> w; case: (ltgtP (a w) 0) => aw; case: (ltgtP (b w) 0) => bw;
      rewrite ?(nmulr_rlt0 _ aw) ?(pmulr_rlt0 _ aw) ?aw ?bw ?mul0r ?mulr0 ?eqxx ?orbT //=.
  rewrite added; last first.
    move=> w; apply/negP => /andP [sides /eqP zero]; move: sides.
    rewrite zero ltxx /=; move/eqP: zero; rewrite mulf_eq0 => /orP [] /eqP ->;
      by rewrite ltxx ?andbF.
  rewrite added; last first.
    move=> w; apply/negP => /andP [apart /orP [] /andP [aw bw]]; move: apart.
      by rewrite (pmulr_rlt0 _ aw) ltNge ltW.
    by rewrite (nmulr_rlt0 _ aw) ltNge ltW.
  rewrite added; last first.
    by move=> w; apply/negP => /andP [/andP [aw _] /andP [aw' _]]; rewrite ltNge ltW in aw.
  by rewrite off addr0 add0r.
rewrite other_side in split.
apply: (canRL (mulfK _)); first by rewrite pnatr_eq0.
by apply/eqP; rewrite mulr_natr mulr2n eq_sym subr_eq addrC -split.
Qed.

End Symmetry.

Section Midpoint.

Variables (R : realFieldType) (d : nat) (w : 'I_d -> R) (u : 'I_d -> R) (v : 'I_d -> R).

Theorem midpoint : (1 <= d)%N ->
  ((\sum_(k < d) v k * w k) / 2%:R - (\sum_(k < d) u k * w k) / 2%:R)
    * ((\sum_(k < d) u k * w k) / 2%:R - (\sum_(k < d) v k * w k) / 2%:R)
  = - (((\sum_(k < d) u k * w k) - (\sum_(k < d) v k * w k)) ^+ 2 / 4%:R).
Proof. by move=> _; field. Qed.

End Midpoint.
