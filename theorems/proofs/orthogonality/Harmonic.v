(* Contraction in its sharp form, for every positive linear functional E with the second and fourth
   moments of a uniform direction v: for l_i >= 0 of sum 1,
     p_i = E[l_i v_i^2 / sum_k l_k v_k^2] >= (n+2) l_i / (n (1 + 2 l_i)),   equality at l_i = 1/n
   for all i, by 1/x >= 2/m - x/m^2 at m = (1 + 2 l_i)/(n+2). Hence
     1/n - p_i <= (1/n - l_i)/(1 + 2 l_i),
   for a smallest l_i the contraction, which is stronger than the linear one:
     1/(1 + 2x) <= 1 - 2n/(n+2) x on [0, 1/n].

   E is any mean on a class P of functions of T (common.Means); nothing is said of how it is made,
   so that it may be the mean over a Gaussian direction, P the bounded Borel functions, or over a
   finite design.
   Source: ours. It replaces Lemmas 8 to 10 of Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970).
   Python: orthogonality.contraction:harmonic, orthogonality.global_decay.
   Depends on: common.Means. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Means.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* l a / S >= l a (2/m - S/m^2), also where S = 0 *)
Lemma harmonic_tangent (R : realFieldType) (x S m : R) :
  0 < m -> 0 <= x <= S -> x * (2%:R / m - S / m ^+ 2) <= x / S.
Proof.
move=> m0 /andP[x0 xS]; have [S0|Sn] := eqVneq S 0.
  have -> : x = 0 by apply/eqP; rewrite eq_le x0 -S0 xS.
  by rewrite !mul0r.
have S0 : 0 < S by rewrite lt_def Sn (le_trans x0).
rewrite ler_wpmul2l // -subr_ge0.
have -> : S^-1 - (2%:R / m - S / m ^+ 2) = (S - m) ^+ 2 / (S * m ^+ 2).
  by field; rewrite Sn gt_eqF.
by rewrite divr_ge0 ?sqr_ge0 // mulr_ge0 ?sqr_ge0 // ltW.
Qed.

