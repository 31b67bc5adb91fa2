"""Django's backend for PostgreSQL, with a pool that asks no question of a connection whose socket answers it."""
