"""The desk's addresses: one area, one prefix, one file."""

from django.urls import include, path

app_name = "desk"

urlpatterns = [
    path("work/", include("backoffice.desk.work.urls")),
    path("creators/", include("backoffice.desk.creators.urls")),
    path("moderation/", include("backoffice.desk.moderation.urls")),
    path("catalogue/", include("backoffice.desk.catalogue.urls")),
    path("finance/", include("backoffice.desk.finance.urls")),
    path("support/", include("backoffice.desk.support.urls")),
    path("reports/", include("backoffice.desk.reports.urls")),
    path("imports/", include("backoffice.desk.imports.urls")),
    path("system/", include("backoffice.desk.system.urls")),
]
