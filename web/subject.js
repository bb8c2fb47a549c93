// SPDX-License-Identifier: Apache-2.0
// One subject's page. Its head lives by the events; what they do not carry (series, evidence, differences) is asked for again every
// few seconds while it moves, and at once when its revision has changed.
import { get, may, shiftUrl } from "./api.js";
import { Charts } from "./charts.js";
import { Differences } from "./differences.js";
import { ask } from "./dialog.js";
import { count, duration, evidence, fixed, h, ms, percent, probability, rate, say, setText, share, table } from "./dom.js";
import { Journal } from "./journal.js";
import { phasePart, splitPart, verdictPart } from "./parts.js";
import { isAsked, isUsual, metricLabel, VERBS, waitsFor } from "./words.js";
import { Writes } from "./writes.js";

const DETAIL_MS = 4000;
const PLAN_MS = 30000; // the traffic it goes by changes
const POINTS = 600; // as many as the gateway keeps

const moves = (subject) => subject.phase === "shadow" || subject.phase === "canary" || subject.phase === "new";

export class SubjectView {
  constructor(store, who, name) {
    Object.assign(this, { store, who, name, title: name, points: [], revision: null, buttons: new Map() });
    this.parts = [phasePart(), splitPart(), verdictPart()];
    this.sides = h("p.soft");
    this.blocked = h("p.blocked.notice", { hidden: true });
    this.verbs = h("div.verbs", { role: "group", "aria-label": `What can be done with ${name}` });
    this.steps = h("ol.steps", { "aria-label": "Steps" });
    this.graphs = h("div");
    this.facts = h("div.cards");
    this.differences = new Differences(name, (verb, given) => this.act(verb, given), () => may(this.who, "operate"));
    this.writes = new Writes(name, (verb, given) => this.act(verb, given), () => may(this.who, "operate"));
    this.journal = new Journal(name);
    this.trouble = h("p.notice.wrong", { role: "alert", hidden: true });
    this.element = h("section.subject", h("p", h("a", { href: "#/" }, "← All moves")),
      h("div.headline", h("h1", { tabindex: "-1" }, name), this.parts[0].element, this.parts[1].element),
      this.sides, this.trouble, this.blocked, h("div.judge", h("h2", "Verdict"), this.parts[2].element),
      this.verbs, this.steps, h("h2", "Live"), this.graphs, this.facts, this.differences.element, this.writes.element, this.journal.element);
    const known = store.subjects.get(name);
    if (known) this.show(known);
    this.load();
  }

  url(more = "") {
    return shiftUrl(this.name, more);
  }

  // --- what is live

  changed(subjects) {
    const subject = subjects.find((one) => one.name === this.name);
    if (!subject) return;
    this.show(subject);
    if (this.detail && moves(subject)) this.append(subject);
    if (this.revision !== null && subject.revision !== this.revision) this.load();
  }

  all() {
    this.load();
  }

  show(subject) {
    this.subject = { ...subject, detail: subject.detail ?? this.detail };
    this.parts.forEach((part) => part.show(subject));
    setText(this.sides, `${subject.kind}: from ${subject.old} to ${subject.new || "none yet"}. Attempt ${subject.attempt || 1}, hold-back ${percent(subject.holdback)}.` +
      (subject.last ? ` Last: ${subject.last}` : ""));
    const waits = waitsFor(subject);
    setText(this.blocked, waits && `Waits: ${waits}.`);
    this.blocked.hidden = !waits;
    this.showSteps(subject);
    this.showVerbs();
  }

  // A point from an event, between two answers; the evidence of the last answer goes on until the next.
  append(subject) {
    const at = new Date(Date.now() + this.store.skew).toISOString(), last = this.points.at(-1);
    if (last && Date.parse(at) - Date.parse(last.at) < 900) return;
    this.points.push({ at, old: subject.now?.old, new: subject.now?.new, evidence: last?.evidence });
    this.points = this.points.slice(-POINTS);
    this.charts?.draw(this.points, this.journal.moments);
  }

