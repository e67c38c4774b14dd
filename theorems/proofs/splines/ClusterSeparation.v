(* The union bound: a boundary through the midpoint of two clusters' centres separates the clusters
   unless some point of theirs is on another side than its centre.

   c w is a unit's value at the centre of the first cluster, so that it is - c w at that of the
   second; u i w and v i w are those at the points; P is monotone and subadditive.

   cluster_separation: if each of the 2K points leaves its centre with probability q at most, the
     clusters are not separated with probability 2K q at most.
   cluster_separation_refined: the same with a q for every point.

   For Gaussian weights q = arcsin(delta/r)/pi is the angle under which a point within delta of its
   centre and that centre are seen from distance r, over pi.

   Source: after Riedi, Balestriero, Baraniuk 2026 (PMLR 334), Theorem 2; this bound ours.
   Python: splines.cluster_separation.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect all_algebra.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Clusters.

Variables (R : realFieldType) (W : Type) (P : pred W -> R) (K : nat).
Variables (c : W -> R) (u : 'I_K -> W -> R) (v : 'I_K -> W -> R).
Hypothesis none : P xpred0 = 0.
Hypothesis monotone : forall A B : pred W, subpred A B -> P A <= P B.
Hypothesis subadditive : forall A B : pred W, P (fun w => A w || B w) <= P A + P B.

Definition separated (w : W) : bool :=
  [forall i : 'I_K, 0 < u i w] && [forall i : 'I_K, v i w < 0]
  || [forall i : 'I_K, u i w < 0] && [forall i : 'I_K, 0 < v i w].

(* A point and its centre are not strictly on one side. *)
Definition leaves (centre point : W -> R) (w : W) : bool := ~~ (0 < point w * centre w).

Lemma union_bound (I : Type) (s : seq I) (A : I -> pred W) :
  P (fun w => has (A^~ w) s) <= \sum_(i <- s) P (A i).
Proof.
elim: s => [|i s IH]; first by rewrite big_nil -none; apply: monotone.
by rewrite big_cons; apply: le_trans (subadditive _ _) _; rewrite ler_add2l.
Qed.

Lemma some_point_leaves (w : W) : ~~ separated w ->
  has (fun i => leaves c (u i) w) (enum 'I_K) || has (fun i => leaves (fun w => - c w) (v i) w) (enum 'I_K).
Proof.
apply: contraR; rewrite negb_or -!all_predC => /andP [/allP us /allP vs].
have first i : 0 < u i w * c w by have := us i (mem_enum _ _); rewrite /= negbK.
have second i : 0 < v i w * - c w by have := vs i (mem_enum _ _); rewrite /= negbK.
case: (ltgtP (c w) 0) => side; apply/orP; [right|left|left].
- apply/andP; split; apply/forallP => i; first by have := first i; rewrite nmulr_lgt0.
  by have := second i; rewrite pmulr_lgt0 ?oppr_gt0.
- apply/andP; split; apply/forallP => i; first by have := first i; rewrite pmulr_lgt0.
  by have := second i; rewrite nmulr_lgt0 ?oppr_lt0.
apply/andP; split; apply/forallP => i; first by have := first i; rewrite side mulr0 ltxx.
by have := second i; rewrite side oppr0 mulr0 ltxx.
Qed.

Theorem cluster_separation_refined :
  P (fun w => ~~ separated w)
  <= \sum_(i < K) P (leaves c (u i)) + \sum_(i < K) P (leaves (fun w => - c w) (v i)).
Proof.
apply: le_trans (monotone some_point_leaves) _; apply: le_trans (subadditive _ _) _.
by apply: ler_add; apply: le_trans (union_bound _ _) _; rewrite big_enum.
Qed.

Theorem cluster_separation (q : R) :
  (forall i : 'I_K, P (leaves c (u i)) <= q) ->
  (forall i : 'I_K, P (leaves (fun w => - c w) (v i)) <= q) ->
  P (fun w => ~~ separated w) <= (2 * K)%:R * q.
Proof.
move=> us vs; apply: le_trans cluster_separation_refined _.
rewrite mul2n -addnn natrD mulrDl; apply: ler_add;
  by rewrite mulr_natl -[K in X in _ <= X]card_ord -sumr_const ler_sum.
Qed.

End Clusters.
