// SPDX-License-Identifier: Apache-2.0
// Elements, and how numbers and times are written. Nothing is ever put in as markup: text is text.

// h("td.num", { title: "x", onclick }, "text", element, ...)
export function h(name, ...rest) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  const props = rest.length && isProps(rest[0]) ? rest.shift() : {};
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else element.setAttribute(key, value);
  }
  element.append(...rest.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function isProps(value) {
  return value && typeof value === "object" && !(value instanceof Node) && !Array.isArray(value);
}

// Changes the page only where it says something else now: what is live must not cost, or be read out, when nothing happens.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export const DASH = "–";

const number = new Map();
export function fixed(value, digits) {
  if (!Number.isFinite(value)) return DASH;
  if (!number.has(digits)) number.set(digits, new Intl.NumberFormat("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  return number.get(digits).format(value);
}

export const count = (value) => fixed(value, 0);

// 0.0012 as "0.12 %": three digits that mean something, never more than three after the point.
export function share(value) {
  if (!Number.isFinite(value)) return DASH;
  const percent = value * 100;
  const digits = percent === 0 || percent >= 99.95 ? 0 : percent >= 10 ? 1 : percent >= 0.1 ? 2 : 3;
  return `${fixed(percent, digits)} %`;
}

export function percent(value) {
  if (!Number.isFinite(value)) return DASH;
  return `${fixed(value, Number.isInteger(value) ? 0 : value < 1 ? 2 : 1)} %`;
}

export function ms(value) {
  if (!Number.isFinite(value)) return DASH;
  if (value >= 10000) return `${fixed(value / 1000, 1)} s`;
  return `${fixed(value, value < 10 ? 1 : 0)} ms`;
}

export const rate = (value) => (Number.isFinite(value) ? `${fixed(value, value < 10 ? 1 : 0)}/s` : DASH);

// Evidence runs over many powers of ten.
export function evidence(value) {
  if (!Number.isFinite(value)) return DASH;
  if (value >= 1e6) return value.toExponential(1).replace("e+", "e");
  return fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

export function probability(value) {
  if (!Number.isFinite(value)) return DASH;
  return value < 0.001 ? "below 0.001" : fixed(value, 3);
}

const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

// Of seconds since 1970, for an axis.
export const clock = (seconds) => hours.format(new Date(seconds * 1000));

// The hour, and the day where it is not today's.
export function moment(when) {
  const at = new Date(when ?? NaN);
  if (Number.isNaN(at.getTime())) return DASH;
  const today = at.toDateString() === new Date().toDateString();
  return today ? hours.format(at) : `${day.format(at)}, ${hours.format(at)}`;
}

export function time(when) {
  const at = new Date(when ?? NaN);
  return Number.isNaN(at.getTime()) ? h("span", DASH) : h("time", { datetime: at.toISOString(), title: at.toString() }, moment(when));
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return DASH;
  if (seconds < 90) return `${fixed(seconds, 0)} s`;
  if (seconds < 5400) return `${fixed(seconds / 60, 0)} min`;
  if (seconds < 172800) return `${fixed(seconds / 3600, 1)} h`;
  return `${fixed(seconds / 86400, 1)} days`;
}

// Told to those who cannot see it; the last word counts.
export function say(text) {
  setText(document.getElementById("said"), text);
}

// A table with a caption, its head, and rows of cells. columns: [{ label, num }].
// The label goes along with each cell, for screens on which a row becomes a card.
export function table(caption, columns, rows, name = "table") {
  return h("div.scroll", { role: "region", tabindex: "0", "aria-label": caption },
    h(name, { role: "table" }, h("caption", caption),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map((column) =>
        h(`th${column.num ? ".num" : ""}`, { scope: "col", role: "columnheader" }, column.label)))),
      h("tbody", { role: "rowgroup" }, rows.map((cells) => row(columns, cells)))));
}

export function row(columns, cells) {
  return h("tr", { role: "row" }, cells.map((cell, i) => i === 0 ?
    h("th", { scope: "row", role: "rowheader", "data-label": columns[i].label }, cell) :
    h(`td${columns[i].num ? ".num" : ""}`, { role: "cell", "data-label": columns[i].label }, cell)));
}
