(* How gradients go back through linear layers that iterative orthogonalisation filled.

   r = 2^L - 1 for L layers, t_i = sigma_i^(2/(r+1)), sigma the singular values of the batch, as many
   samples as units: E|G_0|^2 / E|G_L|^2 = (sum t^(r+1)) (sum t^-r) / (n sum t).

   growth_lower   that is at least 1
   growth_upper   and at most (sum sigma^2) (sum sigma^-2) / n^2, whatever L
   kantorovich    which for a <= sigma_i^2 <= b is at most (a + b)^2 / (4ab)

   Source: ours; the inequalities are Chebyshev's for sums, and Kantorovich's.
   Python: gradient.iterative_orthogonal.
   Depends on: common.Sums (sums of linear combinations). *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Sums.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* --- Chebyshev's inequality for oppositely sorted sums --- *)

Section Chebyshev.

Variables (R : realFieldType) (n : nat) (f g : 'I_n -> R).
Hypothesis opposite : forall i j, (f i - f j) * (g i - g j) <= 0.

Lemma chebyshev_identity :
  \sum_(i < n) \sum_(j < n) (f i - f j) * (g i - g j)
  = 2%:R * (n%:R * (\sum_(i < n) f i * g i) - (\sum_(i < n) f i) * (\sum_(i < n) g i)).
Proof.
set F := \sum_(i < n) f i; set G := \sum_(i < n) g i; set P := \sum_(i < n) f i * g i.
transitivity (\sum_(i < n) (n%:R * (f i * g i) + - G * f i + (- F * g i + P))).
  apply: eq_bigr => i _.
  transitivity (\sum_(j < n) (- f i * g j + - g i * f j + 1 * (f j * g j))
                + \sum_(j < n) f i * g i).
    by rewrite -big_split /=; apply: eq_bigr => j _; ring.
  rewrite ord_lin3 sumr_const card_ord -mulr_natl -/F -/G -/P; ring.
rewrite big_split /= big_split /= big_split /= -!mulr_sumr sumr_const card_ord -mulr_natl.
rewrite -/F -/G -/P; ring.
Qed.

Lemma chebyshev : n%:R * (\sum_(i < n) f i * g i) <= (\sum_(i < n) f i) * (\sum_(i < n) g i).
Proof.
rewrite -subr_ge0 -(pmulr_rge0 _ (@ltr0Sn R 1)).
have -> (x y : R) : 2%:R * (x - y) = - (2%:R * (y - x)) by ring.
rewrite -chebyshev_identity -sumrN; apply: sumr_ge0 => i _.
by rewrite -sumrN; apply: sumr_ge0 => j _; rewrite oppr_ge0.
Qed.

End Chebyshev.

(* --- growth over any number of layers --- *)

Section Growth.

Variables (R : realFieldType) (n r : nat) (t : 'I_n -> R).
Hypotheses (n1 : (1 <= n)%N) (t0 : forall i, 0 < t i).

Let power_gt0 k i : 0 < t i ^+ k.
Proof. by rewrite exprn_gt0. Qed.

Lemma ordered_powers k l i j : t i <= t j ->
  ((t i ^+ k)^-1 - (t j ^+ k)^-1) * (t i ^+ l - t j ^+ l) <= 0.
Proof.
move=> le; have rise q : t i ^+ q <= t j ^+ q.
  by apply: ler_expn2r => //; rewrite nnegrE ltW.
apply: mulr_ge0_le0; last by rewrite subr_le0.
by rewrite subr_ge0 lef_pinv ?posrE.
Qed.

Lemma opposite_powers k l i j :
  ((t i ^+ k)^-1 - (t j ^+ k)^-1) * (t i ^+ l - t j ^+ l) <= 0.
Proof.
have [le|/ltW le] := lerP (t i) (t j); first exact: ordered_powers.
by rewrite -mulrNN !opprB; apply: ordered_powers.
Qed.

Lemma size_gt0 : 0 < n%:R :> R.
Proof. by rewrite ltr0n. Qed.

Lemma sum_powers_gt0 (k : nat) : 0 < \sum_(i < n) t i ^+ k.
Proof.
by apply: (sum_gt0 (i := Ordinal n1)) => [i|]; [apply: ltW|]; apply: power_gt0.
Qed.

Lemma total_gt0 : 0 < \sum_(i < n) t i.
Proof. by have := sum_powers_gt0 1. Qed.

Theorem growth_lower :
  1 <= (\sum_(i < n) (t i ^+ r)^-1) * (\sum_(i < n) t i ^+ (r + 1)%N)
       / (n%:R * (\sum_(i < n) t i)).
Proof.
rewrite ler_pdivl_mulr ?mulr_gt0 ?size_gt0 ?total_gt0 // mul1r.
apply: le_trans (chebyshev (opposite_powers r (r + 1))).
rewrite ler_wpmul2l ?ler0n // le_eqVlt; apply/orP; left; apply/eqP; apply: eq_bigr => i _.
by rewrite exprD expr1 mulKf // gt_eqF.
Qed.

Theorem growth_upper :
  (\sum_(i < n) (t i ^+ r)^-1) * (\sum_(i < n) t i ^+ (r + 1)%N) / (n%:R * (\sum_(i < n) t i))
  <= (\sum_(i < n) (t i ^+ (r + 1)%N)^-1) * (\sum_(i < n) t i ^+ (r + 1)%N) / n%:R ^+ 2.
Proof.
have := chebyshev (opposite_powers (r + 1) 1).
rewrite (eq_bigr (fun i => (t i ^+ r)^-1)) => [|i _]; last first.
  by rewrite exprD expr1 invfM -mulrA mulVf ?mulr1 // gt_eqF.
rewrite [X in _ <= _ * X](eq_bigr t) => [|i _]; last by rewrite expr1.
have [[n0 T0] S0] := (size_gt0, total_gt0, sum_powers_gt0 (r + 1)).
rewrite ler_pdivr_mulr ?mulr_gt0 //.
move: (\sum_(i < n) t i) (\sum_(i < n) t i ^+ (r + 1)) T0 S0 => T S T0 S0.
move: (\sum_(i < n) _) (\sum_(i < n) _) => A C le.
have -> : C * S / n%:R ^+ 2 * (n%:R * T) = C * T / n%:R * S by field; rewrite gt_eqF.
by apply: ler_wpmul2r; [exact: ltW | rewrite ler_pdivl_mulr // mulrC].
Qed.

End Growth.

(* --- by the condition number --- *)

Section Condition.

Variables (R : realFieldType) (n : nat) (a b : R) (t : 'I_n -> R).
Hypotheses (n1 : (1 <= n)%N) (a0 : 0 < a) (ab : a <= b).
Hypothesis between : forall i, a <= t i <= b.

Let t0 i : 0 < t i.
Proof. by have /andP[le _] := between i; apply: lt_le_trans le. Qed.

Let b0 : 0 < b.
Proof. exact: lt_le_trans ab. Qed.

Lemma chord i : t i + a * b * (t i)^-1 <= a + b.
Proof.
have /andP[lo hi] := between i; rewrite -subr_ge0.
have -> : a + b - (t i + a * b * (t i)^-1) = (t i - a) * (b - t i) / t i.
  by field; rewrite gt_eqF.
by rewrite divr_ge0 ?mulr_ge0 ?subr_ge0 // ltW.
Qed.

Lemma chords : \sum_(i < n) t i + a * b * (\sum_(i < n) (t i)^-1) <= n%:R * (a + b).
Proof.
rewrite mulr_sumr -big_split /= mulr_natl -[n in X in _ <= X]card_ord -sumr_const.
by apply: ler_sum => i _; apply: chord.
Qed.

Theorem kantorovich :
  (\sum_(i < n) (t i)^-1) * (\sum_(i < n) t i) / n%:R ^+ 2 <= (a + b) ^+ 2 / (4%:R * a * b).
Proof.
have := chords; set T := \sum_(i < n) t i; set V := \sum_(i < n) (t i)^-1 => le.
have T0 : 0 <= T by apply: sumr_ge0 => i _; apply: ltW.
have V0 : 0 <= V by apply: sumr_ge0 => i _; rewrite invr_ge0 ltW.
have n0 : 0 < n%:R :> R by rewrite ltr0n.
have ab0 : 0 < a * b by rewrite mulr_gt0.
rewrite ler_pdivr_mulr ?exprn_gt0 // mulrAC ler_pdivl_mulr -?mulrA ?mulr_gt0 //; last first.
  by rewrite ltr0n.
have sq : (T + a * b * V) ^+ 2 <= (n%:R * (a + b)) ^+ 2.
  by rewrite ler_expn2r ?nnegrE ?addr_ge0 ?mulr_ge0 // ltW // addr_gt0.
have := sqr_ge0 (T - a * b * V); rewrite -subr_ge0 in sq.
move=> d0; rewrite -subr_ge0.
by apply: (eq_ind _ (fun x => 0 <= x) (addr_ge0 sq d0)); ring.
Qed.

End Condition.
