// SPDX-License-Identifier: Apache-2.0
// A table of many rows: sorted by the head that is pressed, shown some at a time.
import { count, h, say, setAttribute, setText } from "../../../web/dom.js";

const STEP = 50;

// columns: [{ label, num, of(row) the value that is sorted by, cell(row) what is shown, of's value when absent }]. The first is the row's name.
// options: by, the column that is falling at first; step, how many rows are shown at first; bare: it has a heading already.
export function grid(caption, columns, rows, options = {}) {
  let sorted = rows.slice(), by = options.by ?? -1, falling = true, shown = options.step || STEP;
  const body = h("tbody"), more = h("button.quiet", { type: "button", onclick: showMore }), heads = columns.map(head);
  const note = h("span.soft");

  function head(column, i) {
    const button = h("button.head", { type: "button", onclick: () => order(i) }, column.label, h("span.arrow", { "aria-hidden": "true" }));
    return h(`th${column.num ? ".num" : ""}`, { scope: "col" }, column.of ? button : column.label);
  }

  function order(i) {
    falling = by === i ? !falling : Boolean(columns[i].num);
    by = i;
    sort();
    fill();
    say(`${caption}: by ${columns[i].label}, ${falling ? "falling" : "rising"}`);
  }

  function sort() {
    if (by < 0) return;
    const of = columns[by].of, way = falling ? -1 : 1;
    const number = (value) => (value === null || value === undefined || value === "" ? -Infinity : value);
    sorted.sort((x, y) => {
      const p = of(x), q = of(y);
      if (typeof p === "string" && typeof q === "string") return way * p.localeCompare(q, "en");
      return way * (number(p) > number(q) ? 1 : number(p) < number(q) ? -1 : 0);
    });
  }

  function row(one) {
    const cells = columns.map((column, i) => {
      const cell = column.cell ? column.cell(one) : column.num ? count(column.of(one)) : String(column.of(one) ?? "");
      return i === 0 ? h("th", { scope: "row" }, cell) : h(`td${column.num ? ".num" : ""}`, cell);
    });
    return h("tr", cells);
  }

  function fill() {
    body.replaceChildren(...sorted.slice(0, shown).map(row));
    heads.forEach((one, i) => setAttribute(one, "aria-sort", i === by ? (falling ? "descending" : "ascending") : null));
    more.hidden = shown >= sorted.length;
    setText(more, `Show ${count(Math.min(STEP, sorted.length - shown))} more`);
    setText(note, sorted.length > shown ? `${count(shown)} of ${count(sorted.length)}` : "");
  }

  function showMore() {
    const from = shown;
    shown += STEP;
    fill();
    const first = body.children[from];
    if (first) {
      first.tabIndex = -1;
      first.focus();
    }
  }

  sort();
  fill();
  const title = options.bare ? null : h("h3", caption);
  if (!rows.length) return h("div.gridded", title, h("p.soft", "None."));
  return h("div.gridded", title, h("div.scroll", { role: "region", tabindex: "0", "aria-label": caption },
    h("table", h("caption.hidden", caption), h("thead", h("tr", heads)), body)), h("p.more", more, note));
}
