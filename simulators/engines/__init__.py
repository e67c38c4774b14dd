"""The engines behind `simulators.simulate`.

- `dense`: draws every weight matrix; any chain, any law; the reference
- `factor`: carries a thin factor; exact in law for Gaussian weights without residual
- `rows`: carries all rows, and draws the images of a batch in their place; exact in law for
  Gaussian weights, with residual branches and layers of any kind
- `round_trip`: dense and rows forward and back again, for gradients of every layer; `notes` is what
  is kept of the way forward
- `mean_field`: spectrum or Gram matrix in the limit of infinite width; deterministic
"""
