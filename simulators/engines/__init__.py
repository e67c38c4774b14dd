"""The engines behind `simulators.simulate`.

- `dense`: draws every weight matrix; any chain, any law; the reference
- `factor`: carries a thin factor; exact in law for Gaussian weights without residual
- `mean_field`: the spectrum in the limit of infinite width; deterministic
"""
