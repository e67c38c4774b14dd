(* The mean square of squared singular values of a product of Gaussian matrices, solved and bounded.

   A Gaussian layer of width d takes s = E Tr C^2/n, t = E (Tr C)^2/n to
   ((1 + 1/d) s + t/d, t + 2 s/d), from (1, n) where the n samples are orthonormal.

   isometry_moments: s = ((n+2)(1+2/d)^l - (n-1)(1-1/d)^l)/3,
     t = ((n+2)(1+2/d)^l + 2(n-1)(1-1/d)^l)/3.
   isometry_lower, isometry_upper, for n = d:
     1 + l(1 + 1/d) <= s <= (1+2/d)^l (1 + l(d-1)/(d+2)).

   Source: ours. That the layer's means are these is taken for granted.
   Depends on: Products, for Bernoulli's inequality. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.products Require Import Products.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section DynamicalIsometry.

Variable R : realFieldType.

Section Moments.

Variables (d : nat) (b : R) (s t : nat -> R).
Hypothesis s_start : s 0%N = 1.
Hypothesis t_start : t 0%N = b.
Hypothesis s_layer : forall l : nat, s l.+1 = (1 + d%:R^-1) * s l + d%:R^-1 * t l.
Hypothesis t_layer : forall l : nat, t l.+1 = t l + 2%:R / d%:R * s l.

Theorem isometry_moments (l : nat) :
  s l = ((b + 2%:R) * (1 + 2%:R / d%:R) ^+ l - (b - 1) * (1 - d%:R^-1) ^+ l) / 3%:R /\
  t l = ((b + 2%:R) * (1 + 2%:R / d%:R) ^+ l + 2%:R * (b - 1) * (1 - d%:R^-1) ^+ l) / 3%:R.
Proof.
have three : 3%:R != 0 :> R by rewrite pnatr_eq0.
elim: l => [|l [IHs IHt]].
  by rewrite !expr0 s_start t_start; split; field.
rewrite s_layer t_layer IHs IHt !exprS.
move: ((1 + 2%:R / d%:R) ^+ l) ((1 - d%:R^-1) ^+ l) => P Q.
by move: (d%:R^-1 : R) => x; split; field.
Qed.

End Moments.

Fixpoint moments (d l : nat) : R * R :=
  if l is k.+1 then
    let st := moments d k in
    ((1 + d%:R^-1) * st.1 + d%:R^-1 * st.2, st.2 + 2%:R / d%:R * st.1)
  else (1, d%:R).

Lemma moments_closed (d l : nat) : (moments d l).1 =
  ((d%:R + 2%:R) * (1 + 2%:R / d%:R) ^+ l - (d%:R - 1) * (1 - d%:R^-1) ^+ l) / 3%:R.
Proof.
by have [] := @isometry_moments d d%:R (fun k => (moments d k).1) (fun k => (moments d k).2)
  erefl erefl (fun=> erefl) (fun=> erefl) l.
Qed.

Theorem isometry_lower (d l : nat) : (1 <= d)%N ->
  1 + l%:R * (1 + d%:R^-1) <=
  ((d%:R + 2%:R) * (1 + 2%:R / d%:R) ^+ l - (d%:R - 1) * (1 - d%:R^-1) ^+ l) / 3%:R :> R.
Proof.
move=> d1; have d0 : 0 < d%:R :> R by rewrite ltr0n.
rewrite -moments_closed.
have x0 : 0 <= d%:R^-1 :> R by rewrite invr_ge0 ltW.
have xd : d%:R^-1 * d%:R = 1 :> R by rewrite mulVf ?gt_eqF.
suff [] : 1 + l%:R * (1 + d%:R^-1) <= (moments d l).1 /\ d%:R <= (moments d l).2 by [].
elim: l => [|l [IHs IHt]]; first by rewrite /= mul0r addr0.
set x := d%:R^-1 in x0 xd IHs *.
have one : 1 <= (moments d l).1.
  by apply: le_trans IHs; rewrite ler_addl mulr_ge0 ?ler0n // addr_ge0 ?ler01.
split; last first.
  apply: le_trans IHt _; rewrite /= ler_addl mulr_ge0 ?(le_trans ler01 one) //.
  by rewrite divr_ge0 ?ler0n ?ltW.
rewrite [moments d l.+1]/= -/x /=; set s := (moments d l).1 in IHs one *.
set t := (moments d l).2 in IHt *.
have -> : 1 + l.+1%:R * (1 + x) = 1 + l%:R * (1 + x) + (x * 1 + x * d%:R).
  by rewrite mulrS xd; ring.
have -> : (1 + x) * s + x * t = s + (x * s + x * t) by ring.
by rewrite ler_add // ler_add // ler_wpmul2l.
Qed.

Theorem isometry_upper (d l : nat) : (1 <= d)%N ->
  ((d%:R + 2%:R) * (1 + 2%:R / d%:R) ^+ l - (d%:R - 1) * (1 - d%:R^-1) ^+ l) / 3%:R <=
  (1 + 2%:R / d%:R) ^+ l * (1 + l%:R * (d%:R - 1) / (d%:R + 2%:R)) :> R.
Proof.
move=> d1; have d0 : 0 < d%:R :> R by rewrite ltr0n.
have e0 : 0 < d%:R + 2%:R :> R by rewrite addr_gt0 ?ltr0n.
have less : 0 <= d%:R - 1 :> R by rewrite subr_ge0 ler1n.
have y01 : 0 <= (3%:R / (d%:R + 2%:R) : R) <= 1.
  apply/andP; split; first by rewrite divr_ge0 ?ler0n ?(ltW e0).
  by rewrite ler_pdivr_mulr // mul1r -natrD ler_nat addn2 !ltnS.
have := @product_below R l (fun=> 3%:R / (d%:R + 2%:R)) (fun=> y01).
rewrite prodr_const sumr_const card_ord -[_ *+ l]mulr_natl => bernoulli.
have -> : 1 - d%:R^-1 = (1 + 2%:R / d%:R) * (1 - 3%:R / (d%:R + 2%:R)) :> R.
  by move: (d%:R : R) d0 e0 => y y0 e0; field; rewrite !gt_eqF.
rewrite exprMn; have P0 : 0 <= (1 + 2%:R / d%:R) ^+ l :> R.
  by rewrite exprn_ge0 // addr_ge0 ?ler01 // divr_ge0 ?ler0n ?(ltW d0).
move: bernoulli P0; set q := (1 - _) ^+ l; set P := _ ^+ l => bernoulli P0.
rewrite -subr_ge0.
have -> : P * (1 + l%:R * (d%:R - 1) / (d%:R + 2%:R)) -
    ((d%:R + 2%:R) * P - (d%:R - 1) * (P * q)) / 3%:R =
    P * (d%:R - 1) * (q - (1 - l%:R * (3%:R / (d%:R + 2%:R)))) / 3%:R.
  clear -e0; move: (l%:R : R) => z.
  by move: (d%:R : R) e0 => y e0; field; rewrite gt_eqF.
by rewrite divr_ge0 ?ler0n // mulr_ge0 ?subr_ge0 // mulr_ge0.
Qed.

End DynamicalIsometry.
