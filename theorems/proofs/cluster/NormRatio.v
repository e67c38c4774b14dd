(* A smaller block is pushed further out: E ||o'||^2 / E ||c'||^2 = (m/(n-m))^2 for every symmetric law of W.

   In words: let the first m of n columns of H be equal to c and the others to o, and let W have a law that
   does not change under W |-> -W.  After recentring and ReLU, (n-m)^2 E ||o'||^2 = m^2 E ||c'||^2; a single
   outlier (m = n-1) is on average n-1 times as long as the others.

   Source: ours (after Nachum, Bondaschi, Gastpar, Khina, arXiv 2412.02843, of which the abstract is known).
   The law is any finite one: outcomes omega with weights p, and a permutation of the outcomes that keeps
   the weights and changes the sign of W.  No independence is used.
   Proof: a recentred row is (n-m) delta/n on the block and -m delta/n off it, and
   E max(-delta, 0)^2 = E max(delta, 0)^2.

   norm_ratio                 division-free
   norm_ratio_quotient        as a quotient, where E ||c'||^2 <> 0

   Depends on: cluster/TwoBlocks.v (recentred, block_card).
   Proves the Python statement: cluster.norm_ratio (for finitely supported laws) *)

From mathcomp Require Import all_ssreflect all_algebra all_fingroup ring.
From BatchNorm.cluster Require Import TwoBlocks.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem norm_ratio (R : realFieldType) (Omega : finType) (prob : Omega -> R) (mirror : {perm Omega})
    (w d n m : nat) (c o : 'I_d -> R) (W : Omega -> 'I_w -> 'I_d -> R) (h : 'I_d -> 'I_n -> R)
    (a h' : Omega -> 'I_w -> 'I_n -> R) (i j : 'I_n) :
  (forall s : Omega, prob (mirror s) = prob s) ->
  (forall (s : Omega) (r : 'I_w) (q : 'I_d), W (mirror s) r q = - W s r q) ->
  (forall (q : 'I_d) (k : 'I_n), h q k = if (k < m)%N then c q else o q) ->
  (forall (s : Omega) (r : 'I_w) (k : 'I_n), a s r k = \sum_(q < d) W s r q * h q k) ->
  (forall (s : Omega) (r : 'I_w) (k : 'I_n),
     h' s r k = Num.max (a s r k - (\sum_(l < n) a s r l) / n%:R) 0) ->
  (i < m)%N -> (m <= j)%N ->
  (n%:R - m%:R) ^+ 2 * (\sum_(s : Omega) prob s * (\sum_(r < w) h' s r j ^+ 2))
  = m%:R ^+ 2 * (\sum_(s : Omega) prob s * (\sum_(r < w) h' s r i ^+ 2)).
Proof.
move=> keeps flips defh defa defh' im mj.
have mn : (m <= n)%N by apply: leq_trans mj (ltnW (ltn_ord j)).
have [cardB cardB'] := block_card mn.
pose delta s r := (\sum_(q < d) W s r q * c q) - (\sum_(q < d) W s r q * o q).
pose up (y : R) := Num.max y 0 ^+ 2.
have up_scale (t y : R) : 0 <= t -> up (t * y) = t ^+ 2 * up y.
  by move=> t0; rewrite /up relu_scale // exprMn.
have up_mean (r : 'I_w) : \sum_(s : Omega) prob s * up (- delta s r)
    = \sum_(s : Omega) prob s * up (delta s r).
  rewrite [LHS](reindex_inj (@perm_inj _ mirror)) /=; apply: eq_bigr => s _.
  rewrite keeps; congr (_ * up _); rewrite /delta opprB -[RHS]opprB.
  by rewrite -!sumrN opprD; congr (_ + _); rewrite ?opprK -?sumrN; apply: eq_bigr => q _; rewrite flips; ring.
have entry s r k : h' s r k = Num.max (if (k < m)%N then (n%:R - m%:R) / n%:R * delta s r
                                       else m%:R / n%:R * - delta s r) 0.
  pose B := [set l : 'I_n | (l < m)%N].
  have uv l : a s r l = if l \in B then \sum_(q < d) W s r q * c q else \sum_(q < d) W s r q * o q.
    by rewrite defa inE; case: ifP => lm; apply: eq_bigr => q _; rewrite defh lm.
  rewrite defh' uv (eq_bigr _ (fun l _ => uv l)).
  rewrite recentred inE cardB cardB' natrB //; congr (Num.max _ _).
  by case: ifP => _; rewrite /delta; ring.
have t0 : 0 <= (n%:R - m%:R) / n%:R :> R by rewrite divr_ge0 ?subr_ge0 ?ler_nat ?ler0n.
have t1 : 0 <= m%:R / n%:R :> R by rewrite divr_ge0 ?ler0n.
have sq_i s r : h' s r i ^+ 2 = ((n%:R - m%:R) / n%:R) ^+ 2 * up (delta s r).
  by rewrite entry im -up_scale.
have sq_j s r : h' s r j ^+ 2 = (m%:R / n%:R) ^+ 2 * up (- delta s r).
  by rewrite entry ltnNge mj -up_scale.
have pull (t : R) (k : 'I_n) (g : Omega -> 'I_w -> R) : (forall s r, h' s r k ^+ 2 = t * g s r) ->
    \sum_(s : Omega) prob s * (\sum_(r < w) h' s r k ^+ 2)
    = t * \sum_(r < w) \sum_(s : Omega) prob s * g s r.
  move=> def_g; rewrite exchange_big mulr_sumr; apply: eq_bigr => s _.
  by rewrite (eq_bigr _ (fun r _ => def_g s r)) -!mulr_sumr mulrCA.
rewrite (pull _ _ _ sq_i) (pull _ _ _ sq_j) (eq_bigr _ (fun r _ => up_mean r)).
set U := \sum_(r < w) _; ring.
Qed.

Theorem norm_ratio_quotient (R : realFieldType) (Omega : finType) (prob : Omega -> R)
    (mirror : {perm Omega}) (w d n m : nat) (c o : 'I_d -> R) (W : Omega -> 'I_w -> 'I_d -> R)
    (h : 'I_d -> 'I_n -> R) (a h' : Omega -> 'I_w -> 'I_n -> R) (i j : 'I_n) :
  (forall s : Omega, prob (mirror s) = prob s) ->
  (forall (s : Omega) (r : 'I_w) (q : 'I_d), W (mirror s) r q = - W s r q) ->
  (forall (q : 'I_d) (k : 'I_n), h q k = if (k < m)%N then c q else o q) ->
  (forall (s : Omega) (r : 'I_w) (k : 'I_n), a s r k = \sum_(q < d) W s r q * h q k) ->
  (forall (s : Omega) (r : 'I_w) (k : 'I_n),
     h' s r k = Num.max (a s r k - (\sum_(l < n) a s r l) / n%:R) 0) ->
  (i < m)%N -> (m <= j)%N ->
  \sum_(s : Omega) prob s * (\sum_(r < w) h' s r i ^+ 2) != 0 ->
  (\sum_(s : Omega) prob s * (\sum_(r < w) h' s r j ^+ 2))
    / (\sum_(s : Omega) prob s * (\sum_(r < w) h' s r i ^+ 2))
  = (m%:R / (n%:R - m%:R)) ^+ 2.
Proof.
move=> keeps flips defh defa defh' im mj c0.
have mn : (m < n)%N by apply: leq_ltn_trans mj (ltn_ord j).
have nm : (n%:R - m%:R : R) != 0 by rewrite subr_eq0 eqr_nat neq_ltn mn orbT.
have eqn := norm_ratio keeps flips defh defa defh' im mj.
apply: (canLR (mulfK c0)); rewrite expr_div_n mulrAC -eqn.
by rewrite mulrAC divff ?mul1r // expf_neq0.
Qed.
