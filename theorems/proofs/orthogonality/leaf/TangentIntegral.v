(* The integral of the tangent line: with y = 1 + 2t/n, delta = 1/n - s and c = 2n/(n+2),
     integral_0^oo s (1 + 2 t delta / y) / (y sqrt(y)^n) dt = s (1 + c delta).

   Its primitive is s (-(1 + n delta) r^n + delta n^2/(n+2) r^(n+2)), r = 1/sqrt(y).
   Source: ours; the Beta integral at the end of Appendix C.6 of Daneshmand, Joudaki, Bach 2021
   (arXiv 2106.03970).
   Python: a step of orthogonality.contraction:sharp.
   Depends on: Coquelicot, and the axioms of Coq's real numbers. *)

From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.

Local Open Scope R_scope.

Section Primitive.

Variables (n : nat) (m : R).
Hypothesis n1 : (1 <= n)%nat.
Hypothesis nm : INR n * m = 1.

Let r (t : R) := / sqrt (1 + 2 * t * m).

Lemma step_pos : 0 < m.
Proof.
  assert (p := lt_0_INR n ltac:(lia)).
  apply Rmult_lt_reg_l with (INR n); [exact p|lra].
Qed.

Lemma base_pos t : 0 <= t -> 0 < 1 + 2 * t * m.
Proof. intros t0. assert (p := step_pos). nra. Qed.

Lemma root_derive t : 0 < 1 + 2 * t * m -> is_derive r t (- m * r t ^ 3).
Proof.
  intros b; unfold r.
  assert (q := sqrt_lt_R0 (1 + 2 * t * m) ltac:(lra)).
  auto_derive.
  - repeat split; [lra|lra].
  - assert (e : sqrt (1 + 2 * t * m) * sqrt (1 + 2 * t * m) = 1 + 2 * t * m) by (apply sqrt_sqrt; lra).
    field; lra.
Qed.

Lemma power_derive k t : 0 < 1 + 2 * t * m -> is_derive (fun u => r u ^ k) t (- (INR k * m) * r t ^ (k + 2)).
Proof.
  intros b.
  replace (- (INR k * m) * r t ^ (k + 2)) with (INR k * (- m * r t ^ 3) * r t ^ Nat.pred k).
  - apply is_derive_pow, root_derive, b.
  - destruct k as [|k]; [simpl; ring|].
    replace (S k + 2)%nat with (3 + k)%nat by lia; rewrite pow_add; simpl Nat.pred; ring.
Qed.

Variables s delta : R.

Let P (x : R) := s * (- (1 + INR n * delta) * x ^ n + delta * INR n ^ 2 / (INR n + 2) * x ^ (n + 2)).

Lemma size_pos : 1 <= INR n.
Proof. apply (le_INR 1); exact n1. Qed.

Lemma primitive_derive t : 0 < 1 + 2 * t * m ->
  is_derive (fun u => P (r u)) t
    (s * ((1 + INR n * delta) * r t ^ (n + 2) - delta * INR n * r t ^ (n + 4))).
Proof.
  intros b; unfold P; assert (N := size_pos).
  apply is_derive_scal.
  replace ((1 + INR n * delta) * r t ^ (n + 2) - delta * INR n * r t ^ (n + 4)) with
    (plus (- (1 + INR n * delta) * (- (INR n * m) * r t ^ (n + 2)))
          (delta * INR n ^ 2 / (INR n + 2) * (- (INR (n + 2) * m) * r t ^ (n + 2 + 2)))).
  - apply (is_derive_plus (V := R_NormedModule)); apply is_derive_scal; apply power_derive, b.
  - unfold plus; simpl. replace (n + 2 + 2)%nat with (n + 4)%nat by lia.
    rewrite nm, plus_INR; simpl (INR 2).
    replace (- ((INR n + (1 + 1)) * m)) with (- ((INR n + 2) * (INR n * m)) / INR n) by (field; lra).
    rewrite nm; field; lra.
Qed.

Lemma tangent_form t : 0 < 1 + 2 * t * m ->
  s * ((1 + INR n * delta) * r t ^ (n + 2) - delta * INR n * r t ^ (n + 4))
  = s * (1 + 2 * t * delta / (1 + 2 * t * m)) / ((1 + 2 * t * m) * sqrt (1 + 2 * t * m) ^ n).
Proof.
  intros b; unfold r.
  assert (q := sqrt_lt_R0 (1 + 2 * t * m) ltac:(lra)).
  assert (e : sqrt (1 + 2 * t * m) ^ 2 = 1 + 2 * t * m) by (apply pow2_sqrt; lra).
  assert (N := size_pos).
  set (y := 1 + 2 * t * m) in *; set (x := sqrt y) in *.
  assert (qn := pow_lt x n q).
  rewrite !pow_add, !pow_inv.
  replace (x ^ 4) with (y ^ 2) by (rewrite <- e; ring); rewrite e.
  replace (2 * t * delta) with (INR n * (y - 1) * delta).
  - field; split; lra.
  - unfold y; replace (INR n * (1 + 2 * t * m - 1) * delta) with (2 * t * delta * (INR n * m)) by ring.
    rewrite nm; ring.
Qed.

Lemma root_vanishes : filterlim r (Rbar_locally p_infty) (locally 0).
Proof.
  assert (p := step_pos).
  intros Q [eps HQ]; assert (e0 := cond_pos eps).
  exists (/ (2 * m * eps ^ 2)); intros t tbig; apply HQ.
  assert (t0 : 0 < t).
  { apply Rlt_trans with (2 := tbig); apply Rinv_0_lt_compat, Rmult_lt_0_compat; [lra|apply pow_lt, e0]. }
  assert (b := base_pos t ltac:(lra)).
  assert (q := sqrt_lt_R0 (1 + 2 * t * m) ltac:(lra)).
  assert (rp : 0 < r t) by (apply Rinv_0_lt_compat, q).
  unfold ball; simpl; unfold AbsRing_ball, abs, minus, plus, opp; simpl.
  replace (r t + - 0) with (r t) by ring; rewrite Rabs_pos_eq by lra.
  unfold r; rewrite <- (Rinv_inv eps).
  apply Rinv_lt_contravar; [apply Rmult_lt_0_compat; [apply Rinv_0_lt_compat, e0|exact q]|].
  rewrite <- (sqrt_pow2 (/ eps)) by (left; apply Rinv_0_lt_compat, e0).
  apply sqrt_lt_1_alt; split; [apply pow2_ge_0|].
  replace ((/ eps) ^ 2) with (2 * m * / (2 * m * eps ^ 2)) by (field; lra).
  assert (2 * m * / (2 * m * eps ^ 2) < 2 * m * t) by (apply Rmult_lt_compat_l; lra).
  lra.
Qed.

Lemma primitive_vanishes : filterlim (fun t => P (r t)) (Rbar_locally p_infty) (locally 0).
Proof.
  apply (filterlim_comp _ _ _ r P _ (locally 0)); [exact root_vanishes|].
  replace 0 with (P 0) at 2.
  - apply (ex_derive_continuous P); unfold P; auto_derive; exact I.
  - unfold P; rewrite !pow_i by lia; ring.
Qed.

Lemma near_pos x : 0 < 1 + 2 * x * m -> locally x (fun u => 0 < 1 + 2 * u * m).
Proof.
  intros b.
  assert (c : continuous (fun u => 1 + 2 * u * m) x).
  { apply (ex_derive_continuous (fun u => 1 + 2 * u * m)); auto_derive; exact I. }
  apply (c (fun v => 0 < v)), open_gt, b.
Qed.

Lemma tangent_integral_step :
  is_RInt_gen (fun t => s * (1 + 2 * t * delta / (1 + 2 * t * m)) / ((1 + 2 * t * m) * sqrt (1 + 2 * t * m) ^ n))
    (at_point 0) (Rbar_locally p_infty) (s * (1 + 2 * INR n / (INR n + 2) * delta)).
Proof.
  assert (N := size_pos).
  assert (range : filter_prod (at_point 0) (Rbar_locally p_infty) (fun ab => fst ab = 0 /\ 0 <= snd ab)).
  { exists (fun a => a = 0) (fun b => 0 <= b); [reflexivity| |intros a b; simpl; auto].
    exists 0; intros x; lra. }
  replace (s * (1 + 2 * INR n / (INR n + 2) * delta)) with (0 - P (r 0)); cycle 1.
  { unfold P, r; replace (1 + 2 * 0 * m) with 1 by ring; rewrite sqrt_1, Rinv_1, !pow1; field; lra. }
  apply (is_RInt_gen_ext (Derive (fun t => P (r t)))).
  { revert range; apply filter_imp; intros [a b]; simpl; intros [-> b0] x.
    rewrite Rmin_left, Rmax_right by lra; intros x0.
    assert (bx := base_pos x ltac:(lra)).
    rewrite <- tangent_form by exact bx; apply is_derive_unique, primitive_derive, bx. }
  apply is_RInt_gen_Derive.
  - revert range; apply filter_imp; intros [a b]; simpl; intros [-> b0] x.
    rewrite Rmin_left, Rmax_right by lra; intros x0.
    eexists; apply primitive_derive, base_pos; lra.
  - revert range; apply filter_imp; intros [a b]; simpl; intros [-> b0] x.
    rewrite Rmin_left, Rmax_right by lra; intros x0.
    assert (b1 := base_pos x ltac:(lra)).
    apply (continuous_ext_loc _ (fun u => s * ((1 + INR n * delta) * r u ^ (n + 2) - delta * INR n * r u ^ (n + 4)))).
    + assert (near : locally x (fun u => 0 < 1 + 2 * u * m)).
      { apply near_pos, b1. }
      revert near; apply filter_imp; intros u ub; symmetry; apply is_derive_unique, primitive_derive, ub.
    + apply (ex_derive_continuous (V := R_NormedModule)).
      apply ex_derive_scal, (ex_derive_minus (V := R_NormedModule)); apply ex_derive_scal;
        eexists; apply power_derive, b1.
  - intros Q HQ; apply locally_singleton in HQ; exact HQ.
  - exact primitive_vanishes.
Qed.

End Primitive.

(* Integrals over t >= 0 are monotone. *)
Lemma integral_le (f g : R -> R) (lf lg : R) :
  (forall t, 0 <= t -> g t <= f t) ->
  is_RInt_gen f (at_point 0) (Rbar_locally p_infty) lf ->
  is_RInt_gen g (at_point 0) (Rbar_locally p_infty) lg ->
  lg <= lf.
Proof.
  intros below Hf Hg.
  assert (range : filter_prod (at_point 0) (Rbar_locally p_infty) (fun ab => fst ab = 0 /\ 0 <= snd ab)).
  { exists (fun a => a = 0) (fun b => 0 <= b); [reflexivity| |intros a b; simpl; auto].
    exists 0; intros x; lra. }
  assert (Hh := is_RInt_gen_minus f g lf lg Hf Hg).
  assert (le : norm (minus lf lg) <= minus lf lg).
  { apply (RInt_gen_norm (Fa := at_point 0) (Fb := Rbar_locally p_infty)
             (fun t => minus (f t) (g t)) (fun t => minus (f t) (g t))).
    - revert range; apply filter_imp; intros [a b]; simpl; intros [-> b0]; exact b0.
    - revert range; apply filter_imp; intros [a b]; simpl; intros [-> b0] x [x0 _].
      assert (bx := below x x0).
      unfold norm, minus, plus, opp; simpl; unfold abs; simpl.
      rewrite Rabs_pos_eq; lra.
    - exact Hh.
    - exact Hh. }
  assert (pos := norm_ge_0 (minus lf lg)).
  unfold minus, plus, opp in *; simpl in *; lra.
Qed.

(* A nonnegative continuous function with bounded integrals over [0, T] is integrable over t >= 0. *)
Lemma bounded_integral_exists (f : R -> R) (B : R) :
  (forall t, 0 <= t -> continuous f t) ->
  (forall t, 0 <= t -> 0 <= f t) ->
  (forall T, 0 <= T -> RInt f 0 T <= B) ->
  exists p, is_RInt_gen f (at_point 0) (Rbar_locally p_infty) p.
Proof.
  intros cont pos bounded.
  assert (int : forall a b, 0 <= a -> a <= b -> ex_RInt f a b).
  { intros a b a0 ab; apply (ex_RInt_continuous (V := R_CompleteNormedModule)).
    intros z; rewrite Rmin_left, Rmax_right by lra; intros [z0 _]; apply cont; lra. }
  assert (mono : forall a b, 0 <= a -> a <= b -> RInt f 0 a <= RInt f 0 b).
  { intros a b a0 ab.
    rewrite <- (RInt_Chasles f 0 a b (int 0 a ltac:(lra) a0) (int a b a0 ab)).
    assert (0 <= RInt f a b) by (apply RInt_ge_0; [exact ab|apply int; lra|intros x [x0 _]; apply pos; lra]).
    unfold plus; simpl; lra. }
  destruct (completeness (fun v => exists T, 0 <= T /\ v = RInt f 0 T)) as [p [upper least]].
  - exists B; intros v [T [T0 ->]]; apply bounded, T0.
  - exists (RInt f 0 0), 0; split; [lra|reflexivity].
  - exists p; intros Q [eps HQ]; assert (e0 := cond_pos eps).
    assert (near : exists T, 0 <= T /\ p - eps < RInt f 0 T).
    { destruct (Classical_Prop.classic (exists T, 0 <= T /\ p - eps < RInt f 0 T)) as [yes|no]; [exact yes|].
      exfalso; assert (p <= p - eps); [|lra].
      apply least; intros v [T [T0 ->]]; apply Rnot_lt_le; intros lt; apply no; exists T; auto. }
    destruct near as [T [T0 close]].
    exists (fun a => a = 0) (fun b => T < b).
    + reflexivity.
    + exists T; auto.
    + intros a b -> Tb; exists (RInt f 0 b); simpl; split.
      * apply (RInt_correct (V := R_CompleteNormedModule)), int; lra.
      * apply HQ; unfold ball; simpl; unfold AbsRing_ball, abs, minus, plus, opp; simpl.
        assert (m := mono T b T0 ltac:(lra)).
        assert (u : RInt f 0 b <= p) by (apply upper; exists b; split; [lra|reflexivity]).
        rewrite Rabs_left1; lra.
Qed.

(* integral_0^T s (1 + 2tm)^(-3/2) dt <= s/m. *)
Lemma dominating_integral (s m T : R) : 0 <= s -> 0 < m -> 0 <= T ->
  ex_RInt (fun t => s / ((1 + 2 * t * m) * sqrt (1 + 2 * t * m))) 0 T
  /\ RInt (fun t => s / ((1 + 2 * t * m) * sqrt (1 + 2 * t * m))) 0 T <= s / m.
Proof.
  intros s0 m0 T0.
  assert (base : forall t, 0 <= t -> 0 < 1 + 2 * t * m) by (intros t t0; nra).
  assert (cont : forall t, 0 <= t -> continuous (fun t => s / ((1 + 2 * t * m) * sqrt (1 + 2 * t * m))) t).
  { intros t t0; assert (b := base t t0); assert (q := sqrt_lt_R0 _ b).
    apply (ex_derive_continuous (fun t => s / ((1 + 2 * t * m) * sqrt (1 + 2 * t * m)))); auto_derive.
    repeat split; try exact b; apply Rgt_not_eq, Rmult_lt_0_compat; assumption. }
  assert (i : is_RInt (fun t => s / ((1 + 2 * t * m) * sqrt (1 + 2 * t * m))) 0 T
                (minus (- (s / m) * / sqrt (1 + 2 * T * m)) (- (s / m) * / sqrt (1 + 2 * 0 * m)))).
  { apply (is_RInt_derive (V := R_CompleteNormedModule) (fun t => - (s / m) * / sqrt (1 + 2 * t * m))).
    - intros t; rewrite Rmin_left, Rmax_right by lra; intros [t0 _].
      assert (b := base t t0); assert (q := sqrt_lt_R0 _ b); auto_derive; [repeat split; lra|].
      assert (e : sqrt (1 + 2 * t * m) * sqrt (1 + 2 * t * m) = 1 + 2 * t * m) by (apply sqrt_sqrt; lra).
      set (x := sqrt (1 + 2 * t * m)) in *; rewrite <- e; field; split; lra.
    - intros t; rewrite Rmin_left, Rmax_right by lra; intros [t0 _]; apply cont, t0. }
  split; [eexists; exact i|].
  rewrite (is_RInt_unique _ _ _ _ i); unfold minus, plus, opp; simpl.
  replace (1 + 2 * 0 * m) with 1 by ring; rewrite sqrt_1, Rinv_1.
  assert (q := sqrt_lt_R0 _ (base T T0)).
  assert (0 <= s / m * / sqrt (1 + 2 * T * m)).
  { apply Rmult_le_pos; [apply Rle_div_r; lra|left; apply Rinv_0_lt_compat, q]. }
  lra.
Qed.

Lemma near_base (x t : R) : 0 <= x -> 0 <= t -> locally t (fun u => 0 < 1 + 2 * u * x).
Proof.
  intros x0 t0.
  assert (c : continuous (fun u => 1 + 2 * u * x) t).
  { apply (ex_derive_continuous (fun u => 1 + 2 * u * x)); auto_derive; exact I. }
  apply (c (fun v => 0 < v)), open_gt; nra.
Qed.

Lemma continuous_ratio (s x t : R) : 0 <= x -> 0 <= t -> continuous (fun u => s / (1 + 2 * u * x)) t.
Proof.
  intros x0 t0; assert (b : 0 < 1 + 2 * t * x) by nra.
  apply (ex_derive_continuous (fun u => s / (1 + 2 * u * x))); auto_derive; lra.
Qed.

Lemma continuous_inv_root (x t : R) : 0 <= x -> 0 <= t -> continuous (fun u => / sqrt (1 + 2 * u * x)) t.
Proof.
  intros x0 t0; assert (b : 0 < 1 + 2 * t * x) by nra; assert (q := sqrt_lt_R0 _ b).
  apply (ex_derive_continuous (fun u => / sqrt (1 + 2 * u * x))); auto_derive; repeat split; lra.
Qed.
