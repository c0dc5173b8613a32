"""Every address of the product."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import URLPattern, URLResolver, include, path, reverse_lazy
from django.views.generic import RedirectView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtail_admin_urls
from wagtail.documents import urls as wagtail_documents_urls

from backoffice import health
from backoffice.desk import demo_login
from backoffice.desk.site import desk_site

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", include("backoffice.desk.urls")),
    path("admin/", desk_site.urls),
    path("cms/", include(wagtail_admin_urls)),
    path("documents/", include(wagtail_documents_urls)),
    path("accounts/demo/", demo_login.sign_in, name="demo_sign_in"),
    path("accounts/", include("backoffice.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("storage/", include("backoffice.media.urls")),
    path("api/v1/", include("backoffice.api.urls")),
    path("", RedirectView.as_view(url=reverse_lazy("wagtail_serve", args=[""])), name="public_home"),
    # Public pages carry their language in the address. They have a prefix of their own so that Django does
    # not take every other missing address for a page whose language was forgotten.
    *i18n_patterns(path("pages/", include(wagtail_urls))),
]

if settings.DEBUG:
    from django.conf.urls.static import static

    urlpatterns = [*static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT), *urlpatterns]
