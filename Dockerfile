# One image for web, worker and migrations. The sandbox has its own (tools/sandbox/Dockerfile).
FROM python:3.11-slim-bookworm AS packages
RUN python -m venv /opt/holdfast
COPY requirements.txt .
RUN /opt/holdfast/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM python:3.11-slim-bookworm
ENV PATH=/opt/holdfast/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --home-dir /app holdfast
WORKDIR /app
COPY --from=packages /opt/holdfast /opt/holdfast
COPY . .
# The values are used for this step only: settings are checked whenever they are read.
RUN mkdir -p .data && chown holdfast .data \
    && SECRET_KEY=only-to-gather-the-static-files-0123456789-abcdefghijkl STRIPE_API_KEY=sk_test_build \
       STRIPE_WEBHOOK_SECRETS=whsec_build DATABASE_URL=postgresql://build@localhost/build \
       python manage.py collectstatic --no-input --verbosity 0
USER holdfast
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
CMD ["python", "-m", "gunicorn", "--config", "python:config.gunicorn", "--bind", "0.0.0.0:8000", "config.wsgi"]
