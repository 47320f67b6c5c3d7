"""Known answers: what exact solvers, and leaders that learn, make of games whose best leader is known."""
