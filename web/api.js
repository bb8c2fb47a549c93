// SPDX-License-Identifier: Apache-2.0
// The admin port: asking, changing, who one is, and what it tells by itself.

const PROOF = "banyan.proof"; // this origin's, port included, where a cookie is the whole host's

export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the gateway answered ${status}`);
    this.status = status;
    this.slug = String(problem.type || "").split(":").pop();
  }
}

async function call(path, options = {}, raw = false) {
  let answer;
  try {
    answer = await fetch(path, { cache: "no-store", credentials: "same-origin", redirect: "error", ...options,
      headers: { Accept: "application/json", ...options.headers } });
  } catch {
    throw new Refusal(0, { detail: "the gateway does not answer" });
  }
  const text = await answer.text();
  if (raw && answer.ok) return text;
  let body = {};
  try {
    body = text ? JSON.parse(text) : {};
  } catch {
    body = { detail: text.slice(0, 200) };
  }
  if (!answer.ok) {
    if (answer.status === 401) dispatchEvent(new CustomEvent("login-needed"));
    throw new Refusal(answer.status, body);
  }
  return body;
}

export const get = (path) => call(path);
export const getText = (path) => call(path, {}, true);

export const post = (path, body) => call(path, {
  method: "POST", body: JSON.stringify(body ?? {}),
  headers: { "Content-Type": "application/json", "X-Banyan-Proof": localStorage.getItem(PROOF) || "" } });

// { name, role, changes }. Somebody without the proof that changes take is sent to log in again.
export async function whoAmI() {
  const who = await get("/console/who");
  if (who.name && !localStorage.getItem(PROOF)) throw new Refusal(401, { detail: "log in again" });
  return who;
}

export async function logIn(token) {
  const who = await call("/console/login", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  localStorage.setItem(PROOF, who.proof);
  return who;
}

// Where else to log out; undefined: nowhere.
export async function logOut() {
  const { to } = await post("/console/logout");
  localStorage.removeItem(PROOF);
  return to;
}

// Logging in at a provider. The page leaves for it with a proof in its storage, and comes back with what the provider said behind the #.
const BEGUN = "banyan.openid";
const BACK = "#/openid?";

export const ways = () => call("/console/openid");

export async function beginOpenid() {
  const begun = await call("/console/openid/begin", { method: "POST" });
  localStorage.setItem(BEGUN, begun.proof);
  location.assign(begun.to);
}

// What the provider said, taken out of the address at once: it is good for one log-in and for nobody's history.
export function takeBack() {
  if (!location.hash.startsWith(BACK)) return null;
  const said = location.href.slice(location.href.indexOf(BACK) + BACK.length);
  history.replaceState(null, "", "#/");
  return said;
}

export async function endOpenid(said) {
  const proof = localStorage.getItem(BEGUN) || "";
  localStorage.removeItem(BEGUN);
  const who = await call("/console/openid/end", { method: "POST", body: said,
    headers: { "Content-Type": "application/x-www-form-urlencoded", "X-Banyan-Proof": proof } });
  localStorage.setItem(PROOF, who.proof);
  return who;
}

// A name in a path: "upstream:shop" keeps its colon, which the gateway would not take for another way to write it.
export const shiftUrl = (name, more = "") => `/shift/${encodeURIComponent(name).replaceAll("%3A", ":")}${more}`;

const ROLES = ["view", "operate", "approve"];
export const may = (who, role) => Boolean(who?.changes) && ROLES.indexOf(who.role) >= ROLES.indexOf(role);

// A stream of events that comes back by itself. on.open, on.event(name, data), on.lost(since: Date).
// While nobody looks at the page it is closed: a browser has few connections for a host, and each open page takes one.
export class Live {
  constructor(path, on) {
    Object.assign(this, { path, on, since: null, wait: 500, timer: 0, source: null });
    this.look = () => (document.hidden ? this.pause() : this.connect());
    document.addEventListener("visibilitychange", this.look);
    this.connect();
  }

  connect() {
    if (this.source || this.ended) return;
    clearTimeout(this.timer);
    this.source = new EventSource(this.path);
    this.source.addEventListener("open", () => {
      this.since = null;
      this.wait = 500;
      this.on.open();
    });
    this.source.addEventListener("subject", (event) => this.on.event(JSON.parse(event.data)));
    this.source.addEventListener("error", () => this.lose());
  }

  pause() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  lose() {
    this.pause();
    this.since ??= new Date();
    this.on.lost(this.since);
    this.timer = setTimeout(() => this.again(), this.wait);
    this.wait = Math.min(this.wait * 2, 8000);
  }

  // An EventSource does not tell why it failed; a log-in that has ended is told by this.
  async again() {
    try {
      await get("/console/who");
    } catch (refusal) {
      if (refusal.status === 401) return;
      if (!this.ended) this.lose();
      return;
    }
    this.connect();
  }

  end() {
    this.ended = true;
    this.pause();
    document.removeEventListener("visibilitychange", this.look);
  }
}
