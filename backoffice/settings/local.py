"""Development and the demo's base: everything on this machine, nothing to configure."""

from django.core.management.utils import get_random_secret_key

from backoffice.settings.base import *  # noqa: F403
from backoffice.settings.base import DATA_DIR, LOGGING, SECRET_KEY, env
from backoffice.settings.keys import kept

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver", *env.list("ALLOWED_HOSTS", default=[])]
SECRET_KEY = SECRET_KEY or kept(DATA_DIR / "secret-key", get_random_secret_key)
DOCUMENT_MASTER_KEYS = env.list("DOCUMENT_MASTER_KEYS", default=[]) or [kept(DATA_DIR / "document-key")]
AUDIT_ANCHOR_KEYS = env.list("AUDIT_ANCHOR_KEYS", default=[]) or [kept(DATA_DIR / "audit-anchor-key")]
STRIPE_API_KEY = env.str("STRIPE_API_KEY", default="") or "sk_test_local"
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="") or kept(DATA_DIR / "stripe-webhook-secret")
STRIPE_BASE_URL = env.str("STRIPE_BASE_URL", default="http://127.0.0.1:8001")
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 60
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = DATA_DIR / "mail"
LOGGING["handlers"]["console"]["formatter"] = env.str("LOG_FORMAT", default="text")
