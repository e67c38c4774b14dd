(* Time averages of the squared gap, from the drift of the isometry gap D = -log det(nC) >= 0.

   quadratic_form_variance: n^2 E(v^T C v)^2 - 1 = 2n/(n+2) V^2 for a spectrum of sum 1, by the
     sphere's moments.
   averaged_gap: if E D(H+) <= D(H) - n V(H)^2/(n+2) + delta at every state, then (1/L) sum_{k<L} E
     V(H_k)^2 <= (1 + 2/n) (D(H_0)/L + delta).
   The drift is a hypothesis here: log det and the law of the rows stand behind it.

   Source: ours, after Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Appendix B.1.
   Python: orthogonality.quadratic_form_variance, orthogonality.isometry_drift:average.
   Depends on: common.Means, AveragedStability (telescoping), Isotropy. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.common Require Import Means.
From BatchNorm.orthogonality Require Import AveragedStability Isotropy.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem quadratic_form_variance (R : realFieldType) (n : nat) (lambda : 'I_n ->
    R) (m_4 : R) (m_22 : R) :
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= lambda i <= 1) ->
  m_4 = 3%:R / (n%:R * (n%:R + 2%:R)) ->
  m_22 = (n%:R * (n%:R + 2%:R))^-1 ->
  \sum_(i < n) lambda i = 1 ->
  n%:R ^+ 2 * (m_22 * ((\sum_(i < n) lambda i) ^+ 2 - \sum_(i < n) lambda i ^+ 2) + m_4 * (\sum_(i
      < n) lambda i ^+ 2)) - 1
  = 2%:R * n%:R * (\sum_(i < n) lambda i ^+ 2 - n%:R^-1) / (n%:R + 2%:R).
Proof.
move=> n1 _ -> -> ->; have n0 := size_neq0 R n1; have n2 := size_add_neq0 R n 1.
by move: (\sum_(i < n) _) n%:R n0 n2 => z x x0 x2; field; rewrite x0 x2.
Qed.

Theorem averaged_gap (R : realFieldType) (S : Type) (P : (S -> R) -> Prop)
    (E : S -> (S -> R) -> R) (D : S -> R) (V2 : S -> R) (n : nat) (L : nat) (delta : R) (H_0 : S) :
  (1 <= n)%N -> (1 <= L)%N ->
  is_space P -> is_kernel P E -> P D -> P V2 ->
  (forall t : S, 0 <= D t) ->
  (forall t : S, E t D <= D t - n%:R / (n%:R + 2%:R) * V2 t + delta) ->
  (\sum_(k < L) iter k (fun (g : S -> R) (t : S) => E t g) V2 H_0) / L%:R
  <= (1 + 2%:R / n%:R) * (D H_0 / L%:R + delta).
Proof.
move=> n1 L1 PS PE PD PV D0 drift.
have N0 : 0 < n%:R :> R by rewrite ltr0n.
have N2 : 0 < n%:R + 2%:R :> R by rewrite -natrD ltr0n addn2.
have L0 : 0 < L%:R :> R by rewrite ltr0n.
have c0 : 0 < n%:R / (n%:R + 2%:R) :> R by rewrite divr_gt0.
have sum_le := telescoping L H_0 PS PE PD PV drift.
have end_ge0 := iterate_ge0 L H_0 PS PE PD D0.
rewrite ler_pdivr_mulr // -(ler_pmul2l c0).
have -> : n%:R / (n%:R + 2%:R) * ((1 + 2%:R / n%:R) * (D H_0 / L%:R + delta) * L%:R) = D H_0 + L%:R
    * delta.
  by move: n%:R L%:R N0 N2 L0 => x z x0 x2 z0; field; rewrite !gt_eqF.
by apply: le_trans sum_le _; rewrite ler_add2r ler_subl_addr ler_addl.
Qed.
