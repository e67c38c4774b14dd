(* The outlying block's share of m^2 ||c'||^2 + (n-m)^2 ||o'||^2 is a half on average, for every finite law
   of W that does not change under W |-> -W, and so for independent signs.

   In words: let the first m of n columns of H be equal to c and the others to o.  After recentring and
   ReLU, changing the sign of W exchanges m ||c'|| and (n-m) ||o'||.

   share_is_half         any symmetric finite law; outcomes that leave nothing alive are left out
   share_is_half_signs   W uniform on matrices of signs

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).
   Python: cluster.norm_ratio:rademacher.
   Depends on: cluster/TwoBlocks.v (recentred, block_card). *)

From mathcomp Require Import all_ssreflect all_algebra all_fingroup ring.
From BatchNorm.cluster Require Import TwoBlocks.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem share_is_half (R : realFieldType) (Omega : finType) (prob : Omega -> R)
    (mirror : {perm Omega}) (w d n m : nat) (c : 'I_d -> R) (o : 'I_d -> R)
    (W : Omega -> 'I_w -> 'I_d -> R) (h : 'I_d -> 'I_n -> R) (a : Omega -> 'I_w -> 'I_n -> R)
    (h' : Omega -> 'I_w -> 'I_n -> R) (X : Omega -> R) (Y : Omega -> R) (i : 'I_n) (j : 'I_n) :
  (forall s : Omega, prob (mirror s) = prob s) ->
  (forall (s : Omega) (r : 'I_w) (q : 'I_d), W (mirror s) r q = - W s r q) ->
  (forall (q : 'I_d) (k : 'I_n), h q k = if (k < m)%N then c q else o q) ->
  (forall (s : Omega) (r : 'I_w) (k : 'I_n), a s r k = \sum_(q < d) W s r q * h q k) ->
  (forall (s : Omega) (r : 'I_w) (k : 'I_n),
     h' s r k = Num.max (a s r k - (\sum_(l < n) a s r l) / n%:R) 0) ->
  (forall s : Omega, X s = m%:R ^+ 2 * (\sum_(r < w) h' s r i ^+ 2)) ->
  (forall s : Omega, Y s = (n%:R - m%:R) ^+ 2 * (\sum_(r < w) h' s r j ^+ 2)) ->
  (i < m)%N -> (m <= j)%N ->
  \sum_(s : Omega | X s + Y s != 0) prob s * (Y s / (X s + Y s))
  = (\sum_(s : Omega | X s + Y s != 0) prob s) / 2%:R.
Proof.
move=> keeps flips defh defa defh' defX defY im mj.
have mn : (m <= n)%N by apply: leq_trans mj (ltnW (ltn_ord j)).
have [cardB cardB'] := block_card mn.
pose delta s r := (\sum_(q < d) W s r q * c q) - (\sum_(q < d) W s r q * o q).
pose up (y : R) := Num.max y 0 ^+ 2.
have up_scale (t y : R) : 0 <= t -> up (t * y) = t ^+ 2 * up y.
  by move=> t0; rewrite /up relu_scale // exprMn.
have turned s r : delta (mirror s) r = - delta s r.
  rewrite /delta opprB -[RHS]opprB -!sumrN opprD; congr (_ + _); rewrite ?opprK -?sumrN;
    by apply: eq_bigr => q _; rewrite flips; ring.
have entry s r k : h' s r k = Num.max (if (k < m)%N then (n%:R - m%:R) / n%:R * delta s r
                                       else m%:R / n%:R * - delta s r) 0.
  pose B := [set l : 'I_n | (l < m)%N].
  have uv l : a s r l = if l \in B then \sum_(q < d) W s r q * c q
                        else \sum_(q < d) W s r q * o q.
    by rewrite defa inE; case: ifP => lm; apply: eq_bigr => q _; rewrite defh lm.
  rewrite defh' uv (eq_bigr _ (fun l _ => uv l)).
  rewrite recentred inE cardB cardB' natrB //; congr (Num.max _ _).
  by case: ifP => _; rewrite /delta; ring.
have t0 : 0 <= (n%:R - m%:R) / n%:R :> R by rewrite divr_ge0 ?subr_ge0 ?ler_nat ?ler0n.
have t1 : 0 <= m%:R / n%:R :> R by rewrite divr_ge0 ?ler0n.
pose scale : R := (m%:R * (n%:R - m%:R) / n%:R) ^+ 2.
have XE s : X s = scale * \sum_(r < w) up (delta s r).
  rewrite defX (eq_bigr (fun r => ((n%:R - m%:R) / n%:R) ^+ 2 * up (delta s r))) => [|r _].
    by rewrite -mulr_sumr mulrA; congr (_ * _); rewrite -exprMn mulrA.
  by rewrite entry im -up_scale.
have YE s : Y s = scale * \sum_(r < w) up (- delta s r).
  rewrite defY (eq_bigr (fun r => (m%:R / n%:R) ^+ 2 * up (- delta s r))) => [|r _].
    by rewrite -mulr_sumr mulrA; congr (_ * _); rewrite -exprMn mulrCA mulrA.
  by rewrite entry ltnNge mj -up_scale.
have XY s : X (mirror s) = Y s.
  by rewrite XE YE; congr (_ * _); apply: eq_bigr => r _; rewrite turned.
have YX s : Y (mirror s) = X s.
  by rewrite XE YE; congr (_ * _); apply: eq_bigr => r _; rewrite turned opprK.
set left := LHS; have two : (2%:R : R) != 0 by rewrite pnatr_eq0.
apply: (canRL (mulfK two)); rewrite -[2%:R]/(1 + 1)%N%:R natrD mulrDr mulr1.
have other : left = \sum_(s : Omega | X s + Y s != 0) prob s * (X s / (X s + Y s)).
  rewrite /left (reindex_inj (@perm_inj _ mirror)) /=; apply: eq_big => [s|s _].
    by rewrite XY YX addrC.
  by rewrite keeps XY YX [Y s + X s]addrC.
rewrite {1}other -big_split /=; apply: eq_bigr => s alive.
by rewrite -mulrDr -mulrDl divff // mulr1.
Qed.

Section Signs.

Variables (w d : nat).

Definition flipped (s : {ffun 'I_w * 'I_d -> bool}) : {ffun 'I_w * 'I_d -> bool} :=
  [ffun k => ~~ s k].

Lemma flipped_inj : injective flipped.
Proof. by apply: (can_inj (g := flipped)) => s; apply/ffunP => k; rewrite !ffunE negbK. Qed.

Theorem share_is_half_signs (R : realFieldType) (n m : nat) (c : 'I_d -> R) (o : 'I_d -> R)
    (h : 'I_d -> 'I_n -> R) (a : {ffun 'I_w * 'I_d -> bool} -> 'I_w -> 'I_n -> R)
    (h' : {ffun 'I_w * 'I_d -> bool} -> 'I_w -> 'I_n -> R)
    (X : {ffun 'I_w * 'I_d -> bool} -> R) (Y : {ffun 'I_w * 'I_d -> bool} -> R)
    (i : 'I_n) (j : 'I_n) :
  (forall (q : 'I_d) (k : 'I_n), h q k = if (k < m)%N then c q else o q) ->
  (forall (s : {ffun 'I_w * 'I_d -> bool}) (r : 'I_w) (k : 'I_n),
     a s r k = \sum_(q < d) (-1) ^+ s (r, q) * h q k) ->
  (forall (s : {ffun 'I_w * 'I_d -> bool}) (r : 'I_w) (k : 'I_n),
     h' s r k = Num.max (a s r k - (\sum_(l < n) a s r l) / n%:R) 0) ->
  (forall s : {ffun 'I_w * 'I_d -> bool}, X s = m%:R ^+ 2 * (\sum_(r < w) h' s r i ^+ 2)) ->
  (forall s : {ffun 'I_w * 'I_d -> bool},
     Y s = (n%:R - m%:R) ^+ 2 * (\sum_(r < w) h' s r j ^+ 2)) ->
  (forall s : {ffun 'I_w * 'I_d -> bool}, X s + Y s != 0) ->
  (i < m)%N -> (m <= j)%N ->
  (\sum_(s : {ffun 'I_w * 'I_d -> bool}) Y s / (X s + Y s)) / (2 ^ (w * d))%N%:R = 2%:R^-1.
Proof.
move=> blocks layer image defX defY alive im mj.
have turned (s : {ffun 'I_w * 'I_d -> bool}) (r : 'I_w) (q : 'I_d) :
    (-1) ^+ (perm flipped_inj s) (r, q) = - (-1) ^+ s (r, q) :> R.
  by rewrite permE ffunE; case: (s (r, q)); rewrite /= ?expr0 ?expr1 ?opprK.
have count : #|{ffun 'I_w * 'I_d -> bool}| = (2 ^ (w * d))%N.
  by rewrite card_ffun card_bool card_prod !card_ord.
pose prob (s : {ffun 'I_w * 'I_d -> bool}) : R := (2 ^ (w * d))%N%:R^-1.
have same (s : {ffun 'I_w * 'I_d -> bool}) : prob (perm flipped_inj s) = prob s by [].
have := share_is_half same turned blocks layer image defX defY im mj.
rewrite (eq_bigl predT) => [|s]; last exact: alive.
rewrite (eq_bigl predT (fun s => prob s)) => [|s]; last exact: alive.
rewrite -mulr_sumr mulrC => ->; rewrite sumr_const -[#|_|]/(#|{ffun 'I_w * 'I_d -> bool}|) count.
by rewrite -[_ *+ _]mulr_natr mulVf ?mul1r // pnatr_eq0 expn_eq0.
Qed.

End Signs.
