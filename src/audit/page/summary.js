// SPDX-License-Identifier: Apache-2.0
// What one wants to know first, each with the way to more.
import { count, DASH, fixed, h } from "../../../web/dom.js";
import { audit, data, files, history, hotspots } from "./data.js";
import { amountText, reckon } from "./money.js";
import { moneyCase } from "./whatif.js";
import { bar, day, link, minutes, place, plural, real, sum, tile, tiles } from "./words.js";

const RANKS = ["A", "B", "C", "D", "E", "F"], RANK_TEXTS = ["1–5", "6–10", "11–20", "21–30", "31–40", "41+"];
const WORDS = { users: "Users held at once", deploy: "Time to deploy, minutes", availability: "Availability", coverage: "Covered by tests", database: "Database load", cost: "Infrastructure, a month", hard: "Functions hard to read", lines: "Lines of code" };

function figures() {
  const counted = data.rules.reduce((all, rule) => all + rule.count, 0), mend = sum(data.rules, (rule) => rule.minutes);
  const code = data.totals.kinds.find((kind) => kind.name === "code") || { files: 0, code: 0 };
  const others = sum(data.totals.kinds, (kind) => kind.files) - code.files, cycles = audit.links?.cycles?.length;
  return tiles(
    tile("Code", `${count(code.code)} lines`, `${plural(code.files, "file")}${others ? `; ${plural(others, "other file")}: tests, migrations, generated, vendored` : ""}`),
    tile("Findings", link("findings", count(counted)), `${minutes(mend)} to mend them all${audit.totals?.rating ? `: ${fixed(100 * audit.totals.ratio, 1)} % of what the code takes to write, rating ${audit.totals.rating}` : ""}`),
    history ? tile("Hottest", hotspots.length ? link("hotspots", fixed(hotspots[0].score, 1)) : "none", hotspots[0]?.path) : tile("History", "not read", audit.history?.why_not),
    history ? tile("Bus factor", link("people", String(history.bus_factor ?? "unknown")), history.bus_factor_people?.slice(0, 3).join(", ")) : null,
    cycles === undefined ? null : tile("Circles of imports", link("graph", count(cycles))),
    audit.models?.tables?.length ? tile("Tables of several packages", link("tables", count(audit.models.tables.filter((t) => t.packages > 1).length)), `of ${count(audit.models.tables.length)}`) : null,
    audit.clones ? tile("Cloned code", link("clones", `${fixed(audit.clones.code?.percent ?? 0, 1)} %`)) : null,
    audit.outside?.coverage ? tile("Covered by tests", link("outside", `${fixed(audit.outside.coverage.percent, 1)} %`)) : null);
}

function verdict() {
  if (!audit.money) return null;
  const { known, cost } = moneyCase(audit.money), r = reckon(known, cost);
  if (!r.annual_cost && !cost) return null;
  const cash = (range) => (range ? amountText(audit.money.currency || "$", range.likely) : DASH);
  return h("section", h("h3", "Does it pay?"), h("p.verdict", { "data-verdict": audit.money.verdict }, `${audit.money.sentence}.`),
    h("p", [r.annual_cost ? `The debt costs ${r.parts_missing ? "at least " : ""}${cash(r.annual_cost)} a year` : "What the debt costs is not known", cost ? `the work costs ${cash(cost)}` : "the price of the work is not known",
      r.saving_a_month ? `the saving is ${cash(r.saving_a_month)} a month${known.running ? "" : ", before the cost of running what replaces it"}` : "the saving is not known"].join("; "), ". ", link("money", "What if?")));
}

function classes() {
  const found = new Map();
  for (const rule of data.rules) {
    const one = found.get(rule.class) || { name: rule.class, count: 0, minutes: 0, error: 0 };
    one.count += rule.count;
    one.minutes += rule.minutes;
    one.error += rule.level === "error" ? rule.count : 0;
    found.set(rule.class, one);
  }
  const rows = [...found.values()].sort((x, y) => y.minutes - x.minutes), most = Math.max(1, ...rows.map((row) => row.minutes));
  if (!rows.length) return h("p.soft", "There are no findings.");
  return h("div.scroll", { role: "region", tabindex: "0", "aria-label": "Findings by class" }, h("table", h("caption", "Findings by class"),
    h("thead", h("tr", ["Class", "Findings", "Errors", "To mend", ""].map((label, i) => (label ? h(`th${i ? ".num" : ""}`, { scope: "col" }, label) : h("td"))))),
    h("tbody", rows.map((row) => h("tr", h("th", { scope: "row" }, link("findings", row.name, { class: row.name })), h("td.num", count(row.count)), h("td.num", count(row.error)),
      h("td.num", minutes(row.minutes)), h("td", bar(row.minutes / most)))))));
}

