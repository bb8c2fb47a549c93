"""Health, version, files and error pages."""
import re

import django
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.static import serve

from shop.utils import is_api

HASHED = re.compile(r'\.[0-9a-f]{12}\.\w+$')


@require_safe
def healthz(request):
    try:
        with connection.cursor() as cursor:
            cursor.execute('SELECT 1')
            cursor.fetchone()
    except DatabaseError as error:
        return JsonResponse({'status': 'error', 'database': str(error).strip()}, status=503)
    return JsonResponse({'status': 'ok', 'database': 'ok'})


@require_safe
def version(request):
    return JsonResponse({'name': 'shop', 'version': settings.RELEASE, 'django': django.get_version()})


@require_safe
def static_file(request, path):
    """The demo has no nginx, so the app serves what `collectstatic` gathered."""
    response = serve(request, path, document_root=settings.STATIC_ROOT)
    age = 31536000 if HASHED.search(path) else 3600
    response['Cache-Control'] = 'public, max-age=%d%s' % (age, ', immutable' if age > 3600 else '')
    return response


@require_safe
def media_file(request, path):
    response = serve(request, path, document_root=settings.MEDIA_ROOT)
    response['Cache-Control'] = 'public, max-age=86400'
    return response


def not_found(request, exception):
    if is_api(request):
        return JsonResponse({'error': {'code': 'not_found', 'message': 'There is nothing here.'}}, status=404)
    return render(request, '404.html', status=404)


def server_error(request):
    if is_api(request):
        return JsonResponse({'error': {'code': 'server_error', 'message': 'Something broke.'}}, status=500)
    return render(request, '500.html', status=500)
