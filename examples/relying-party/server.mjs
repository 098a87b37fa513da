// The product: it serves its front, and an API that keeps one note for each person.
//   node server.mjs [portal] [port]
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const portal = process.argv[2] ?? "http://localhost:3000";
const port = Number(process.argv[3] ?? 4000);
const notes = new Map();

/// Who shows this cookie or token? Octroi knows; nothing that the browser says of itself counts.
async function whoIs(request) {
  const headers = {};
  if (request.headers.authorization) headers.authorization = request.headers.authorization;
  // Of all cookies, that of this product alone goes on.
  const cookie = (request.headers.cookie ?? "").split("; ").find((pair) => /^(__Host-octroi-product-|octroi_product_)example-session=/.test(pair));
  if (cookie) headers.cookie = cookie;
  const answer = await fetch(`${portal}/auth/me?connection=example-session`, { headers });
  return answer.ok ? await answer.json() : null;
}

async function body(request) {
  let text = "";
  for await (const part of request) {
    text += part;
    if (text.length > 10_000) throw new Error("too long");
  }
  return text;
}

async function api(request) {
  const me = await whoIs(request);
  if (!me) return [401, { error: "log in first" }];
  if (request.method === "POST") {
    // A cookie comes along by itself, from other sites too: the front has to say the word that only it can read.
    if (me.csrf_token && request.headers["x-csrf-token"] !== me.csrf_token) return [403, { error: "csrf" }];
    notes.set(me.sub, (await body(request)).slice(0, 1_000));
  }
  return [200, { note: notes.get(me.sub) ?? "", person: me.email, organization: me.organization_siret, role: me.role }];
}

const files = {
  "/": ["front.html", "text/html; charset=utf-8"],
  "/front.js": ["front.js", "text/javascript; charset=utf-8"],
};

createServer(async (request, response) => {
  const path = new URL(request.url, "http://front").pathname;
  try {
    if (path === "/config.json") return send(200, "application/json", JSON.stringify({ portal }));
    if (path === "/api/note") {
      const [status, value] = await api(request);
      return send(status, "application/json", JSON.stringify(value));
    }
    const [name, type] = files[path] ?? [];
    if (!name) return send(404, "text/plain", "not found\n");
    return send(200, type, await readFile(new URL(name, import.meta.url)));
  } catch (error) {
    console.error(error.message);
    return send(500, "text/plain", "failed\n");
  }

  function send(status, type, content) {
    response.writeHead(status, {
      "content-type": type,
      "cache-control": "no-store",
      // What stands in the address of this page is told to nobody.
      "referrer-policy": "no-referrer",
      "content-security-policy": `default-src 'none'; script-src 'self'; connect-src 'self' ${portal}; base-uri 'none'; frame-ancestors 'none'`,
    });
    response.end(content);
  }
}).listen(port, function () {
  console.log(`listening on http://localhost:${this.address().port}/`);
});
