// SPDX-License-Identifier: Apache-2.0
// What the list and a subject's page both show: phase, split, verdict. Each part is made once and told what is so now.
import { h, percent, setAttribute, setText } from "./dom.js";
import { PHASES, SAYS } from "./words.js";

export function phasePart() {
  const sign = h("span.sign", { "aria-hidden": "true" }), label = h("span"), paused = h("span.paused", { hidden: true }, "paused");
  const badge = h("span.badge", sign, label);
  return { element: h("span.phase", badge, " ", paused), show(subject) {
    const phase = PHASES[subject.phase] ?? { sign: "?", label: subject.phase, means: "" };
    setText(sign, phase.sign);
    setText(label, phase.label);
    setAttribute(badge, "data-phase", subject.phase);
    setAttribute(badge, "title", phase.means);
    if (paused.hidden !== !subject.paused) paused.hidden = !subject.paused;
  } };
}

// The bar is for the eye; the number beside it says the same. (A width set by script is no style attribute: the strict page allows it.)
export function splitPart() {
  const fill = h("span.fill"), text = h("span.num");
  return { element: h("span.split", h("span.bar", { "aria-hidden": "true" }, fill), text), show(subject) {
    const value = Number.isFinite(subject.percent) ? subject.percent : 0;
    const width = `${Math.min(100, Math.max(0, value))}%`;
    if (fill.style.width !== width) fill.style.width = width;
    setText(text, `${percent(value)} new`);
  } };
}

export function verdictPart() {
  const sign = h("span.sign", { "aria-hidden": "true" }), label = h("strong"), line = h("span.line");
  const element = h("span.verdict", h("span.say", sign, label), line);
  return { element, show(subject) {
    const verdict = subject.verdict ?? {};
    const known = SAYS[verdict.say];
    setText(sign, known?.sign ?? "");
    setText(label, known?.label ?? verdict.say ?? "");
    setText(line, verdict.line ?? "");
    setAttribute(element, "data-say", verdict.say ?? "");
  } };
}

export const subjectPath = (name) => `#/shift/${encodeURIComponent(name)}`;
