"""Shadow: some of stable's requests are answered by the candidate too, nobody sees those answers, pairs are stored."""
