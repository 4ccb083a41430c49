"""`make bench-judging`: what the toxicity scorer finds and misses on labelled texts of our own, what is found out about
judges that err, what the corrected win rate covers, and what a thousand items cost; writes docs/judge-and-probes.md.
"""
