// SPDX-License-Identifier: Apache-2.0
// A page of a site that includes the script of a server: node page.mjs SERVER DOMAIN [ignore]. Goes to two paths, tells of a sale, and
// prints what the server answered to each.
import vm from "node:vm";

const [server, domain, ignore] = process.argv.slice(2);
const answer = await fetch(`${server}/js/script.js`);
const source = await answer.text();
const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0";
const location = new URL(`https://${domain}/first?utm_source=letter`);
const said = [];
const asked = [];
const window = {
	banyan: Object.assign((...call) => window.banyan.q.push(call), { q: [["early"]] }),
	localStorage: { banyan_ignore: ignore },
	history: { pushState: (_state, _title, path) => { location.pathname = path; } },
	addEventListener: () => {},
};
const attributes = { "data-domain": domain };
const document = {
	currentScript: { src: `${server}/js/script.js`, getAttribute: (name) => attributes[name] ?? null, hasAttribute: (name) => name in attributes },
	referrer: "https://search.example/find",
	visibilityState: "visible",
};
const sent = (url, options) => {
	const one = fetch(url, { ...options, headers: { ...options.headers, "User-Agent": agent } });
	asked.push(one.then((got) => said.push(got.status)));
	return one;
};
vm.runInNewContext(source, { window, document, location, URL, JSON, fetch: sent });
window.history.pushState(null, "", "/second");
window.history.pushState(null, "", "/second");
await new Promise((resolve) => window.banyan("paid", { props: { plan: "pro" }, revenue: { currency: "EUR", amount: 12.5 }, callback: resolve }));
await Promise.all(asked);
console.log(JSON.stringify({ bytes: Buffer.byteLength(source), said }));
