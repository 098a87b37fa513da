// What an operator does once: a client at the provider (here Octroi itself), and two connections whose product is this example.
//   node setup.mjs [portal] [front] [e-mail] [password]
const [portal = "http://localhost:3000", front = "http://localhost:4000", email = "operator@octroi.example", password = "octroi-demo-2026"] =
  process.argv.slice(2);

async function call(method, path, body, session = {}) {
  const headers = { "content-type": "application/json", ...session };
  const answer = await fetch(`${portal}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return { cookie: answer.headers.get("set-cookie"), body: JSON.parse(text) };
}

const signedIn = await call("POST", "/session", { email, password });
const session = { cookie: signedIn.cookie.split(";")[0], "x-csrf-token": signedIn.body.csrf_token };
const slugs = ["example-session", "example-code"];
const client = await call("POST", "/clients", {
  metadata: {
    client_name: "Carnet de notes",
    redirect_uris: slugs.map((slug) => `${portal}/auth/${slug}/callback`),
    post_logout_redirect_uris: slugs.map((slug) => `${portal}/auth/${slug}/logged-out`),
    token_endpoint_auth_method: "client_secret_basic",
    scope: "openid email profile organizations",
  },
  first_party: true,
}, session);
for (const slug of slugs) {
  const settings = {
    name: { fr: "Carnet de notes", en: "Notebook" },
    issuer: portal,
    client_id: client.body.client_id,
    client_secret: client.body.client_secret,
    client_auth: "secret_basic",
    scopes: ["openid", "email", "profile", "organizations"],
    purpose: { product: { front: `${front}/`, hand_off: slug.replace("example-", "") } },
  };
  await call("POST", "/connections", { slug, settings }, session);
}
console.log(`ready: ${slugs.join(", ")} hand people over to ${front}/`);
