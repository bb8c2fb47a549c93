// SPDX-License-Identifier: Apache-2.0
// The other side of push messages and SMS: Apple, Google, a browser's push service and Twilio, each as far as a sender can see, on
// one port (HTTP/2 and 1.1). One JSON object a line goes in and one comes out; npm web-push is the judge of what was sealed, and
// makes messages for comparison; @parse/node-apn sends beside us.
import { createECDH, createPublicKey, randomBytes, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const ece = require("http_ece"), webpush = require("web-push"), apn = require("@parse/node-apn");

const seen = [], plans = new Map(), browsers = new Map();

function answerTo(path) {
	for (const [prefix, answers] of plans)
		if (path.startsWith(prefix) && answers.length) return answers.shift();
	if (path.startsWith("/3/device/")) return { status: 200 };
	if (path === "/token") return { status: 200, json: { access_token: `google-${seen.length}`, expires_in: 3600 } };
	if (path.startsWith("/v1/projects/")) return { status: 200, json: { name: "projects/plays/messages/1" } };
	if (path.startsWith("/push/")) return { status: 201, headers: { location: `https://push.test/m/${seen.length}` } };
	return { status: 201, json: { sid: `SM${seen.length}`, status: "queued" } };
}

/* VAPID as RFC 8292 wants it: whose key, for which origin, until when. */
function vapidOf(header) {
	const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(header ?? "") ?? [];
	if (!token) return null;
	const [head, claims, signature] = token.split(".");
	const point = Buffer.from(key, "base64url");
	const jwk = { kty: "EC", crv: "P-256", x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") };
	return { ...JSON.parse(Buffer.from(claims, "base64url")), head: JSON.parse(Buffer.from(head, "base64url")), key,
		good: verify("sha256", `${head}.${claims}`, { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
			Buffer.from(signature, "base64url")) };
}

function openSealed(path, body) {
	const browser = browsers.get(path.slice("/push/".length));
	return browser && ece.decrypt(body, { version: "aes128gcm", privateKey: browser.ecdh, authSecret: browser.auth.toString("base64url") }).toString();
}

function take(request, response, body) {
	const told = { path: request.url, method: request.method, headers: request.headers, version: request.httpVersion, connection: request.stream?.session?.plays };
	if (request.url.startsWith("/push/")) {
		told.vapid = vapidOf(request.headers.authorization);
		told.bytes = body.length;
		told.text = openSealed(request.url, body);
	} else {
		told.text = body.toString();
	}
	seen.push(told);
	const answer = answerTo(request.url);
	if (answer.drop) return void (request.stream?.session ?? request.socket).destroy();
	response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
	response.end(answer.json ? JSON.stringify(answer.json) : "");
}

let sessions = 0;
const verbs = {
	begin: ({ cert, key }) => new Promise((done) => {
		const server = http2.createSecureServer({ cert: readFileSync(cert), key: readFileSync(key), allowHTTP1: true });
		server.on("session", (session) => { session.plays = ++sessions; session.on("error", () => {}); });
		server.on("request", (request, response) => {
			const pieces = [];
			request.on("data", (piece) => pieces.push(piece));
			request.on("end", () => take(request, response, Buffer.concat(pieces)));
		});
		server.listen(0, "127.0.0.1", () => done({ port: server.address().port }));
	}),
	plan: ({ path, answers }) => (plans.set(path, answers), {}),
	seen: () => seen.splice(0),
	browser: ({ name }) => {
		const ecdh = createECDH("prime256v1"), auth = randomBytes(16);
		ecdh.generateKeys();
		browsers.set(name, { ecdh, auth });
		return { p256dh: ecdh.getPublicKey("base64url"), auth: auth.toString("base64url") };
	},
	/* What npm web-push seals for that browser, opened as ours are. */
	theirs: async ({ name, text, subject, keys }) => {
		const { ecdh, auth } = browsers.get(name);
		const details = webpush.generateRequestDetails({ endpoint: `https://push.test/push/${name}`, keys: { p256dh: ecdh.getPublicKey("base64url"),
			auth: auth.toString("base64url") } }, text, { vapidDetails: { subject, publicKey: keys.public, privateKey: keys.private } });
		return { text: openSealed(`/push/${name}`, details.body), headers: Object.keys(details.headers).map((one) => one.toLowerCase()).sort(),
			vapid: vapidOf(details.headers.Authorization) };
	},
	vapid: () => webpush.generateVAPIDKeys(),
	/* One message by @parse/node-apn. */
	apn: async ({ port, ca, key, keyId, teamId, topic, token }) => {
		const provider = new apn.Provider({ token: { key, keyId, teamId }, production: false, address: "127.0.0.1", port, ca: readFileSync(ca),
			rejectUnauthorized: false });
		const note = new apn.Notification({ alert: { title: "Paid", body: "7 EUR" }, topic, sound: "default", priority: 5 });
		const result = await provider.send(note, token);
		await provider.shutdown();
		return result;
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const { op, ...rest } = JSON.parse(line);
	try {
		console.log(JSON.stringify({ ok: await verbs[op](rest) }));
	} catch (error) {
		console.log(JSON.stringify({ error: String(error?.stack ?? error) }));
	}
}
process.exit(0);
