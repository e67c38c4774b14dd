(* Lemma 10 with its derivatives: near(delta) = 1 + 2 theta (1/n - delta), far(delta) = 1 + 2 theta (1/n + delta/(n-1)).

   convexity_conclusion: the integrand g = near^(-3/2) far^(-(n-1)/2) has g'' >= 0 on [0, 1/n], n >= 2.
   convexity_corrected: h1 = near^(-5/2) far^(-(n+1)/2) has h1' = theta h3 h4, h3 = near^(-7/2) far^(-(n+3)/2),
     h4 = (4n-6)/(n-1) (1 + 2 theta/n) + 2 theta delta (n+6)/(n-1).
   convexity_as_printed_refuted: the printed h4 = (4n-2)/(n-1) + 2 theta (4n-2)/(n-1) + 2 theta delta (n+2)/(n-1)
     is wrong, at n = 2, theta = 1, delta = 0.

   Source: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970), Lemma 10 and Appendix C.7, exponent corrected.
   Python: orthogonality.convexity:conclusion, :corrected, and the negation of :as_printed.
   Depends on: Coquelicot, and the axioms of Coq's real numbers. *)

From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.

Local Open Scope R_scope.

Section Powers.

Variables (N theta : R).
Hypothesis N2 : 2 <= N.
Hypothesis theta0 : 0 < theta.

Let near (x : R) := 1 + 2 * theta * (/ N - x).
Let far (x : R) := 1 + 2 * theta * (/ N + x / (N - 1)).

Lemma positive x : 0 <= x <= / N -> 0 < near x /\ 0 < far x.
Proof.
  intros [x0 x1]; unfold near, far.
  assert (i : 0 < / N) by (apply Rinv_0_lt_compat; lra).
  assert (q : 0 <= x / (N - 1)) by (apply Rle_div_r; lra).
  split; assert (0 <= theta * (/ N - x)) by (apply Rmult_le_pos; lra);
    assert (0 <= theta * (/ N + x / (N - 1))) by (apply Rmult_le_pos; lra); lra.
Qed.

Lemma power_step y p : 0 < y -> Rpower y p = Rpower y (p - 1) * y.
Proof.
  intros y0; rewrite <- (Rpower_1 y) at 3 by exact y0.
  rewrite <- Rpower_plus; f_equal; ring.
Qed.

Lemma product_derive p q x : 0 < near x -> 0 < far x ->
  is_derive (fun u => Rpower (near u) p * Rpower (far u) q) x
    (theta * (Rpower (near x) (p - 1) * Rpower (far x) (q - 1)) * (- 2 * p * far x + 2 * q / (N - 1) * near x)).
Proof.
  intros a b.
  assert (e : theta * (Rpower (near x) (p - 1) * Rpower (far x) (q - 1)) * (- 2 * p * far x + 2 * q / (N - 1) * near x)
     = Rpower (near x) p * Rpower (far x) q * (- 2 * theta * p / near x + 2 * theta / (N - 1) * q / far x)).
  { rewrite (power_step (near x) p a), (power_step (far x) q b); field; lra. }
  rewrite e; unfold Rpower; unfold near, far in *; auto_derive.
  - repeat split; try exact a; try exact b.
  - unfold Rdiv, Rminus; field; repeat split; [lra|lra| |].
    + replace (N * (N + -1) + 2 * theta * (N + -1 + x * N))
        with (N * (N - 1) * (1 + 2 * theta * (/ N + x / (N - 1)))) by (field; lra).
      apply Rgt_not_eq; repeat apply Rmult_lt_0_compat; lra.
    + replace (N + 2 * theta * (1 + - x * N)) with (N * (1 + 2 * theta * (/ N - x))) by (field; lra).
      apply Rgt_not_eq, Rmult_lt_0_compat; lra.
Qed.

Lemma near_positive x : 0 < near x -> 0 < far x -> locally x (fun u => 0 < near u /\ 0 < far u).
Proof.
  intros a b; apply filter_and.
  - assert (c : continuous near x) by (apply (ex_derive_continuous near); unfold near; auto_derive; exact I).
    apply (c (fun v => 0 < v)), open_gt, a.
  - assert (c : continuous far x) by (apply (ex_derive_continuous far); unfold far; auto_derive; exact I).
    apply (c (fun v => 0 < v)), open_gt, b.
