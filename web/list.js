// SPDX-License-Identifier: Apache-2.0
// All that is moved, a row each. A row is made once and told what has changed; of a thousand rows a new number touches one cell.
import { h, ms, rate, say, setAttribute, setText, share, time } from "./dom.js";
import { phasePart, splitPart, subjectPath, verdictPart } from "./parts.js";
import { PHASES, waitsFor } from "./words.js";

const COLUMNS = [
  { label: "What" }, { label: "Phase" }, { label: "Split" }, { label: "Health: old, new" }, { label: "Verdict" }, { label: "Since" }];

// What needs a person first, then what moves, then the rest by name.
function urgency(subject) {
  if (waitsFor(subject)) return 0;
  if (subject.verdict?.say === "back") return 1;
  return { canary: 2, shadow: 3 }[subject.phase] ?? 4;
}

function healthPart(side) {
  const errors = h("span.num"), p99 = h("span.num"), traffic = h("span.num.soft");
  return { element: h("span.side", h("span.side-name", { "data-side": side }, side), errors, p99, traffic), show(subject) {
    const now = subject.now?.[side] ?? {};
    setText(errors, now.rate > 0 ? `${share(now.errors)} errors` : "no requests");
    setText(p99, now.rate > 0 ? `p99 ${ms(now.p99_ms)}` : "");
    setText(traffic, rate(now.rate));
  } };
}

class Row {
  constructor(subject) {
    this.parts = [phasePart(), splitPart(), healthPart("old"), healthPart("new"), verdictPart()];
    const [phase, split, old, fresh, verdict] = this.parts;
    this.blocked = h("span.blocked", { hidden: true });
    this.sides = h("span.soft");
    this.since = h("span");
    const cell = (i, ...content) => h("td", { role: "cell", "data-label": COLUMNS[i].label }, ...content);
    this.element = h("tr", { role: "row", "data-name": subject.name },
      h("th", { scope: "row", role: "rowheader", "data-label": COLUMNS[0].label },
        h("a.name", { href: subjectPath(subject.name) }, subject.name), this.sides),
      cell(1, phase.element), cell(2, split.element), cell(3, h("span.sides", old.element, fresh.element)),
      cell(4, verdict.element, this.blocked), cell(5, this.since));
    this.show(subject);
  }

  show(subject) {
    this.subject = subject;
    this.urgency = urgency(subject);
    this.parts.forEach((part) => part.show(subject));
    setText(this.sides, `${subject.kind ?? ""} ${subject.old ?? ""} → ${subject.new ?? ""}`.trim());
    const waits = waitsFor(subject) && `Waits: ${waitsFor(subject)}`;
    setText(this.blocked, waits);
    if (this.blocked.hidden !== !waits) this.blocked.hidden = !waits;
    if (this.at !== subject.since) this.since.replaceChildren(time(this.at = subject.since));
  }

  comesBefore(other) {
    return this.urgency - other.urgency || this.subject.name.localeCompare(other.subject.name, "en", { numeric: true });
  }
}

export class ListView {
  title = "Moves";

  constructor(store) {
    this.store = store;
    this.rows = new Map();
    this.body = h("tbody", { role: "rowgroup" });
    this.words = h("input", { id: "filter", type: "search", autocomplete: "off", spellcheck: "false", oninput: () => this.filter() });
    this.phase = h("select", { id: "phase", onchange: () => this.filter() }, h("option", { value: "" }, "all phases"),
      Object.keys(PHASES).map((name) => h("option", { value: name }, PHASES[name].label)), h("option", { value: "blocked" }, "waiting for somebody"));
    this.counted = h("p.counted", { role: "status" });
    this.none = h("p.none", { hidden: true });
    this.table = h("table.subjects", { role: "table" }, h("caption.hidden", "What is moved, and where each stands"),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, COLUMNS.map((column) => h("th", { scope: "col", role: "columnheader" }, column.label)))), this.body);
    this.element = h("section", h("div.headline", h("h1", { tabindex: "-1" }, "Moves"),
      h("div.filters", h("label", { for: "filter" }, "Find"), this.words, h("label", { for: "phase" }, "Phase"), this.phase)),
    this.counted, this.none, this.table);
    this.all();
  }

  // Everything anew: at the start, and after the connection was lost.
  all() {
    const names = new Set(this.store.subjects.keys());
    for (const [name, row] of this.rows) {
      if (names.has(name)) continue;
      row.element.remove();
      this.rows.delete(name);
    }
    for (const subject of this.store.subjects.values()) {
      const row = this.rows.get(subject.name);
      if (row) row.show(subject);
      else this.rows.set(subject.name, new Row(subject));
    }
    this.order();
    this.filter();
  }

  // Those that stand in the right place are not touched.
  order() {
    const sorted = [...this.rows.values()].sort((a, b) => a.comesBefore(b));
    let at = this.body.firstElementChild;
    const fresh = document.createDocumentFragment();
    for (const row of sorted) {
      if (row.element === at) at = at.nextElementSibling;
      else if (!at) fresh.append(row.element);
      else this.body.insertBefore(row.element, at);
    }
    if (fresh.childNodes.length) this.body.append(fresh);
  }

  changed(subjects) {
    let moved = false;
    for (const subject of subjects) {
      const row = this.rows.get(subject.name);
      if (!row) {
        this.rows.set(subject.name, new Row(subject));
        moved = true;
        continue;
      }
      const before = row.urgency;
      row.show(subject);
      moved ||= row.urgency !== before;
    }
    if (moved) {
      this.order();
      this.filter();
    }
  }

  filter() {
    const words = this.words.value.trim().toLowerCase(), phase = this.phase.value;
    let shown = 0;
    for (const { element, subject } of this.rows.values()) {
      const fits = (!words || `${subject.name} ${subject.old} ${subject.new}`.toLowerCase().includes(words)) &&
        (!phase || (phase === "blocked" ? Boolean(waitsFor(subject)) : subject.phase === phase));
      if (element.hidden === fits) element.hidden = !fits;
      shown += fits;
    }
    const all = this.rows.size;
    setText(this.counted, shown === all ? `${all} in all` : `${shown} of ${all}`);
    if (this.table.hidden !== !all) this.table.hidden = !all;
    if (this.none.hidden !== Boolean(all)) this.none.hidden = Boolean(all);
    setText(this.none, all ? "" : this.store.absent ?? "Nothing is being moved. A route with old, new and shift in the configuration appears here.");
    setAttribute(this.table, "aria-rowcount", all + 1);
  }

  end() {
    say("");
  }
}
