(* One number describes a recentred Gram matrix with n-1 alike points and one outlier.

   In words: let K be symmetric with rows summing to zero and equal entries for the n-1 points of a cluster:
   K_cc on their diagonal, K_x between two of them, K_co between each and the outlier, K_oo for the outlier.
   With y = -K_co/K_cc: K_oo/K_cc = (n-1) y, the cluster correlation K_x/K_cc is (y-1)/(n-2) and the
   cluster-outlier correlation K_co/sqrt(K_cc K_oo) is -sqrt(y/(n-1)).  If K_co <> 0,
   K_oo >= 0 and K_x <= K_cc (positivity of K gives both) then 0 < y <= n-1.

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).

   one_dimensional_reduction, one_dimensional_range
   one_dimensional_numbers    the algebra, from the sums of a row of the cluster and of the outlier's row

   Depends on: mathcomp only.
   Proves the Python statement: cluster.one_dimensional_reduction (its identities) *)

From mathcomp Require Import all_ssreflect all_algebra ring zify.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* What the zero rows say. *)
Lemma zero_rows (R : realFieldType) (n : nat) (out : 'I_n) (Kcc Kx Kco Koo : R)
    (K : 'I_n -> 'I_n -> R) :
  (2 < n)%N ->
  (forall i j : 'I_n, K i j = if i == j then (if i == out then Koo else Kcc)
                              else if (i == out) || (j == out) then Kco else Kx) ->
  (forall i : 'I_n, \sum_(j < n) K i j = 0) ->
  Koo = - ((n%:R - 1) * Kco) /\ Kcc + (n%:R - 2%:R) * Kx + Kco = 0.
Proof.
move=> n3 defK rows.
have count : (n.-1)%:R = n%:R - 1 :> R by rewrite -subn1 natrB //; lia.
have count2 : (n.-2)%:R = n%:R - 2%:R :> R by rewrite -subn2 natrB //; lia.
split.
  have := rows out; rewrite (bigD1 out) //= defK !eqxx (eq_bigr (fun=> Kco)) => [|j jo]; last first.
    by rewrite defK eq_sym (negbTE jo) eqxx.
  rewrite sumr_const cardC1 card_ord -[Kco *+ _]mulr_natl count => /eqP.
  by rewrite addr_eq0 => /eqP.
have [p po] : exists p : 'I_n, p != out.
  have n0 : (0 < n)%N by lia.
  have n1 : (1 < n)%N by lia.
  have [out0|out0] := eqVneq (out : nat) 0%N.
    by exists (Ordinal n1); rewrite -val_eqE /= out0.
  by exists (Ordinal n0); rewrite -val_eqE /= eq_sym.
have := rows p; rewrite (bigD1 p) //= (bigD1 out) 1?eq_sym //= !defK !eqxx (negbTE po) /=.
rewrite (eq_bigr (fun=> Kx)) => [|j /andP[jp jo]]; last first.
  by rewrite defK eq_sym (negbTE jp) (negbTE po) (negbTE jo).
rewrite sumr_const.
have -> : #|[pred j : 'I_n | (j != p) && (j != out)]| = n.-2.
  have := cardsC [set p; out]; rewrite cards2 po card_ord.
  have -> : #|[pred j : 'I_n | (j != p) && (j != out)]| = #|~: [set p; out]|.
    by apply: eq_card => j; rewrite !inE negb_or.
  by lia.
by rewrite -[Kx *+ _]mulr_natl count2 => <-; ring.
Qed.

(* The algebra, from the two row sums. *)
Theorem one_dimensional_numbers (R : rcfType) (n : nat) (Kcc Kx Kco Koo y : R) :
  (2 < n)%N -> 0 < Kcc -> Kco < 0 ->
  Koo + (n%:R - 1) * Kco = 0 -> Kcc + (n%:R - 2%:R) * Kx + Kco = 0 ->
  y = - Kco / Kcc ->
  Koo / Kcc = (n%:R - 1) * y /\
  Kx / Kcc = (y - 1) / (n%:R - 2%:R) /\
  Kco / Num.sqrt (Kcc * Koo) = - Num.sqrt (y / (n%:R - 1)).
Proof.
move=> n3 c0 o0 /eqP; rewrite addr_eq0 => /eqP defo defx ->.
have nm : 0 < n%:R - 1 :> R by rewrite subr_gt0 (ltr_nat _ 1); lia.
have n2 : n%:R - 2%:R != 0 :> R by rewrite subr_eq0 eqr_nat; lia.
have cn := lt0r_neq0 c0; have nn := lt0r_neq0 nm.
split; first by rewrite defo; field.
split.
  have -> : Kco = - (Kcc + (n%:R - 2%:R) * Kx) by apply/eqP; rewrite -addr_eq0 addrC defx.
  by field; rewrite cn n2.
apply/eqP; rewrite -eqr_oppLR -mulNr; apply/eqP.
have q0 : 0 <= Kcc * Koo by rewrite defo -mulrN mulr_ge0 ?mulr_ge0 ?oppr_ge0 // ltW.
have -> : - Kco / Num.sqrt (Kcc * Koo) = Num.sqrt (Kco ^+ 2 / (Kcc * Koo)).
  by rewrite [Num.sqrt (Kco ^+ 2 / _)]sqrtrM ?sqr_ge0 // sqrtr_sqr ltr0_norm // sqrtrV.
by congr Num.sqrt; rewrite defo; field; rewrite cn nn lt_eqF.
Qed.

Theorem one_dimensional_reduction (R : rcfType) (n : nat) (out : 'I_n) (Kcc Kx Kco Koo y : R)
    (K : 'I_n -> 'I_n -> R) :
  (2 < n)%N -> 0 < Kcc -> Kco < 0 ->
  (forall i j : 'I_n, K i j = if i == j then (if i == out then Koo else Kcc)
                              else if (i == out) || (j == out) then Kco else Kx) ->
  (forall i : 'I_n, \sum_(j < n) K i j = 0) ->
  y = - Kco / Kcc ->
  Koo / Kcc = (n%:R - 1) * y /\
  Kx / Kcc = (y - 1) / (n%:R - 2%:R) /\
  Kco / Num.sqrt (Kcc * Koo) = - Num.sqrt (y / (n%:R - 1)).
Proof.
move=> n3 c0 o0 defK rows; have [defo defx] := zero_rows n3 defK rows.
by apply: one_dimensional_numbers => //; rewrite defo addNr.
Qed.

Theorem one_dimensional_range (R : realFieldType) (n : nat) (out : 'I_n) (Kcc Kx Kco Koo y : R)
    (K : 'I_n -> 'I_n -> R) :
  (2 < n)%N -> 0 < Kcc -> Kco != 0 ->
  (forall i j : 'I_n, K i j = if i == j then (if i == out then Koo else Kcc)
                              else if (i == out) || (j == out) then Kco else Kx) ->
  (forall i : 'I_n, \sum_(j < n) K i j = 0) ->
  0 <= Koo -> Kx <= Kcc ->
  y = - Kco / Kcc ->
  0 < y /\ y <= n%:R - 1.
Proof.
move=> n3 c0 o0 defK rows oo xc ->; have [defo defx] := zero_rows n3 defK rows.
have nm : 0 < n%:R - 1 :> R by rewrite subr_gt0 (ltr_nat _ 1); lia.
have n2 : 0 <= n%:R - 2%:R :> R by rewrite subr_ge0 ler_nat; lia.
have neg : 0 <= - Kco by move: oo; rewrite defo -mulrN pmulr_rge0.
split; first by rewrite divr_gt0 // lt0r neg oppr_eq0 o0.
rewrite ler_pdivr_mulr //.
have -> : - Kco = Kcc + (n%:R - 2%:R) * Kx by apply/eqP; rewrite eq_sym -addr_eq0 defx.
have -> : (n%:R - 1) * Kcc = Kcc + (n%:R - 2%:R) * Kcc by ring.
by rewrite ler_add2l ler_wpmul2l.
Qed.
