"""The keys of a loop: root key, loop keys, subject keys (docs/encryption.md)."""
