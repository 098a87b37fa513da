// What every script here needs: the demo's address, a person's browser, and an operator who registers clients.
import assert from "node:assert/strict";

export const { portal, email, password, operator } = JSON.parse(process.argv[2]);
export const callback = "http://127.0.0.1:9/cb";

// A browser, as far as it is needed: cookies, and the forms of the pages.
export class Browser {
  cookies = new Map();
  async fetch(address, options = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...options.headers, cookie, accept: "text/html", "accept-language": "en" };
    const answer = await fetch(new URL(address, portal), { ...options, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const place = pair.indexOf("=");
      this.cookies.set(pair.slice(0, place), pair.slice(place + 1));
    }
    return answer;
  }
  post(address, pairs) {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return this.fetch(address, { method: "POST", headers, body: new URLSearchParams(pairs) });
  }
  async signIn(who) {
    const answer = await fetch(new URL("/api/v1/session", portal), {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(who),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    const [pair] = answer.headers.getSetCookie()[0].split(";");
    const place = pair.indexOf("=");
    this.cookies.set(pair.slice(0, place), pair.slice(place + 1));
    return (await answer.json()).csrf_token;
  }
  // Follows to the client, agreeing where that is asked.
  async follow(address) {
    for (let step = 0; step < 8; step++) {
      const answer = await this.fetch(address);
      const location = answer.headers.get("location");
      if (location) {
        address = new URL(location, portal).href;
        if (!address.startsWith(portal)) return new URL(address);
        continue;
      }
      const text = await answer.text();
      const csrf = text.match(/<main[\s\S]*name="_csrf" value="([^"]*)"/)?.[1];
      assert.ok(text.includes('value="agree"'), `${answer.status} ${address}\n${text}`);
      await this.post(address, { _csrf: csrf, choice: "agree" });
    }
    throw new Error("no end");
  }
}

export const person = new Browser();
await person.signIn({ email, password });
const runner = new Browser();
const csrf = await runner.signIn(operator);

// As the operator.
export async function post(path, body) {
  const cookie = [...runner.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const answer = await fetch(new URL(path, portal), {
    method: "POST", headers: { "content-type": "application/json", cookie, "x-csrf-token": csrf }, body: JSON.stringify(body),
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
}

export function create(metadata, terms) {
  const usual = { client_name: "openid-client", redirect_uris: [callback], post_logout_redirect_uris: [callback] };
  return post("/api/v1/clients", { metadata: { ...usual, ...metadata }, ...terms });
}