  showSteps(subject) {
    const key = JSON.stringify([subject.steps, subject.step, subject.phase, subject.percent]);
    if (key === this.stepsKey) return;
    this.stepsKey = key;
    const at = subject.phase === "canary" ? subject.step : subject.phase === "new" || subject.phase === "retired" ? Infinity : -1;
    this.steps.replaceChildren(...(subject.steps ?? []).map((step, i) =>
      h(`li${i < at ? ".done" : ""}`, { "aria-current": i === at && "step" }, i < at && h("span", { "aria-hidden": "true" }, "✓ "), `${fixed(step, step % 1 ? 1 : 0)} %`,
        i < at && h("span.hidden", " (done)"))));
  }

  // --- verbs

  showVerbs() {
    const key = JSON.stringify([this.subject.phase, Boolean(this.subject.paused), this.subject.needs || "", this.who]);
    if (key === this.verbsKey) return;
    this.verbsKey = key;
    const held = document.activeElement?.dataset?.verb;
    const names = Object.keys(VERBS).filter((name) => !VERBS[name].difference && !VERBS[name].server && !VERBS[name].write && isAsked(name, this.subject));
    const usual = names.filter((name) => isUsual(name, this.subject));
    const rest = names.filter((name) => !usual.includes(name));
    const opened = this.verbs.querySelector("details")?.open;
    this.verbs.replaceChildren(...usual.map((name) => this.button(name)),
      h("details.rest", { open: opened }, h("summary", "Other verbs"), h("div.verbs", rest.map((name) => this.button(name)))));
    const reason = this.reason();
    if (reason) this.verbs.append(h("p.soft", { id: "verbs-why" }, reason));
    if (held) this.verbs.querySelector(`[data-verb="${held}"], button, summary`)?.focus();
  }

  reason() {
    if (!this.who.changes) return "Nothing can be changed from here: no token is configured (admin.token).";
    if (!may(this.who, "operate")) return `Your role, ${this.who.role}, may look; changing takes the role operate.`;
    return null;
  }

  // Made once: a button must not be another one under a finger that is on its way.
  button(name) {
    if (!this.buttons.has(name)) this.buttons.set(name, this.makeButton(name));
    return this.buttons.get(name);
  }

  makeButton(name) {
    const verb = VERBS[name], allowed = may(this.who, verb.role);
    const title = allowed || this.reason() ? verb.about : `${verb.about} It takes the role ${verb.role}.`;
    return h(`button${verb.strong ? ".strong" : ""}`, { type: "button", "data-verb": name, title, disabled: !allowed,
      onclick: () => this.act(name) }, verb.label);
  }

  async act(name, given) {
    const done = await ask(name, this.subject, given);
    if (!done) return;
    if (done.subject) this.store.take(done.subject);
    await this.load();
    const place = VERBS[name].write ? this.writes.element.querySelector("h2") : this.verbs.querySelector(`[data-verb="${name}"], button, summary`);
    place?.focus();
    say(done.said);
  }

  // --- what is asked for

  async load() {
    clearTimeout(this.timer);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const subject = await get(this.url());
      if (this.ended || turn !== this.turn) return;
      this.trouble.hidden = true;
      this.detail = subject.detail ?? {};
      this.revision = subject.revision;
      this.show(subject);
      this.points = this.detail.series ?? [];
      this.showDetail();
      await Promise.all([this.differences.load(), this.writes.load(subject.writes?.dual), this.journal.load(subject.revision), this.loadPlan()]);
      this.charts?.draw(this.points, this.journal.moments);
    } catch (refusal) {
      if (this.ended) return;
      setText(this.trouble, refusal.status === 404 ? `There is no ${this.name} here.` : `Not to be had: ${refusal.message}.`);
      this.trouble.hidden = false;
    }
    if (!this.ended && turn === this.turn) this.timer = setTimeout(() => this.again(), DETAIL_MS);
  }

  again() {
    if (!document.hidden && this.subject && (moves(this.subject) || this.subject.writes?.dual)) this.load();
    else this.timer = setTimeout(() => this.again(), DETAIL_MS);
  }

  async loadPlan() {
    if (this.planned === this.revision && Date.now() - this.plannedAt < PLAN_MS) return;
    this.planned = this.revision;
    this.plannedAt = Date.now();
    this.plan = await get(this.url("/plan")).catch(() => null);
    if (!this.ended) this.showFacts();
  }

  showDetail() {
    const names = (this.detail.metrics ?? []).map((metric) => metric.name).join();
    if (this.charts?.names !== names) {
      this.charts?.end();
      this.charts = new Charts(this.detail.metrics);
      this.graphs.replaceChildren(this.charts.element);
    } else {
      this.charts.refresh(this.detail.metrics);
    }
    this.charts.draw(this.points, this.journal.moments);
    this.showFacts();
  }

  showFacts() {
    const key = JSON.stringify([{ ...this.detail, series: 0 }, this.plan]);
    if (key === this.factsKey) return;
    this.factsKey = key;
    const scrolled = [...this.facts.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    this.facts.replaceChildren(...[metricsCard(this.detail), usersCard(this.detail), shadowCard(this.detail), objectiveCard(this.detail), planCard(this.plan)].filter(Boolean));
    [...this.facts.querySelectorAll(".scroll")].forEach((box, i) => { box.scrollLeft = scrolled[i] ?? 0; });
  }

  end() {
    this.ended = true;
    clearTimeout(this.timer);
    this.charts?.end();
  }
}

