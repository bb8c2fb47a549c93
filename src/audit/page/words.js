// SPDX-License-Identifier: Apache-2.0
// How figures are written, and small parts that many views are made of.
import { count, DASH, fixed, h } from "../../../web/dom.js";
import { cutOf, fileOf } from "./data.js";

export function minutes(value) {
  if (!Number.isFinite(value)) return DASH;
  if (value < 60) return `${fixed(value, 0)} min`;
  return value < 60 * 16 ? `${fixed(value / 60, 1)} h` : `${fixed(value / 60, 0)} h`;
}

export function real(value) {
  if (!Number.isFinite(value)) return DASH;
  return fixed(value, Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : 1);
}

const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
export function day(when) {
  const at = new Date(when ?? NaN);
  return Number.isNaN(at.getTime()) ? DASH : days.format(at);
}

export function tile(label, value, note) {
  return h("div.tile", h("dt", label), h("dd", h("strong", value), note ? h("span.soft", note) : null));
}

export function tiles(...all) {
  return h("dl.tiles", all.filter(Boolean));
}

// What a list does not show; nothing when it has all.
export function cutNote(list, what) {
  const cut = cutOf(list);
  return cut ? h("p.note", `This page has ${count(cut.shown)} of ${count(cut.of)} ${what}; --json has all.`) : null;
}

export function spot(path, line) {
  return h("code.place", line ? `${path}:${line}` : path);
}

// The way to all about the file, where the page knows it.
export function place(path, line) {
  return fileOf.has(path) ? h("a", { href: `#file?${new URLSearchParams({ path })}` }, spot(path, line)) : spot(path, line);
}

export function link(view, text, query) {
  const words = query ? `?${new URLSearchParams(query)}` : "";
  return h("a", { href: `#${view}${words}` }, text);
}

// A bar of a share between 0 and 1, for those who see; the figure stands beside it.
export function bar(share, tone) {
  const fill = h("span.fill");
  fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return h("span.bar", { "aria-hidden": "true", "data-tone": tone }, fill);
}

export const sum = (rows, of) => rows.reduce((all, row) => all + of(row), 0);

export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

// One of several, by buttons that stay pressed.
export function chooser(label, options, chosen, onchoose) {
  const select = h("select", { onchange: () => onchoose(select.value) }, options.map(([value, text]) =>
    h("option", { value, selected: value === chosen }, text)));
  return h("label.field", h("span", label), select);
}
