// Signs in to a running Octroi with other clients from npm, as they come: openid-client 5 (the one of most programs of
// today), oauth4webapi, passport-openidconnect, and Auth.js. Says what it did as one line of JSON.
import { Auth } from "@auth/core";
import * as oauth from "oauth4webapi";
import { Issuer, generators } from "openid-client-5";
import Strategy from "passport-openidconnect";
import assert from "node:assert/strict";
import { Browser, callback, create, email, person, portal } from "./person.mjs";

const done = [];

// 1. openid-client 5: code with PKCE in each signature algorithm, refresh, userinfo in JSON and signed, introspection,
// revocation, private_key_jwt, pushed request, DPoP, logout.
{
  const issuer = await Issuer.discover(portal);
  for (const alg of ["RS256", "ES256", "EdDSA"]) {
    const made = await create({
      token_endpoint_auth_method: "client_secret_post", grant_types: ["authorization_code", "refresh_token"], id_token_signed_response_alg: alg,
      ...(alg === "EdDSA" ? {} : { userinfo_signed_response_alg: alg }),
    });
    const rp = new issuer.Client({
      client_id: made.client_id, client_secret: made.client_secret, token_endpoint_auth_method: "client_secret_post", redirect_uris: [callback],
      response_types: ["code"], id_token_signed_response_alg: alg, ...(alg === "EdDSA" ? {} : { userinfo_signed_response_alg: alg }),
    });
    const [state, nonce, code_verifier] = [generators.state(), generators.nonce(), generators.codeVerifier()];
    const address = rp.authorizationUrl({
      scope: "openid email profile organizations offline_access", state, nonce, max_age: 3600, code_challenge: generators.codeChallenge(code_verifier),
      code_challenge_method: "S256", claims: { id_token: { email: { essential: true } } },
    });
    const back = rp.callbackParams((await person.follow(address)).href);
    const tokens = await rp.callback(callback, back, { state, nonce, code_verifier, max_age: 3600, response_type: "code" });
    assert.equal(tokens.claims().email, email);
    const told = await rp.userinfo(tokens);
    assert.equal(told.email, email);
    assert.ok(Array.isArray(told.organizations));
    const refreshed = await rp.refresh(tokens);
    assert.equal((await rp.introspect(refreshed.access_token)).active, true);
    await rp.revoke(refreshed.refresh_token);
    assert.equal((await rp.introspect(refreshed.access_token)).active, false);
    await assert.rejects(rp.refresh(refreshed), /invalid_grant/);
  }
  done.push("openid-client 5");
}
{
  const issuer = await Issuer.discover(portal);
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const pick = ({ kty, crv, x, y, d }) => ({ kty, crv, x, y, d, kid: "five", alg: "ES256", use: "sig" });
  const [open, secret] = [pick(await crypto.subtle.exportKey("jwk", publicKey)), pick(await crypto.subtle.exportKey("jwk", privateKey))];
  const made = await create({
    token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [open] }, require_pushed_authorization_requests: true,
    grant_types: ["authorization_code", "refresh_token"], dpop_bound_access_tokens: true, id_token_signed_response_alg: "ES256",
  });
  const rp = new issuer.Client({
    client_id: made.client_id, token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: "ES256", redirect_uris: [callback],
    response_types: ["code"], id_token_signed_response_alg: "ES256", dpop_bound_access_tokens: true,
  }, { keys: [secret] });
  const DPoP = (await import("node:crypto")).generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const [state, nonce, code_verifier] = [generators.state(), generators.nonce(), generators.codeVerifier()];
  const asked = { scope: "openid email offline_access", state, nonce, code_challenge: generators.codeChallenge(code_verifier), code_challenge_method: "S256" };
  const pushed = await rp.pushedAuthorizationRequest({ ...asked, redirect_uri: callback, response_type: "code" }, { DPoP });
  const back = rp.callbackParams((await person.follow(rp.authorizationUrl({ request_uri: pushed.request_uri, scope: undefined, redirect_uri: undefined, response_type: undefined }))).href);
  const tokens = await rp.callback(callback, back, { state, nonce, code_verifier, response_type: "code" }, { DPoP });
  assert.equal((await rp.userinfo(tokens, { DPoP })).email, email);
  assert.equal((await rp.refresh(tokens, { DPoP })).token_type, "DPoP");
  done.push("openid-client 5: private_key_jwt+par+dpop");
}

