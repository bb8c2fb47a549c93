// SPDX-License-Identifier: Apache-2.0
// A relying party, by npm openid-client. One JSON object a line goes in and one comes out: { do: "begin", ... } first.
import * as client from "openid-client";
import { createInterface } from "node:readline";
import { importJWK } from "jose";

let config, flow = {};

async function proofOf({ method, secret, key }) {
	if (method === "none") return client.None();
	if (method === "client_secret_post") return client.ClientSecretPost(secret);
	if (method === "private_key_jwt") return client.PrivateKeyJwt({ key: await importJWK(key, key.alg), kid: key.kid });
	return client.ClientSecretBasic(secret);
}

const plain = (tokens) => ({ ...tokens, claims: tokens.claims?.() });

const verbs = {
	async begin({ issuer, id, proof, alg }) {
		config = await client.discovery(new URL(issuer), id, { id_token_signed_response_alg: alg ?? "ES256" }, await proofOf(proof),
			{ execute: [client.allowInsecureRequests] });
		return config.serverMetadata();
	},
	async ask({ redirect, scope, ...more }) {
		const verifier = client.randomPKCECodeVerifier();
		flow = { verifier, state: client.randomState(), nonce: client.randomNonce() };
		const url = client.buildAuthorizationUrl(config, { redirect_uri: redirect, scope, state: flow.state, nonce: flow.nonce,
			code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", ...more });
		return { url: url.href };
	},
	async answer({ url, maxAge }) {
		return plain(await client.authorizationCodeGrant(config, new URL(url), { pkceCodeVerifier: flow.verifier,
			expectedState: flow.state, expectedNonce: flow.nonce, idTokenExpected: true, maxAge }));
	},
	async refresh({ token }) { return plain(await client.refreshTokenGrant(config, token)); },
	async own({ scope }) { return plain(await client.clientCredentialsGrant(config, { scope })); },
	async userinfo({ token, subject }) { return client.fetchUserInfo(config, token, subject); },
	async introspect({ token }) { return client.tokenIntrospection(config, token); },
	async revoke({ token }) { await client.tokenRevocation(config, token); return {}; },
	async leave({ hint, redirect }) {
		return { url: client.buildEndSessionUrl(config, { id_token_hint: hint, post_logout_redirect_uri: redirect, state: "over" }).href };
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const { do: verb, ...about } = JSON.parse(line);
	let said;
	try {
		said = { ok: await verbs[verb](about) };
	} catch (error) {
		said = { error: error.error ?? error.code ?? error.name, text: String(error.error_description ?? error.cause ?? error.message), status: error.status };
	}
	console.log(JSON.stringify(said));
}
