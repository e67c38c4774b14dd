(* Two blocks of equal columns stay two blocks under recentring and ReLU, and become orthogonal.

   In words: let the columns of H be equal to c on a block of m columns and to o on the n - m others.
   For every W (no law, no genericity), let H' = s ReLU(W H J) with J = I - 11^T/n and any scalar s, or
   H' = ReLU(BN(W H)) with every row recentred and divided by its root mean square.  Then the columns of
   H' are equal within each block, and <c', o'> = 0 exactly.  With rescaling the entries are known: 0 or
   sqrt((n - m)/m) on the m-block, 0 or sqrt(m/(n - m)) on the other, never both nonzero.

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).
   Proof: a recentred row takes the two values (n - m)(u - v)/n and -m(u - v)/n, of opposite signs.
   A row whose two values coincide is recentred to 0 and stays 0 (division by a zero r.m.s. gives 0).

   two_block_invariance                   matrices, any block, any scalar s
   two_block_invariance_rescaled          matrices, every row divided by its root mean square
   two_block_invariance_indexed           indexed families, the first m of n columns
   two_block_invariance_rescaled_indexed
   rescaled_values                        one row: the values after rescaling and ReLU
   rescaled_values_alternative            one row: the two cases as a disjunction
   rescaled_values_layer                  indexed families: the same for a whole layer

   Depends on: mathcomp only.
   Proves the Python statements: cluster.two_block_invariance, cluster.rescaled_values *)

From mathcomp Require Import all_ssreflect all_algebra ring zify.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Row.