Qed.

Lemma second_derivative x : 0 < near x -> 0 < far x ->
  Derive_n (fun u => Rpower (near u) (- (3 / 2)) * Rpower (far u) (- ((N - 1) / 2))) 2 x
  = theta ^ 2 * (Rpower (near x) (- (7 / 2)) * Rpower (far x) (- ((N + 3) / 2)))
    * (15 * far x ^ 2 - 6 * near x * far x + (N + 1) / (N - 1) * near x ^ 2).
Proof.
  intros a b; simpl.
  set (g1 u := theta * (3 * (Rpower (near u) (- (5 / 2)) * Rpower (far u) (- ((N - 1) / 2)))
                        - Rpower (near u) (- (3 / 2)) * Rpower (far u) (- ((N + 1) / 2)))).
  rewrite (Derive_ext_loc _ g1); cycle 1.
  { generalize (near_positive x a b); apply filter_imp; intros u [ua ub].
    apply is_derive_unique.
    replace (g1 u) with (theta * (Rpower (near u) (- (3 / 2) - 1) * Rpower (far u) (- ((N - 1) / 2) - 1))
      * (- 2 * (- (3 / 2)) * far u + 2 * (- ((N - 1) / 2)) / (N - 1) * near u)); [apply product_derive; assumption|].
    unfold g1; rewrite (power_step (far u) (- ((N - 1) / 2)) ub), (power_step (near u) (- (3 / 2)) ua).
    replace (- (3 / 2) - 1) with (- (5 / 2)) by field.
    replace (- ((N - 1) / 2) - 1) with (- ((N + 1) / 2)) by field.
    field; lra. }
  apply is_derive_unique; unfold g1.
  assert (d1 := product_derive (- (5 / 2)) (- ((N - 1) / 2)) x a b).
  assert (d2 := product_derive (- (3 / 2)) (- ((N + 1) / 2)) x a b).
  assert (d := is_derive_scal _ _ theta _
    (is_derive_minus (V := R_NormedModule) _ _ _ _ _ (is_derive_scal _ _ 3 _ d1) d2)).
  match type of d with is_derive _ _ ?l => match goal with |- is_derive _ _ ?r =>
    replace r with l; [exact d|] end end.
  unfold minus, plus, opp; simpl.
  replace (- (5 / 2) - 1) with (- (7 / 2)) by field.
  replace (- ((N - 1) / 2) - 1) with (- ((N + 1) / 2)) by field.
  replace (- (3 / 2) - 1) with (- (5 / 2)) by field.
  replace (- ((N + 1) / 2) - 1) with (- ((N + 3) / 2)) by field.
  rewrite (power_step (near x) (- (5 / 2)) a), (power_step (far x) (- ((N + 1) / 2)) b).
  replace (- (5 / 2) - 1) with (- (7 / 2)) by field.
  replace (- ((N + 1) / 2) - 1) with (- ((N + 3) / 2)) by field.
  field; lra.
Qed.

Lemma polynomial_ge0 a b : 0 <= 15 * b ^ 2 - 6 * a * b + (N + 1) / (N - 1) * a ^ 2.
Proof.
  replace (15 * b ^ 2 - 6 * a * b + (N + 1) / (N - 1) * a ^ 2)
    with (15 * (b - a / 5) ^ 2 + (2 / 5 + 2 / (N - 1)) * a ^ 2) by (field; lra).
  assert (0 < 2 / (N - 1)) by (apply Rdiv_lt_0_compat; lra).
  assert (u := pow2_ge_0 (b - a / 5)); assert (v := pow2_ge_0 a).
  assert (0 <= (2 / 5 + 2 / (N - 1)) * a ^ 2) by (apply Rmult_le_pos; lra); lra.
Qed.

End Powers.

