// Small helps on pages that work without them.
"use strict";

// Whoever sent a form with errors is taken to the list of them.
document.querySelector("[data-focus]")?.focus();

// A second click on a button does nothing while the first is being answered.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-disabled", "true"));
});
// Back again from the next page: the form may be sent once more.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach((button) => button.removeAttribute("aria-disabled"));
  });
});

// Code and secrets are copied by a button.
document.querySelectorAll("[data-copy]").forEach((figure) => {
  if (!navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "secondary";
  button.textContent = figure.dataset.copy;
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  said.className = "note";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(figure.querySelector("code").textContent);
    said.textContent = " " + figure.dataset.copied;
  });
  figure.append(button, said);
});

// A question opens over the page instead of on its own.
document.querySelectorAll("[data-dialog]").forEach((opener) => {
  const dialog = document.getElementById(opener.dataset.dialog);
  opener.setAttribute("role", "button");
  opener.addEventListener("click", (event) => { event.preventDefault(); dialog.showModal(); });
  opener.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); dialog.showModal(); } });
});

// A draft is saved when nothing was typed for a while.
document.querySelectorAll("form[data-autosave]").forEach((form) => {
  let timer;
  let idle = true;
  let saving = Promise.resolve();
  const said = form.querySelector("[data-saved]");
  const save = async () => {
    const data = new URLSearchParams(new FormData(form));
    data.set("_autosave", "1");
    const answer = await fetch(form.action, { method: "POST", body: data, redirect: "manual" }).catch(() => null);
    const version = answer?.headers.get("x-version");
    const field = form.querySelector("[name=version]");
    if (version && field) field.value = version;
    if (!answer?.ok) { said.textContent = document.body.dataset.notSaved; return; }
    const now = new Date().toLocaleTimeString("fr", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Paris" });
    said.textContent = form.dataset.autosave + " " + now;
  };
  form.addEventListener("input", () => {
    said.textContent = document.body.dataset.unsaved;
    clearTimeout(timer);
    timer = setTimeout(() => { idle = false; saving = saving.then(save).finally(() => { idle = true; }); }, 3000);
  });
  // A save under way ends first: what is sent then is written against its version.
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (idle) return;
    event.preventDefault();
    event.stopPropagation();
    const button = event.submitter;
    saving.then(() => form.requestSubmit(button));
  });
});

// A passkey is made, or shown, by a button: the browser asks for it with the challenge of the moment, and the form is sent with its answer.
document.querySelectorAll("form[data-passkey]").forEach((form) => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  form.hidden = false;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => list?.map((key) => ({ ...key, id: bytes(key.id) }));
  const said = form.querySelector("[data-said]");
  const answer = form.querySelector("[name=passkey]");
  const ask = async () => {
    const reply = await fetch(form.dataset.passkey, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" });
    if (!reply.ok) throw new Error("no challenge");
    const options = (await reply.json()).publicKey;
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    if (options.excludeCredentials) options.excludeCredentials = ids(options.excludeCredentials);
    if (options.allowCredentials) options.allowCredentials = ids(options.allowCredentials);
    const make = "make" in form.dataset;
    const key = make ? await navigator.credentials.create({ publicKey: options }) : await navigator.credentials.get({ publicKey: options });
    const response = { clientDataJSON: text(key.response.clientDataJSON) };
    if (make) {
      response.attestationObject = text(key.response.attestationObject);
      response.transports = key.response.getTransports?.() ?? [];
    } else {
      response.authenticatorData = text(key.response.authenticatorData);
      response.signature = text(key.response.signature);
      response.userHandle = key.response.userHandle?.byteLength ? text(key.response.userHandle) : null;
    }
    return JSON.stringify({ id: key.id, rawId: text(key.rawId), type: key.type, response, extensions: {} });
  };
  // Back again from the next page: that answer was used.
  window.addEventListener("pageshow", () => { answer.value = ""; });
  form.addEventListener("submit", (event) => {
    if (answer.value) return;
    event.preventDefault();
    event.stopPropagation();
    said.textContent = "";
    ask().then((found) => { answer.value = found; form.requestSubmit(); }, () => { said.textContent = form.dataset.failed; });
  });
});
// A form that carries an answer to another site goes by itself.
document.querySelector("form[data-send]")?.requestSubmit();
