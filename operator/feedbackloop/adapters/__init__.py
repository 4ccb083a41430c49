"""The only I/O of the control plane, behind the protocols of `ports`; controllers get it as one `Adapters`."""
