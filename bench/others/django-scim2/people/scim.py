"""What django-scim2 leaves to the project: who may call, and what is searched by."""

from django.http import HttpResponse
from django_scim.filters import UserFilterQuery


class Filters(UserFilterQuery):
    attr_map = UserFilterQuery.attr_map | {
        ("externalId", None, None): "scim_external_id",
        ("emails", "value", None): "email",
    }


def bearer(get_response):
    from people.models import User

    def middleware(request):
        if request.headers.get("authorization") != "Bearer bench":
            return HttpResponse(status=401)
        request.user = User(username="bench")
        return get_response(request)

    return middleware
