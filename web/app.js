// SPDX-License-Identifier: Apache-2.0
// The console: who one is, which view is shown (by the address behind #), and whether the gateway is still there.
import { endOpenid, logOut, takeBack, whoAmI } from "./api.js";
import { h, moment, say, setAttribute, setText } from "./dom.js";
import { ListView } from "./list.js";
import { LoginView } from "./login.js";
import { Store } from "./store.js";
import { SubjectView } from "./subject.js";
import { themeButton } from "./theme.js";
import { UpstreamsView } from "./upstreams.js";

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const notices = document.getElementById("notices");
const lost = h("p.notice.lost", { role: "alert", hidden: true });
const fixed = h("p.notice", { hidden: true });
const state = h("span.live");
const name = h("span.who");
const leave = h("button.quiet", { type: "button", hidden: true, onclick: goAway }, "Log out");

let store = null, who = null, view = null, began = 0;

notices.append(lost, fixed);
document.getElementById("status").append(state, name, themeButton(), leave);
nav.append(h("a", { href: "#/" }, "Moves"), h("a", { href: "#/upstreams" }, "Upstreams"));

function show(fresh) {
  const first = !view;
  view?.end();
  view = fresh;
  main.replaceChildren(view.element);
  document.title = `${view.title} · Banyan console`;
  if (!first) main.querySelector("h1")?.focus();
  for (const link of nav.children) setAttribute(link, "aria-current", link.getAttribute("href") === location.hash || (link.hash === "#/" && location.hash.startsWith("#/shift/")) ? "page" : null);
}

function route() {
  if (!store) return;
  const [, place, rest] = location.hash.split("/");
  if (place === "shift" && rest) return show(new SubjectView(store, who, decodeURIComponent(rest)));
  if (place === "upstreams") return show(new UpstreamsView(store, who));
  if (location.hash !== "#/") history.replaceState(null, "", "#/");
  show(new ListView(store));
}

function setLive(text, kind) {
  setText(state, text);
  setAttribute(state, "data-live", kind);
}

const told = {
  changed: (subjects) => view?.changed?.(subjects),
  found() {
    if (!lost.hidden) say("The connection is back.");
    lost.hidden = true;
    setLive("● live", "yes");
    view?.all?.();
  },
  lost(since) {
    setText(lost, `Connection lost since ${moment(since)}. What you see is from then. Trying again…`);
    lost.hidden = false;
    setLive("○ not live", "no");
  },
};

async function goAway() {
  const to = await logOut().catch(() => undefined);
  if (to) location.assign(to);
  else begin();
}

// refusal: why somebody who comes from a provider did not get in.
function login(refusal) {
  store?.end();
  store = who = null;
  nav.hidden = leave.hidden = true;
  lost.hidden = fixed.hidden = true;
  setText(name, "");
  setLive("", "");
  show(new LoginView(() => begin(), refusal));
  main.querySelector(refusal ? "h1" : "input").focus();
}

async function begin() {
  const turn = ++began;
  store?.end();
  store = null;
  const said = takeBack();
  try {
    if (said !== null) await endOpenid(said);
  } catch (refusal) {
    return turn === began ? login(refusal) : undefined;
  }
  try {
    who = await whoAmI();
    const fresh = new Store(told);
    await fresh.start();
    if (turn !== began) return fresh.end();
    store = fresh;
  } catch (refusal) {
    if (turn !== began) return undefined;
    if (refusal.status === 401) return login();
    setText(lost, `The gateway cannot be asked: ${refusal.message}. Trying again…`);
    lost.hidden = false;
    return setTimeout(begin, 3000);
  }
  enter();
  return undefined;
}

function enter() {
  nav.hidden = false;
  lost.hidden = true;
  leave.hidden = !who.name;
  setText(name, [store.gateway, who.name && `${who.name} (${who.role})`].filter(Boolean).join(" · "));
  fixed.hidden = who.changes;
  setText(fixed, who.changes ? "" : "You may look, and change nothing: this gateway has no token (admin.token in its configuration).");
  if (store.absent) setLive("", "");
  route();
}

addEventListener("hashchange", route);
addEventListener("login-needed", () => {
  if (store) login();
});
begin();
