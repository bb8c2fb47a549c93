import logging

from django.conf import settings
from django.db import DatabaseError

from .models import Event

log = logging.getLogger(__name__)

QUIET = ('/api/', '/static/', '/media/', '/admin/', '/healthz', '/version', '/events/')


class PageViewMiddleware:
    """An INSERT for every page somebody looks at, before the page is sent."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if (settings.RECORD_PAGE_VIEWS and request.method == 'GET' and response.status_code == 200
                and not request.path.startswith(QUIET) and response.get('Content-Type', '').startswith('text/html')):
            try:
                Event.record('page_view', request=request)
            except DatabaseError as error:
                log.warning('page view not recorded: %s', error)
        return response
