(* Corollary 3 from the decay: along a path with sigma_n^2 >= alpha the distance of W H to a Gaussian
   matrix falls geometrically, up to noise.

   limit_corrected: printed constants, the distance at most 2n V.
   limit_sharp: ours, the distance at most n sqrt(1 - 1/n) V.
   Decay of the gap is restricted_decay; what is added is that the distance is at most a multiple of it
   (GaussianDistance).  The drift is a hypothesis, as in Decay.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Corollary 3, with sigma_n^2 in its assumption.
   Python: orthogonality.gaussian_limit:corrected, :sharp.
   Depends on: common.Means, Decay. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Means.
From BatchNorm.orthogonality Require Import Decay.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Limit.

Variables (R : rcfType) (S : Type) (P : (S -> R) -> Prop) (E : S -> (S -> R) -> R).
Variables (V : S -> R) (W : S -> R) (s : S -> R).
Variables (d : nat) (n : nat) (alpha : R) (ell : nat) (H_1 : S).
Hypothesis d1 : (1 <= d)%N.
Hypothesis n1 : (1 <= n)%N.
Hypothesis alpha_range : 0 < alpha <= n%:R^-1.
Hypothesis PS : is_space P.
Hypothesis PE : is_kernel P E.
Hypothesis event : forall f : S -> R, P f -> P (fun t => if alpha <= s t then f t else 0).
Hypothesis PV : P V.
Hypothesis PW : P W.
Hypothesis Ps : P s.
Hypothesis s01 : forall t : S, 0 <= s t <= n%:R^-1.

Let reached (f : S -> R) := iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0) f.

(* What holds at every state holds along the path, times any constant. *)
Lemma along_path (K : R) (f g : S -> R) : P f -> P g -> 0 <= K ->
  (forall t : S, f t <= K * g t) -> reached f H_1 <= K * reached g H_1.
Proof.
move=> Pf Pg K0 fg; have [mean step] := PE; pose T g t := if alpha <= s t then E t g else 0.
have Piter k q : P q -> P (iter k T q).
  by move=> Pq; elim: k => // k IH; apply: event; exact: step.
rewrite /reached -/T; elim: ell H_1 => [|l IH] h; first exact: fg.
rewrite !iterS {1 3}/T; case: ifP => _; last by rewrite mulr0.
rewrite -(mean_scale PS (mean h)); last exact: Piter.
by apply: (mean_le (mean h)) => //; [exact: Piter | apply: (space_scale PS); exact: Piter].
Qed.

Theorem limit_corrected :
  (forall t : S, W t <= 2%:R * n%:R * V t) ->
  (forall t : S, V t <= 2%:R * n%:R * (n%:R^-1 - s t)) ->
  (forall t : S, E t (fun u => n%:R^-1 - s u)
    <= (1 - 2%:R / 3%:R * s t) * (n%:R^-1 - s t) + (Num.sqrt d%:R)^-1) ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0) W H_1
  <= 4%:R * n%:R * (1 - 2%:R / 3%:R * alpha) ^+ ell + 6%:R * n%:R ^+ 2 / (alpha * Num.sqrt d%:R).
Proof.
move=> WV Vs drift; have K0 : 0 <= 2%:R * n%:R :> R by rewrite mulr_ge0 ?ler0n.
apply: le_trans (along_path PW PV K0 WV) _.
have := decay_corrected ell H_1 d1 n1 alpha_range PS PE event PV Ps s01 Vs drift.
move=> /(ler_wpmul2l K0)/le_trans; apply.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite mulrDr; congr (_ + _).
  by move: (_ ^+ ell) => x; ring.
by move: (alpha * _) => x; rewrite -[6%:R]/((2 * 3)%N%:R) natrM; move: x^-1 => y; ring.
Qed.

Theorem limit_sharp :
  (forall t : S, W t <= n%:R * Num.sqrt (1 - n%:R^-1) * V t) ->
  (forall t : S, V t <= Num.sqrt (n%:R * (n%:R - 1)) * (n%:R^-1 - s t)) ->
  (forall t : S, E t (fun u => n%:R^-1 - s u)
    <= (1 - 2%:R * n%:R / (n%:R + 2%:R) * s t) * (n%:R^-1 - s t)
       + Num.sqrt ((1 - n%:R^-1) / d%:R)) ->
  iter ell (fun (g : S -> R) (t : S) => if alpha <= s t then E t g else 0) W H_1
  <= n%:R * Num.sqrt (1 - n%:R^-1) * (Num.sqrt (n%:R * (n%:R - 1))
     * ((1 - 2%:R * n%:R / (n%:R + 2%:R) * alpha) ^+ ell * (n%:R^-1 - s H_1)
        + Num.sqrt ((1 - n%:R^-1) / d%:R) / (2%:R * n%:R / (n%:R + 2%:R) * alpha))).
Proof.
move=> WV Vs drift.
have K0 : 0 <= n%:R * Num.sqrt (1 - n%:R^-1) :> R by rewrite mulr_ge0 ?ler0n ?sqrtr_ge0.
apply: le_trans (along_path PW PV K0 WV) _; rewrite ler_wpmul2l //.
exact: (decay_sharp ell H_1 d1 n1 alpha_range PS PE event PV Ps s01 Vs drift).
Qed.

End Limit.
