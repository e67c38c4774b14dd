(* The algebra behind the stationary law of the gap: what a layer near orthogonality keeps, what it
     adds, and what is left of both after many layers.

   linear_response: to first order p_i - 1/n = n/(n+2) (l_i - 1/n), by the sphere's moments.
   noise_diagonal, noise_across, noise_total: the covariance of v v^T - I/n, v a uniform direction.
   stationary_balance: x = (n/(n+2))^2 x + (1 - 1/n)/d only at x = (n-1)(n+2)^2/(4n(n+1)d).
   stationary_coordinates: that is s k/d, s = (n+2)/(2n(n+1)), k = (n-1)(n+2)/2.

   Source: ours, after Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Figure 2.
   Python: orthogonality.linear_response, noise_covariance and stationary_variance.
   Depends on: Isotropy. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From BatchNorm.orthogonality Require Import Isotropy.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem linear_response (R : realFieldType) (n : nat) (epsilon : 'I_n ->
    R) (i : 'I_n) (m_2 : R) (m_4 : R) (m_22 : R) :
  (1 <= n)%N ->
  m_2 = n%:R^-1 ->
  m_4 = 3%:R / (n%:R * (n%:R + 2%:R)) ->
  m_22 = (n%:R * (n%:R + 2%:R))^-1 ->
  \sum_(k < n) epsilon k = 0 ->
  m_2 * n%:R * epsilon i - n%:R * (epsilon i * (m_4 - m_22) + m_22 * (\sum_(k < n) epsilon k))
  = n%:R * epsilon i / (n%:R + 2%:R).
Proof.
move=> n1 -> -> -> ->; have n0 := size_neq0 R n1; have n2 := size_add_neq0 R n 1.
by move: (epsilon i) n%:R n0 n2 => e x x0 x2; field; rewrite x0 x2.
Qed.

Theorem noise_diagonal (R : realFieldType) (n : nat) (m_2 : R) (m_4 : R) (tau : R) :
  (2 <= n)%N ->
  m_2 = n%:R^-1 ->
  m_4 = 3%:R / (n%:R * (n%:R + 2%:R)) ->
  tau = (n%:R * (n%:R + 2%:R))^-1 ->
  m_4 + (n%:R ^+ 2)^-1 - 2%:R * m_2 / n%:R = tau * (2%:R - 2%:R / n%:R).
Proof.
move=> /ltnW n1 -> -> ->; have n0 := size_neq0 R n1; have n2 := size_add_neq0 R n 1.
by move: n%:R n0 n2 => x x0 x2; field; rewrite x0 x2.
Qed.

Theorem noise_across (R : realFieldType) (n : nat) (m_2 : R) (m_22 : R) (tau : R) :
  (2 <= n)%N ->
  m_2 = n%:R^-1 ->
  m_22 = (n%:R * (n%:R + 2%:R))^-1 ->
  tau = (n%:R * (n%:R + 2%:R))^-1 ->
  m_22 + (n%:R ^+ 2)^-1 - 2%:R * m_2 / n%:R = - (2%:R * tau / n%:R).
Proof.
move=> /ltnW n1 -> -> ->; have n0 := size_neq0 R n1; have n2 := size_add_neq0 R n 1.
by move: n%:R n0 n2 => x x0 x2; field; rewrite x0 x2.
Qed.

Theorem noise_total (R : realFieldType) (n : nat) (tau : R) :
  (2 <= n)%N ->
  tau = (n%:R * (n%:R + 2%:R))^-1 ->
  n%:R * tau * (2%:R - 2%:R / n%:R) + n%:R * tau * (n%:R - 1) = 1 - n%:R^-1.
Proof.
move=> /ltnW n1 ->; have n0 := size_neq0 R n1; have n2 := size_add_neq0 R n 1.
by move: n%:R n0 n2 => x x0 x2; field; rewrite x0 x2.
Qed.

Theorem stationary_balance (R : realFieldType) (n : nat) (d : nat) (x : R) :
  (1 <= n)%N ->
  (1 <= d)%N ->
  x = (1 - n%:R^-1) / d%:R + x * n%:R ^+ 2 / (n%:R + 2%:R) ^+ 2 ->
  x = (n%:R + 2%:R) ^+ 2 * (n%:R - 1) / (4%:R * d%:R * n%:R * (n%:R + 1)).
Proof.
move=> n1 d1 balance; have d0 := size_neq0 R d1; have n0 := size_neq0 R n1.
have n2 := size_add_neq0 R n 1; have n3 := size_add_neq0 R n 0.
have k0 : 4%:R * (n%:R + 1) / (n%:R + 2%:R) ^+ 2 != 0 :> R by rewrite !mulf_neq0 ?invr_eq0
    ?expf_neq0 ?pnatr_eq0.
apply: (mulIf k0).
transitivity (x - x * n%:R ^+ 2 / (n%:R + 2%:R) ^+ 2).
  by move: n%:R n2 => y y2; field.
rewrite {1}balance addrK; move: n%:R d%:R n0 n2 n3 d0 => y z y0 y2 y3 z0.
by field; rewrite z0 y0 y2 y3.
Qed.

Theorem stationary_coordinates (R : realFieldType) (n : nat) (d : nat) (s_n : R) (k_n : R) :
  (1 <= n)%N ->
  (1 <= d)%N ->
  s_n = (n%:R + 2%:R) / (2%:R * n%:R * (n%:R + 1)) ->
  k_n = (n%:R + 2%:R) * (n%:R - 1) / 2%:R ->
  k_n * s_n / d%:R = (n%:R + 2%:R) ^+ 2 * (n%:R - 1) / (4%:R * d%:R * n%:R * (n%:R + 1)).
Proof.
move=> n1 d1 -> ->; have d0 := size_neq0 R d1; have n0 := size_neq0 R n1; have n3 :=
    size_add_neq0 R n 0.
by move: n%:R d%:R n0 n3 d0 => y z y0 y3 z0; field; rewrite z0 y0 y3.
Qed.
