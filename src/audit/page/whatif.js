// SPDX-License-Identifier: Apache-2.0
// The money, and what it would be if: every input is a slider and a field, and all figures follow.
import { count, DASH, fixed, h, say, setText } from "../../../web/dom.js";
import { audit } from "./data.js";
import { amountText, MONEY_INPUTS, moved, reckon } from "./money.js";
import { real } from "./words.js";

const STEPS = 400, SPAN = 3;
const VERDICTS = { unknown: "Nobody can say yet whether it pays", pays: "It pays, even if everything comes at its worst", likely: "It most likely pays; at its worst it does not",
  doubtful: "It most likely does not pay; only at its best it does", "does-not-pay": "It does not pay, even if everything comes at its best" };
const THRESHOLDS = [["Debt, of the development budget", 0.4, "above"], ["Velocity lost a year", 0.2, "above"], ["Availability", 0.99, "below"], ["Critical people's time for maintenance", 0.5, "above"]];
const PARTS = { hours_lost: "Hours lost", infrastructure: "Infrastructure", opportunity: "Delayed features", security: "Security", churn: "Customers lost" };

export const moneyCase = (given) => ({
  known: Object.fromEntries(Object.keys(MONEY_INPUTS).map((key) => [key, given.inputs[key]?.value ?? null])), cost: given.refactoring_cost ?? null });

const months = (value) => (Number.isFinite(value) ? fixed(value, 1) : "never");
const percent = (value) => (Number.isFinite(value) ? `${fixed(value * 100, 0)} %` : DASH);

