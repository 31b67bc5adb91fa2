"""The backoffice site: front page, search and sign-in.

How it shows a model is in that app's ``admin``.
"""