Variables (R : realFieldType) (n : nat) (B : {set 'I_n}).
Implicit Types (x : 'I_n -> R) (u v : R).

Lemma relu0 : Num.max 0 0 = 0 :> R.
Proof. exact: maxxx. Qed.

Lemma relu_scale (t y : R) : 0 <= t -> Num.max (t * y) 0 = t * Num.max y 0.
Proof. by move=> t0; rewrite maxr_pmulr // mulr0. Qed.

Lemma card_blocks : (#|B| + #|~: B| = n)%N.
Proof. by rewrite cardsC card_ord. Qed.

Lemma sum_two_values u v : \sum_(k < n) (if k \in B then u else v) = #|B|%:R * u + #|~: B|%:R * v.
Proof.
rewrite (bigID (mem B)) /=; congr (_ + _).
  by rewrite (eq_bigr (fun=> u)) => [|k ->]; rewrite // sumr_const mulr_natl.
rewrite (eq_bigr (fun=> v)) => [|k /negbTE->]; rewrite // sumr_const mulr_natl; congr (_ *+ _).
by apply: eq_card => k; rewrite !inE.
Qed.

(* The recentred row. *)
Lemma recentred u v (j : 'I_n) :
  (if j \in B then u else v) - (\sum_(k < n) (if k \in B then u else v)) / n%:R
  = if j \in B then #|~: B|%:R * (u - v) / n%:R else - (#|B|%:R * (u - v) / n%:R).
Proof.
have n0 : (n%:R : R) != 0 by rewrite pnatr_eq0 -lt0n (leq_ltn_trans _ (ltn_ord j)).
have cards : n%:R = #|B|%:R + #|~: B|%:R :> R by rewrite -natrD card_blocks.
rewrite sum_two_values; move: n0; rewrite cards => n0.
by case: ifP => _; field.
Qed.

(* Columns equal within the blocks, products of columns in different blocks zero. *)
Lemma relu_row u v (s : R) (h : 'I_n -> R) :
  (forall j, h j = s * Num.max ((if j \in B then u else v)
                     - (\sum_(k < n) (if k \in B then u else v)) / n%:R) 0) ->
  (forall i j, (i \in B) = (j \in B) -> h i = h j)
  /\ (forall i j, i \in B -> j \notin B -> h i * h j = 0).
Proof.
move=> def_h; split=> [i j ij|i j iB jB].
  by rewrite !def_h !recentred ij.
have opposite (a b y : R) : 0 <= a -> 0 <= b ->
    Num.max (a * y / n%:R) 0 * Num.max (- (b * y / n%:R)) 0 = 0.
  move=> a0 b0; have [y0|y0] := leP 0 y.
    by rewrite [X in _ * X]max_r ?mulr0 // oppr_le0 !mulr_ge0 ?invr_ge0 ?ler0n.
  rewrite max_r ?mul0r // mulr_le0_ge0 ?invr_ge0 ?ler0n // mulr_ge0_le0 //; exact: ltW.
by rewrite !def_h !recentred iB (negbTE jB) mulrACA opposite ?ler0n ?mulr0.
Qed.

End Row.

(* A row that is constant on B and on its complement has two values. *)
Lemma two_values (R : realFieldType) (n : nat) (B : {set 'I_n}) (x : 'I_n -> R) :
  (forall i j : 'I_n, (i \in B) = (j \in B) -> x i = x j) ->
  exists u v : R, forall j, x j = if j \in B then u else v.
Proof.
move=> eqx; exists (if [pick b in B] is Some b then x b else 0).
exists (if [pick b in ~: B] is Some b then x b else 0) => j; case: ifPn => jB.
  by case: pickP => [b bB|/(_ j)]; [apply: eqx; rewrite jB bB | rewrite jB].
case: pickP => [b|/(_ j)]; rewrite !inE ?jB // => bB.
by apply: eqx; rewrite (negbTE jB) (negbTE bB).
Qed.

Section Layer.

Variables (R : realFieldType) (p d n : nat) (H : 'M[R]_(d, n)) (W : 'M[R]_(p, d)) (B : {set 'I_n}).
Variable blocks : forall i j : 'I_n, (i \in B) = (j \in B) -> col i H = col j H.

Lemma layer_row (r : 'I_p) : exists u v : R, forall j, (W *m H) r j = if j \in B then u else v.
Proof.
apply: two_values => i j /blocks ij; rewrite !mxE; apply: eq_bigr => k _; congr (_ * _).
by have /(congr1 (fun C : 'cV_d => C k 0)) := ij; rewrite !mxE.
Qed.

Lemma recenter_entry (A : 'M[R]_(p, n)) r j :
  (A *m (1%:M - const_mx n%:R^-1)) r j = A r j - (\sum_(k < n) A r k) / n%:R.
Proof.
rewrite mulmxBr mulmx1 !mxE; congr (_ - _); rewrite mulr_suml.
by apply: eq_bigr => k _; rewrite mxE.
Qed.

(* Any scale per row: this covers the layer with and without rescaling. *)
Lemma two_blocks (s : 'I_p -> R) (H' : 'M[R]_(p, n)) :
  (forall r j, H' r j = s r * Num.max ((W *m H *m (1%:M - const_mx n%:R^-1)) r j) 0) ->
  (forall i j, (i \in B) = (j \in B) -> col i H' = col j H')
  /\ (forall i j, i \in B -> j \notin B -> (H'^T *m H') i j = 0).
Proof.
move=> defH'; have row_facts r : (forall i j, (i \in B) = (j \in B) -> H' r i = H' r j)
    /\ (forall i j, i \in B -> j \notin B -> H' r i * H' r j = 0).
  have [u [v uv]] := layer_row r; apply: (relu_row (u := u) (v := v) (s := s r)) => j.
  by rewrite defH' recenter_entry uv; under eq_bigr do rewrite uv.
split=> [i j ij|i j iB jB]; first by apply/colP => r; rewrite !mxE; apply: (row_facts r).1.
by rewrite mxE big1 // => r _; rewrite mxE; apply: (row_facts r).2.
Qed.

End Layer.

Theorem two_block_invariance (R : realFieldType) (p d n : nat) (H : 'M[R]_(d, n)) (W : 'M[R]_(p, d))
    (B : {set 'I_n}) (s : R) (H' : 'M[R]_(p, n)) :
  (forall i j : 'I_n, (i \in B) = (j \in B) -> col i H = col j H) ->
  H' = s *: map_mx (fun y : R => Num.max y 0) (W *m H *m (1%:M - const_mx n%:R^-1)) ->
  (forall i j : 'I_n, (i \in B) = (j \in B) -> col i H' = col j H')
  /\ (forall i j : 'I_n, i \in B -> j \notin B -> (H'^T *m H') i j = 0).
Proof.
move=> blocks ->; apply: (two_blocks (W := W) blocks (s := fun=> s)) => r j.
by rewrite mxE; congr (_ * _); rewrite mxE.
Qed.

Theorem two_block_invariance_rescaled (R : rcfType) (p d n : nat) (H : 'M[R]_(d, n))
    (W : 'M[R]_(p, d)) (B : {set 'I_n}) (Z H' : 'M[R]_(p, n)) :
  (forall i j : 'I_n, (i \in B) = (j \in B) -> col i H = col j H) ->
  Z = W *m H *m (1%:M - const_mx n%:R^-1) ->
  (forall (r : 'I_p) (j : 'I_n),
     H' r j = Num.max (Z r j / Num.sqrt ((\sum_(k < n) Z r k ^+ 2) / n%:R)) 0) ->
  (forall i j : 'I_n, (i \in B) = (j \in B) -> col i H' = col j H')
  /\ (forall i j : 'I_n, i \in B -> j \notin B -> (H'^T *m H') i j = 0).
Proof.
move=> blocks defZ defH'.
apply: (two_blocks (W := W) blocks (s := fun r => (Num.sqrt ((\sum_k Z r k ^+ 2) / n%:R))^-1)) => r j.
by rewrite defH' -defZ [Z r j / _]mulrC relu_scale ?invr_ge0 ?sqrtr_ge0.
Qed.

Lemma block_card (n m : nat) : (m <= n)%N ->
  #|[set j : 'I_n | (j < m)%N]| = m /\ #|~: [set j : 'I_n | (j < m)%N]| = (n - m)%N.
Proof.
move=> mn; have card : #|[set j : 'I_n | (j < m)%N]| = m.
  have inj : injective (widen_ord mn) by move=> i j /(congr1 val) /= /val_inj.
  rewrite -[RHS]card_ord -(card_imset _ inj); apply: eq_card => j; rewrite !inE.
  apply/idP/imsetP => [jm|[k _ ->]]; last exact: (ltn_ord k).
  by exists (Ordinal jm) => //; apply: val_inj.
by split=> //; have := card_blocks [set j : 'I_n | (j < m)%N]; rewrite card; lia.
Qed.

Theorem two_block_invariance_indexed (R : realFieldType) (p d n m : nat) (c o : 'I_d -> R)
    (W : 'I_p -> 'I_d -> R) (s : R) (h : 'I_d -> 'I_n -> R) (a h' : 'I_p -> 'I_n -> R) :
  (forall (q : 'I_d) (j : 'I_n), h q j = if (j < m)%N then c q else o q) ->
  (forall (r : 'I_p) (j : 'I_n), a r j = \sum_(q < d) W r q * h q j) ->
  (forall (r : 'I_p) (j : 'I_n),
     h' r j = s * Num.max (a r j - (\sum_(k < n) a r k) / n%:R) 0) ->
  (forall (r : 'I_p) (i j : 'I_n), (i < m)%N = (j < m)%N -> h' r i = h' r j)
  /\ (forall i j : 'I_n, (i < m)%N -> (m <= j)%N -> \sum_(r < p) h' r i * h' r j = 0).
Proof.
move=> defh defa defh'; pose B := [set j : 'I_n | (j < m)%N].
have facts r : (forall i j, (i \in B) = (j \in B) -> h' r i = h' r j)
    /\ (forall i j, i \in B -> j \notin B -> h' r i * h' r j = 0).
  pose u := \sum_(q < d) W r q * c q; pose v := \sum_(q < d) W r q * o q.
  have uv j : a r j = if j \in B then u else v.
    by rewrite defa inE; case: ifP => jm; apply: eq_bigr => q _; rewrite defh jm.
  apply: (relu_row (u := u) (v := v) (s := s)) => j; rewrite defh' uv.
  by under eq_bigr do rewrite uv.
split=> [r i j ij|i j im jm]; first by apply: (facts r).1; rewrite !inE.
by apply: big1 => r _; apply: (facts r).2; rewrite !inE // -leqNgt.
Qed.

Theorem two_block_invariance_rescaled_indexed (R : rcfType) (p d n m : nat) (c o : 'I_d -> R)
    (W : 'I_p -> 'I_d -> R) (h : 'I_d -> 'I_n -> R) (a z h' : 'I_p -> 'I_n -> R) :
  (forall (q : 'I_d) (j : 'I_n), h q j = if (j < m)%N then c q else o q) ->
  (forall (r : 'I_p) (j : 'I_n), a r j = \sum_(q < d) W r q * h q j) ->
  (forall (r : 'I_p) (j : 'I_n), z r j = a r j - (\sum_(k < n) a r k) / n%:R) ->
  (forall (r : 'I_p) (j : 'I_n),
     h' r j = Num.max (z r j / Num.sqrt ((\sum_(k < n) z r k ^+ 2) / n%:R)) 0) ->
  (forall (r : 'I_p) (i j : 'I_n), (i < m)%N = (j < m)%N -> h' r i = h' r j)
  /\ (forall i j : 'I_n, (i < m)%N -> (m <= j)%N -> \sum_(r < p) h' r i * h' r j = 0).
Proof.
move=> defh defa defz defh'; pose t r := (Num.sqrt ((\sum_(k < n) z r k ^+ 2) / n%:R))^-1.
have t0 r : 0 <= t r by rewrite invr_ge0 sqrtr_ge0.
pose g r (j : 'I_n) := 1 * Num.max (a r j - (\sum_(k < n) a r k) / n%:R) 0.
have [same orth] := two_block_invariance_indexed (s := 1) (h' := g) defh defa (fun r j => erefl).
have eqh r j : h' r j = t r * g r j.
  by rewrite defh' /g mul1r -defz mulrC -/(t r) relu_scale.
have g0 r j : 0 <= g r j by rewrite /g mul1r le_maxr lexx orbT.
split=> [r i j ij|i j im jm]; first by rewrite !eqh; congr (_ * _); apply: same.
apply: big1 => r _; have := orth i j im jm.
move/eqP; rewrite psumr_eq0 => [/allP/(_ r (mem_index_enum r))/eqP zero|k _]; last first.
  exact: mulr_ge0.
by rewrite !eqh mulrACA zero mulr0.
Qed.

(* |z| / sqrt q written as one root. *)
Lemma over_root (R : rcfType) (z q w : R) :
  0 <= z -> 0 <= q -> z ^+ 2 / q = w -> z / Num.sqrt q = Num.sqrt w.
Proof. by move=> z0 q0 <-; rewrite sqrtrM ?sqr_ge0 // sqrtr_sqr ger0_norm // sqrtrV. Qed.

Theorem rescaled_values (R : rcfType) (n m : nat) (u v : R) (x z y : 'I_n -> R) :
  (0 < m)%N -> (m < n)%N ->
  (forall j : 'I_n, x j = if (j < m)%N then u else v) ->
  (forall j : 'I_n, z j = x j - (\sum_(k < n) x k) / n%:R) ->
  (forall j : 'I_n, y j = Num.max (z j / Num.sqrt ((\sum_(k < n) z k ^+ 2) / n%:R)) 0) ->
  forall j : 'I_n,
    y j = if (j < m)%N
          then (if v < u then Num.sqrt ((n%:R - m%:R) / m%:R) else 0)
          else (if u < v then Num.sqrt (m%:R / (n%:R - m%:R)) else 0).
Proof.
move=> m0 mn defx defz defy j; pose B := [set j : 'I_n | (j < m)%N].
have [cardB cardB'] := block_card (ltnW mn).
have k0 : 0 < n%:R - m%:R :> R by rewrite subr_gt0 ltr_nat.
have mpos : 0 < m%:R :> R by rewrite ltr0n.
have npos : 0 < n%:R :> R by rewrite ltr0n (ltn_trans m0).
pose za : R := (n%:R - m%:R) * (u - v) / n%:R; pose zb : R := m%:R * (u - v) / n%:R.
have zB i : z i = if i \in B then za else - zb.
  have xB k : x k = if k \in B then u else v by rewrite defx inE.
  rewrite defz xB; under eq_bigr do rewrite xB.
  by rewrite recentred cardB cardB' natrB // ltnW.
set q := (\sum_k _) / _ in defy.
have q_val : q = m%:R * (n%:R - m%:R) * (u - v) ^+ 2 / n%:R ^+ 2.
  rewrite /q (eq_bigr (fun k => if k \in B then za ^+ 2 else zb ^+ 2)) => [|k _]; last first.
    by rewrite zB; case: ifP; rewrite ?sqrrN.
  rewrite sum_two_values cardB cardB' natrB ?(ltnW mn) // /za /zb.
  by field; apply: lt0r_neq0.
have [m0' n0' k0'] : [/\ 0 <= m%:R :> R, 0 <= n%:R^-1 :> R & 0 <= n%:R - m%:R :> R].
  by rewrite invr_ge0 !ler0n ltW.
have q0 : 0 <= q by rewrite q_val; apply: divr_ge0; rewrite ?sqr_ge0 // mulr_ge0 ?sqr_ge0 // mulr_ge0.
have neg (t : R) : t <= 0 -> Num.max (t / Num.sqrt q) 0 = 0.
  by move=> t0; rewrite max_r // mulr_le0_ge0 ?invr_ge0 ?sqrtr_ge0.
have pos (t w : R) : 0 <= t -> t ^+ 2 / q = w -> Num.max (t / Num.sqrt q) 0 = Num.sqrt w.
  by move=> t0 tw; rewrite (over_root t0 q0 tw) max_l // sqrtr_ge0.
have nz : [/\ (n%:R : R) != 0, (m%:R : R) != 0 & (n%:R - m%:R : R) != 0] by split; apply: lt0r_neq0.
have [n1 m1 k1] := nz.
rewrite defy zB inE; case: (ltrgtP v u) => [vu|uv|vu].
- have d1 : u - v != 0 by rewrite subr_eq0 gt_eqF.
  have d0 : 0 < u - v by rewrite subr_gt0.
  case: ifP => _.
    by apply: pos; [by rewrite /za !mulr_ge0 ?(ltW d0) | rewrite q_val /za; field; rewrite n1 m1 k1 d1].
  by apply: neg; rewrite oppr_le0 /zb !mulr_ge0 ?(ltW d0).
- have d1 : u - v != 0 by rewrite subr_eq0 lt_eqF.
  have d0 : u - v < 0 by rewrite subr_lt0.
  case: ifP => _.
    by apply: neg; rewrite /za mulr_le0_ge0 ?mulr_ge0_le0 ?(ltW d0).
  apply: pos; last by rewrite q_val /zb; field; rewrite n1 m1 k1 d1.
  by rewrite oppr_ge0 /zb mulr_le0_ge0 ?mulr_ge0_le0 ?(ltW d0).
- by case: ifP => _; apply: neg; rewrite ?/za ?/zb vu subrr mulr0 mul0r ?oppr0.
Qed.

Theorem rescaled_values_alternative (R : rcfType) (n m : nat) (u v : R) (x z y : 'I_n -> R) :
  (0 < m)%N -> (m < n)%N -> u != v ->
  (forall j : 'I_n, x j = if (j < m)%N then u else v) ->
  (forall j : 'I_n, z j = x j - (\sum_(k < n) x k) / n%:R) ->
  (forall j : 'I_n, y j = Num.max (z j / Num.sqrt ((\sum_(k < n) z k ^+ 2) / n%:R)) 0) ->
  (forall j : 'I_n, y j = if (j < m)%N then Num.sqrt ((n%:R - m%:R) / m%:R) else 0)
  \/ (forall j : 'I_n, y j = if (j < m)%N then 0 else Num.sqrt (m%:R / (n%:R - m%:R))).
Proof.
move=> m0 mn uv defx defz defy; have := rescaled_values m0 mn defx defz defy.
by move: uv; rewrite neq_lt => /orP[uv|vu] vals; [right|left] => j; rewrite vals;
   [rewrite uv lt_gtF|rewrite vu lt_gtF].
Qed.

Theorem rescaled_values_layer (R : rcfType) (p d n m : nat) (c o : 'I_d -> R)
    (W : 'I_p -> 'I_d -> R) (h : 'I_d -> 'I_n -> R) (a z h' : 'I_p -> 'I_n -> R) :
  (0 < m)%N -> (m < n)%N ->
  (forall (q : 'I_d) (j : 'I_n), h q j = if (j < m)%N then c q else o q) ->
  (forall (r : 'I_p) (j : 'I_n), a r j = \sum_(q < d) W r q * h q j) ->
  (forall (r : 'I_p) (j : 'I_n), z r j = a r j - (\sum_(k < n) a r k) / n%:R) ->
  (forall (r : 'I_p) (j : 'I_n),
     h' r j = Num.max (z r j / Num.sqrt ((\sum_(k < n) z r k ^+ 2) / n%:R)) 0) ->
  forall (r : 'I_p) (j : 'I_n),
    h' r j = if (j < m)%N
             then (if \sum_(q < d) W r q * o q < \sum_(q < d) W r q * c q
                   then Num.sqrt ((n%:R - m%:R) / m%:R) else 0)
             else (if \sum_(q < d) W r q * c q < \sum_(q < d) W r q * o q
                   then Num.sqrt (m%:R / (n%:R - m%:R)) else 0).
Proof.
move=> m0 mn defh defa defz defh' r; apply: (rescaled_values m0 mn _ (defz r) (defh' r)) => j.
by rewrite defa; case: ifP => jm; apply: eq_bigr => q _; rewrite defh jm.
Qed.
