# SPDX-License-Identifier: Apache-2.0
"""Subscriptions and invoices as Stripe's Python client makes them, on clocks that are told to go on."""
import calendar
import datetime
import pathlib
import zoneinfo

import pytest

from actors.accounts import engine_of, fresh
from actors.payments import FaultProvider, Payments
from actors.waiting import until


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(request, long_stage):
    engine_of(request)
    database = fresh(request.getfixturevalue("accounts_beside")[0]) if request.param == "postgresql" else f"sqlite:{long_stage.folder}/payment.db"
    folder = pathlib.Path(long_stage.folder) / request.param
    folder.mkdir()
    provider = FaultProvider(folder)
    long_stage.enter(provider, provider.finish)
    service = Payments(folder, database, provider)
    long_stage.enter(service, lambda: service.finish())  # a play puts another process in its place
    yield service


def at(text, zone="UTC"):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone)).timestamp())


def text(seconds, zone="UTC"):
    return datetime.datetime.fromtimestamp(seconds, zoneinfo.ZoneInfo(zone)).isoformat()[:16]


class Town:
    """A clock, a customer who lives by it, and a product."""

    def __init__(self, stripe, start, zone="UTC", card="pm_card_visa"):
        self.stripe, self.zone = stripe, zone
        self.clock = stripe.test_helpers.TestClock.create(frozen_time=at(start, zone)).id
        self.customer = stripe.Customer.create(test_clock=self.clock, time_zone=zone, email="ann@shop.test", payment_method=card)
        self.product = stripe.Product.create(name="Plan")

    def price(self, amount, interval="month", **more):
        return self.stripe.Price.create(product=self.product.id, currency="eur", unit_amount=amount,
                                        recurring={"interval": interval, **more}).id

    def subscribe(self, *items, **more):
        return self.stripe.Subscription.create(customer=self.customer.id, items=[
            item if isinstance(item, dict) else {"price": item} for item in items], **more)

    def go(self, to):
        self.stripe.test_helpers.TestClock.advance(self.clock, frozen_time=at(to, self.zone))
        until(lambda: self.stripe.test_helpers.TestClock.retrieve(self.clock).status == "ready", "the clock")

    def invoices(self):
        """Oldest first: (status, total, due)."""
        return [(row.status, row.total, row.amount_due) for row in reversed(self.stripe.Invoice.list(customer=self.customer.id, limit=100).data)]

    def again(self, subscription):
        return self.stripe.Subscription.retrieve(subscription.id)


