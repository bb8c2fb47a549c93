// SPDX-License-Identifier: Apache-2.0
// Differences by path and kind, with examples side by side. An example that is open stays open when the numbers change.
import { get, shiftUrl } from "./api.js";
import { count, h, probability, setText, table, time } from "./dom.js";
import { VERBS } from "./words.js";

const VERDICTS = { mismatch: "✕ mismatch", noise: "~ noise", accepted: "✓ accepted", open: "? open" };
const COLUMNS = [{ label: "Path" }, { label: "Kind" }, { label: "Seen", num: true }, { label: "Old against itself", num: true }, { label: "Verdict" },
  { label: "First" }, { label: "Last" }, { label: "Examples" }];

export class Differences {
  constructor(name, act, may) {
    Object.assign(this, { name, act, may, opened: new Set() });
    this.told = h("p.soft", "Asking…");
    this.list = h("div");
    this.element = h("section.differences", h("h2", "Differences"), this.told, this.list);
  }

  async load() {
    const found = await get(shiftUrl(this.name, "/differences")).catch((refusal) => ({ refused: refusal.message }));
    const text = JSON.stringify([found, this.may()]);
    if (text === this.text) return;
    this.text = text;
    this.show(found);
  }

  show({ compared, keys = [], dropped, refused }) {
    const told = `${count(compared)} answers compared, ${keys.length ? `${keys.length} kinds of difference.` : "no difference."}`;
    setText(this.told, refused ? `None to show: ${refused}.` : dropped ? `${told} ${count(dropped)} more found no room.` : told);
    this.list.replaceChildren(...(keys.length ? [table("Differences by path and kind", COLUMNS, keys.map((key) => this.cells(key)), "table.differences")] : []));
  }

  cells(key) {
    const verdict = h("span.state", { "data-state": key.verdict }, VERDICTS[key.verdict] ?? key.verdict);
    const button = (verb) => h("button.small", { type: "button", disabled: !this.may(), "data-verb": verb,
      "aria-label": `${VERBS[verb].label}: ${key.kind} at ${key.path}`, onclick: () => this.act(verb, { path: key.path, kind: key.kind }) }, VERBS[verb].label);
    const more = key.verdict === "accepted" ? h("span", h("span.soft", `by ${key.accepted_by ?? "somebody"} `), button("unaccept")) :
      key.verdict !== "noise" && button("accept");
    const p = key.verdict !== "accepted" && Number.isFinite(key.p) && h("span.soft", ` p ${probability(key.p)}`);
    return [h("code", key.path), key.kind, count(key.raw), count(key.noise), h("span", verdict, p, " ", more),
      time(key.first), time(key.last), this.examples(key)];
  }

  examples(key) {
    const all = key.examples ?? [], id = `${key.kind} ${key.path}`;
    if (!all.length) return "none kept";
    return h("details.examples", { open: this.opened.has(id), ontoggle: (event) => this.opened[event.target.open ? "add" : "delete"](id) },
      h("summary", `${all.length}`, h("span.hidden", ` examples of ${key.kind} at ${key.path}`)),
      all.map((example) => h("div.example", h("p", time(example.at), " ", h("code", example.request)),
        h("div.pair", side("old", example.old), side("new", example.new)))));
  }
}

// What stands there on one side only is nothing on the other.
function side(name, value) {
  const text = value === undefined || value === null ? "(nothing)" : typeof value === "string" ? value : JSON.stringify(value, null, 1);
  return h("figure", { "data-side": name }, h("figcaption", name), h("pre", { tabindex: "0", role: "region", "aria-label": `${name} side` }, text));
}
