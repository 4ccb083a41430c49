"""`make bench-decisions`: the proof that the rules of decision do what they say, simulated through their own code."""