function ranks() {
  const all = data.totals.functions, most = Math.max(1, ...data.totals.ranks);
  return h("div.scroll", { role: "region", tabindex: "0", "aria-label": "Complexity of functions" }, h("table", h("caption", `Cyclomatic complexity of ${plural(all, "function")}, as ${audit.cc_rules || "radon"} counts it`),
    h("thead", h("tr", ["Rank", "Functions", "Share", ""].map((label, i) => (label ? h(`th${i ? ".num" : ""}`, { scope: "col" }, label) : h("td"))))),
    h("tbody", RANKS.map((rank, i) => h("tr", h("th", { scope: "row" }, `${rank} `, h("span.soft", RANK_TEXTS[i])), h("td.num", count(data.totals.ranks[i])),
      h("td.num", all ? `${fixed((100 * data.totals.ranks[i]) / all, 1)} %` : DASH), h("td", bar(data.totals.ranks[i] / most)))))));
}

function worst(title, rows, cells) {
  return rows.length ? h("section", h("h3", title), h("ol.worst", rows.map((row) => h("li", cells(row))))) : null;
}

function scorecard() {
  const card = data.now || data.before;
  if (!card) return null;
  const of = (one, key) => one?.rows?.[key] ?? one?.scores?.[key] ?? one?.[key];
  const value = (one) => (one && typeof one === "object" ? one.value ?? null : one ?? null), shown = (x) => (x === null ? "unknown" : real(x));
  const rows = Object.entries(WORDS).map(([key, text]) => ({ text, before: value(of(data.before, key)), now: value(of(data.now, key)) }));
  return h("section", h("h3", "Scorecard"), h("div.scroll", { role: "region", tabindex: "0", "aria-label": "Scorecard" }, h("table", h("caption", "Before and after"),
    h("thead", h("tr", ["What", "Before", "Now"].map((label, i) => h(`th${i ? ".num" : ""}`, { scope: "col" }, label)))),
    h("tbody", rows.map((row) => h("tr", h("th", { scope: "row" }, row.text), h("td.num", shown(row.before)), h("td.num", shown(row.now))))))));
}

function leftOut() {
  const rows = [...(audit.left_out || []).map((one) => `${plural(one.count, "file")}: ${one.why}${one.examples?.length ? ` (${one.examples[0]}${one.count > 1 ? ", …" : ""})` : ""}`),
    ...(history?.left_out || []).map((one) => `${plural(one.count, "commit")}: ${one.why}`)];
  if (data.totals.broken) rows.push(`${plural(data.totals.broken, "file")} with places that are not Python; the rest of them was read`);
  if (history?.shallow) rows.push("The clone is shallow: what was before it is unknown");
  if (history?.missing) rows.push(`${plural(history.missing, "commit")} not in this clone`);
  if (audit.history && !audit.history.read) rows.push(`The history: ${audit.history.why_not}`);
  const cut = data.page.cut.map((one) => `${one.list}: ${count(one.shown)} of ${count(one.of)}`);
  return h("section", h("h3", "What was left out"), rows.length ? h("ul", rows.map((row) => h("li", row))) : h("p", "Nothing."),
    cut.length ? h("details", h("summary", "Lists that this page has not whole"), h("ul", cut.map((row) => h("li", row)))) : null);
}

export function summaryView() {
  const code = files.filter((file) => file.kind === "code" && !file.folded);
  return h("div", figures(), verdict(), h("div.columns", h("section", h("h3", "Findings"), classes()), h("section", h("h3", "Complexity"), ranks())),
    h("div.columns", worst(history ? "Hotspots" : "Most complex files", history ? hotspots.slice(0, 8) : code.sort((x, y) => y.cognitive - x.cognitive).slice(0, 8), (file) =>
      [place(file.path), h("span.soft", history ? ` score ${fixed(file.score, 1)}, ${plural(file.recent, "change")} last year, complexity ${count(file.cognitive)}` : ` complexity ${count(file.cognitive)}`)]),
    worst("Hardest to read", data.functions.slice(0, 8), (one) => [h("strong", one.name), " ", place(one.path, one.line), h("span.soft", ` cognitive ${count(one.cognitive)}, cyclomatic ${count(one.cc)}, ${plural(one.lines, "line")}`)])),
    worst("Rules that cost most", data.rules.filter((rule) => rule.count).sort((x, y) => y.minutes - x.minutes).slice(0, 8), (rule) =>
      [link("findings", rule.name, { rule: rule.id }), h("span.soft", ` ${rule.summary}: ${plural(rule.count, "finding")}, ${minutes(rule.minutes)}`)]),
    scorecard(), leftOut(), h("p.soft", `Made ${day(data.page.made)} by ${data.page.by}.`));
}
