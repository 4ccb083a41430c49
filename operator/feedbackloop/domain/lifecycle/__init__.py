"""What is due next, decided from facts: total functions without I/O, without a clock, without memory."""