// 2. oauth4webapi: every check of the answers by hand, as libraries above it do.
{
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(portal);
  for (const algorithm of ["oidc", "oauth2"]) {
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
    const made = await create({ token_endpoint_auth_method: "client_secret_basic", grant_types: ["authorization_code", "refresh_token", "client_credentials"], id_token_signed_response_alg: "ES256" });
    const rp = { client_id: made.client_id, id_token_signed_response_alg: "ES256", userinfo_signed_response_alg: undefined };
    const auth = oauth.ClientSecretBasic(made.client_secret);
    const [state, nonce, verifier] = [oauth.generateRandomState(), oauth.generateRandomNonce(), oauth.generateRandomCodeVerifier()];
    const address = new URL(as.authorization_endpoint);
    const asked = { client_id: rp.client_id, redirect_uri: callback, response_type: "code", scope: "openid email", state, nonce, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" };
    for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
    const back = oauth.validateAuthResponse(as, rp, await person.follow(address.href), state);
    const answer = await oauth.authorizationCodeGrantRequest(as, rp, auth, back, callback, verifier, insecure);
    const tokens = await oauth.processAuthorizationCodeResponse(as, rp, answer, { expectedNonce: nonce, requireIdToken: true });
    const subject = oauth.getValidatedIdTokenClaims(tokens).sub;
    const told = await oauth.processUserInfoResponse(as, rp, subject, await oauth.userInfoRequest(as, rp, tokens.access_token, insecure));
    assert.equal(told.email, email);
    const refreshed = await oauth.processRefreshTokenResponse(as, rp, await oauth.refreshTokenGrantRequest(as, rp, auth, tokens.refresh_token, insecure));
    const signed = { ...insecure, requestJwtResponse: true };
    const looked = await oauth.processIntrospectionResponse(as, rp, await oauth.introspectionRequest(as, rp, auth, refreshed.access_token, signed));
    assert.equal(looked.active, true);
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, rp, auth, refreshed.access_token, insecure));
    await assert.rejects(async () => oauth.processUserInfoResponse(as, rp, subject, await oauth.userInfoRequest(as, rp, refreshed.access_token, insecure)));
    // Our access tokens, as an API would check them (RFC 9068).
    const api = await create({ grant_types: ["client_credentials"], redirect_uris: [], scope: "read" }, { serves: `https://${algorithm}.api.example` });
    const own = await oauth.processClientCredentialsResponse(as, api, await oauth.clientCredentialsGrantRequest(as, { client_id: api.client_id }, oauth.ClientSecretBasic(api.client_secret), { scope: "read", resource: `https://${algorithm}.api.example` }, insecure));
    const request = new Request("https://api.example/", { headers: { authorization: `Bearer ${own.access_token}` } });
    assert.equal((await oauth.validateJwtAccessToken(as, request, `https://${algorithm}.api.example`, insecure)).client_id, api.client_id);
  }
  done.push("oauth4webapi");
}

// 3. passport-openidconnect: endpoints by hand, nothing of PKCE.
{
  const made = await create({ token_endpoint_auth_method: "client_secret_post" });
  for (const secret of [made.client_secret, undefined]) {
    const options = {
      issuer: portal, authorizationURL: `${portal}/oauth/authorize`, tokenURL: `${portal}/oauth/token`, userInfoURL: `${portal}/oauth/userinfo`,
      clientID: made.client_id, clientSecret: secret ?? "not the secret of this client, but another one", callbackURL: callback, scope: ["email", "profile"],
      skipUserProfile: false,
    };
    const session = {};
    const act = (query) => new Promise((resolve) => {
      const strategy = new Strategy(options, (issuer, profile, ok) => ok(null, profile));
      Object.assign(strategy, { redirect: (to) => resolve({ to }), success: (user) => resolve({ user }), fail: (why) => resolve({ why }), error: (why) => resolve({ why }) });
      strategy.authenticate({ query, body: {}, session, headers: {}, connection: {} }, {});
    });
    const back = await person.follow((await act({})).to);
    const { user, why } = await act(Object.fromEntries(back.searchParams));
    if (secret) assert.equal(user?.emails?.[0]?.value, email, String(why));
    else assert.ok(why);
  }
  done.push("passport-openidconnect");
}

// 4. Auth.js (next-auth): discovery, PKCE, state and nonce, HTTP Basic; it asks userinfo where it is told `idToken: false`
// (what scopes give is told there, OpenID Connect Core section 5.4).
{
  const site = "http://127.0.0.1:9";
  const made = await create({ redirect_uris: [`${site}/auth/callback/octroi`] });
  const config = {
    basePath: "/auth", trustHost: true, secret: "a secret of the test", checks: [],
    providers: [{ id: "octroi", name: "Octroi", type: "oidc", idToken: false, issuer: portal, clientId: made.client_id, clientSecret: made.client_secret, checks: ["pkce", "state", "nonce"] }],
    logger: { error: (why) => { throw why; } },
  };
  const kept = new Map();
  const call = async (address, body) => {
    const cookie = [...kept].map((pair) => pair.join("=")).join("; ");
    const headers = { cookie, ...(body && { "content-type": "application/x-www-form-urlencoded" }) };
    const answer = await Auth(new Request(address, { method: body ? "POST" : "GET", headers, body: body && new URLSearchParams(body) }), config);
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(";");
      kept.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    return answer;
  };
  const { csrfToken } = await (await call(`${site}/auth/csrf`)).json();
  const begun = await call(`${site}/auth/signin/octroi`, { csrfToken, callbackUrl: `${site}/in` });
  const back = await person.follow(begun.headers.get("location"));
  const ended = await call(back.href);
  assert.equal(ended.headers.get("location"), `${site}/in`);
  assert.equal((await (await call(`${site}/auth/session`)).json()).user.email, email);
  done.push("auth.js");
}

console.log(JSON.stringify(done));
