// SPDX-License-Identifier: Apache-2.0
// Every finding with its code; by class, level, rule, folder, owner and words.
import { count, h, say, setText } from "../../../web/dom.js";
import { data, fileOf, folderOf } from "./data.js";
import { chooser, cutNote, minutes, place, plural, spot, sum } from "./words.js";

const STEP = 40;
export const LEVELS = { error: 0, warning: 1, note: 2 };

function options(all, any, texts = {}) {
  return [["", any], ...[...all].sort((x, y) => x.localeCompare(y, "en")).map((value) => [value, texts[value] || value])];
}

function matches(filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return (finding) => (filter.ignored || !finding.ignored) && (!filter.class || finding.of.class === filter.class) &&
    (!filter.level || finding.of.level === filter.level) && (!filter.rule || finding.of.id === filter.rule) &&
    (!filter.folder || folderOf(finding.path) === filter.folder) && (!filter.group || fileOf.get(finding.path)?.group === filter.group) &&
    (!filter.owner || fileOf.get(finding.path)?.main === filter.owner) &&
    words.every((word) => `${finding.path} ${finding.unit || ""} ${finding.text} ${finding.of.id} ${finding.of.name}`.toLowerCase().includes(word));
}

const ORDERS = {
  worst: ["worst first", (x, y) => LEVELS[x.of.level] - LEVELS[y.of.level] || y.minutes - x.minutes],
  long: ["longest to mend first", (x, y) => y.minutes - x.minutes],
  hot: ["hottest file first", (x, y) => (fileOf.get(y.path)?.score || 0) - (fileOf.get(x.path)?.score || 0) || y.minutes - x.minutes],
  path: ["by file", (x, y) => (x.path < y.path ? -1 : x.path > y.path ? 1 : x.line - y.line)],
};

export function codeBlock(code, finding) {
  if (!code) return null;
  const from = finding.line, rows = code.lines.map((text, i) => {
    const line = code.from + i;
    return h("span.line", { "data-here": line === from }, h("span.no", { "aria-hidden": "true" }, String(line)), h("span", `${text}\n`));
  });
  return h("pre.code", { tabindex: "0", "aria-label": `${finding.path}, from line ${code.from}` }, h("code", rows));
}

function detail(finding) {
  const rule = finding.of;
  return [
    codeBlock(finding.code, finding),
    finding.paths ? h("p", "Also: ", finding.paths.map((path, i) => [i ? ", " : "", place(path)]),
      finding.path_count > finding.paths.length ? ` and ${count(finding.path_count - finding.paths.length)} more` : "") : null,
    finding.ignored ? h("p.note", `Ignored: ${finding.ignored}`) : null,
    h("p.why", rule.why || rule.summary),
    h("p.soft", `${rule.id} ${rule.name}: ${rule.class}, ${rule.level}; ${minutes(finding.minutes)} to mend`),
  ].filter(Boolean);
}

export function findingItem(finding) {
  const body = h("div.detail");
  const head = h("summary", h("span.level", { "data-level": finding.of.level }, finding.of.level), h("span.rule", finding.of.name),
    h("span.what", finding.text || finding.of.summary), spot(finding.path || "(the project)", finding.line), finding.unit ? h("span.soft", finding.unit) : null,
    h("span.soft.num", minutes(finding.minutes)));
  const element = h("details.finding", { ontoggle: () => { if (element.open && !body.firstChild) body.append(...detail(finding)); } }, head, body);
  return h("li", element);
}

function ruleTable(choose) {
  const rows = data.rules.filter((rule) => rule.count || rule.ignored).sort((x, y) => y.minutes - x.minutes);
  return h("details.rules", h("summary", `${plural(rows.length, "rule")} with findings`), h("div.scroll", { role: "region", tabindex: "0", "aria-label": "Rules with findings" },
    h("table", h("caption", "Rules with findings, by the time to mend all"),
      h("thead", h("tr", ["Rule", "What", "Class", "Level", "Findings", "Ignored", "To mend"].map((label, i) => h(`th${i > 3 ? ".num" : ""}`, { scope: "col" }, label)))),
      h("tbody", rows.map((rule) => h("tr", h("th", { scope: "row" }, h("button.quiet.small", { type: "button", onclick: () => choose(rule.id) }, `${rule.id} ${rule.name}`)),
        h("td", rule.summary), h("td", rule.class), h("td", rule.level), h("td.num", count(rule.count)), h("td.num", count(rule.ignored)), h("td.num", minutes(rule.minutes))))))));
}

export function findingsView(query) {
  const filter = { text: query.get("text") || "", class: query.get("class") || "", level: query.get("level") || "", rule: query.get("rule") || "",
    folder: query.get("folder") || "", group: query.get("group") || "", owner: query.get("owner") || "", ignored: false };
  let order = "worst", found = [], shown = 0;
  const list = h("ol.findings"), told = h("p.counted"), more = h("button.quiet", { type: "button", onclick: showMore });
  const used = new Set(data.findings.map((finding) => finding.of));
  const names = Object.fromEntries([...used].map((rule) => [rule.id, `${rule.id} ${rule.name}`]));
  const owners = new Set(data.findings.map((finding) => fileOf.get(finding.path)?.main).filter(Boolean));
  const groups = new Set(data.findings.map((finding) => fileOf.get(finding.path)?.group).filter(Boolean));
  const search = h("input", { type: "search", value: filter.text, oninput: () => { filter.text = search.value; apply(); } });
  const ruleField = field("rule", "Rule", options(Object.keys(names), "any rule", names));

  function field(name, label, choices) {
    return chooser(label, choices, filter[name], (value) => { filter[name] = value; apply(); });
  }

  function apply() {
    found = data.findings.filter(matches(filter)).sort(ORDERS[order][1]);
    shown = 0;
    list.replaceChildren();
    showMore();
    const text = `${plural(found.length, "finding")}, ${minutes(sum(found, (finding) => finding.minutes))} to mend`;
    setText(told, text);
    say(text);
  }

  function showMore() {
    const next = found.slice(shown, shown + STEP).map(findingItem);
    list.append(...next);
    if (shown) next[0]?.querySelector("summary").focus();
    shown += STEP;
    more.hidden = shown >= found.length;
    setText(more, `Show ${count(Math.min(STEP, found.length - shown))} more`);
  }

  function choose(id) {
    const select = ruleField.querySelector("select");
    select.value = id;
    filter.rule = id;
    apply();
    select.focus();
  }

  const view = h("div", h("form.controls", { role: "search", onsubmit: (event) => event.preventDefault() },
    h("label.field.wide", h("span", "Words"), search),
    field("class", "Class", options(new Set([...used].map((rule) => rule.class)), "any class")),
    field("level", "Level", [["", "any level"], ["error", "error"], ["warning", "warning"], ["note", "note"]]),
    ruleField,
    groups.size ? field("group", "Group", options(groups, "any group")) : null,
    field("folder", "Package", options(new Set(data.findings.map((finding) => folderOf(finding.path))), "any package")),
    owners.size ? field("owner", "Main author", options(owners, "anybody")) : null,
    chooser("Order", Object.entries(ORDERS).map(([key, [text]]) => [key, text]), order, (value) => { order = value; apply(); }),
    h("label.check", h("input", { type: "checkbox", onchange: (event) => { filter.ignored = event.target.checked; apply(); } }), "ignored ones too")),
  cutNote("findings", "findings; the totals of rules are of all"), ruleTable(choose), told, list, h("p.more", more));
  apply();
  return view;
}
