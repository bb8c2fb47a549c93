"""Settings of the shop. Everything that differs between machines comes from the environment; README.md lists the variables."""
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.contrib.messages import constants as message_constants

from shop import NEXT_VERSION, VERSION

BASE_DIR = Path(__file__).resolve().parent.parent


def lines_of(path):
    """NAME=value, a line each: what whoever runs the shop changes without starting it anew (gunicorn reads it at a HUP)."""
    try:
        with open(path) as file:
            return dict(line.strip().split('=', 1) for line in file if '=' in line and not line.startswith('#'))
    except OSError:
        return {}


LINES = lines_of(os.path.join(os.environ.get('SHOP_DATA', str(BASE_DIR / 'data')), 'settings.env'))


def env(name, default=''):
    return os.environ.get('SHOP_' + name, LINES.get('SHOP_' + name, default))


def env_bool(name, default=False):
    return env(name, '1' if default else '0').lower() in ('1', 'true', 'yes', 'on')


def env_list(name, default=''):
    return [part.strip() for part in env(name, default).split(',') if part.strip()]


DATA_DIR = Path(env('DATA', str(BASE_DIR / 'data')))
DEBUG = env_bool('DEBUG')
SECRET_KEY = env('SECRET_KEY', 'only-for-development-change-me')
ALLOWED_HOSTS = env_list('ALLOWED_HOSTS', 'localhost,127.0.0.1,[::1]')

# Behind nginx, HAProxy or any other gateway that sets these headers itself and removes what the client sent.
if env_bool('BEHIND_PROXY'):
    SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')
    USE_X_FORWARDED_HOST = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env_bool('COOKIE_SECURE')
CSRF_TRUSTED_ORIGINS = env_list('CSRF_TRUSTED_ORIGINS')

INSTALLED_APPS = [
    'django.contrib.admin',
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.sessions',
    'django.contrib.messages',
    'django.contrib.staticfiles',
    'django.contrib.humanize',
    'shop',
    'accounts',
    'catalogue',
    'cart',
    'orders',
    'payments',
    'notifications',
    'analytics',
]

MIDDLEWARE = [
    'shop.middleware.ReleaseMiddleware',
    'django.middleware.security.SecurityMiddleware',
    'django.middleware.http.ConditionalGetMiddleware',
    'django.contrib.sessions.middleware.SessionMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
    'django.contrib.messages.middleware.MessageMiddleware',
    'django.middleware.clickjacking.XFrameOptionsMiddleware',
    'analytics.middleware.PageViewMiddleware',
    'shop.middleware.FaultMiddleware',
]

ROOT_URLCONF = 'shop.urls'
WSGI_APPLICATION = 'shop.wsgi.application'

TEMPLATES = [{
    'BACKEND': 'django.template.backends.django.DjangoTemplates',
    'DIRS': [BASE_DIR / 'templates'],
    'APP_DIRS': True,
    'OPTIONS': {'context_processors': [
        'django.template.context_processors.request',
        'django.contrib.auth.context_processors.auth',
        'django.contrib.messages.context_processors.messages',
        'shop.context_processors.shop',
    ]},
}]


def database_from_url(url):
    """postgresql://user:password@host:port/name, as everything else around the shop writes it."""
    parts = urlsplit(url)
    return {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': unquote(parts.path.lstrip('/')),
        'USER': unquote(parts.username or ''),
        'PASSWORD': unquote(parts.password or ''),
        'HOST': parts.hostname or '',
        'PORT': parts.port or '',
        'CONN_MAX_AGE': int(env('DATABASE_CONN_MAX_AGE', '60')),
    }


DATABASES = {'default': database_from_url(env('DATABASE_URL', 'postgresql://shop@127.0.0.1:5432/shop'))}
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'

AUTH_PASSWORD_VALIDATORS = [
    {'NAME': 'django.contrib.auth.password_validation.UserAttributeSimilarityValidator'},
    {'NAME': 'django.contrib.auth.password_validation.MinimumLengthValidator'},
    {'NAME': 'django.contrib.auth.password_validation.CommonPasswordValidator'},
    {'NAME': 'django.contrib.auth.password_validation.NumericPasswordValidator'},
]
LOGIN_URL = '/login/'
LOGIN_REDIRECT_URL = '/'
LOGOUT_REDIRECT_URL = '/'

LANGUAGE_CODE = 'en-gb'
TIME_ZONE = 'UTC'
USE_I18N = True
USE_L10N = True
USE_TZ = True

STATIC_URL = '/static/'
STATIC_ROOT = DATA_DIR / 'static'
STATICFILES_DIRS = [BASE_DIR / 'static']
STATICFILES_STORAGE = 'django.contrib.staticfiles.storage.ManifestStaticFilesStorage'
MEDIA_URL = '/media/'
MEDIA_ROOT = DATA_DIR / 'media'
FILE_UPLOAD_PERMISSIONS = 0o644

DEFAULT_FROM_EMAIL = SERVER_EMAIL = 'Pine & Anvil <shop@pineandanvil.example>'
EMAIL_BACKEND = 'notifications.mailbox.EmailBackend'        # appends to an mbox file
EMAIL_FILE_PATH = DATA_DIR / 'mail' / 'outbox.mbox'
if env('EMAIL_HOST'):
    EMAIL_BACKEND = 'django.core.mail.backends.smtp.EmailBackend'
    EMAIL_HOST, _, port = env('EMAIL_HOST').partition(':')       # mail.example, or mail.example:2525
    EMAIL_PORT = int(port or env('EMAIL_PORT', '25'))

MESSAGE_TAGS = {message_constants.ERROR: 'error'}

LOGGING = {
    'version': 1,
    'disable_existing_loggers': False,
    'formatters': {'line': {'format': '%(asctime)s %(levelname)s %(name)s %(message)s'}},
    'handlers': {'stderr': {'class': 'logging.StreamHandler', 'formatter': 'line'}},
    'root': {'handlers': ['stderr'], 'level': env('LOG_LEVEL', 'WARNING')},
}

# The shop's own.
NEXT = env('RELEASE', 'current') == 'next'     # this tree holds two releases
RELEASE = NEXT_VERSION if NEXT else VERSION
FAULTS_FILE = env('FAULTS')                     # shop/faults.py; empty: there are none
RESERVATIONS_KEY = env('RESERVATIONS_KEY')        # of the system that takes the money; empty: nobody may reserve
SHOP_NAME = 'Pine & Anvil'
CURRENCY = 'EUR'
SHIPPING_CENTS = 490
FREE_SHIPPING_FROM_CENTS = 5000
LOW_STOCK = 5
PAGE_SIZE = 24
UPLOAD_MAX_BYTES = 8 * 1024 * 1024
CARDS_URL = env('CARDS_URL', 'http://127.0.0.1:8599')
CARDS_KEY = env('CARDS_KEY', 'cardnet-demo-key')
CARDS_TIMEOUT_S = float(env('CARDS_TIMEOUT_S', '10'))
WAIT_MAX_S = 25             # longest long poll
WAIT_POLL_S = 0.2           # how often it asks the database
STREAM_MAX_S = 55           # a live feed ends after this; EventSource connects again by itself
STREAM_POLL_S = 0.3
STREAM_PING_S = 5
RECORD_PAGE_VIEWS = env_bool('RECORD_PAGE_VIEWS', True)
