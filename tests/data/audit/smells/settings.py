"""Switches that turn safety off."""
import ssl

import requests
from base_settings import *

DEBUG = True  # expect: django-debug
ALLOWED_HOSTS = ["*"]  # expect: django-debug
SECRET_KEY = "w7!kd03nVz-71QwErT"  # expect: password-in-code
CSRF_COOKIE_NAME = "csrftoken"
LOGIN_URL = "/accounts/login/"

session = requests.Session()
session.verify = False  # expect: no-tls-check
context = ssl.create_default_context()
context.check_hostname = False  # expect: no-tls-check
context.verify_mode = ssl.CERT_NONE  # expect: no-tls-check
