"""Django's settings, made from `support.config`: nothing here is meant to be edited by those who run a server."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF

from unrepeat.support.config import config
from unrepeat.support.sqlite.checkpoints import SAFETY_NET

_config = config()
BASE_DIR = Path(__file__).resolve().parent


def _secret_key() -> str:
    if _config.secret_key:
        return _config.secret_key
    kept = _config.data_dir / "secret-key"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(48))
    return kept.read_text().strip()


_PAGE = 16384  # bytes, of a new database: under full intake a quarter fewer pages are looked up, changed and written than with 4096
_SQLITE = (
    f"PRAGMA page_size={_PAGE}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    f" PRAGMA wal_autocheckpoint={SAFETY_NET // _PAGE};"
)


def _database() -> dict[str, Any]:
    """SQLite with what many writers need, or PostgreSQL as it is."""
    parsed: dict[str, Any] = dict(dj_database_url.parse(_config.database_url))
    if parsed["ENGINE"] == "django.db.backends.sqlite3":
        parsed["ENGINE"] = "unrepeat.support.sqlite"
        parsed["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds
            "init_command": _SQLITE,
        }
        Path(str(parsed["NAME"])).parent.mkdir(parents=True, exist_ok=True)
        parsed["TEST"] = {"NAME": f"{parsed['NAME']}.test"}  # a file: threads and processes of a test share it
    else:
        # Under ASGI every request has a thread of its own, so connections live in a pool and not in threads.
        parsed["OPTIONS"] = {**parsed.get("OPTIONS", {}), "pool": {"min_size": 2, "max_size": 20, "timeout": 20}}
    return parsed


SECRET_KEY = _secret_key()
DEBUG = _config.debug
ALLOWED_HOSTS = _config.allowed_hosts
CSRF_TRUSTED_ORIGINS = [_config.base_url]
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
ROOT_URLCONF = "unrepeat.urls"
APPEND_SLASH = False

INSTALLED_APPS = [
    "unrepeat.support",
    "unrepeat.arrivals",
    "unrepeat.duty",
    "unrepeat.incidents",
    "unrepeat.inform",
    "unrepeat.investigation",
    "unrepeat.postmortems",
    "unrepeat.prevention",
    "unrepeat.web",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "allauth",
    "allauth.account",
    "axes",
    "csp",
    "rules",
]

MIDDLEWARE = [
    "unrepeat.web.clean.CleanMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "unrepeat.web.answers.ProblemMiddleware",
    "unrepeat.web.access.AccessMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "web" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "unrepeat.web.context.frame",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
        },
    }
]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "web" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

AUTH_USER_MODEL = "web.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
STRICT_ACCESS = DEBUG or "PYTEST_VERSION" in os.environ  # a view that declares no need is an error, not only refused
CSRF_FAILURE_VIEW = "unrepeat.web.answers.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes of a form; deliveries do not come this way
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
ACCOUNT_ADAPTER = "unrepeat.web.signin.AccountAdapter"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
AXES_LOCKOUT_CALLABLE = "unrepeat.web.signin.locked_out"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_USERNAME_CALLABLE = "unrepeat.web.signin.name_typed"
AXES_RESET_ON_SUCCESS = True
ACCOUNT_RATE_LIMITS = {"login_failed": "60/m/ip"}  # axes locks a name; this only slows down a flood

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _config.base_url.startswith("https://")
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
NINJA_PAGINATION_PER_PAGE = 50
SILENCED_SYSTEM_CHECKS = ["axes.W003"]
LOGGING_CONFIG = None