export function moneyView() {
  const given = audit.money, start = moneyCase(given), currency = given.currency || "$";
  const now = { known: { ...start.known }, cost: start.cost };
  const cash = (value) => amountText(currency, value), verdict = h("p.verdict", { role: "status" }), results = h("dl.results"), formula = h("div.formula"), limits = h("ul.plain"), rows = [];

  function shown(row, value) {
    if (value === null) return DASH;
    if (row.unit === "m") return cash(value);
    return row.unit === "s" ? `${real(value * 100)} %` : `${real(value)} ${row.unit === "h" ? "hours" : "years"}`;
  }

  function line(label, range, write, note) {
    const of = range ? [h("strong", write(range.likely)), range.low !== range.high ? h("span.soft", ` ${write(range.low)} to ${write(range.high)}`) : ""] : [h("span.soft", "not known")];
    return h("div", h("dt", label), h("dd", of, note && range ? h("span.soft", note) : ""));
  }

  function draw() {
    const r = reckon(now.known, now.cost), years = now.known.years?.likely;
    setText(verdict, `${VERDICTS[r.verdict]}${r.net && !now.known.running ? " (the cost of running what replaces it is not known and not in it)" : ""}.`);
    verdict.dataset.verdict = r.verdict;
    results.replaceChildren(line("The debt, a year", r.annual_cost, cash, r.parts_missing ? ` at least: ${count(r.parts_missing)} of five parts not known` : ""),
      line("Interest (hours lost), a year", r.interest_a_year, cash), line("Principal (to mend all), once", r.principal, cash), line("The work", r.refactoring_cost, cash),
      line("The saving, a month", r.saving_a_month, cash), line("Payback, months", r.payback_months, months), line(`Net gain over ${real(years)} years`, r.net, cash), line("ROI", r.roi, percent),
      line("Break-even: share of the cost that must go", r.break_even_share, percent));
    formula.replaceChildren(...Object.entries(PARTS).flatMap(([key, text], i) => [i ? h("span", { "aria-hidden": "true" }, " + ") : "", h("span.part", h("strong", r.parts[key] ? cash(r.parts[key].likely) : "not known"), h("span.soft", text))]));
    limits.replaceChildren(...r.thresholds.map((t, i) => h("li", { "data-is": t.is }, `${THRESHOLDS[i][0]}: `,
      t.value ? h("strong", `${real(t.value.likely * 100)} %`) : "not known", h("span.soft", `, limit ${real(THRESHOLDS[i][1] * 100)} % (crossed ${THRESHOLDS[i][2]}): `), h("strong", t.is === "unknown" ? "unknown" : `${t.doubtful ? "probably " : ""}${t.is}`))));
    for (const row of rows) row.show();
  }

  function inputRow(key, row, base, source, get, set) {
    const most = row.most && row.unit === "s" ? row.most : row.unit === "y" ? 10 : base ? base.likely * SPAN || 1 : null, id = `money-${key}`;
    const scale = row.unit === "s" ? 100 : 1, unit = { h: "hours", m: currency, s: "%", y: "years" }[row.unit];
    const slider = h("input", { type: "range", min: 0, max: most ?? 1, step: (most ?? 1) / STEPS, disabled: most === null, "aria-label": `${row.text}, slider`,
      oninput: () => change(Number(slider.value)) });
    const field = h("input", { type: "number", id, min: 0, step: "any", oninput: () => change(field.value === "" ? null : Number(field.value) / scale) });
    const reset = h("button.quiet.small", { type: "button", onclick: () => { set(base); draw(); field.focus(); say(`${row.text}: as it was`); } }, "as it was", h("span.hidden", `: ${row.text}`));
    const value = h("span.soft");
    function change(likely) {
      set(likely === null || !(likely >= 0) ? null : likely === base?.likely ? base : moved(base, likely, row));
      draw();
    }
    function show() {
      const range = get();
      if (document.activeElement !== field) field.value = range ? String(Number((range.likely * scale).toPrecision(8))) : "";
      if (document.activeElement !== slider) slider.value = range ? range.likely : 0;
      slider.setAttribute("aria-valuetext", range ? shown(row, range.likely) : "not known");
      setText(value, range ? `${shown(row, range.likely)}${row.per}${range.low !== range.high ? ` (${shown(row, range.low)} to ${shown(row, range.high)})` : ""}` : "not known");
      const same = range === base || (range && base && range.low === base.low && range.likely === base.likely && range.high === base.high);
      reset.style.visibility = same ? "hidden" : "visible";
    }
    rows.push({ show });
    return h("div.input", h("label", { for: id }, row.text, row.per ? h("span.soft", row.per) : ""), slider, h("span.amount", field, unit), h("span.now", value, h("span.source", { "data-source": source.split(":")[0] }, source)), reset);
  }

  const inputs = Object.entries(MONEY_INPUTS).map(([key, row]) => {
    const one = given.inputs[key] || { source: "unknown" };
    return inputRow(key, row, start.known[key], `${one.source}${one.from ? `: ${one.from}` : ""}`, () => now.known[key], (range) => { now.known[key] = range; });
  });
  inputs.splice(7, 0, inputRow("cost", { unit: "m", per: ", once", text: "Price of the work", assumed: true }, start.cost, start.cost ? "configured" : "unknown", () => now.cost, (range) => { now.cost = range; }));
  const all = h("button", { type: "button", onclick: () => { Object.assign(now.known, start.known); now.cost = start.cost; draw(); say("All inputs are as they were"); } }, "All as it was");
  draw();
  const remarks = (title, texts) => (texts?.length ? h("section", h("h3", title), h("ul", texts.map((text) => h("li", text)))) : null);
  const perLine = audit.principal_a_line, sane = perLine?.is ? h("p.soft", `The principal is ${cash(perLine.amount)} a line of code: ${perLine.is} what others found, $${real(perLine.reference)} (${perLine.source}).`) : null;
  return h("div", verdict, results, sane, h("h3", "The debt, a year"), formula, h("h3", "Thresholds"), limits,
    h("h3", "What if"), h("p.soft", "Nothing here is kept: the figures above follow the sliders, the sentences below are of the inputs as they were. A range moves along with its likely value."), h("div.inputs", inputs), h("p", all),
    remarks("Contradictions", given.contradictions), remarks("Mind", given.remarks));
}
