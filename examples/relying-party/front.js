// The whole front. What it knows of the login is in memory; only what it must find again after the redirect is in sessionStorage.
const config = await (await fetch("/config.json")).json();
const at = (id) => document.getElementById(id);
let token = null; // the access token of the mode `code`
let me = null;

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const octroi = (path, options = {}) => fetch(config.portal + path, { credentials: "include", ...options });
const show = () => (token ? { authorization: `Bearer ${token}` } : { "x-csrf-token": me?.csrf_token ?? "" });

/// Begins a login. `state` comes back: an answer without ours is somebody else's login.
async function logIn(mode) {
  const state = random();
  const wanted = new URLSearchParams({ state });
  sessionStorage.setItem("state", state);
  if (mode === "code") {
    const verifier = random();
    sessionStorage.setItem("verifier", verifier);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    wanted.set("code_challenge", base64url(new Uint8Array(digest)));
    wanted.set("code_challenge_method", "S256");
  }
  location.assign(`${config.portal}/auth/example-${mode}/login?${wanted}`);
}

/// Comes back from a login: the code goes out of the address bar before anything else.
async function comeBack() {
  const said = new URLSearchParams(location.hash.slice(1) || location.search.slice(1));
  if (!said.has("state")) return;
  history.replaceState(null, "", location.pathname);
  const [state, verifier] = ["state", "verifier"].map((name) => sessionStorage.getItem(name));
  sessionStorage.clear();
  if (said.get("state") !== state) return;
  if (said.has("code")) await take("/auth/exchange", { code: said.get("code"), code_verifier: verifier });
}

async function take(path, body) {
  const answer = await octroi(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) return false;
  me = await answer.json();
  token = me.access_token;
  return true;
}

async function api(method, text) {
  const call = () => fetch("/api/note", { method, headers: show(), body: text });
  let answer = await call();
  // The token is short: the cookie of the refresh token gets the next one.
  if (answer.status === 401 && token && (await take("/auth/refresh", {}))) answer = await call();
  return answer.ok ? await answer.json() : null;
}

async function logOut() {
  const answer = await octroi("/auth/logout", { method: "POST", headers: show() });
  const over = answer.ok ? await answer.json() : {};
  location.assign(over.logout_url ?? "/");
}

async function start() {
  await comeBack();
  if (!me) {
    const session = await octroi("/auth/me?connection=example-session");
    if (session.ok) me = await session.json();
    else await take("/auth/refresh", {});
  }
  at("who").textContent = me ? `${me.given_name} ${me.family_name}, ${me.email}, SIRET ${me.organization_siret}` : "Vous n’êtes pas connecté.";
  at("ways").hidden = Boolean(me);
  at("note").hidden = !me;
  if (me) at("text").value = (await api("GET"))?.note ?? "";
}

at("by-session").onclick = () => logIn("session");
at("by-code").onclick = () => logIn("code");
at("out").onclick = logOut;
at("note").onsubmit = async (event) => {
  event.preventDefault();
  await api("POST", at("text").value);
};
await start();
