"""Settings of the unit tests: SQLite in memory, a cheap password hash, no manifest of static files."""
import tempfile

from shop import settings

globals().update({name: value for name, value in vars(settings).items() if name.isupper()})

DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}
PASSWORD_HASHERS = ['django.contrib.auth.hashers.MD5PasswordHasher', 'django.contrib.auth.hashers.PBKDF2PasswordHasher']
STATICFILES_STORAGE = 'django.contrib.staticfiles.storage.StaticFilesStorage'
EMAIL_BACKEND = 'django.core.mail.backends.locmem.EmailBackend'
ALLOWED_HOSTS = ['*']
MEDIA_ROOT = tempfile.mkdtemp(prefix='shop-media-')     # removed by shop.test_runner
TEST_RUNNER = 'shop.test_runner.Runner'
WAIT_POLL_S = STREAM_POLL_S = 0.02
LOGGING = dict(settings.LOGGING, root={'handlers': [], 'level': 'WARNING'})
