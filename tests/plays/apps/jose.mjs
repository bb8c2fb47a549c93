// SPDX-License-Identifier: Apache-2.0
//
// npm's jose on the other end of a pipe: a JSON object a line in, one out. Keys stay here, by kid.
import * as jose from "jose";
import * as readline from "node:readline";

const keys = new Map();

const ops = {
	async key({ alg, kid }) {
		const pair = await jose.generateKeyPair(alg, { extractable: true });
		keys.set(kid, { alg, key: pair.privateKey });
		return { ...(await jose.exportJWK(pair.publicKey)), alg, kid, use: "sig" };
	},
	async secret({ alg, kid, text }) {
		keys.set(kid, { alg, key: new TextEncoder().encode(text) });
		return null;
	},
	async sign({ kid, claims, header }) {
		const { alg, key } = keys.get(kid);
		return new jose.SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(key);
	},
	async verify({ token, jwks, options }) {
		const found = await jose.jwtVerify(token, jose.createLocalJWKSet(jwks), options);
		return { claims: found.payload, header: found.protectedHeader };
	},
	async thumbprint({ jwk }) {
		return jose.calculateJwkThumbprint(jwk);
	},
};

for await (const line of readline.createInterface({ input: process.stdin })) {
	const { op, ...rest } = JSON.parse(line);
	let answer;
	try {
		answer = { ok: await ops[op](rest) };
	} catch (error) {
		answer = { error: `${error.code ?? error.name}: ${error.message}` };
	}
	process.stdout.write(JSON.stringify(answer) + "\n");
}
