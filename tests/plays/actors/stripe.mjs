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
