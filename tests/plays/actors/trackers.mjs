// SPDX-License-Identifier: Apache-2.0
// posthog-node and plausible-tracker as they are, with another host: node trackers.mjs SERVER KEY DOMAIN
import Plausible from "plausible-tracker";
import { PostHog } from "posthog-node";

const [server, key, domain] = process.argv.slice(2);
const hedgehog = new PostHog(key, { host: server, flushAt: 20 });
for (let n = 0; n < 50; n++)
	hedgehog.capture({ distinctId: `person ${n % 5}`, event: n % 10 ? "view" : "paid", properties: { n, plan: "pro" } });
hedgehog.identify({ distinctId: "person 0", properties: { $anon_distinct_id: "visitor 9" } });
hedgehog.alias({ distinctId: "person 0", alias: "person 1" });
await hedgehog.shutdown();

const answers = [];
globalThis.location = new URL(`https://${domain}/start`);
globalThis.document = { referrer: "" };
globalThis.window = globalThis;
globalThis.localStorage = { getItem: () => null };
globalThis.XMLHttpRequest = class {
	open(method, url) { this.method = method; this.url = url; this.headers = { "User-Agent": "Mozilla/5.0 (Macintosh) Safari/605.1" }; }
	setRequestHeader(name, value) { this.headers[name] = value; }
	send(body) {
		answers.push(fetch(this.url, { method: this.method, headers: this.headers, body }).then((got) => {
			this.readyState = 4;
			this.onreadystatechange();
			return got.status;
		}));
	}
};
const plausible = (Plausible.default ?? Plausible)({ domain, apiHost: server });
const called = new Promise((resolve) => plausible.trackEvent("sale", { callback: resolve, props: { size: "big" } }));
plausible.trackPageview();
await called;
console.log(JSON.stringify(await Promise.all(answers)));
