"""Every address of the product."""

from django.conf import settings
from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtail_admin_urls
from wagtail.documents import urls as wagtail_documents_urls

from backoffice import health
from backoffice.desk import demo_login
from backoffice.desk.site import desk_site

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", include("backoffice.desk.urls")),
    path("admin/", desk_site.urls),
    path("cms/", include(wagtail_admin_urls)),
    path("documents/", include(wagtail_documents_urls)),
    path("accounts/demo/", demo_login.sign_in, name="demo_sign_in"),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("storage/", include("backoffice.media.urls")),
    path("api/v1/", include("backoffice.api.urls")),
    path("", include(wagtail_urls)),
]

if settings.DEBUG:
    from django.conf.urls.static import static

    urlpatterns = static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT) + urlpatterns
