"""The frame of /api/v1/: who asks, with what, and errors as JSON. Written before anybody here knew REST framework."""
import json

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import Http404, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from accounts.models import ApiToken

MAX_BODY = 1024 * 1024


class ApiError(Exception):
    def __init__(self, status, code, message, **more):
        super().__init__(message)
        self.status = status
        self.body = {'error': dict(more, code=code, message=message)}


class CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request, reason):
        return reason       # the text instead of Django's page


def token_user(request):
    """The user of `Authorization: Token KEY`, None without one."""
    scheme, _, key = request.META.get('HTTP_AUTHORIZATION', '').partition(' ')
    if scheme.lower() != 'token':
        return None
    token = ApiToken.objects.select_related('user').filter(key=key.strip()).first()
    if token is None or not token.user.is_active:
        raise ApiError(401, 'bad_token', 'This token is not valid.')
    now = timezone.now()
    if token.last_used_at is None or (now - token.last_used_at).total_seconds() > 60:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user


def read_json(request, many=False):
    if int(request.META.get('CONTENT_LENGTH') or 0) > MAX_BODY:
        raise ApiError(413, 'too_large', 'The body is too large.')
    try:
        body = json.loads(request.body or b'{}')
    except ValueError:
        raise ApiError(400, 'bad_json', 'The body is not valid JSON.')
    if not isinstance(body, dict) and not (many and isinstance(body, list)):
        raise ApiError(400, 'bad_json', 'The body must be an object.')
    return body


def answer(value, status=200):
    if hasattr(value, 'status_code'):
        return value
    return JsonResponse(value, status=status, safe=False)


def api(login=True, staff=False, csrf=True, **methods):
    """One URL, a function a method: api(GET=show, POST=change). `login=False` lets visitors in."""
    allowed = sorted(methods) + (['HEAD'] if 'GET' in methods else []) + ['OPTIONS']

    @csrf_exempt
    def view(request, *args, **kwargs):
        try:
            method = 'GET' if request.method == 'HEAD' else request.method
            if method == 'OPTIONS':
                response = JsonResponse({'methods': allowed})
                response['Allow'] = ', '.join(allowed)
                return response
            if method not in methods:
                raise ApiError(405, 'method_not_allowed', '%s is not possible here.' % request.method)
            user = token_user(request)
            if user:
                request.user = user
            elif csrf and method != 'GET':
                check = CsrfCheck(lambda request: None)
                check.process_request(request)
                reason = check.process_view(request, None, (), {})
                if reason:
                    raise ApiError(403, 'csrf', 'CSRF: %s' % reason)
            if (login or staff) and not request.user.is_authenticated:
                raise ApiError(401, 'login_required', 'Log in or send a token.')
            if staff and not request.user.is_staff:
                raise ApiError(403, 'staff_only', 'Only for staff.')
            response = answer(methods[method](request, *args, **kwargs))
        except ApiError as error:
            response = answer(error.body, error.status)
            if error.status == 405:
                response['Allow'] = ', '.join(allowed)
            if error.status == 401:
                response['WWW-Authenticate'] = 'Token'
        except Http404:
            response = answer({'error': {'code': 'not_found', 'message': 'There is nothing here.'}}, 404)
        except ValidationError as error:
            response = answer({'error': {'code': 'invalid', 'message': ' '.join(error.messages)}}, 400)
        if login or staff:
            response['Cache-Control'] = 'private, no-store'
            patch_vary_headers(response, ['Authorization'])
        return response

    return view


def page_of(request, queryset, to_json, per_page=20, rows=list):
    """{count, page, pages, next, previous, results}; next and previous are absolute. rows: fetches the page's part of the queryset."""
    try:
        number = max(1, int(request.GET.get('page', 1)))
        size = min(100, max(1, int(request.GET.get('per_page', per_page))))
    except ValueError:
        raise ApiError(400, 'bad_page', 'page and per_page are numbers.')
    count = queryset.count()
    pages = max(1, -(-count // size))
    if number > pages:
        raise ApiError(404, 'no_such_page', 'There are %d pages.' % pages)

    def link(to):
        query = request.GET.copy()
        query['page'] = to
        return request.build_absolute_uri(request.path + '?' + query.urlencode())

    return {
        'count': count, 'page': number, 'pages': pages,
        'next': link(number + 1) if number < pages else None,
        'previous': link(number - 1) if number > 1 else None,
        'results': [to_json(one) for one in rows(queryset[(number - 1) * size:number * size])],
    }


def clean(instance, **fields):
    """Sets the fields, validates, saves; 400 with a message a field."""
    assert isinstance(instance, Model)
    for name, value in fields.items():
        setattr(instance, name, value)
    try:
        instance.full_clean()
    except ValidationError as error:
        raise ApiError(400, 'invalid', 'Some fields are not valid.', fields=error.message_dict)
    instance.save()
    return instance
