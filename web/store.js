// SPDX-License-Identifier: Apache-2.0
// What the gateway has told of all subjects. Events come by the hundred when a connection begins; views are told once a frame.
import { get, Live } from "./api.js";
import { say } from "./dom.js";
import { PHASES, waitsFor } from "./words.js";

export class Store {
  subjects = new Map();
  gateway = "";
  absent = null; // why there is no list
  skew = 0; // how far the gateway's clock is ahead of this one's, in ms

  constructor(on) {
    Object.assign(this, { on, changed: new Map(), frame: 0, live: null });
  }

  async start() {
    await this.load();
    if (this.absent) return;
    this.live = new Live("/shift/events", {
      open: () => this.reopen(),
      event: (subject) => this.take(subject),
      lost: (since) => this.on.lost(since),
    });
  }

  async load() {
    try {
      const all = await get("/shift");
      this.gateway = all.gateway ?? "";
      this.skew = (Date.parse(all.now) || Date.now()) - Date.now();
      this.subjects = new Map((all.subjects ?? []).map((subject) => [subject.name, subject]));
      this.absent = null;
    } catch (refusal) {
      if (refusal.status !== 404) throw refusal;
      this.absent = "This gateway moves nothing: no route of its configuration has a shift.";
    }
  }

  // After a loss: what has gone meanwhile sends no event.
  async reopen() {
    if (this.opened) await this.load().catch(() => {});
    this.opened = true;
    this.on.found();
  }

  take(subject) {
    const before = this.subjects.get(subject.name);
    this.subjects.set(subject.name, subject);
    this.tell(before, subject);
    this.changed.set(subject.name, subject);
    if (!this.frame) this.frame = requestAnimationFrame(() => this.flush());
  }

  flush() {
    this.frame = 0;
    const changed = [...this.changed.values()];
    this.changed.clear();
    this.on.changed(changed);
  }

  // Only what somebody would look up for is read out: not each number.
  tell(before, subject) {
    if (!before) return;
    if (before.phase !== subject.phase)
      say(`${subject.name}: ${before.phase} to ${subject.phase}. ${PHASES[subject.phase]?.means ?? ""}`);
    else if (subject.verdict?.say === "back" && before.verdict?.say !== "back") say(`${subject.name}: the judge says go back. ${subject.verdict.line}`);
    else if (before.step !== subject.step) say(`${subject.name}: ${subject.percent} % on the new side`);
    else if (waitsFor(subject) && waitsFor(subject) !== waitsFor(before)) say(`${subject.name} waits: ${waitsFor(subject)}`);
  }

  end() {
    cancelAnimationFrame(this.frame);
    this.live?.end();
  }
}
