"""Beside the product: what plays the provider, what shows the product, and what measures it."""
