"""Views: other readings of a text in which what is obfuscated stands plain, each with the way back.

`folding` reads imitated characters, `escapes` encoded characters, `blobs` base64 and hexadecimal, `spacing`
letters set apart and lines that break words. `readings` yields them all, in the order in which they build on
one another; the gate's clues say which of them would change anything.
"""
