(* Every split into two blocks is unstable, and the lone outlier is the least so.

   In words: a small spread within a block grows, relative to the distance between the blocks, by
   n^2/(m^2 + (n-m)^2) in one layer of recentring and ReLU.  For 1 <= m < n that is above 1, and at least
   its value n^2/((n-1)^2 + 1) for a single outlier.

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).
   Proof: n^2 - m^2 - (n-m)^2 = 2m(n-m), and (n-1)^2 + 1 - m^2 - (n-m)^2 = 2(m-1)(n-m-1).

   growth_above_one, growth_least

   Depends on: mathcomp only.
   Proves the Python statements: cluster.spread_growth:unstable, cluster.spread_growth:lone_least *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Growth.

Variables (R : realFieldType) (n m : nat).
Hypotheses (m1 : (1 <= m)%N) (mn : (m < n)%N).

Lemma block_pos : 0 < m%:R :> R.
Proof. by rewrite ltr0n. Qed.

Lemma rest_pos : 0 < n%:R - m%:R :> R.
Proof. by rewrite subr_gt0 ltr_nat. Qed.

Lemma squares_pos : 0 < (n%:R - m%:R) ^+ 2 + m%:R ^+ 2 :> R.
Proof. by rewrite addr_gt0 // exprn_gt0 ?block_pos ?rest_pos. Qed.

Theorem growth_above_one : 1 < n%:R ^+ 2 / ((n%:R - m%:R) ^+ 2 + m%:R ^+ 2) :> R.
Proof.
rewrite ltr_pdivl_mulr ?squares_pos // mul1r -subr_gt0.
have -> : n%:R ^+ 2 - ((n%:R - m%:R) ^+ 2 + m%:R ^+ 2) = 2%:R * (m%:R * (n%:R - m%:R)) :> R by ring.
by rewrite mulr_gt0 ?ltr0n // mulr_gt0 ?block_pos ?rest_pos.
Qed.

Theorem growth_least :
  n%:R ^+ 2 / ((n%:R - 1) ^+ 2 + 1) <= n%:R ^+ 2 / ((n%:R - m%:R) ^+ 2 + m%:R ^+ 2) :> R.
Proof.
have lone : 0 < (n%:R - 1) ^+ 2 + 1 :> R by rewrite ltr_paddl ?sqr_ge0 ?ltr01.
rewrite ler_wpmul2l ?sqr_ge0 // lef_pinv ?posrE ?squares_pos //; rewrite -subr_ge0.
have -> : (n%:R - 1) ^+ 2 + 1 - ((n%:R - m%:R) ^+ 2 + m%:R ^+ 2)
    = 2%:R * ((m%:R - 1) * (n%:R - m%:R - 1)) :> R by ring.
rewrite mulr_ge0 ?ler0n // mulr_ge0 ?subr_ge0 ?ler1n //.
by rewrite -natrB ?(ltnW mn) // ler1n subn_gt0.
Qed.

End Growth.
