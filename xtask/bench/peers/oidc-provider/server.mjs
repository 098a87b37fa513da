// npm's oidc-provider, set up like Octroi's clients in `cargo xtask bench identity`: ES256, JWT access tokens by resource
// indicators (opaque ones for the client that introspects: it does not look into its own JWTs), refresh tokens that rotate,
// consent given, passwords kept by bcryptjs. State is in memory and never thrown away, which favours it: Octroi's is on the disk.
//   node server.mjs PORT SECRET
import { generateKeyPairSync, randomBytes } from "node:crypto";

import bcrypt from "bcryptjs";
import Provider from "oidc-provider";

const [port, secret] = [Number(process.argv[2]), process.argv[3]];
const password = bcrypt.hashSync(secret, 10);
const kept = new Map();

class Memory {
  constructor(model) { this.model = model; }
  key(id) { return `${this.model}:${id}`; }
  async upsert(id, payload) {
    kept.set(this.key(id), payload);
    if (payload.uid) kept.set(`uid:${payload.uid}`, payload);
    if (payload.grantId) {
      const of = kept.get(`grant:${payload.grantId}`) ?? [];
      kept.set(`grant:${payload.grantId}`, of);
      of.push(this.key(id));
    }
  }
  async find(id) { return kept.get(this.key(id)); }
  async findByUid(uid) { return kept.get(`uid:${uid}`); }
  async findByUserCode() { return undefined; }
  async destroy(id) { kept.delete(this.key(id)); }
  async consume(id) { kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async revokeByGrantId(grant) {
    for (const key of kept.get(`grant:${grant}`) ?? []) kept.delete(key);
    kept.delete(`grant:${grant}`);
  }
}

const client = (id, more) => ({
  client_id: id, client_secret: secret, token_endpoint_auth_method: "client_secret_basic", id_token_signed_response_alg: "ES256",
  redirect_uris: [], response_types: [], ...more,
});
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const provider = new Provider(`http://localhost:${port}`, {
  adapter: Memory,
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "one" }] },
  clients: [
    client("machine", { grant_types: ["client_credentials"], scope: "read" }),
    client("opaque", { grant_types: ["client_credentials"], scope: "read" }),
    client("site", { grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], redirect_uris: ["http://127.0.0.1:9/cb"] }),
  ],
  scopes: ["openid", "email", "offline_access", "read"],
  claims: { openid: ["sub"], email: ["email"] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, { clientId }) => (clientId === "opaque" ? undefined : "https://api.bench.example"),
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: "read", accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } }),
    },
  },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  pkce: { required: () => false },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
  async loadExistingGrant({ oidc }) {
    // A code is good as long as its session knows its grant: one for all.
    const held = oidc.session.grantIdFor(oidc.client.clientId);
    if (held) return oidc.provider.Grant.find(held);
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid email offline_access");
    grant.addResourceScope("https://api.bench.example", "read");
    await grant.save();
    return grant;
  },
});

// The form of the sign-in, and what it sends.
provider.use(async (context, next) => {
  if (!context.path.startsWith("/interaction/")) return next();
  if (context.method === "GET") {
    context.type = "html";
    context.body = `<!doctype html><title>Sign in</title><form method="post"><input name="email"><input name="password" type="password"></form>`;
    return;
  }
  const chunks = [];
  for await (const chunk of context.req) chunks.push(chunk);
  const sent = new URLSearchParams(Buffer.concat(chunks).toString());
  if (!(await bcrypt.compare(sent.get("password") ?? "", password))) context.throw(403);
  await provider.interactionFinished(context.req, context.res, { login: { accountId: sent.get("email") } });
  context.respond = false;
});
provider.listen(port, "127.0.0.1");
