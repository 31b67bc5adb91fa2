"""What a secret key of Stripe's may be used for. https://docs.stripe.com/keys"""

LIVE = ("sk_live_", "rk_live_")
ITSELF = "https://api.stripe.com"
"""Where a live key may be sent, and nowhere else."""

# Signing secrets of Stripe are longer by far, and random: what is shorter, or a word, was made up and can be guessed.
_SECRET_LENGTH = 20
_SECRET_LETTERS = 4
_SECRET_WORDS = ("_", "compose", "sandbox", "placeholder", "changeme", "example", "secret", "checked")


def is_live(key: str) -> bool:
    """Tell a key that moves real money."""
    return key.startswith(LIVE)


def can_be_guessed(webhook_secret: str) -> bool:
    """Tell whether a signing secret is a guessable word.

    Anybody who knows it can make any reservation paid.
    """
    random = webhook_secret.removeprefix("whsec_")
    is_short = len(random) < _SECRET_LENGTH or len(set(random)) < _SECRET_LETTERS
    return is_short or any(word in random.lower() for word in _SECRET_WORDS)
