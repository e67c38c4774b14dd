(* How often a mini-batch decides otherwise: Cantelli's inequality, with the exact variance of the
   jitter.

   A sample whose margin is gamma is decided otherwise by a batch whose mean is beyond by gamma. Of
   the batches of b among N, drawn without replacement, that is a share of at most
     J^2 / (J^2 + gamma^2),   J^2 = (sigma^2 / b) (N - b) / (N - 1).

   cantelli: of finitely many numbers of sum 0 and mean square J, a share of at most J/(gamma^2 + J)
     is at least gamma.
   minibatch_flips: the same for batches.

   Source: classical (Cantelli 1928).
   Python: splines.minibatch_decision:flips.
   Depends on: splines/MinibatchJitter.v. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.splines Require Import MinibatchJitter.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Cantelli.

Variables (R : realFieldType) (T : finType) (P : pred T) (s : T -> R) (C : R) (J : R) (gamma : R).
Hypothesis gamma0 : 0 < gamma.
Hypothesis C0 : 0 < C.
Hypothesis count : \sum_(t | P t) 1 = C.
Hypothesis centred : \sum_(t | P t) s t = 0.
Hypothesis square : \sum_(t | P t) s t ^+ 2 = C * J.

Theorem cantelli :
  (\sum_(t | P t) (if gamma <= s t then 1 else 0)) / C <= J / (gamma ^+ 2 + J).
Proof.
have J0 : 0 <= J.
  by rewrite -(pmulr_rge0 _ C0) -square; apply: sumr_ge0 => t _; apply: sqr_ge0.
have D0 : 0 < gamma ^+ 2 + J by rewrite ltr_paddr // exprn_gt0.
have all : C * J * (gamma ^+ 2 + J) = \sum_(t | P t) (gamma * s t + J) ^+ 2.
  transitivity (gamma ^+ 2 * (\sum_(t | P t) s t ^+ 2)
      + 2%:R * gamma * J * (\sum_(t | P t) s t) + J ^+ 2 * (\sum_(t | P t) 1)).
    by rewrite count centred square; ring.
  by rewrite !mulr_sumr -!big_split /=; apply: eq_bigr => t _; ring.
rewrite ler_pdivr_mulr // mulrAC ler_pdivl_mulr // -(ler_pmul2r D0) [J * C]mulrC all.
rewrite -mulrA mulr_suml; apply: ler_sum => t _.
case: ifP => [far|_]; last by rewrite mul0r sqr_ge0.
rewrite mul1r -expr2.
have beyond : gamma ^+ 2 + J <= gamma * s t + J by rewrite ler_add2r expr2 ler_pmul2l.
by rewrite ler_sqr ?nnegrE ?(ltW D0) // (le_trans (ltW D0) beyond).
Qed.

End Cantelli.

Section Batches.

Variables (R : realFieldType) (N : nat) (b : nat) (x : 'I_N -> R) (mean : R) (variance : R).
Variable gamma : R.
Hypothesis b0 : (0 < b)%N.
Hypothesis bN : (b <= N)%N.
Hypothesis N1 : (1 < N)%N.
Hypothesis gamma0 : 0 < gamma.
Hypothesis meanE : mean = (\sum_(i < N) x i) / N%:R.
Hypothesis varianceE : variance = (\sum_(i < N) (x i - mean) ^+ 2) / N%:R.

Theorem minibatch_flips :
  (\sum_(B : {set 'I_N} | #|B| == b) (if gamma <= (\sum_(i in B) x i) / b%:R - mean then 1 else 0))
      / 'C(N, b)%:R
  <= variance * (N%:R - b%:R)
      / (b%:R * (N%:R - 1) * (gamma ^+ 2 + variance * (N%:R - b%:R) / (b%:R * (N%:R - 1)))).
Proof.
have bn := b_neq0 R b0; have Cn := C_neq0 R bN.
have n1 : N%:R - 1 != 0 :> R by rewrite subr_eq0 (eqr_nat _ N 1) neq_ltn N1 orbT.
have C0 : 0 < 'C(N, b)%:R :> R by rewrite ltr0n bin_gt0.
have one : \sum_(B : {set 'I_N} | #|B| == b) 1 = 'C(N, b)%:R :> R.
  by rewrite (count_batches N b (1 : R)) mulr1.
have centred : \sum_(B : {set 'I_N} | #|B| == b) ((\sum_(i in B) x i) / b%:R - mean) = 0.
  have := minibatch_mean b0 bN meanE => /(canRL (divfK Cn)) total.
  by rewrite sumrB total (count_batches N b mean) mulrC subrr.
have square : \sum_(B : {set 'I_N} | #|B| == b) ((\sum_(i in B) x i) / b%:R - mean) ^+ 2
    = 'C(N, b)%:R * (variance * (N%:R - b%:R) / (b%:R * (N%:R - 1))).
  have := minibatch_mean_variance b0 bN N1 meanE varianceE => /(canRL (divfK Cn)) ->.
  by field; rewrite bn n1.
have := cantelli gamma0 C0 one centred square; congr (_ <= _).
by rewrite -mulrA [in RHS]invfM mulrA.
Qed.

End Batches.