def test_a_subscription_is_paid_in_advance_month_after_month(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-01-31T10:00")
        sub = town.subscribe(town.price(1000), expand=["latest_invoice.payment_intent"])
        assert sub.status == "active" and sub.latest_invoice.status == "paid" and sub.latest_invoice.total == 1000
        assert sub.latest_invoice.payment_intent.status == "succeeded" and sub.latest_invoice.number.endswith("-0001")
        assert text(sub.current_period_end) == "2026-02-28T10:00"
        town.go("2026-04-01T00:00")
        sub = town.again(sub)
        assert (text(sub.current_period_start), text(sub.current_period_end)) == ("2026-03-31T10:00", "2026-04-30T10:00")
        assert town.invoices() == [("paid", 1000, 1000)] * 3
        numbers = [row.number for row in stripe.Invoice.list(customer=town.customer.id).data]
        assert [number[-4:] for number in numbers] == ["0003", "0002", "0001"]
        assert sum(shop.provider.taken(row.payment_intent) for row in stripe.Invoice.list(customer=town.customer.id).data) == 3000
        kinds = [event.type for event in stripe.Event.list(limit=100).data]
        assert kinds.count("invoice.paid") == 3 and "customer.subscription.created" in kinds
    assert shop.fsck() == {}


def test_a_renewal_falls_on_the_hour_of_the_customers_clock(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-03-15T00:00", zone="Europe/Berlin")
        sub = town.subscribe(town.price(900))
        town.go("2026-04-20T00:00")
        sub = town.again(sub)
        assert text(sub.current_period_start, "Europe/Berlin") == "2026-04-15T00:00"
        assert sub.current_period_start - sub.start_date == 31 * 86400 - 3600


def test_a_change_in_the_middle_is_paid_by_dates(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-04-01T10:00")
        small, large = town.price(1000), town.price(3000)
        sub = town.subscribe(small)
        town.go("2026-04-16T09:00")  # 15 of 30 dates are left
        stripe.Subscription.modify(sub.id, items=[{"id": sub["items"].data[0].id, "price": large}])
        waiting = stripe.InvoiceItem.list(customer=town.customer.id).data
        assert sorted(row.amount for row in waiting) == [-500, 1500] and all(row.proration for row in waiting)
        town.go("2026-05-02T00:00")
        assert town.invoices() == [("paid", 1000, 1000), ("paid", 4000, 4000)]
        lines = stripe.Invoice.list(customer=town.customer.id).data[0].lines.data
        assert sorted((line.amount, line.proration) for line in lines) == [(-500, True), (1500, True), (3000, False)]
        town.go("2026-05-31T23:00")  # the last date: one of 31 is left
        stripe.Subscription.modify(sub.id, items=[{"id": sub["items"].data[0].id, "price": small}], proration_behavior="always_invoice")
        assert town.invoices()[-1] == ("paid", -65, 0)  # round(1000/31) less round(3000/31): his credit
        town.go("2026-06-02T00:00")
        assert town.invoices()[-1] == ("paid", 1000, 935)
    assert shop.fsck() == {}


def test_cancelled_on_its_first_day_it_is_all_given_back(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2028-02-01T10:00")
        sub = town.subscribe({"price": town.price(2900), "quantity": 3})
        town.go("2028-02-01T20:00")
        gone = stripe.Subscription.delete(sub.id, prorate=True, invoice_now=True)
        assert gone.status == "canceled" and gone.ended_at
        assert town.invoices() == [("paid", 8700, 8700), ("paid", -8700, 0)]
        town.go("2028-05-01T00:00")
        assert len(town.invoices()) == 2
        with pytest.raises(stripe.error.InvalidRequestError):
            stripe.Subscription.modify(sub.id, cancel_at_period_end=True)
    assert shop.fsck() == {}


def test_a_trial_asks_for_nothing_and_then_for_all(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-01-15T00:00")
        sub = town.subscribe(town.price(700, interval="week"), trial_period_days=14)
        assert sub.status == "trialing" and town.invoices() == [("paid", 0, 0)]
        town.go("2026-01-29T02:00")
        sub = town.again(sub)
        assert sub.status == "active" and text(sub.current_period_end) == "2026-02-05T00:00"
        assert town.invoices() == [("paid", 0, 0), ("paid", 700, 700)]
        stripe.Subscription.modify(sub.id, cancel_at_period_end=True)
        town.go("2026-03-01T00:00")
        sub = town.again(sub)
        assert sub.status == "canceled" and text(sub.ended_at) == "2026-02-05T00:00"
        assert len(town.invoices()) == 2


def test_who_does_not_pay_is_asked_again_and_then_no_more(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-01-01T00:00")
        sub = town.subscribe(town.price(500))
        bad = stripe.PaymentMethod.attach("pm_card_chargeDeclined", customer=town.customer.id)
        stripe.Subscription.modify(sub.id, default_payment_method=bad.id)
        town.go("2026-02-01T02:00")
        latest = stripe.Invoice.list(customer=town.customer.id).data[0]
        assert town.again(sub).status == "past_due" and (latest.status, latest.attempt_count) == ("open", 1)
        assert latest.next_payment_attempt - latest.status_transitions.finalized_at == 3 * 86400
        town.go("2026-02-10T00:00")
        assert stripe.Invoice.retrieve(latest.id).attempt_count == 3
        good = stripe.PaymentMethod.attach("pm_card_mastercard", customer=town.customer.id)
        stripe.Subscription.modify(sub.id, default_payment_method=good.id)
        assert stripe.Invoice.pay(latest.id).status == "paid" and town.again(sub).status == "active"
        stripe.Subscription.modify(sub.id, default_payment_method=bad.id)
        town.go("2026-03-31T00:00")
        latest = stripe.Invoice.list(customer=town.customer.id).data[0]
        assert town.again(sub).status == "canceled" and latest.attempt_count == 4 and latest.status == "open"
        assert shop.fsck() == {}
        assert stripe.Invoice.mark_uncollectible(latest.id).status == "uncollectible"
    assert shop.fsck() == {}


def test_a_preview_is_what_is_billed_and_changes_nothing(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-04-01T10:00")
        small, large = town.price(1000), town.price(3000)
        sub = town.subscribe(small)
        town.go("2026-04-16T09:00")
        assert stripe.Invoice.upcoming(subscription=sub.id).total == 1000
        change = [{"id": sub["items"].data[0].id, "price": large}]
        seen = stripe.Invoice.upcoming(customer=town.customer.id, subscription=sub.id, subscription_items=change)
        yearly = [{"id": sub["items"].data[0].id, "price": town.price(9000, interval="year")}]
        assert stripe.Invoice.upcoming(subscription=sub.id, subscription_items=yearly).total == 8500
        newer = shop.form("/v1/invoices/create_preview", f"subscription={sub.id}&subscription_details[items][0][id]={change[0]['id']}"
                          f"&subscription_details[items][0][price]={large}")
        assert newer.json["total"] == seen.total == 4000
        assert not stripe.InvoiceItem.list(customer=town.customer.id).data and len(town.invoices()) == 1
        assert town.again(sub)["items"].data[0].price.id == small
        stripe.Subscription.modify(sub.id, items=change)
        town.go("2026-05-02T00:00")
        billed = stripe.Invoice.list(customer=town.customer.id).data[0]
        assert [line.amount for line in billed.lines.data] == [line.amount for line in seen.lines.data]
    assert shop.fsck() == {}


def test_npm_stripe_subscribes_changes_and_ends(shop):
    found = shop.node("billing")
    assert (found["status"], found["paid"], found["shop"], found["ended"], found["live"]) == ("active", "succeeded", "42", "canceled", 0)
    # changed on 1 March, of 28 February to 31 March: 30 of 31 dates are left
    assert found["lines"] == [-1935, 2903, 3000] and found["invoices"] == [["paid", 2000], ["paid", 2000], ["paid", 3968]]
    assert found["item"] and found["last"] == 0
    assert (found["none"]["status"], found["none"]["code"], found["none"]["param"]) == (404, "resource_missing", "items[0][price]")
    assert shop.fsck() == {}


def test_a_file_says_how_often_and_what_then(shop, tmp_path):
    service = Payments(tmp_path, f"sqlite:{tmp_path}/own.db", shop.provider, more=["billing: { retry_days: [ 1 ], end: unpaid, draft: 2h }"])
    try:
        with service.python() as stripe:
            town = Town(stripe, "2026-01-01T00:00")
            sub = town.subscribe(town.price(500))
            bad = stripe.PaymentMethod.attach("pm_card_chargeDeclined", customer=town.customer.id)
            stripe.Subscription.modify(sub.id, default_payment_method=bad.id)
            town.go("2026-02-01T01:00")
            assert town.invoices()[-1] == ("draft", 500, 500)
            town.go("2026-02-02T03:00")
            assert town.again(sub).status == "unpaid" and stripe.Invoice.list().data[0].attempt_count == 2
            town.go("2026-04-02T00:00")
            assert [row[0] for row in town.invoices()] == ["paid", "open", "draft", "draft"]
        assert service.fsck() == {}
    finally:
        service.finish()


def test_a_card_that_is_declined_at_once(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-01-01T00:00", card="pm_card_chargeDeclined")
        price = town.price(500)
        sub = town.subscribe(price)
        assert sub.status == "incomplete" and town.invoices() == [("open", 500, 500)]
        with pytest.raises(stripe.error.CardError):
            town.subscribe(price, payment_behavior="error_if_incomplete")
        town.go("2026-01-03T00:00")
        assert town.again(sub).status == "incomplete_expired" and town.invoices() == [("void", 500, 500)] * 2
    assert shop.fsck() == {}


def test_who_subscribes_confirms_by_himself(shop):
    """The intent of the first invoice is confirmed by the client: in that transaction all of it is paid."""
    with shop.python() as stripe:
        town = Town(stripe, "2026-01-01T00:00")
        sub = town.subscribe(town.price(500), payment_behavior="default_incomplete", expand=["latest_invoice.payment_intent"])
        intent = sub.latest_invoice.payment_intent
        assert (sub.status, sub.latest_invoice.status, intent.status) == ("incomplete", "open", "requires_payment_method")
        assert intent.client_secret and intent.amount == 500
        assert stripe.PaymentIntent.confirm(intent.id, payment_method="pm_card_visa").status == "succeeded"
        assert town.again(sub).status == "active" and stripe.Invoice.retrieve(sub.latest_invoice.id).payment_intent == intent.id
        assert town.invoices() == [("paid", 500, 500)]
        late = town.subscribe(town.price(900), payment_behavior="default_incomplete", expand=["latest_invoice"])
        town.go("2026-01-03T00:00")
        assert town.again(late).status == "incomplete_expired"
        stripe.PaymentIntent.confirm(late.latest_invoice.payment_intent, payment_method="pm_card_visa")  # too late: it is a credit
        other = town.subscribe(town.price(1000), expand=["latest_invoice"])
        assert (other.latest_invoice.starting_balance, other.latest_invoice.amount_due) == (-900, 100)
    assert shop.fsck() == {}


def test_the_same_key_makes_one_subscription(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-01-01T00:00")
        price = town.price(500)
        first, second = (town.subscribe(price, idempotency_key=f"sub-{town.clock}") for _ in range(2))
        assert first.id == second.id and town.invoices() == [("paid", 500, 500)]


def test_invoices_by_hand(shop):
    with shop.python() as stripe:
        customer = stripe.Customer.create(email="bob@shop.test", payment_method="pm_card_visa")
        stripe.InvoiceItem.create(customer=customer.id, amount=1500, currency="eur", description="work")
        waits = stripe.InvoiceItem.create(customer=customer.id, amount=-300, currency="eur", description="as agreed")
        gone = stripe.InvoiceItem.create(customer=customer.id, amount=5, currency="eur")
        assert gone.delete().deleted
        invoice = stripe.Invoice.create(customer=customer.id, currency="eur")
        assert (invoice.status, invoice.total, invoice.lines.total_count) == ("draft", 1200, 2) and not invoice.number
        with pytest.raises(stripe.error.InvalidRequestError):
            stripe.InvoiceItem.delete(waits.id) if hasattr(stripe.InvoiceItem, "delete_") else waits.delete()
        invoice = stripe.Invoice.finalize_invoice(invoice.id)
        assert invoice.status == "open"
        paid = stripe.Invoice.pay(invoice.id, expand=["payment_intent"])
        assert paid.status == "paid" and paid.payment_intent.amount == 1200
        with pytest.raises(stripe.error.InvalidRequestError):
            stripe.Invoice.void_invoice(invoice.id)
        stripe.InvoiceItem.create(customer=customer.id, amount=100, currency="eur")
        outside = stripe.Invoice.create(customer=customer.id, currency="eur", collection_method="send_invoice", days_until_due=14)
        assert stripe.Invoice.pay(outside.id, paid_out_of_band=True).paid_out_of_band
        draft = stripe.Invoice.create(customer=customer.id, currency="eur")
        assert draft.delete().deleted
    assert shop.fsck() == {}


def test_products_and_prices(shop):
    with shop.python() as stripe:
        product = stripe.Product.create(name="Tea", metadata={"kind": "green"}, default_price_data={"currency": "jpy", "unit_amount": 900})
        price = stripe.Price.retrieve(product.default_price)
        assert (price.unit_amount, price.currency, price.type) == (900, "jpy", "one_time")
        assert stripe.Product.modify(product.id, name="Green tea", active=False).active is False
        with pytest.raises(stripe.error.InvalidRequestError):
            product.delete()
        named = stripe.Price.create(product=product.id, currency="eur", unit_amount=5, lookup_key="tea-eur", recurring={"interval": "year"})
        assert [row.id for row in stripe.Price.list(lookup_keys=["tea-eur"]).data] == [named.id]
        with pytest.raises(stripe.error.InvalidRequestError) as wrong:
            stripe.Price.create(product=product.id, currency="xxx", unit_amount=5)
        assert wrong.value.param == "currency"
        assert stripe.Price.modify(named.id, active=False, nickname="old").nickname == "old"


def test_a_year_of_daily_bills_has_each_day_once(shop):
    """Each date is invoiced once, whatever the clocks do."""
    with shop.python() as stripe:
        town = Town(stripe, "2026-03-01T02:30", zone="Europe/Berlin")
        sub = town.subscribe(town.price(1, interval="day"))
        days = 45
        town.go("2026-04-14T12:00")
        seen = [row.lines.data[0].period.start for row in stripe.Invoice.list(customer=town.customer.id, limit=100).data]
        assert len(seen) == len(set(seen)) == days
        dates = {text(moment, "Europe/Berlin")[:10] for moment in seen}
        assert len(dates) == days and calendar.monthrange(2026, 3)[1] == sum(date.startswith("2026-03") for date in dates)
        stripe.Subscription.delete(sub.id)
    assert shop.fsck() == {}


def test_the_judge_sees_what_is_wrong_with_invoices(shop):
    """And so can fail."""
    with shop.python() as stripe:
        customer = stripe.Customer.create(email="eve@shop.test", payment_method="pm_card_visa")
        stripe.InvoiceItem.create(customer=customer.id, amount=700, currency="eur")
        number = stripe.Invoice.finalize_invoice(stripe.Invoice.create(customer=customer.id, currency="eur").id).number
    for change, back, wrong in (
            ("total = total + 1", "total = total - 1", {"billing.lines"}),
            ("due = due + 1", "due = due - 1", {"billing.receivable"}),
            ("status = 'paid', paid = due", "status = 'open', paid = 0", {"billing.receivable", "billing.paid"})):
        shop.sql(f"update invoices set {change} where number = ?", number)
        assert set(shop.fsck()) == wrong
        shop.sql(f"update invoices set {back} where number = ?", number)
    shop.sql("update billing_customers set balance = balance - 5 where currency = 'eur'")
    assert set(shop.fsck()) == {"billing.credits"}
    shop.sql("update billing_customers set balance = balance + 5 where currency = 'eur'")
    assert shop.fsck() == {}
