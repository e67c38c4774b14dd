(* Products of factors near 1, as they come up in products of random matrices.

   product_above: 1 + sum x <= prod (1 + x) for x >= 0.
   survival: 1 - sum 2^-w <= prod (1 - 2^-w) over layers of width w.
   survival_layer: of n units, each active with probability 1/2, some is with 1 - 2^-n.
   relu_fourth_moment: (2/n)^2 E b(b + 2) = 1 + 5/n for the number b of active units.
   gaussian_moments_lower, gaussian_moments_upper:
     1 + k(k-1)/n <= prod_(j < k) (1 + 2j/n) <= (1 + (k-1)/n)^k.
   determinant_lower, determinant_upper (for n <= d):
     1 - n(n-1)/(2d) <= prod_(j < n) (1 - j/d) <= (1 - (n-1)/(2d))^n.
   equal_widths: widths x_l > 0 of mean X: (1 + a/X)^L <= prod (1 + a/x_l).
   residual_increasing: (1 + 1/L)^L <= (1 + 1/(L+1))^(L+1).
   residual_spread_upper, residual_spread_lower:
     1 + L(4L+2)/(d(L+1)^2) <= (1 + (4L+2)/(d(L+1)^2))^L <= (1 + 4/(dL))^L.
   arithmetic_geometric: prod b <= (mean of b)^n for b >= 0.

   Source: ours; the means' inequality is mathcomp's.
   Depends on: nothing but mathcomp. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Products.

Variable R : realFieldType.

Theorem product_above (m : nat) (x : 'I_m -> R) : (forall i : 'I_m, 0 <= x i) ->
  1 + \sum_(i < m) x i <= \prod_(i < m) (1 + x i).
Proof.
elim: m x => [|m IH] x x0; first by rewrite !big_ord0 addr0.
rewrite !big_ord_recr /=; have := IH (fun i => x (widen_ord (leqnSn m) i)) (fun i => x0 _).
set s := \sum_(i < m) _; set p := \prod_(i < m) _ => sp; have y0 := x0 ord_max.
have s0 : 0 <= s by apply: sumr_ge0.
apply: le_trans (_ : (1 + s) * (1 + x ord_max) <= _); last first.
  by rewrite ler_wpmul2r // addr_ge0 ?ler01.
rewrite mulrDr mulr1 addrA ler_add2l mulrDl mul1r ler_addl.
exact: mulr_ge0.
Qed.

Theorem product_below (m : nat) (x : 'I_m -> R) : (forall i : 'I_m, 0 <= x i <= 1) ->
  1 - \sum_(i < m) x i <= \prod_(i < m) (1 - x i).
Proof.
elim: m x => [|m IH] x x01; first by rewrite !big_ord0 subr0.
rewrite !big_ord_recr /=; have := IH (fun i => x (widen_ord (leqnSn m) i)) (fun i => x01 _).
set s := \sum_(i < m) _; set p := \prod_(i < m) _ => sp; have /andP[y0 y1] := x01 ord_max.
have s0 : 0 <= s by apply: sumr_ge0 => i _; case/andP: (x01 (widen_ord (leqnSn m) i)).
apply: le_trans (_ : (1 - s) * (1 - x ord_max) <= _); last first.
  by rewrite ler_wpmul2r // subr_ge0.
rewrite -subr_ge0; set y := x ord_max in y0 *.
have -> : (1 - s) * (1 - y) - (1 - (s + y)) = s * y by ring.
exact: mulr_ge0.
Qed.

Theorem survival (m : nat) (w : 'I_m -> nat) :
  1 - \sum_(i < m) (2%:R ^+ w i)^-1 <= \prod_(i < m) (1 - (2%:R ^+ w i)^-1) :> R.
Proof.
apply: product_below => i; rewrite invr_ge0 exprn_ge0 ?ler0n //=.
by rewrite invf_le1 ?exprn_gt0 ?ltr0n // exprn_ege1 // ler1n.
Qed.

(* --- the number of active units of n, fair coins --- *)

Lemma binomial_total (n : nat) : \sum_(b < n.+1) 'C(n, b)%:R = 2%:R ^+ n :> R.
Proof.
rewrite -[2%:R]/(1 + 1) exprD1n; apply: eq_bigr => b _.
by rewrite expr1n.
Qed.

Theorem survival_layer (n : nat) :
  \sum_(b < n) 'C(n, b.+1)%:R / 2%:R ^+ n = 1 - (2%:R ^+ n)^-1 :> R.
Proof.
have nn : 2%:R ^+ n != 0 :> R by rewrite expf_neq0 // pnatr_eq0.
have := binomial_total n; rewrite big_ord_recl bin0 /= -mulr_suml => total.
by rewrite -[X in X / _](addKr 1) total mulrDl mulNr mul1r divff // addrC.
Qed.

(* The first two factorial moments. *)
Lemma binomial_first (n : nat) : \sum_(b < n.+1) b%:R * 'C(n, b)%:R = n%:R * 2%:R ^+ n / 2%:R :> R.
Proof.
case: n => [|n]; first by rewrite big_ord_recl big_ord0 !mul0r addr0.
rewrite big_ord_recl mul0r add0r.
transitivity (n.+1%:R * \sum_(b < n.+1) 'C(n, b)%:R : R).
  by rewrite mulr_sumr; apply: eq_bigr => b _; rewrite -!natrM lift0 mul_bin_diag.
by rewrite binomial_total exprSr mulrA mulfK // pnatr_eq0.
Qed.

Lemma predecessor (n : nat) : n.+1%:R - 1 = n%:R :> R.
Proof. by rewrite mulrS addrAC subrr add0r. Qed.

Lemma binomial_second (n : nat) :
  \sum_(b < n.+1) b%:R * (b%:R - 1) * 'C(n, b)%:R = n%:R * (n%:R - 1) * 2%:R ^+ n / 4%:R :> R.
Proof.
case: n => [|n]; first by rewrite big_ord_recl big_ord0 !mul0r addr0.
rewrite big_ord_recl !mul0r add0r.
transitivity (n.+1%:R * \sum_(b < n.+1) b%:R * 'C(n, b)%:R : R).
  rewrite mulr_sumr; apply: eq_bigr => b _; rewrite lift0.
  have diagonal : b.+1%:R * 'C(n.+1, b.+1)%:R = n.+1%:R * 'C(n, b)%:R :> R.
    by rewrite -!natrM -mul_bin_diag.
  by rewrite mulrAC diagonal predecessor -mulrA ['C(n, b)%:R * _]mulrC.
rewrite binomial_first exprSr predecessor.
have four : 4%:R = 2%:R * 2%:R :> R by rewrite -natrM.
have two : 2%:R != 0 :> R by rewrite pnatr_eq0.
by rewrite four; move: n%:R (2%:R ^+ n) two => x y two; field.
Qed.

(* E of the square of a sum of b chi squares is b(b + 2); b of n units are active. *)
Theorem relu_fourth_moment (n : nat) : (1 <= n)%N ->
  \sum_(b < n.+1) 'C(n, b)%:R / 2%:R ^+ n * (2%:R / n%:R) ^+ 2 * (b%:R * (b%:R + 2%:R))
  = 1 + 5%:R / n%:R :> R.
Proof.
move=> n1; have nn : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have pp : 2%:R ^+ n != 0 :> R by rewrite expf_neq0 // pnatr_eq0.
have two : 2%:R != 0 :> R by rewrite pnatr_eq0.
pose s := \sum_(b < n.+1) (b%:R * (b%:R - 1) * 'C(n, b)%:R + 3%:R * (b%:R * 'C(n, b)%:R)) : R.
transitivity (s * ((2%:R / n%:R) ^+ 2 / 2%:R ^+ n)).
  rewrite /s mulr_suml; apply: eq_bigr => b _.
  move: b%:R 'C(n, b)%:R => x y; move: (2%:R ^+ n) n%:R nn pp => p z zz pp.
  by field; rewrite zz pp.
rewrite /s big_split /= -mulr_sumr binomial_first binomial_second.
have -> : 4%:R = 2%:R * 2%:R :> R by rewrite -natrM.
by move: n%:R (2%:R ^+ n) nn pp two => x y xx yy two; field; rewrite xx yy.
Qed.

Theorem arithmetic_geometric (n : nat) (b : 'I_n -> R) :
  (forall i : 'I_n, 0 <= b i) -> \prod_(i < n) b i <= ((\sum_(i < n) b i) / n%:R) ^+ n.
Proof.
move=> b0; have [le _] := @leif_AGM R _ 'I_n b (fun i _ => b0 i); rewrite card_ord in le.
have -> : \prod_(i < n) b i = \prod_(i in 'I_n) b i by apply: eq_bigl.
by have -> : \sum_(i < n) b i = \sum_(i in 'I_n) b i by apply: eq_bigl.
Qed.

Lemma sum_index (k : nat) : 2%:R * (\sum_(j < k) j%:R) = k%:R * (k%:R - 1) :> R.
Proof.
elim: k => [|k IH]; first by rewrite big_ord0 mulr0 mul0r.
by rewrite big_ord_recr /= mulrDr IH [k.+1%:R]mulrS; move: k%:R => x; ring.
Qed.

Theorem gaussian_moments_lower (n k : nat) : (1 <= n)%N ->
  1 + k%:R * (k%:R - 1) / n%:R <= \prod_(j < k) (1 + 2%:R * j%:R / n%:R) :> R.
Proof.
move=> n1; rewrite -sum_index mulr_sumr mulr_suml; apply: product_above => j.
by rewrite divr_ge0 ?mulr_ge0 ?ler0n.
Qed.

Theorem gaussian_moments_upper (n k : nat) : (1 <= n)%N ->
  \prod_(j < k) (1 + 2%:R * j%:R / n%:R) <= (1 + (k%:R - 1) / n%:R) ^+ k :> R.
Proof.
move=> n1; have [->|k0] := posnP k; first by rewrite big_ord0 expr0.
apply: le_trans (@arithmetic_geometric k _ _) _ => [j|].
  by rewrite addr_ge0 ?ler01 // divr_ge0 ?mulr_ge0 ?ler0n.
have kk : k%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have -> : \sum_(j < k) (1 + 2%:R * j%:R / n%:R) = k%:R * (1 + (k%:R - 1) / n%:R) :> R.
  rewrite big_split /= sumr_const card_ord -mulr_suml -mulr_sumr sum_index.
  by rewrite [RHS]mulrDr mulr1 mulrA.
by rewrite mulrC mulKf.
Qed.

Theorem determinant_lower (n d : nat) : (1 <= d)%N ->
  1 - n%:R * (n%:R - 1) / (2%:R * d%:R) <= \prod_(j < n) (1 - j%:R / d%:R) :> R.
Proof.
move=> d1; have dd : d%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have [nd|dn] := leqP n d; last first.
  rewrite (bigD1 (Ordinal dn)) //= divff // subrr mul0r subr_le0 ler_pdivl_mulr.
    case: n dn => // n dn; rewrite mul1r predecessor -!natrM ler_nat leq_mul //.
    exact: leq_trans dn.
  by rewrite mulr_gt0 ?ltr0n.
have -> : n%:R * (n%:R - 1) / (2%:R * d%:R) = \sum_(j < n) j%:R / d%:R :> R.
  by rewrite -mulr_suml -sum_index -mulf_div divff ?mul1r // pnatr_eq0.
apply: product_below => j; rewrite divr_ge0 ?ler0n //= ler_pdivr_mulr ?ltr0n // mul1r ler_nat.
by rewrite (leq_trans _ nd) // ltnW.
Qed.

Theorem determinant_upper (n d : nat) : (1 <= n)%N -> (1 <= d)%N -> (n <= d)%N ->
  \prod_(j < n) (1 - j%:R / d%:R) <= (1 - (n%:R - 1) / (2%:R * d%:R)) ^+ n :> R.
Proof.
move=> n1 d1 nd; have dd : d%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
apply: le_trans (@arithmetic_geometric n _ _) _ => [j|].
  rewrite subr_ge0 ler_pdivr_mulr ?ltr0n // mul1r ler_nat.
  by rewrite (leq_trans _ nd) // ltnW.
have nn : n%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have half : \sum_(j < n) j%:R = n%:R * (n%:R - 1) / 2%:R :> R.
  by rewrite -sum_index mulrAC divff ?mul1r // pnatr_eq0.
rewrite sumrB sumr_const card_ord -mulr_suml half le_eqVlt; apply/orP; left; apply/eqP.
by congr (_ ^+ n); move: nn dd; move: n%:R d%:R => x y nn dd; field; rewrite dd nn.
Qed.

Theorem residual_increasing (L : nat) : (1 <= L)%N ->
  (1 + L%:R^-1) ^+ L <= (1 + (L%:R + 1)^-1) ^+ L.+1 :> R.
Proof.
move=> L1; have LL : L%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
pose b (i : 'I_L.+1) : R := if (i < L)%N then 1 + L%:R^-1 else 1.
have b0 (i : 'I_L.+1) : 0 <= b i.
  by rewrite /b; case: ifP => _; rewrite ?ler01 // addr_ge0 ?ler01 // invr_ge0 ler0n.
have := arithmetic_geometric b0.
rewrite !big_ord_recr /= [b ord_max]/b ltnn mulr1.
have inner (i : 'I_L) : b (widen_ord (leqnSn L) i) = 1 + L%:R^-1 by rewrite /b /= ltn_ord.
rewrite (eq_bigr _ (fun i _ => inner i)) (eq_bigr (fun => 1 + L%:R^-1) (fun i _ => inner i)).
rewrite prodr_const sumr_const card_ord.
have -> : (1 + L%:R^-1) *+ L = L%:R + 1 :> R.
  by rewrite -[_ *+ L]mulr_natr mulrDl mul1r mulVf.
have -> : (L%:R + 1 + 1) / L.+1%:R = 1 + (L%:R + 1)^-1 :> R.
  have LS : L.+1%:R = L%:R + 1 :> R by rewrite mulrS addrC.
  by rewrite LS mulrDl mul1r divff // -LS pnatr_eq0.
by [].
Qed.

Theorem residual_spread_lower (L d : nat) : (1 <= L)%N -> (1 <= d)%N ->
  1 + L%:R * (4%:R * L%:R + 2%:R) / (d%:R * (L%:R + 1) ^+ 2)
  <= (1 + (4%:R * L%:R + 2%:R) / (d%:R * (L%:R + 1) ^+ 2)) ^+ L :> R.
Proof.
move=> L1 d1; set x := (4%:R * L%:R + 2%:R) / _.
have x0 : 0 <= x.
  have p0 : 0 <= L%:R + 1 :> R by rewrite addr_ge0 ?ler01 ?ler0n.
  apply: divr_ge0; first by rewrite addr_ge0 ?mulr_ge0 ?ler0n.
  by apply: mulr_ge0; rewrite ?ler0n // exprn_ge0.
have := @product_above L (fun => x) (fun => x0).
by rewrite prodr_const sumr_const card_ord -[x *+ L]mulr_natl {1}/x mulrA.
Qed.

Theorem residual_spread_upper (L d : nat) : (1 <= L)%N -> (1 <= d)%N ->
  (1 + (4%:R * L%:R + 2%:R) / (d%:R * (L%:R + 1) ^+ 2)) ^+ L
  <= (1 + 4%:R / (d%:R * L%:R)) ^+ L :> R.
Proof.
move=> L1 d1; have L0 : 0 < L%:R :> R by rewrite ltr0n.
have d0 : 0 < d%:R :> R by rewrite ltr0n.
have p0 : 0 < L%:R + 1 :> R by rewrite addr_gt0 ?ltr01.
have q0 : 0 < d%:R * (L%:R + 1) ^+ 2 :> R by rewrite mulr_gt0 ?exprn_gt0.
apply: ler_expn2r; rewrite ?nnegrE.
- by rewrite addr_ge0 ?ler01 // divr_ge0 ?(ltW q0) // addr_ge0 ?mulr_ge0 ?ler0n.
- by rewrite addr_ge0 ?ler01 // divr_ge0 ?mulr_ge0 ?ler0n.
rewrite ler_add2l ler_pdivr_mulr // -subr_ge0.
have -> : 4%:R / (d%:R * L%:R) * (d%:R * (L%:R + 1) ^+ 2) - (4%:R * L%:R + 2%:R)
    = (6%:R * L%:R + 4%:R) / L%:R :> R.
  by move: L%:R d%:R L0 d0 => x y x0 y0; field; rewrite !gt_eqF.
by apply: divr_ge0; rewrite ?ler0n // -natrM -natrD ler0n.
Qed.

Theorem equal_widths (m : nat) (x : 'I_m -> R) (a : R) : (1 <= m)%N -> 0 <= a ->
  (forall i : 'I_m, 0 < x i) ->
  (1 + a * m%:R / (\sum_(i < m) x i)) ^+ m <= \prod_(i < m) (1 + a / x i).
Proof.
move=> m1 a0 x0; set S := \sum_(i < m) x i.
have mm : 0 < m%:R :> R by rewrite ltr0n.
have S0 : 0 < S.
  rewrite /S (bigD1 (Ordinal m1)) //= ltr_paddr // sumr_ge0 // => i _; exact: ltW.
pose X := S / m%:R; have X0 : 0 < X by rewrite divr_gt0.
have XS : \sum_(i < m) (x i - X) = 0.
  by rewrite sumrB sumr_const card_ord -[X *+ m]mulr_natr /X mulfVK ?subrr ?gt_eqF.
have pos (y : R) : 0 < y -> 0 < y + a by move=> y0; rewrite ltr_paddr.
pose y i := x i / (x i + a).
have y0 i : 0 < y i by rewrite divr_gt0 // pos.
have tangent i : y i <= X / (X + a) + a / (X + a) ^+ 2 * (x i - X).
  rewrite -subr_ge0 /y; have xi := pos _ (x0 i); have Xa := pos _ X0.
  have -> : X / (X + a) + a / (X + a) ^+ 2 * (x i - X) - x i / (x i + a)
      = a * (x i - X) ^+ 2 / ((x i + a) * (X + a) ^+ 2).
    by move: (x i) xi => z z0; field; rewrite !gt_eqF.
  by apply: divr_ge0; [exact: mulr_ge0 a0 (sqr_ge0 _) | exact: mulr_ge0 (ltW xi) (sqr_ge0 _)].
have mean : (\sum_(i < m) y i) / m%:R <= X / (X + a).
  rewrite ler_pdivr_mulr //; apply: le_trans (ler_sum _ (fun i _ => tangent i)) _.
  by rewrite big_split /= sumr_const card_ord -mulr_sumr XS mulr0 addr0 mulr_natr.
have up : \prod_(i < m) y i <= (X / (X + a)) ^+ m.
  apply: le_trans (arithmetic_geometric (fun i => ltW (y0 i))) _.
  apply: ler_expn2r => //; rewrite nnegrE divr_ge0 ?ler0n ?(ltW X0) ?(ltW (pos _ X0)) //.
  by apply: sumr_ge0 => i _; exact: ltW.
have -> : 1 + a * m%:R / S = (X / (X + a))^-1.
  by rewrite invf_div mulrDl divff ?gt_eqF // /X invf_div mulrA.
have -> : \prod_(i < m) (1 + a / x i) = (\prod_(i < m) y i)^-1.
  rewrite -prodfV; apply: eq_bigr => i _; rewrite /y invf_div mulrDl divff ?gt_eqF //.
rewrite exprVn lef_pinv ?posrE ?exprn_gt0 ?divr_gt0 ?pos //.
by apply: prodr_gt0.
Qed.

End Products.
