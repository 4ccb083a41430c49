"""The ledger: a hash chain of consent and audit entries in signed files, and what consents follow from it.

`chain` and `verify` need nothing but the standard library and `cryptography`, so that the verifier runs anywhere.
"""