Lemma size_ge2 (n : nat) : (2 <= n)%nat -> 2 <= INR n.
Proof. intros n2; apply (le_INR 2) in n2; simpl in n2; lra. Qed.

Theorem convexity_conclusion (n : nat) (theta : R) (delta : R) :
  (2 <= n)%nat -> 0 < theta -> 0 <= delta <= / INR n ->
  Derive_n (fun x => Rpower (1 + 2 * theta * (/ INR n - x)) (- (3 / 2))
                     * Rpower (1 + 2 * theta * (/ INR n + x / (INR n - 1))) (- ((INR n - 1) / 2))) 2 delta >= 0.
Proof.
  intros n2 t0 range; assert (N2 := size_ge2 n n2).
  destruct (positive (INR n) theta N2 t0 delta range) as [a b].
  rewrite (second_derivative (INR n) theta N2 delta a b).
  apply Rle_ge, Rmult_le_pos; [|apply polynomial_ge0, N2].
  apply Rmult_le_pos; [apply pow2_ge_0|].
  apply Rmult_le_pos; left; apply exp_pos.
Qed.

Theorem convexity_corrected (n : nat) (theta : R) (delta : R) :
  (2 <= n)%nat -> 0 < theta -> 0 <= delta <= / INR n ->
  Derive (fun x => Rpower (1 + 2 * theta * (/ INR n - x)) (- (5 / 2))
                   * Rpower (1 + 2 * theta * (/ INR n + x / (INR n - 1))) (- ((INR n + 1) / 2))) delta
  = theta
    * (Rpower (1 + 2 * theta * (/ INR n - delta)) (- (7 / 2))
       * Rpower (1 + 2 * theta * (/ INR n + delta / (INR n - 1))) (- ((INR n + 3) / 2)))
    * ((4 * INR n - 6) / (INR n - 1) * (1 + 2 * theta / INR n) + 2 * theta * delta * (INR n + 6) / (INR n - 1)).
Proof.
  intros n2 t0 range; assert (N2 := size_ge2 n n2).
  destruct (positive (INR n) theta N2 t0 delta range) as [a b].
  apply is_derive_unique.
  assert (d := product_derive (INR n) theta N2 (- (5 / 2)) (- ((INR n + 1) / 2)) delta a b).
  replace (- (5 / 2) - 1) with (- (7 / 2)) in d by field.
  replace (- ((INR n + 1) / 2) - 1) with (- ((INR n + 3) / 2)) in d by field.
  match type of d with is_derive _ _ ?l => match goal with |- is_derive _ _ ?r =>
    replace r with l; [exact d|] end end.
  f_equal; field; lra.
Qed.

Theorem convexity_as_printed_refuted :
  ~ (forall (n : nat) (theta : R) (delta : R),
       (2 <= n)%nat -> 0 < theta -> 0 <= delta <= / INR n ->
       Derive (fun x => Rpower (1 + 2 * theta * (/ INR n - x)) (- (5 / 2))
                        * Rpower (1 + 2 * theta * (/ INR n + x / (INR n - 1))) (- ((INR n + 1) / 2))) delta
       = theta
         * (Rpower (1 + 2 * theta * (/ INR n - delta)) (- (7 / 2))
            * Rpower (1 + 2 * theta * (/ INR n + delta / (INR n - 1))) (- ((INR n + 3) / 2)))
         * ((4 * INR n - 2) / (INR n - 1) + 2 * theta * (4 * INR n - 2) / (INR n - 1)
            + 2 * theta * delta * (INR n + 2) / (INR n - 1))).
Proof.
  intros printed.
  assert (range : 0 <= 0 <= / INR 2) by (simpl; split; [lra|left; apply Rinv_0_lt_compat; lra]).
  assert (bad := printed 2%nat 1 0 (le_n 2) Rlt_0_1 range).
  rewrite (convexity_corrected 2 1 0 (le_n 2) Rlt_0_1 range) in bad.
  apply Rmult_eq_reg_l in bad; [simpl in bad; lra|].
  apply Rgt_not_eq; repeat apply Rmult_lt_0_compat; try lra; apply exp_pos.
Qed.