const card = (title, ...content) => h("section.card", h("h2", title), content);
const facts = (...pairs) => h("dl.facts", pairs.filter(Boolean).map(([name, value]) => h("div", h("dt", name), h("dd", value))));
const num = (label) => ({ label, num: true });

function metricsCard({ metrics }) {
  if (!metrics?.length) return null;
  const columns = [{ label: "Metric" }, num("Old: events"), num("of"), num("New: events"), num("of"), num("Share of new"), num("Evidence"), num("Limit")];
  return card("What the judge counts", table("Events and requests of both sides, and the evidence that the new one is worse", columns, metrics.map((metric) => [
    h("span", metric.threshold_ms ? `${metricLabel(metric.name)} (${ms(metric.threshold_ms)})` : metricLabel(metric.name), metric.line && h("span.byhand", metric.line)),
    count(metric.old?.events), count(metric.old?.n), count(metric.new?.events), count(metric.new?.n), share(metric.share),
    evidence(metric.evidence), evidence(metric.limit)])));
}

function usersCard({ users, split, gateways }) {
  if (!users && !split) return null;
  return card("Users", facts(
    users && ["On the new side", users.cap ? `${count(users.new)}, at most ${count(users.cap)}` : count(users.new)],
    users?.capped > 0 && ["Kept off it by the cap", count(users.capped)],
    users && ["Without the cookie yet", count(users.without_cookie)],
    users && ["Told apart by address only", count(users.by_address)],
    split && ["Share expected, seen", `${share(split.expected)}, ${share(split.seen)}`],
    gateways > 1 && ["Gateways that share it", count(gateways)],
    split && ["Would chance do that?", `p ${probability(split.p)}${split.p < 0.001 ? ": no, look at the split" : ""}`]));
}

function shadowCard({ shadow }) {
  if (!shadow) return null;
  return card("Shadow", facts(["Copies sent", count(shadow.sent)], ["Compared", count(shadow.compared)],
    ["Dropped", count(shadow.dropped)], ["Failed", count(shadow.failed)],
    ...Object.entries(shadow.results ?? {}).filter(([, value]) => value > 0).map(([name, value]) => [`Of them: ${name.replaceAll("_", " ")}`, count(value)])));
}

function objectiveCard({ objective }) {
  if (!objective?.target) return null;
  const windows = Object.keys(objective.burn?.old ?? objective.burn?.new ?? {});
  const columns = [{ label: "Side" }, num("Budget left"), ...windows.map((name) => num(`Burn, ${name}`))];
  return card("Availability", table(`Objective ${share(objective.target)}: error budget left, and how fast it burns (1: used up just in time)`, columns,
    ["old", "new"].map((side) => [side, share(objective.budget_left?.[side]), ...windows.map((name) => fixed(objective.burn?.[side]?.[name], 2))])));
}

function planCard(plan) {
  if (!plan?.steps?.length) return null;
  const columns = [{ label: "Step" }, num("Holds for"), { label: "Would be seen" }];
  return card("Plan", table(`What each step would detect, at ${rate(plan.rate)}`, columns, plan.steps.map((step) => [
    percent(step.percent), duration(step.hold_seconds),
    step.line ? h("span", step.line) : h("ul.plain", (step.detects ?? []).map((one) => h("li",
      `${metricLabel(one.metric)} from ${share(one.from)} to ${share(one.to)} after ${count(one.requests)} requests, ${duration(one.seconds)}`)))])));
}
