(* The algebra of Lemma 10, with a = 1 + 2 theta (1/n - delta) ("near") and b = 1 + 2 theta (1/n + delta/(n-1))
   ("far"). The derivatives themselves, with half-integer powers, are in leaf/ConvexityDerivatives.

   convexity_polynomial: 15 b^2 - 6 a b + ((n+1)/(n-1)) a^2 >= 0 for n >= 2, the factor of g'' that has a sign.
   convexity_h4: 5 b - ((n+1)/(n-1)) a = (4n-6)/(n-1) (1 + 2 theta/n) + 2 theta delta (n+6)/(n-1), the factor of h1'.
   convexity_h4_printed_refuted: the printed (4n-2)/(n-1) + 2 theta (4n-2)/(n-1) + 2 theta delta (n+2)/(n-1) is
   not that factor.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Lemma 10 and Appendix C.7, exponent (n+1)/2 for
   its (n-3)/2.
   Python: the algebra of orthogonality.convexity:conclusion, :corrected and of the negation of :as_printed.
   Depends on: nothing. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem convexity_polynomial (R : realFieldType) (n : nat) (a : R) (b : R) :
  (2 <= n)%N ->
  0 <= 15%:R * b ^+ 2 - 6%:R * a * b + (n%:R + 1) / (n%:R - 1) * a ^+ 2.
Proof.
move=> n2; have m0 : 0 < n%:R - 1 :> R by rewrite subr_gt0 ltr1n.
have -> : 15%:R * b ^+ 2 - 6%:R * a * b + (n%:R + 1) / (n%:R - 1) * a ^+ 2
    = 15%:R * (b - a / 5%:R) ^+ 2 + (2%:R / 5%:R + 2%:R / (n%:R - 1)) * a ^+ 2.
  by move: (n%:R) m0 => x x1; field; rewrite gt_eqF ?ltr0n.
rewrite addr_ge0 // mulr_ge0 ?sqr_ge0 ?ler0n // addr_ge0 ?divr_ge0 ?ler0n //.
exact: ltW.
Qed.

Theorem convexity_h4 (R : realFieldType) (n : nat) (theta : R) (delta : R) :
  (2 <= n)%N ->
  5%:R * (1 + 2%:R * theta * (n%:R^-1 + delta / (n%:R - 1)))
    - (n%:R + 1) / (n%:R - 1) * (1 + 2%:R * theta * (n%:R^-1 - delta))
  = (4%:R * n%:R - 6%:R) / (n%:R - 1) * (1 + 2%:R * theta / n%:R)
    + 2%:R * theta * delta * (n%:R + 6%:R) / (n%:R - 1).
Proof.
move=> n2; have m0 : n%:R - 1 != 0 :> R by rewrite gt_eqF // subr_gt0 ltr1n.
have n0 : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n ltnW.
by move: (n%:R) m0 n0 => x x1 x0; field; rewrite x0 x1.
Qed.

Theorem convexity_h4_printed_refuted (R : realFieldType) :
  ~ (forall (n : nat) (theta : R) (delta : R),
       (2 <= n)%N -> 0 < theta -> 0 <= delta <= n%:R^-1 ->
       5%:R * (1 + 2%:R * theta * (n%:R^-1 + delta / (n%:R - 1)))
         - (n%:R + 1) / (n%:R - 1) * (1 + 2%:R * theta * (n%:R^-1 - delta))
       = (4%:R * n%:R - 2%:R) / (n%:R - 1) + 2%:R * theta * (4%:R * n%:R - 2%:R) / (n%:R - 1)
         + 2%:R * theta * delta * (n%:R + 2%:R) / (n%:R - 1)).
Proof.
move=> printed; have := printed 2%N 1 0 isT ltr01.
rewrite lexx invr_ge0 ler0n => /(_ isT).
rewrite convexity_h4 // => /eqP; rewrite -subr_eq0.
have -> : (4%:R * 2%:R - 6%:R) / (2%:R - 1) * (1 + 2%:R * 1 / 2%:R) + 2%:R * 1 * 0 * (2%:R + 6%:R) / (2%:R - 1)
    - ((4%:R * 2%:R - 2%:R) / (2%:R - 1) + 2%:R * 1 * (4%:R * 2%:R - 2%:R) / (2%:R - 1)
       + 2%:R * 1 * 0 * (2%:R + 2%:R) / (2%:R - 1)) = - 14%:R :> R.
  have -> : 2%:R - 1 = 1 :> R by ring.
  by field; rewrite ?pnatr_eq0.
by rewrite oppr_eq0 pnatr_eq0.
Qed.
