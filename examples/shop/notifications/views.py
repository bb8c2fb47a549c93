from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils import timezone

from shop.utils import paginate

from .models import Notification


@login_required
def inbox(request):
    page = paginate(Notification.objects.filter(user=request.user), request, 20)
    response = render(request, 'notifications/inbox.html', {'page': page})
    if request.method == 'GET':
        ids = [note.pk for note in page if note.read_at is None]
        Notification.objects.filter(pk__in=ids).update(read_at=timezone.now())
    return response
