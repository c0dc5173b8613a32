"""Production: every secret comes from the environment, and starting without one is refused."""

from backoffice.settings.base import *  # noqa: F403
from backoffice.settings.base import STORAGES, env

PRODUCTION = True
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
SITE_URL = env.str("SITE_URL")
WAGTAILADMIN_BASE_URL = SITE_URL
DOCUMENT_MASTER_KEYS = env.list("DOCUMENT_MASTER_KEYS")
AUDIT_ANCHOR_KEYS = env.list("AUDIT_ANCHOR_KEYS")
STRIPE_API_KEY = env.str("STRIPE_API_KEY")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET")
STRIPE_LIVEMODE = env.bool("STRIPE_LIVEMODE", default=True)
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
