// Signs in to a running Octroi with openid-client as it comes from npm: discovery, code with PKCE, refresh, userinfo,
// introspection, revocation, logout; then the same with private_key_jwt, pushed requests and DPoP; then registration.
// Says what it did as one line of JSON, and ends with a status other than 0 when anything is not as the client expects.
import * as client from "openid-client";
import assert from "node:assert/strict";
import { callback, create, email, person, portal, post } from "./person.mjs";

const issuer = new URL(portal);
const insecure = { execute: [client.allowInsecureRequests] };
const done = [];

async function signIn(config, parameters, options = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const asked = {
    redirect_uri: callback, scope: "openid email profile offline_access", state: expectedState, nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256", ...parameters,
  };
  const address = options.push
    ? await client.buildAuthorizationUrlWithPAR(config, asked, options.dpop && { DPoP: options.dpop })
    : client.buildAuthorizationUrl(config, asked);
  const back = await person.follow(address.href);
  return client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }, undefined,
    options.dpop && { DPoP: options.dpop });
}

// 1. A client with a secret, by the header and in the body.
for (const [method, auth] of [["client_secret_basic", client.ClientSecretBasic], ["client_secret_post", client.ClientSecretPost]]) {
  const made = await create({ token_endpoint_auth_method: method, grant_types: ["authorization_code", "refresh_token"], id_token_signed_response_alg: "RS256" });
  const config = await client.discovery(issuer, made.client_id, { id_token_signed_response_alg: "RS256" }, auth(made.client_secret), insecure);
  client.enableNonRepudiationChecks(config);
  const tokens = await signIn(config, {});
  const subject = tokens.claims().sub;
  const told = await client.fetchUserInfo(config, tokens.access_token, subject);
  assert.equal(told.email, email);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(refreshed.claims().sub, subject);
  assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, true);
  await client.tokenRevocation(config, refreshed.refresh_token);
  assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, false);
  done.push(method);
}

// 2. Pushed requests, private_key_jwt and DPoP; userinfo signed.
{
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const jwk = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const made = await create({
    token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, kid: "one", alg: "ES256", use: "sig" }] },
    grant_types: ["authorization_code", "refresh_token"], require_pushed_authorization_requests: true, dpop_bound_access_tokens: true,
    userinfo_signed_response_alg: "ES256",
  });
  const metadata = { id_token_signed_response_alg: "ES256", userinfo_signed_response_alg: "ES256" };
  const auth = client.PrivateKeyJwt({ key: keys.privateKey, kid: "one" });
  const config = await client.discovery(issuer, made.client_id, metadata, auth, insecure);
  const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
  const tokens = await signIn(config, {}, { push: true, dpop });
  assert.equal(tokens.token_type, "dpop");
  const told = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP: dpop });
  assert.equal(told.aud, made.client_id);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: dpop });
  assert.equal(refreshed.token_type, "dpop");
  done.push("private_key_jwt+par+dpop");
}

// 3. A public client, its tokens bound by DPoP.
{
  const made = await create({ token_endpoint_auth_method: "none", grant_types: ["authorization_code", "refresh_token"], application_type: "native" });
  const config = await client.discovery(issuer, made.client_id, { id_token_signed_response_alg: "ES256" }, client.None(), insecure);
  const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
  const tokens = await signIn(config, {}, { dpop });
  await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: dpop });
  done.push("none+pkce+dpop");
}

// 4. A machine.
{
  const made = await create({ grant_types: ["client_credentials"], redirect_uris: [], scope: "read" });
  const config = await client.discovery(issuer, made.client_id, undefined, client.ClientSecretBasic(made.client_secret), insecure);
  const tokens = await client.clientCredentialsGrant(config, { scope: "read" });
  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).scope, "read");
  done.push("client_credentials");
}

// 5. Registered by itself, EdDSA; and out again.
{
  const initialAccessToken = (await post("/api/v1/initial-access-tokens", { label: "openid-client" })).token;
  const metadata = { client_name: "registered", redirect_uris: [callback], post_logout_redirect_uris: [callback], id_token_signed_response_alg: "EdDSA" };
  const config = await client.dynamicClientRegistration(issuer, metadata, undefined, { initialAccessToken, ...insecure });
  const tokens = await signIn(config, { scope: "openid" });
  const out = client.buildEndSessionUrl(config, { post_logout_redirect_uri: callback, id_token_hint: tokens.id_token, state: "bye" });
  assert.equal((await person.follow(out.href)).searchParams.get("state"), "bye");
  const silent = await person.follow(client.buildAuthorizationUrl(config, { redirect_uri: callback, scope: "openid", prompt: "none" }).href);
  assert.equal(silent.searchParams.get("error"), "login_required");
  done.push("registration+logout");
}

console.log(JSON.stringify(done));
