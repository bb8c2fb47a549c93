// SPDX-License-Identifier: Apache-2.0
// The page: its views, one at a time by the part of the address after #; all of them on paper.
import { h, say } from "../../../web/dom.js";
import { audit, data, history } from "./data.js";
import { fileView } from "./file.js";
import { findingsView } from "./findings.js";
import { graphView } from "./graph.js";
import { couplingView, peopleView } from "./people.js";
import { anything, clonesView, compareView, outsideView } from "./rest.js";
import { summaryView } from "./summary.js";
import { routesView, tablesView } from "./tables.js";
import { treemapView } from "./treemap.js";
import { trendsView } from "./trends.js";
import { moneyView } from "./whatif.js";

const KNOWN = ["version", "root", "cc_rules", "git", "left_out", "totals", "packages", "groups", "cache", "past", "compare", "principal_a_line", "taken_s", "history", "money", "links", "models", "trends", "clones", "outside"];
const others = Object.entries(audit).filter(([name, value]) => !KNOWN.includes(name) && value !== null && typeof value === "object" && Object.keys(value).length);
const VIEWS = [
  { id: "summary", title: "Summary", view: summaryView, has: true },
  { id: "findings", title: "Findings", view: findingsView, has: data.rules.length > 0 },
  { id: "hotspots", title: "Hotspots", view: treemapView, has: true },
  { id: "graph", title: "Dependencies", view: graphView, has: Boolean(audit.links?.modules) },
  { id: "tables", title: "Tables", view: tablesView, has: Boolean(audit.models?.models?.length || audit.models?.tables?.length) },
  { id: "routes", title: "Routes and tasks", view: routesView, has: Boolean(audit.models?.routes?.length || audit.models?.tasks?.length || audit.models?.signals?.length) },
  { id: "coupling", title: "Coupling", view: couplingView, has: Boolean(history?.couplings?.length) },
  { id: "people", title: "People", view: peopleView, has: Boolean(history?.change_sets) },
  { id: "trends", title: "Trends", view: trendsView, has: Boolean(audit.trends?.samples?.length) },
  { id: "clones", title: "Clones", view: clonesView, has: Boolean(audit.clones) },
  { id: "outside", title: "Tests and packages", view: outsideView, has: Boolean(audit.outside && (audit.outside.coverage || audit.outside.tests || audit.outside.builds || audit.outside.holes || audit.outside.packages?.length || audit.outside.ends?.length)) },
  { id: "compare", title: "Compared", view: compareView, has: Boolean(audit.compare?.new) },
  { id: "money", title: "Money", view: moneyView, has: Boolean(audit.money?.inputs) },
  { id: "more", title: "More", view: () => h("div", others.map(([name, value]) => h("section", h("h3", name), anything(name, value)))), has: others.length > 0 },
].filter((one) => one.has);
const FILE = { id: "file", title: "File", view: fileView }; // reached from its places

const main = document.getElementById("main"), links = new Map();

function section(one, query) {
  const heading = h("h2", { tabindex: "-1" }, one.title);
  let body;
  try {
    body = one.view(query);
  } catch (error) {
    console.error(error);
    body = h("p.note", `This part could not be drawn: ${error.message}`);
  }
  return h("div.view", heading, body);
}

function where() {
  const [id, words] = location.hash.slice(1).split("?");
  return { one: [...VIEWS, FILE].find((view) => view.id === id) || VIEWS[0], query: new URLSearchParams(words || "") };
}

function show(focus) {
  const { one, query } = where(), drawn = section(one, query);
  main.replaceChildren(drawn);
  for (const [view, element] of links) {
    if (view === one) element.setAttribute("aria-current", "page");
    else element.removeAttribute("aria-current");
  }
  document.title = `${one.title}: audit of ${data.page.name}`;
  if (focus) {
    scrollTo(0, 0);
    drawn.querySelector("h2").focus();
  }
}

// On paper: all of it. What is closed is opened, the first findings with their code too.
function printAll() {
  main.replaceChildren(...VIEWS.map((one) => section(one, new URLSearchParams())));
  for (const details of [...main.querySelectorAll("details")].slice(0, 60)) {
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
  }
}

// Light or dark: as the system has it, or as was chosen here, for as long as the browser keeps that for a file.
const THEMES = ["auto", "light", "dark"], TEXTS = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };
const kept = {
  get: () => { try { return localStorage.getItem("banyan.theme"); } catch { return null; } },
  set: (value) => { try { localStorage.setItem("banyan.theme", value); } catch { /* for this page only */ } },
};
let theme = THEMES.includes(kept.get()) ? kept.get() : "auto";
const system = matchMedia("(prefers-color-scheme: dark)"), themeText = h("span");
function paint() {
  document.documentElement.dataset.theme = theme === "auto" ? (system.matches ? "dark" : "light") : theme;
  themeText.textContent = TEXTS[theme];
}
system.addEventListener("change", paint);
const themeButton = h("button.quiet", { type: "button", onclick: () => { theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]; kept.set(theme); paint(); say(`Colours: ${theme}`); } },
  themeText, h("span.hidden", " colours: change"));

document.querySelector(".top").append(h("h1", "Audit of ", h("code", data.page.name)), themeButton,
  h("nav", { "aria-label": "Parts" }, VIEWS.map((one) => {
    const element = h("a", { href: `#${one.id}` }, one.title);
    links.set(one, element);
    return element;
  })));
document.querySelector(".foot").append(`${data.page.by}. One file: nothing is loaded, nothing is sent.`);
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
addEventListener("hashchange", () => show(true));
addEventListener("beforeprint", printAll);
addEventListener("afterprint", () => show(false));
paint();
show(false);
