"""Stripe's state machine: accounts, their objects and the rules between them, without any HTTP."""
