(* ln y <= (y - 1) - (y - 1)^2/(2n) for 0 < y <= n: the difference of the sides has the derivative
   (y - 1)(1/y - 1/n), and so falls before 1 and rises after it, where it is 0.

   Source: ours; calculus.
   Python: orthogonality.log_gain.
   Depends on: Coquelicot, and the axioms of Coq's real numbers. *)

From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.

Local Open Scope R_scope.

Section LogGain.

Variable n : nat.
Hypothesis n1 : (1 <= n)%nat.

Let gap (y : R) := y - 1 - (y - 1) ^ 2 / (2 * INR n) - ln y.

Let size_pos : 1 <= INR n. Proof. apply (le_INR 1); exact n1. Qed.

Let gap_derive y : 0 < y -> is_derive gap y ((y - 1) * (INR n - y) / (y * INR n)).
Proof.
  intros y0; assert (N := size_pos); unfold gap; auto_derive; [exact y0|].
  field; lra.
Qed.

Theorem log_gain (y : R) : 0 < y -> y <= INR n -> ln y <= y - 1 - (y - 1) ^ 2 / (2 * INR n).
Proof.
  intros y0 yn; assert (N := size_pos).
  assert (at_one : gap 1 = 0) by (unfold gap; rewrite ln_1; field; lra).
  assert (positive : forall c, Rmin 1 y <= c <= Rmax 1 y -> 0 < c).
  { intros c [c1 _]; apply Rlt_le_trans with (2 := c1); apply Rmin_glb_lt; lra. }
  destruct (MVT_gen gap 1 y (fun c => (c - 1) * (INR n - c) / (c * INR n))) as [c [range eq]].
  - intros c [c1 c2]; apply gap_derive, positive; lra.
  - intros c range; apply continuity_pt_filterlim, (ex_derive_continuous gap).
    eexists; apply gap_derive, positive, range.
  - assert (c0 := positive c range).
    assert (q : 0 < / (c * INR n)) by (apply Rinv_0_lt_compat, Rmult_lt_0_compat; lra).
    assert (0 <= gap y - gap 1); [|unfold gap in *; lra].
    rewrite eq; unfold Rdiv.
    replace ((c - 1) * (INR n - c) * / (c * INR n) * (y - 1))
      with ((c - 1) * (y - 1) * (INR n - c) * / (c * INR n)) by ring.
    apply Rmult_le_pos; [|lra]; apply Rmult_le_pos.
    + destruct (Rle_dec 1 y) as [above|below].
      * rewrite Rmin_left, Rmax_right in range by lra; apply Rmult_le_pos; lra.
      * rewrite Rmin_right, Rmax_left in range by lra.
        replace ((c - 1) * (y - 1)) with ((1 - c) * (1 - y)) by ring; apply Rmult_le_pos; lra.
    + assert (c <= Rmax 1 y) by apply range; assert (Rmax 1 y <= INR n) by (apply Rmax_lub; lra);
        lra.
Qed.

End LogGain.
