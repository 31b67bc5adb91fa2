"""The backoffice as one place: front page, search, sign-in, look. What it shows of a thing is in that app's `admin`."""
