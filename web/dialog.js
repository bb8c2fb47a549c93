// SPDX-License-Identifier: Apache-2.0
// The question before a verb: what will happen (the gateway is asked, with dry_run), and why. <dialog> keeps the keyboard in.
import { get, post, Refusal, shiftUrl } from "./api.js";
import { h, say, setText } from "./dom.js";
import { VERBS } from "./words.js";

let nth = 0;

// subject: what it is done to; given: { path, kind } of a difference, { server } of an upstream, { action, id } of a write. Gives what was done, or null when it was not.
export function ask(name, subject, given = {}) {
  return new Promise((resolve) => new Question(name, subject, given, resolve).open());
}

class Question {
  constructor(name, subject, given, resolve) {
    Object.assign(this, { name, subject, given, resolve, verb: VERBS[name], revision: subject.revision, done: null, asked: 0 });
    this.build();
  }

  build() {
    const id = `ask-${++nth}`;
    this.why = h("input", { id: `${id}-why`, type: "text", required: true, maxlength: "200", autocomplete: "off", "aria-describedby": `${id}-hint` });
    this.percent = this.verb.percent && h("input", { id: `${id}-percent`, type: "number", required: true, min: "0", max: "100", step: "any",
      inputmode: "decimal", value: String(this.subject.percent ?? ""), oninput: () => this.look() });
    this.target = this.verb.target && this.subject.kind === "upstream" && this.subject.phase === "old" &&
      h("select", { id: `${id}-target`, onchange: () => this.look() });
    this.force = h("input", { id: `${id}-force`, type: "checkbox", onchange: () => this.look() });
    this.forced = h("p", { hidden: true }, this.force, " ", h("label", { for: this.force.id }, "Do it all the same; the journal says so"));
    this.foretold = h("p.foretold", { "aria-live": "polite" }, "Asking the gateway…");
    this.confirm = h("button.confirm", { type: "submit", disabled: true }, this.verb.label);
    if (this.verb.strong) this.confirm.classList.add("strong");
    this.form = h("form", { method: "dialog", novalidate: true, onsubmit: (event) => this.submit(event) },
      h("h2", { id: `${id}-title` }, `${this.verb.label}: ${this.subject.name}`),
      h("p", this.verb.about),
      this.given.path !== undefined && h("p", "Path ", h("code", this.given.path), ", kind ", h("strong", this.given.kind)),
      this.given.id !== undefined && h("p", `Write ${this.given.id}`),
      this.given.server !== undefined && h("p", "Server ", h("code", this.given.server)),
      this.percent && h("p.field", h("label", { for: this.percent.id }, "Percent of users on the new side"), this.percent),
      this.target && h("p.field", h("label", { for: this.target.id }, "Upstream that takes over"), this.target),
      h("p.field", h("label", { for: this.why.id }, "Why"), this.why,
        h("span.hint", { id: `${id}-hint` }, "The journal keeps it, with your name.")),
      h("section.happens", { "aria-labelledby": `${id}-happens` }, h("h3", { id: `${id}-happens` }, "What will happen"), this.foretold, this.forced),
      h("div.buttons", h("button.cancel", { type: "button", onclick: () => this.element.close() }, "Cancel"), this.confirm));
    this.element = h("dialog", { "aria-labelledby": `${id}-title`, onclose: () => this.close() }, this.form);
  }

  open() {
    document.body.append(this.element);
    this.element.showModal();
    (this.percent || this.target || this.why).focus();
    this.begin();
  }

  // Of an upstream that is swapped the other one is chosen here.
  async begin() {
    const all = this.target ? await get("/upstreams").catch(() => []) : [];
    const others = all.map((upstream) => upstream.name).filter((name) => name !== this.subject.old);
    this.target?.append?.(...others.map((name) => h("option", { value: name, selected: name === this.subject.new }, name)));
    this.look();
  }

  body(more) {
    return { why: this.why.value.trim(), expect: this.revision, ...this.given, ...(this.percent && { percent: Number(this.percent.value) }),
      ...(this.target && { target: this.target.value }), ...(this.force.checked && { force: true }), ...more };
  }

  url() {
    return shiftUrl(this.subject.name, `/${this.verb.path ?? this.name}`);
  }

  // What would happen, with what stands in the fields now. Only the last answer counts.
  async look() {
    const turn = ++this.asked;
    this.ready(false);
    if (this.percent && !this.percent.checkValidity()) return this.tell("A percent is a number from 0 to 100.", true);
    try {
      const answer = await post(this.url(), this.body({ dry_run: true }));
      if (turn !== this.asked) return;
      this.tell(answer.said);
      this.ready(true);
    } catch (refusal) {
      if (turn !== this.asked) return;
      this.tell(refusal.message, true);
      if (refusal.slug === "shift.refused") this.forced.hidden = false;
      await this.catchUp(refusal);
    }
  }

  // Somebody else was quicker: what is to happen is asked again, from where things stand now.
  async catchUp(refusal) {
    if (refusal.status !== 409 || this.caughtUp) return;
    this.caughtUp = true;
    const now = await get(shiftUrl(this.subject.name)).catch(() => this.subject);
    if (now.revision === this.revision) return;
    this.revision = now.revision;
    const before = refusal.message;
    await this.look();
    if (!this.confirm.disabled) this.tell(`It has changed meanwhile (${before}). Now: ${this.foretold.textContent}`);
  }

  ready(yes) {
    this.confirm.disabled = !yes;
  }

  tell(text, wrong = false) {
    this.foretold.classList.toggle("wrong", wrong);
    setText(this.foretold, wrong ? `Not possible: ${text}` : text);
  }

  async submit(event) {
    event.preventDefault();
    if (!this.form.reportValidity() || this.confirm.disabled) return;
    this.ready(false);
    this.asked++;
    try {
      const answer = await post(this.url(), this.body({ dry_run: false }));
      this.done = answer;
      this.element.close();
      say(answer.said);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      this.tell(refusal.message, true);
      this.caughtUp = false;
      await this.catchUp(refusal);
    }
  }

  close() {
    this.element.remove();
    this.resolve(this.done);
  }
}
