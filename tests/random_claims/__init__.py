"""Claims whose truth is known by construction, drawn at random, to try the suite on."""
