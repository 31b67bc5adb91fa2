"""Django settings, for every place; ``.env.example`` describes each variable."""

from functools import partial
from pathlib import Path
from typing import Any

import django_stubs_ext

from common.secrets import Secrets
from config import databases, embedded_postgres, identity, log, mail, rest_framework, rules, theme
from config.env import Environment
from payments import configuration

# Lets Django's generic classes be written with their types, as the type checker wants them.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / ".data"

env = Environment(BASE_DIR / ".env")

DEBUG = env.boolean("DEBUG", default=False)
# Code that needs a secret asks `common.secrets` for it by name, each time: no setting keeps one.
SECRETS = Secrets(env.secret, defaults={"SECRET_KEY": rules.DEVELOPMENT_SECRET_KEY} if DEBUG else {})
env.declare("SECRET_KEY")
SECRET_KEY, SECRET_KEY_FALLBACKS = SECRETS.following("SECRET_KEY"), SECRETS.retired_signing_keys
ALLOWED_HOSTS = env.texts("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.texts("CSRF_TRUSTED_ORIGINS")
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", of=["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])

DEMO = env.boolean("DEMO", default=False)
PORT = env.integer("PORT", 8000, least=1, most=65535)
SANDBOX_PORT = env.integer("SANDBOX_PORT", 8001, least=1, most=65535)
WEB_PROCESSES = env.integer("WEB_PROCESSES", 2, least=1)
WEB_THREADS = env.integer("WEB_THREADS", 16, least=1)
WORKERS = env.integer("WORKERS", 2, least=1)

SECURE_SSL_REDIRECT = env.boolean("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_COOKIES = env.boolean("SECURE_COOKIES", default=not DEBUG)
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 0 if DEBUG else 31_536_000)
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0)
CORS_ALLOWED_ORIGINS = env.texts("CORS_ALLOWED_ORIGINS")
TRUST_X_FORWARDED_PROTO = env.boolean("TRUST_X_FORWARDED_PROTO", default=False)

DATABASE_URL = env.database_url("DATABASE_URL")
DATABASE_POOL_SIZE = env.integer("DATABASE_POOL_SIZE", 8)
DATABASE_POOL_TIMEOUT_SECONDS = env.integer("DATABASE_POOL_TIMEOUT_SECONDS", 3, least=1)
DATABASE_LOCK_TIMEOUT_MS = env.integer("DATABASE_LOCK_TIMEOUT_MS", 3_000, least=1)
DATABASE_STATEMENT_TIMEOUT_MS = env.integer("DATABASE_STATEMENT_TIMEOUT_MS", 30_000)
# What is held by somebody who idles in a transaction is given up: nothing waits inside one, so that one has hung.
DATABASE_IDLE_TIMEOUT_MS = 60_000
DATABASE_STARTUP_OPTIONS = env.boolean("DATABASE_STARTUP_OPTIONS", default=True)
DATABASE_PREPARE = env.boolean("DATABASE_PREPARE", default=True)
REDIS_URL = env.url("REDIS_URL", schemes=["redis", "rediss", "unix"])

# By name, each as its own package reads it. An event of the other mode than its is_live is evidence of nothing here.
PROVIDERS = configuration.read(env, debug=DEBUG)
WEBHOOK_TOLERANCE_SECONDS = env.integer("WEBHOOK_TOLERANCE_SECONDS", 300, least=1)

