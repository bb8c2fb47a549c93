// SPDX-License-Identifier: Apache-2.0
// npm stripe against our API: `node stripe.mjs PLAY HOST:PORT KEY`. What it found goes out as JSON.
import Stripe from "stripe";

const [play, address, key] = process.argv.slice(2);
const [host, port] = address.split(":");
const options = { host, port, protocol: "http", maxNetworkRetries: 0, telemetry: false };
const stripe = new Stripe(key, options);

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return { name: error.constructor.name, type: error.type, code: error.code, decline: error.decline_code, param: error.param,
      status: error.statusCode, request: Boolean(error.requestId), intent: error.payment_intent?.status };
  }
  throw new Error("nothing was refused");
}

const plays = {
  async journey() {
    const customer = await stripe.customers.create({ email: "ann@shop.test", name: "Ann", metadata: { shop: "42" } });
    const method = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
    const intent = await stripe.paymentIntents.create({ amount: 1999, currency: "eur", customer: customer.id, payment_method: method.id,
      confirm: true, metadata: { order: "7" }, automatic_payment_methods: { enabled: true }, expand: ["latest_charge", "customer"] });
    const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 500, reason: "requested_by_customer" });
    const held = await stripe.paymentIntents.create({ amount: 700, currency: "eur", payment_method: "pm_card_mastercard", confirm: true,
      capture_method: "manual" });
    const captured = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 600 });
    const other = await stripe.paymentIntents.create({ amount: 700, currency: "jpy" });
    const updated = await stripe.paymentIntents.update(other.id, { amount: 800, description: "tea" });
    const canceled = await stripe.paymentIntents.cancel(other.id, { cancellation_reason: "abandoned" });
    const pages = [];
    for await (const event of stripe.events.list({ limit: 3 })) pages.push(event.type);
    const charges = await stripe.charges.list({ payment_intent: intent.id });
    const balance = await stripe.balanceTransactions.list({ limit: 2 });
    return { intent: intent.status, order: intent.metadata.order, card: intent.latest_charge.status, name: intent.customer.name,
      refund: refund.status, held: held.status, holds: held.amount_capturable, captured: [captured.status, captured.amount_received],
      updated: updated.amount, canceled: [canceled.status, canceled.cancellation_reason],
      events: pages.length, kinds: [...new Set(pages)].sort(), refunded: charges.data[0].amount_refunded, more: balance.has_more,
      net: balance.data.map((row) => row.net), request: intent.lastResponse.requestId.length > 0, brand: method.card.brand,
      gone: (await stripe.customers.del(customer.id)).deleted };
  },
  async billing() {
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: Date.UTC(2026, 0, 31, 10) / 1000, name: "a town" });
    const customer = await stripe.customers.create({ email: "ann@shop.test", test_clock: clock.id, payment_method: "pm_card_visa" });
    const product = await stripe.products.create({ name: "Plan", default_price_data: { currency: "eur", unit_amount: 1000,
      recurring: { interval: "month" } } });
    const large = await stripe.prices.create({ product: product.id, currency: "eur", unit_amount: 3000, recurring: { interval: "month" } });
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: product.default_price, quantity: 2 }],
      metadata: { shop: "42" }, expand: ["latest_invoice.payment_intent"] });
    const go = async (to) => {
      let at = await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: to / 1000 });
      while (at.status !== "ready") at = await stripe.testHelpers.testClocks.retrieve(clock.id);
    };
    await go(Date.UTC(2026, 2, 1));
    await stripe.subscriptions.update(subscription.id, { items: [{ id: subscription.items.data[0].id, price: large.id, quantity: 1 }] });
    await go(Date.UTC(2026, 3, 1));
    const invoices = [];
    for await (const row of stripe.invoices.list({ customer: customer.id, limit: 2 })) invoices.unshift([row.status, row.total]);
    const lines = await stripe.invoices.listLineItems((await stripe.invoices.list({ limit: 1 })).data[0].id);
    const ended = await stripe.subscriptions.cancel(subscription.id, { prorate: true, invoice_now: true });
    const items = await stripe.subscriptionItems.list({ subscription: subscription.id });
    return { status: subscription.status, paid: subscription.latest_invoice.payment_intent.status, shop: subscription.metadata.shop, invoices,
      lines: lines.data.map((line) => line.amount).sort((x, y) => x - y), ended: ended.status, item: items.data[0].price.id === large.id,
      last: (await stripe.invoices.list({ customer: customer.id, limit: 1 })).data[0].amount_due,
      live: (await stripe.subscriptions.list({ customer: customer.id })).data.length,
      none: await refused(stripe.subscriptions.create({ customer: customer.id, items: [{ price: "price_1" }] })) };
  },
  async refusals() {
    const stranger = new Stripe("sk_test_nobody", options);
    const twice = { idempotencyKey: `twice-${Date.now()}` };
    await stripe.customers.create({ name: "Ann" }, twice);
    return {
      declined: await refused(stripe.paymentIntents.create({ amount: 500, currency: "eur", confirm: true,
        payment_method: "pm_card_chargeDeclinedInsufficientFunds" })),
      missing: await refused(stripe.paymentIntents.create({ currency: "eur" })),
      unknown: await refused(stripe.paymentIntents.create({ amount: 500, currency: "eur", colour: "red" })),
      nobody: await refused(stranger.customers.list()),
      none: await refused(stripe.customers.retrieve("cus_1")),
      other: await refused(stripe.customers.create({ name: "Bob" }, twice)),
      number: await refused(stripe.paymentMethods.create({ type: "card", card: { number: "4242424242424242", exp_month: 1, exp_year: 2030, cvc: "123" } })),
    };
  },
};

console.log(JSON.stringify(await plays[play]()));