Theorem harmonic_image (R : realFieldType) (n : nat) (T : Type) (P : (T -> R) -> Prop)
    (E : (T -> R) -> R) (v : T -> 'I_n -> R) (l : 'I_n -> R) :
  (1 <= n)%N ->
  is_class P -> is_mean P E ->
  (forall i : 'I_n, P (fun t => v t i)) ->
  (forall i : 'I_n, P (fun t => l i * v t i ^+ 2 / (\sum_(k < n) l k * v t k ^+ 2))) ->
  (forall i : 'I_n, E (fun t => v t i ^+ 2) = n%:R^-1) ->
  (forall i : 'I_n, E (fun t => v t i ^+ 2 * v t i ^+ 2) = 3%:R / (n%:R * (n%:R + 2%:R))) ->
  (forall i k : 'I_n, k != i -> E (fun t => v t i ^+ 2 * v t k ^+ 2) = (n%:R * (n%:R + 2%:R))^-1) ->
  (forall i : 'I_n, 0 <= l i) ->
  \sum_(i < n) l i = 1 ->
  forall i : 'I_n,
  (n%:R + 2%:R) * l i / (n%:R * (1 + 2%:R * l i))
  <= E (fun t => l i * v t i ^+ 2 / (\sum_(k < n) l k * v t k ^+ 2)).
Proof.
move=> n1 PC PE Pv Pl m2 m4 m22 l0 l1 i.
have n0 : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have n2 : n%:R + 2%:R != 0 :> R by rewrite -natrD pnatr_eq0 addn2.
have li : 0 < 1 + 2%:R * l i by rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
pose m := (1 + 2%:R * l i) / (n%:R + 2%:R); have m0 : 0 < m.
  by rewrite divr_gt0 // -natrD ltr0n addn2.
pose S t := \sum_(k < n) l k * v t k ^+ 2.
have PS := class_space PC; have P2 k : P (fun t => v t k ^+ 2) by exact: (class_sqr PC).
have P22 k : P (fun t => l k * (v t i ^+ 2 * v t k ^+ 2)).
  by apply: (space_scale PS); exact: (class_mul PC).
have PSum : P (fun t => \sum_(k < n) l k * (v t i ^+ 2 * v t k ^+ 2)) by exact: (space_sum PS).
have split_ t : l i * (2%:R / m) * v t i ^+ 2
    + - (l i / m ^+ 2) * (\sum_(k < n) l k * (v t i ^+ 2 * v t k ^+ 2))
    = l i * v t i ^+ 2 * (2%:R / m - S t / m ^+ 2).
  have -> : \sum_(k < n) l k * (v t i ^+ 2 * v t k ^+ 2) = v t i ^+ 2 * S t.
    by rewrite /S mulr_sumr; apply: eq_bigr => k _; rewrite mulrCA.
  by ring.
have Plow := space_lin PS (l i * (2%:R / m)) (- (l i / m ^+ 2)) (P2 i) PSum.
have low : E (fun t => l i * v t i ^+ 2 * (2%:R / m - S t / m ^+ 2))
    <= E (fun t => l i * v t i ^+ 2 / S t).
  apply: (mean_le PE) => [||t]; [exact: (space_ext PS Plow) | exact: Pl |].
  apply: harmonic_tangent => //; rewrite mulr_ge0 ?sqr_ge0 //=.
  rewrite /S (bigD1 i) //= ler_addl; apply: sumr_ge0 => k _.
  by rewrite mulr_ge0 ?sqr_ge0.
apply: le_trans low; rewrite le_eqVlt; apply/orP; left; apply/eqP.
have -> : E (fun t => l i * v t i ^+ 2 * (2%:R / m - S t / m ^+ 2))
    = l i * (2%:R / m) * E (fun t => v t i ^+ 2)
      + - (l i / m ^+ 2) * E (fun t => \sum_(k < n) l k * (v t i ^+ 2 * v t k ^+ 2)).
  by rewrite -(mean_lin PE) //; apply: (mean_ext PS PE) => [|t]; [exact: (space_ext PS Plow) |].
have P4 k : P (fun t => v t i ^+ 2 * v t k ^+ 2) by exact: (class_mul PC).
rewrite (mean_sum PS PE) // m2 (bigD1 i) //= (mean_scale PS PE) // m4.
have -> : \sum_(k < n | k != i) E (fun t => l k * (v t i ^+ 2 * v t k ^+ 2))
    = (1 - l i) / (n%:R * (n%:R + 2%:R)).
  have -> : 1 - l i = \sum_(k < n | k != i) l k by rewrite -l1 (bigD1 i) //= addrAC subrr add0r.
  by rewrite mulr_suml; apply: eq_bigr => k ki; rewrite (mean_scale PS PE) // m22.
by rewrite /m; field; rewrite n0 n2 gt_eqF.
Qed.

Theorem contraction_harmonic (R : realFieldType) (n : nat) (T : Type) (P : (T -> R) -> Prop)
    (E : (T -> R) -> R) (v : T -> 'I_n -> R) (l : 'I_n -> R) :
  (1 <= n)%N ->
  is_class P -> is_mean P E ->
  (forall i : 'I_n, P (fun t => v t i)) ->
  (forall i : 'I_n, P (fun t => l i * v t i ^+ 2 / (\sum_(k < n) l k * v t k ^+ 2))) ->
  (forall i : 'I_n, E (fun t => v t i ^+ 2) = n%:R^-1) ->
  (forall i : 'I_n, E (fun t => v t i ^+ 2 * v t i ^+ 2) = 3%:R / (n%:R * (n%:R + 2%:R))) ->
  (forall i k : 'I_n, k != i -> E (fun t => v t i ^+ 2 * v t k ^+ 2) = (n%:R * (n%:R + 2%:R))^-1) ->
  (forall i : 'I_n, 0 <= l i) ->
  \sum_(i < n) l i = 1 ->
  forall i : 'I_n,
  n%:R^-1 - E (fun t => l i * v t i ^+ 2 / (\sum_(k < n) l k * v t k ^+ 2))
  <= (n%:R^-1 - l i) / (1 + 2%:R * l i).
Proof.
move=> n1 PC PE Pv Pl m2 m4 m22 l0 l1 i.
have n0 : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have li : 1 + 2%:R * l i != 0 by rewrite gt_eqF // ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
apply: le_trans (ler_sub (lexx _) (harmonic_image n1 PC PE Pv Pl m2 m4 m22 l0 l1 i)) _.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite n0 li.
Qed.

(* What the linear form asks less of. *)
Theorem harmonic_below_linear (R : realFieldType) (n : nat) (s : R) :
  (1 <= n)%N -> 0 <= s <= n%:R^-1 ->
  (n%:R^-1 - s) / (1 + 2%:R * s) <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s) * (n%:R^-1 - s).
Proof.
move=> n1 /andP[s0 sn].
have N0 : 0 < n%:R :> R by rewrite ltr0n.
have N2 : 0 < n%:R + 2%:R :> R by rewrite -natrD ltr0n addn2.
have S0 : 0 < 1 + 2%:R * s by rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01.
rewrite -subr_ge0.
have -> : (1 - 2%:R * n%:R / (n%:R + 2%:R) * s) * (n%:R^-1 - s) - (n%:R^-1 - s) / (1 + 2%:R * s)
    = 4%:R * n%:R * s * (n%:R^-1 - s) ^+ 2 / ((n%:R + 2%:R) * (1 + 2%:R * s)).
  by field; rewrite !gt_eqF.
by rewrite divr_ge0 ?mulr_ge0 ?sqr_ge0 ?ler0n ?subr_ge0 // ltW.
Qed.

(* From any start of full rank: y = 1/s obeys y+ - n <= n/(n+2) (y - n), layer by layer. *)
Theorem global_decay (R : realFieldType) (n : nat) (s : nat -> R) :
  (1 <= n)%N ->
  (forall k : nat, 0 < s k <= n%:R^-1) ->
  (forall k : nat, n%:R^-1 - s k.+1 <= (n%:R^-1 - s k) / (1 + 2%:R * s k)) ->
  forall k : nat, (s k)^-1 - n%:R <= (n%:R / (n%:R + 2%:R)) ^+ k * ((s 0%N)^-1 - n%:R).
Proof.
move=> n1 s0 step; elim=> [|k IH]; first by rewrite expr0 mul1r.
have N0 : 0 < n%:R :> R by rewrite ltr0n.
have N2 : 0 < n%:R + 2%:R :> R by rewrite -natrD ltr0n addn2.
have /andP[pk qk] := s0 k; have /andP[pk1 _] := s0 k.+1.
rewrite exprS -mulrA; apply: le_trans (ler_wpmul2l _ IH); last by rewrite divr_ge0 // ltW.
have S0 : 0 < 1 + 2%:R * s k by rewrite ltr_paddr ?mulr_ge0 ?ler0n ?ltr01 // ltW.
have low : (n%:R + 2%:R) * s k / (n%:R * (1 + 2%:R * s k)) <= s k.+1.
  have := step k; rewrite ler_subl_addl -ler_subl_addr => le; apply: le_trans le.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite !gt_eqF.
have low0 : 0 < (n%:R + 2%:R) * s k / (n%:R * (1 + 2%:R * s k)) by rewrite divr_gt0 ?mulr_gt0.
have : (s k.+1)^-1 <= ((n%:R + 2%:R) * s k / (n%:R * (1 + 2%:R * s k)))^-1 by rewrite lef_pinv.
rewrite -(ler_add2r (- n%:R)) => le; apply: le_trans le _.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite !gt_eqF.
Qed.