HOLD_TTL_SECONDS = env.integer("HOLD_TTL_SECONDS", 900, least=1)
RECEIPT_FOUR_EYES = env.integer("RECEIPT_FOUR_EYES", 0, least=0)
HOLD_CEILING_SECONDS = env.integer("HOLD_CEILING_SECONDS", 3_600, least=1)
MAX_LIVE_HOLDS_PER_CLIENT = env.integer("MAX_LIVE_HOLDS_PER_CLIENT", 1_000, least=1)
MAX_LIVE_PLACES_PER_CLIENT = env.integer("MAX_LIVE_PLACES_PER_CLIENT", 10_000, least=1)
MAX_LIVE_HOLDS_PER_CUSTOMER = env.integer("MAX_LIVE_HOLDS_PER_CUSTOMER", 5, least=1)
MAX_LIVE_PLACES_PER_CUSTOMER = env.integer("MAX_LIVE_PLACES_PER_CUSTOMER", 40, least=1)
MAX_PLACES_PER_RESERVATION = env.integer("MAX_PLACES_PER_RESERVATION", 200, least=1, most=200)
# What a worker calls to carry out one command: payments queue it, and do not know what is above them.
COMMAND_CARRIER = "booking.execution.execute_any"
# What drives payments, and is asked about them: payments do not know what is above them.
PAYMENT_MANAGERS = {"reservation": "booking.payment_manager"}
COMMAND_SENDERS = env.integer("COMMAND_SENDERS", 8, least=1)
COMMAND_LEASE_SECONDS = env.integer("COMMAND_LEASE_SECONDS", 60, least=1)
COMMAND_MAX_ATTEMPTS = env.integer("COMMAND_MAX_ATTEMPTS", 5, least=1)
EVENT_MAX_ATTEMPTS = env.integer("EVENT_MAX_ATTEMPTS", 10, least=1)
RECONCILE_AFTER_SECONDS = env.integer("RECONCILE_AFTER_SECONDS", 300, least=1)
RECONCILE_MAX_ATTEMPTS = env.integer("RECONCILE_MAX_ATTEMPTS", 5, least=1)
PROVIDER_CALLS_PER_MINUTE = env.integer("PROVIDER_CALLS_PER_MINUTE", 600, least=1)
INSTALLATION = env.text("INSTALLATION")
IDEMPOTENCY_TTL_SECONDS = env.integer("IDEMPOTENCY_TTL_SECONDS", 86_400, least=1)
IDEMPOTENCY_LEASE_SECONDS = env.integer("IDEMPOTENCY_LEASE_SECONDS", 60, least=1)
API_RATE = env.rate("API_RATE", "600/min")
LOGIN_RATE = env.rate("LOGIN_RATE", "10/min")
LOGIN_NAME_RATE = env.rate("LOGIN_NAME_RATE", "20/h")
MAIL = mail.read(env)
IDENTITY = identity.read(env)
COGNITO_USER_POOL_ID, COGNITO_REGION, COGNITO_CLIENT_ID = IDENTITY.pool, IDENTITY.region, IDENTITY.client
COGNITO_ENDPOINT = IDENTITY.endpoint
METRICS_TOKEN = env.text("METRICS_TOKEN")
BACKOFFICE_URL = env.url("BACKOFFICE_URL", schemes=["https", "http"])

rules.check_secret_key(env, key=SECRETS.current("SECRET_KEY"), debug=DEBUG)
rules.check_origins(env, "CSRF_TRUSTED_ORIGINS", origins=CSRF_TRUSTED_ORIGINS)
rules.check_origins(env, "CORS_ALLOWED_ORIGINS", origins=CORS_ALLOWED_ORIGINS)
rules.check_lease(env, "COMMAND_LEASE_SECONDS", lease_seconds=COMMAND_LEASE_SECONDS, providers=PROVIDERS.values())
rules.check_lease(
    env, "IDEMPOTENCY_LEASE_SECONDS", lease_seconds=IDEMPOTENCY_LEASE_SECONDS, providers=PROVIDERS.values()
)
rules.check_holds(env, ttl_seconds=HOLD_TTL_SECONDS, ceiling_seconds=HOLD_CEILING_SECONDS)
rules.check_database_timeouts(env, lock_ms=DATABASE_LOCK_TIMEOUT_MS, statement_ms=DATABASE_STATEMENT_TIMEOUT_MS)

env.stop_if_wrong()

