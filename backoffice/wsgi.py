"""What the web server runs."""

import os

from django.core.wsgi import get_wsgi_application

from backoffice import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings.production")

application = get_wsgi_application()
starting.refuse_unsafe()
