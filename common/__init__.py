"""What every app shares: errors, database habits, pages, logs. Imports no app."""
