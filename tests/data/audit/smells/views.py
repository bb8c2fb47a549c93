"""Views, and queries where they cost."""
import asyncio
import time

import httpx
import requests
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from sqlalchemy import select

from .models import Line, Order, Person


def loops(session, cursor, ids):
    for order in Order.objects.filter(open=True):
        send(order.customer.name)  # expect: n-plus-one
        send(order.customer.mail)
        send(order.owner.name)  # expect: n-plus-one
        send(order.number.lower())
        send(order.line_set.count())  # expect: n-plus-one
    for order in Order.objects.select_related("customer").prefetch_related("line_set"):
        send(order.customer.name)
        send(order.line_set.all())
    orders = Order.objects.exclude(open=True).order_by("number")
    for order in orders:
        send(order.customer.name)  # expect: n-plus-one
        order.save()  # expect: write-in-loop
    names = [order.customer.name for order in orders]  # expect: n-plus-one
    for row in Order.objects.values("customer"):
        send(row.customer.name)
    for person in Person.objects.all():
        send(person.orders.all())  # expect: n-plus-one
    for pk in ids:
        send(Person.objects.get(pk=pk))  # expect: query-in-loop
        Line.objects.create(order_id=pk)  # expect: write-in-loop
        cursor.execute("select 1 from line where id = %s", [pk])  # expect: query-in-loop
        session.execute(select(Order).where(Order.id == pk))  # expect: query-in-loop
        session.query(Order).filter_by(id=pk).one()  # expect: query-in-loop
    found = [Person.objects.filter(pk=pk).first() for pk in ids]  # expect: query-in-loop
    for model in (Order, Line):
        send(model.objects.count())
    query = Order.objects.all()
    for pk in ids:
        query = query.exclude(pk=pk)
    for statement in ids:
        cursor.execute(statement)
    return names, found, query


def more(self, session, ids):
    for pk in ids:
        self.cache.objects.append(pk)
        send(Order.objects.select_for_update().get(pk=pk))
    person = Person.objects.get_or_404(1)
    for pk in ids:
        person.subscribe(pk)
    for line in session.query(Line).all():
        send(line.order.number)  # expect: n-plus-one
    for line in session.scalars(select(Line)).all():
        send(line.order.number)  # expect: n-plus-one
    for line in session.query(Line).options(joinedload(Line.order)):
        send(line.order.number)
    for basket in session.query(Basket):
        basket.fruits = []
        send(len(basket.fruits))  # expect: n-plus-one
        send(basket.fruits)
        send(basket.owner)
        for leaf in basket.leaves:
            send(leaf)
    for fruit in Fruit.query.all():
        send(fruit.basket.owner)  # expect: n-plus-one
    for order in Order.objects.all():
        send(order.customer)
        send(order.customer.name)  # expect: n-plus-one


async def served(request):  # expect: fat-view
    time.sleep(1)  # expect: blocking-in-async
    requests.get("https://example.org/", timeout=1)  # expect: blocking-in-async
    httpx.get("https://example.org/")  # expect: blocking-in-async
    open("/etc/hostname")  # expect: blocking-in-async
    Order.objects.get(pk=1)  # expect: blocking-in-async
    await Order.objects.aget(pk=1)
    async for order in Order.objects.all():
        send(order)
    for order in Order.objects.all():  # expect: blocking-in-async
        send(order)
    await asyncio.sleep(1)
    await asyncio.to_thread(time.sleep, 1)

    def later():
        time.sleep(1)
    return later, lambda: time.sleep(1)


def send(x):
    return x


@csrf_exempt  # expect: csrf-exempt
def paid(request):  # expect: fat-view
    a = request.a
    a += 1
    a += 2
    a += 3
    a += 4
    a += 5
    return a


class Page(View):
    pass


class Cart(Page):
    def get(self, request):  # expect: fat-view
        a = request.a
        a += 1
        a += 2
        a += 3
        a += 4
        a += 5
        return a

    def post(self, request):
        return send(request)
