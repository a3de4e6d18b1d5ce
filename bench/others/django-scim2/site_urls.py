"""The project's URLs."""

from django.core.wsgi import get_wsgi_application
from django.urls import include, path

urlpatterns = [path("scim/v2/", include("django_scim.urls", namespace="scim"))]

application = get_wsgi_application()