ENVIRONMENT = env
# What takes over rotated secrets; empty where none can be rotated.
SECRETS_REFRESHER = "config.rotation.refresh" if env.secrets else ""

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "backoffice.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    *("django_otp", "django_otp.plugins.otp_totp"),
    "tenants",
    "adminkit",
    "idempotency",
    "catalogue",
    "payments",
    "booking",
    "webhooks",
    "reconciliation",
    "notifications",
    "sweeps",
    "backoffice.apps.BackofficeConfig",
    *(["tools.demo"] if DEMO else []),
]
MIDDLEWARE = [
    "common.request_id.RequestIdMiddleware",
    # Before all that can hang or refuse a Host: a probe comes by a pod's address.
    "sweeps.probes.ProbesMiddleware",
    "common.rotation.RotationMiddleware",
    "common.request_log.RequestLogMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "common.text_middleware.TextIntakeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "common.fallbacks.UnavailableMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Only its address is worked out here, as settings are also read by what needs no database. Manage.py and wsgi start it.
EMBEDDED_POSTGRES_DIR = None if DATABASE_URL else DATA_DIR / "postgres"
DATABASES = databases.databases(
    DATABASE_URL or embedded_postgres.url(DATA_DIR / "postgres"),
    current_url=partial(SECRETS.current, "DATABASE_URL"),
    pool_size=DATABASE_POOL_SIZE,
    pool_timeout_seconds=DATABASE_POOL_TIMEOUT_SECONDS,
    prepare=DATABASE_PREPARE,
    startup_options={
        "timezone": "UTC",
        "lock_timeout": DATABASE_LOCK_TIMEOUT_MS,
        "statement_timeout": DATABASE_STATEMENT_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": DATABASE_IDLE_TIMEOUT_MS,
    }
    if DATABASE_STARTUP_OPTIONS
    else {},
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Nothing that processes share is kept in it: what Redis is for is called by common.redis_client.
CACHES: dict[str, Any] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["tenants.sign_in.Backend"]
if IDENTITY.has_sign_in:
    AUTHENTICATION_BACKENDS.append("backoffice.cognito.Backend")
# Of mozilla-django-oidc: the authorization code flow, with PKCE and a nonce.
OIDC_RP_CLIENT_ID = IDENTITY.client
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{IDENTITY.domain}/oauth2/authorize"
OIDC_OP_TOKEN_ENDPOINT = f"{IDENTITY.domain}/oauth2/token"
OIDC_OP_USER_ENDPOINT = f"{IDENTITY.domain}/oauth2/userInfo"
OIDC_OP_JWKS_ENDPOINT = f"{IDENTITY.domain}/.well-known/jwks.json"
OIDC_RP_SCOPES = "openid email profile"
OIDC_USE_PKCE = True
OIDC_PKCE_CODE_CHALLENGE_METHOD = "S256"
OIDC_TIMEOUT = 5
OIDC_AUTHENTICATION_CALLBACK_URL = "cognito_callback"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600

SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if TRUST_X_FORWARDED_PROTO:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# The contract's limit for a webhook; everything else is smaller.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
EMAIL_BACKEND = MAIL.backend
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = MAIL.host, MAIL.port, 10
EMAIL_HOST_USER = MAIL.user
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.security == "STARTTLS", MAIL.security == "TLS"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL.sender
ANYMAIL = MAIL.anymail
# Arguments of the mail backend that are secrets, and their names.
EMAIL_SECRETS = MAIL.secrets

REST_FRAMEWORK = rest_framework.rest_framework(trusted_proxies=TRUSTED_PROXIES)
SPECTACULAR_SETTINGS = rest_framework.SPECTACULAR
# Browsers of these origins may call the API; the backoffice and the webhooks are nobody's to call from elsewhere.
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key", "x-request-id"]
CORS_EXPOSE_HEADERS = ["idempotent-replayed", "retry-after", "x-request-id"]

UNFOLD = theme.UNFOLD
OTP_TOTP_ISSUER = "Holdfast"
# Its own limit is by person, so that a stranger's guesses would keep them out; ours is in tenants/sign_in_limits.py.
OTP_TOTP_THROTTLE_FACTOR = 0
CONTENT_SECURITY_POLICY = theme.CONTENT_SECURITY_POLICY

Q_CLUSTER: dict[str, Any] = {
    "name": "holdfast",
    "label": "Background work",
    "workers": WORKERS,
    # After `retry` a task is handed out again, so it has to exceed `timeout` and the time spent waiting in the process.
    "timeout": 300,
    "retry": 420,
    "max_attempts": 3,
    # A failed task is done with: the sweep that made it comes again in a minute, and what it works on is in our tables.
    "ack_failures": True,
    # After a pause each sweep runs once, not once for each minute that was missed.
    "catch_up": False,
    "poll": 0.2,
    # Few, because one is looked at before the next one is started: a task waits in the database, not in a process.
    "queue_limit": WORKERS * 2,
    "save_limit": 1_000,
    "recycle": 500,
}
# In the database, and with Redis only where that does not answer.
Q_CLUSTER |= {"orm": "default"} | ({"broker_class": "common.queues.RedisQueue"} if REDIS_URL else {})

LOGGING = log.settings(level=LOG_LEVEL, providers=PROVIDERS.values())
