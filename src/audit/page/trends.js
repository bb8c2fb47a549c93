// SPDX-License-Identifier: Apache-2.0
// How figures came to be what they are: a small plot each, of the whole or of a part, and their table.
import { count, DASH, h } from "../../../web/dom.js";
import { audit } from "./data.js";
import { chooser, cutNote, day, plural, real } from "./words.js";

const SVG = "http://www.w3.org/2000/svg", W = 300, H = 90, PAD = 6;

// values: numbers, or null where there is nothing.
export function plot(title, times, values) {
  const known = values.map((value, i) => [times[i], value]).filter(([, value]) => Number.isFinite(value));
  if (known.length < 2) return null;
  const [first, last] = [known[0][0], known[known.length - 1][0]], top = Math.max(...known.map(([, v]) => v)), bottom = Math.min(0, ...known.map(([, v]) => v));
  const x = (at) => PAD + ((at - first) / (last - first || 1)) * (W - 2 * PAD), y = (value) => H - PAD - ((value - bottom) / (top - bottom || 1)) * (H - 2 * PAD);
  const picture = document.createElementNS(SVG, "svg"), line = document.createElementNS(SVG, "polyline");
  picture.setAttribute("viewBox", `0 0 ${W} ${H}`);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `${title}: from ${real(known[0][1])} on ${day(first)} to ${real(known[known.length - 1][1])} on ${day(last)}, at most ${real(top)}`);
  line.setAttribute("points", known.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" "));
  picture.append(line);
  return h("figure.plot", h("figcaption", h("strong", title), h("span.soft", `${real(known[0][1])} → ${real(known[known.length - 1][1])}`)), picture);
}

export function trendsView() {
  const trends = audit.trends, times = trends.samples.map((sample) => Date.parse(sample.time) || sample.time);
  const parts = [...(trends.groups || []).map((part) => ["group ", part]), ...(trends.areas || []).map((part) => ["", part])];
  const whole = trends.areas?.at(-1), named = ([kind, part]) => `${kind}${part === whole ? "the whole" : part.name || "(top)"}`;
  let part = whole;
  const stage = h("div.plots"), table = h("div");

  function draw() {
    const metrics = trends.metrics, of = (i) => trends.samples.map((_, sample) => part.values[sample]?.[i] ?? null);
    stage.replaceChildren(...metrics.map((metric, i) => plot(metric.text, times, of(i))).filter(Boolean));
    table.replaceChildren(h("details", h("summary", "As a table"), h("div.scroll", { role: "region", tabindex: "0", "aria-label": "Trends" }, h("table", h("caption", named(["", part])),
      h("thead", h("tr", h("th", { scope: "col" }, "When"), metrics.map((metric) => h("th.num", { scope: "col", title: metric.text }, metric.name)))),
      h("tbody", trends.samples.map((sample, s) => h("tr", h("th", { scope: "row" }, day(sample.time)),
        metrics.map((_, i) => h("td.num", part.values[s]?.[i] === null || part.values[s]?.[i] === undefined ? DASH : real(part.values[s][i]))))))))));
  }

  if (!part) return h("p", "There are no samples.");
  draw();
  const choices = parts.map((one, i) => [String(i), named(one)]);
  const missing = trends.samples.reduce((all, sample) => all + (sample.missing || 0), 0);
  return h("div", h("p.soft", `${plural(trends.samples.length, "sample")} of the code (no tests, migrations and generated files), ${day(times[0])} to ${day(times.at(-1))}.`,
    missing ? ` ${count(missing)} times a file's text was not in this clone.` : ""), cutNote("trends.areas", "areas"),
  h("div.controls", chooser("Part", choices, String(parts.findIndex(([, one]) => one === whole)), (value) => { part = parts[Number(value)][1]; draw(); })), stage, table);
}
