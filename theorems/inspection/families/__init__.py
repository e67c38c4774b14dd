"""What the families of statements say of one network, each by ``findings(watched)``.

- ``orthogonality``: drift, stability and decay of the gap in the rescale chain
- ``rank``: soft against effective rank at every layer; average rank of residual chains; collapse of linear ones
- ``cluster``: two blocks, the outlier's and the symmetric fixed point, agreement of all cosines
- ``splines``: every batchnorm unit as a total least squares fit to what it receives

A statement whose assumptions this network does not meet is listed with the reason.
"""
