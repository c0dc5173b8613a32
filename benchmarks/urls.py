"""Every address of the product, and a view that does nothing."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from backoffice.urls import urlpatterns as product


@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    """What a request costs before anybody works on it."""
    return HttpResponse("{}", content_type="application/json")


urlpatterns = [path("nothing", nothing), *product]
