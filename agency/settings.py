"""All settings. Values that differ between places come from the environment (see .env.example)."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from agency.environment import LOOPBACK, Environment, refuse

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
JOBS_DIR = VAR_DIR / "jobs"  # what jobs made, for web and queue alike

env = Environment(os.environ)

ENVIRONMENT = env.choice("ENVIRONMENT", ["demo", "test", "live"], default="demo")
LIVE = ENVIRONMENT == "live"
DEBUG = env.flag("DEBUG", default=False)
if DEBUG and LIVE:
    refuse("DEBUG must be off where ENVIRONMENT is live.")

TODAY = env.date("TODAY")
if TODAY and ENVIRONMENT != "demo":
    refuse("TODAY can be fixed only where ENVIRONMENT is demo.")


def _secret_key() -> str:
    """Read SECRET_KEY; outside live one is made up once and kept in ``var``."""
    key = env.secret("SECRET_KEY")
    if LIVE and len(key) < 50:  # noqa: PLR2004  as in the sentence
        refuse("SECRET_KEY must be set to at least 50 random characters.")
    if key:
        return key
    kept = VAR_DIR / "secret_key"
    if not kept.exists():
        VAR_DIR.mkdir(exist_ok=True)
        draft = kept.with_name(f"secret_key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        with suppress(FileExistsError):  # another process was first
            kept.hardlink_to(draft)
        draft.unlink()
    return kept.read_text()


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = env.secret("SECRET_KEY_FALLBACKS").split()
ALLOWED_HOSTS = env.names(
    "ALLOWED_HOSTS", default=[] if LIVE else ["localhost", "127.0.0.1", "[::1]"]
)
if LIVE and not ALLOWED_HOSTS:
    refuse("ALLOWED_HOSTS must name the host, such as backoffice.agency.example.")
# A demo asks for no second step and sends its cookies unencrypted.
if ENVIRONMENT == "demo" and any(host.strip("[]") not in LOOPBACK for host in ALLOWED_HOSTS):
    refuse("ALLOWED_HOSTS can name only this machine where ENVIRONMENT is demo.")
# Where mails lead to.
SITE_URL = env.web_address("SITE_URL") or (
    f"https://{ALLOWED_HOSTS[0]}" if LIVE else "http://127.0.0.1:8000"
)


# Apps. Ours stand first, so that their templates win from the packages'.

INSTALLED_APPS = [
    "agency",
    "advisors",
    "workshops",
    "subscriptions",
    "agency.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "django_q",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "agency.middleware.log_request",
    "agency.middleware.look_at_nobody",
    "agency.gate.Gate",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "agency.middleware.keep_pages_out_of_caches",
    "agency.middleware.end_old_sessions",
    "agency.middleware.speak_the_users_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "agency.middleware.require_two_steps",
]

ROOT_URLCONF = "agency.urls"
WSGI_APPLICATION = "agency.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "agency.context.page",
            ],
        },
    },
]


# Data

DATABASES = {
    "default": env.database(
        "DATABASE_URL", default="sqlite:///var/discreet.sqlite3", relative_to=BASE_DIR
    )
}
if "sqlite3" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["NAME"].parent.mkdir(parents=True, exist_ok=True)
    if not DATABASES["default"]["NAME"].exists():  # SQLite would let everybody on the machine read
        DATABASES["default"]["NAME"].touch(mode=0o600)
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 5,
        # Takes the write lock at once: one asked for halfway is refused, not waited for.
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode = WAL;"
            "PRAGMA synchronous = NORMAL;"
            "PRAGMA cache_size = -65536;"  # a run touches more than the 2 MB that it has else
            "PRAGMA secure_delete = ON;"  # erased means overwritten
            "PRAGMA recursive_triggers = ON;"  # guards also see the deletion inside a REPLACE
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Keys of who was erased, for after a backup is restored: keep it outside of what a backup replaces.
ERASURES = BASE_DIR / env.text("ERASURES", "var/erasures.txt")
BACKUP_KEY = env.key("BACKUP_KEY")

# Shared by all processes, because the limits on sign-in attempts are counted here.
# What is uploaded is read in memory: nothing of it comes to lie on a disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # Who signs in stands in the keys: people, addresses, codes that were used.
        "KEY_FUNCTION": "agency.sessions.sealed_key",
    },
    "queue": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if LIVE
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static" if LIVE else None
WHITENOISE_USE_FINDERS = not LIVE


# Queue. A task that fails is tried three times; `retry` counts from the fetching of a task, so it
# is longer than the timeout plus the wait for a worker.

Q_CLUSTER = {
    "name": "discreet",
    "orm": "default",
    "cache": "queue",  # process states only; nothing of ours
    "workers": env.whole_number("Q_WORKERS", default=2, at_least=1, at_most=32),
    "bulk": 5,
    "queue_limit": 10,
    "poll": 0.5,
    "timeout": 600,
    "retry": 900,
    "max_attempts": 3,
    "ack_failures": False,
    "catch_up": False,
    "save_limit": 2000,
    "label": _("Task queue"),
}


# People and sign-in

AUTH_USER_MODEL = "agency.User"
AUTHENTICATION_BACKENDS = [
    "agency.accounts.ByPassword",
    "agency.accounts.ByEmail",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {"user_attributes": ["email", "name"]},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
LOGIN_URL = "account_request_login_code"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_request_login_code"
ACCOUNT_ADAPTER = "agency.accounts.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]  # closed by the adapter
ACCOUNT_EMAIL_VERIFICATION = "none"  # staff register the address; a code by mail proves it
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"invite": "20/h/key"}  # by client; the rest as allauth has it
MFA_ADAPTER = "agency.accounts.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Discreet"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 30 * 60  # seconds, before money or rights change
TWO_STEP_REQUIRED = ENVIRONMENT != "demo"

SESSION_ENGINE = "agency.sessions"
SESSION_IDLE_SECONDS = 60 * 60
SESSION_COOKIE_AGE = 12 * 60 * 60


# Language and time

LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", _("Dutch")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_THOUSAND_SEPARATOR = True
TIME_ZONE = "Europe/Amsterdam"


# What browsers are told

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],  # the square code for an authenticator app
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "upgrade-insecure-requests": LIVE,
    }
}
# Nothing leaves our site; "no-referrer" would blank the Origin of our own forms, and fail them.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SAMESITE = "Lax"
if LIVE:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
    SECURE_HSTS_SECONDS = 2 * 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https"
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # the proxy that ends TLS; limits count its clients, not it


# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Discreet",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}


# Others' services

STRIPE_API_KEY = env.secret("STRIPE_API_KEY")
STRIPE_API_BASE = env.web_address("STRIPE_API_BASE")
STRIPE_API_VERSION = env.text("STRIPE_API_VERSION", "2026-10-28.endive")
STRIPE_WEBHOOK_SECRET = env.secret("STRIPE_WEBHOOK_SECRET")
if STRIPE_API_KEY and not STRIPE_API_KEY.startswith(("sk_", "rk_")):
    refuse("STRIPE_API_KEY must be a secret key (sk_...) or a restricted key (rk_...).")
if not LIVE and STRIPE_API_KEY.startswith(("sk_live_", "rk_live_")):
    refuse("STRIPE_API_KEY is a live key, but ENVIRONMENT is not live.")
if LIVE and STRIPE_API_KEY and not STRIPE_API_KEY.startswith(("sk_live_", "rk_live_")):
    refuse("STRIPE_API_KEY is a test key, but ENVIRONMENT is live.")
if LIVE and STRIPE_API_BASE:
    refuse("STRIPE_API_BASE must be empty where ENVIRONMENT is live.")

# The European Commission's check of VAT ids; outside live nobody is asked unless it is named.
VIES = "https://ec.europa.eu/taxation_customs/vies/rest-api"
VIES_API_BASE = env.web_address("VIES_API_BASE") or (VIES if LIVE else "")
if LIVE and not VIES_API_BASE.startswith("https://"):
    refuse("VIES_API_BASE must begin with https:// where ENVIRONMENT is live.")

globals().update(
    env.mail("EMAIL_URL", default="" if LIVE else "file:///var/mail", relative_to=BASE_DIR)
)
ADMINS: list[str] = []  # nobody is mailed an error, and a report holds places only
# By Django's name for it; a word of that name is none of ours (tests/test_architecture.py).
globals().update({"DEFAULT_EXCEPTION_REPORTER": "agency.errors.PlacesOnly"})


# Logs: one line each, of fields on an allow-list (agency/logs.py)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "agency.logs.LineFormatter", "full": DEBUG}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        **{app: {"level": "INFO"} for app in ("agency", "advisors", "workshops", "subscriptions")},
        # Django's own handlers would print addresses with what was asked.
        "django": {"handlers": [], "level": "WARNING"},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
