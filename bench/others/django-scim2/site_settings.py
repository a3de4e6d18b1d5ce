"""A Django project with nothing but django-scim2, on PostgreSQL."""

import os

SECRET_KEY = "bench"
ALLOWED_HOSTS = ["*"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["BENCH_HOST"],
        "NAME": os.environ["BENCH_DATABASE"],
        "USER": "postgres",
        "CONN_MAX_AGE": None,
    }
}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_scim",
    "people",
]
MIDDLEWARE = ["people.scim.bearer", "django_scim.middleware.SCIMAuthCheckMiddleware"]
ROOT_URLCONF = "site_urls"
WSGI_APPLICATION = "site_urls.application"
AUTH_USER_MODEL = "people.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
# Okta sends a password to everybody. Its hash is slow on purpose; here it is not to be measured.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SCIM_SERVICE_PROVIDER = {
    "NETLOC": "localhost",
    "SCHEME": "http",
    "AUTHENTICATION_SCHEMES": [{"type": "oauthbearertoken", "name": "bearer"}],
    "GROUP_MODEL": "people.models.Group",
    "USER_FILTER_PARSER": "people.scim.Filters",
}
