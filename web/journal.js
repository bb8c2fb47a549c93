// SPDX-License-Identifier: Apache-2.0
// The journal: who did what, when and why, the newest first.
import { get, shiftUrl } from "./api.js";
import { h, percent, row, setText, table, time } from "./dom.js";

const PAGE = 20;
const COLUMNS = [{ label: "When" }, { label: "Who" }, { label: "What" }, { label: "From, to" }, { label: "Why" }];

export class Journal {
  constructor(name) {
    this.name = name;
    this.moments = []; // of all that is shown, in seconds, for the charts
    this.told = h("p.soft", { hidden: true });
    this.scroll = table("Journal, the newest first", COLUMNS, [], "table.journal");
    this.body = this.scroll.querySelector("tbody");
    this.more = h("button.quiet", { type: "button", hidden: true, onclick: () => this.older() }, "Older entries");
    this.element = h("section.journal", h("h2", "Journal"), this.told, this.scroll, this.more);
  }

  page(before) {
    return get(shiftUrl(this.name, `/history?limit=${PAGE}${before ? `&before=${before}` : ""}`));
  }

  // What is new comes on top; what was paged to stays.
  async load(revision) {
    if (revision === this.revision) return;
    const entries = (await this.page().catch(() => ({}))).entries ?? [];
    this.revision = revision;
    const fresh = entries.filter((entry) => entry.seq > (this.newest ?? -1));
    this.body.prepend(...fresh.map((entry) => row(COLUMNS, cells(entry))));
    this.moments.push(...fresh.map((entry) => Date.parse(entry.at) / 1000));
    if (this.newest === undefined) this.ended(entries);
    this.newest = Math.max(this.newest ?? -1, ...entries.map((entry) => entry.seq));
    setText(this.told, this.body.childElementCount ? "" : "Nothing was done yet.");
    this.told.hidden = Boolean(this.body.childElementCount);
    this.scroll.hidden = !this.told.hidden;
  }

  async older() {
    const entries = (await this.page(this.oldest).catch(() => ({}))).entries ?? [];
    const first = entries.map((entry) => row(COLUMNS, cells(entry)));
    this.body.append(...first);
    this.ended(entries);
    first[0]?.setAttribute("tabindex", "-1");
    first[0]?.focus();
  }

  ended(entries) {
    if (entries.length) this.oldest = Math.min(...entries.map((entry) => entry.seq));
    this.more.hidden = entries.length < PAGE;
  }
}

function cells(entry) {
  const what = entry.percent === undefined || entry.percent === null ? entry.verb : `${entry.verb}, ${percent(entry.percent)}`;
  return [time(entry.at), entry.who || "the gateway", what, entry.from === entry.to ? entry.to ?? "" : `${entry.from} → ${entry.to}`, entry.why || ""];
}
