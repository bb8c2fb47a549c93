// SPDX-License-Identifier: Apache-2.0
// Webhooks as their receivers check them: `node signatures.mjs SECRET` with [{body, headers}] on stdin.
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";

const secret = process.argv[2];
const stripe = new Stripe("sk_test_nobody");
const lower = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function said(check) {
  try {
    return check().type;
  } catch (error) {
    return `${error.constructor.name}: ${error.message}`;
  }
}

console.log(JSON.stringify(JSON.parse(await text(process.stdin)).map(({ body, headers }) => [
  said(() => stripe.webhooks.constructEvent(body, lower(headers)["stripe-signature"], secret)),
  said(() => new Webhook(secret).verify(body, lower(headers))),
])));
