// SPDX-License-Identifier: Apache-2.0
// Writes that one side has and the other lacks: which, why, and what a person may do about each. What is open stays open when the list changes.
import { get, shiftUrl } from "./api.js";
import { count, h, setText, table, time } from "./dom.js";
import { VERBS } from "./words.js";

const STATES = { open: "… under way", unknown: "? nobody knows", due: "→ on its way", dead: "✕ dead letter", skipped: "↷ skipped", differs: "≠ answered differently" };
const LACKS = { new: "the new side", old: "the old side" };
const COLUMNS = [{ label: "Write", num: true }, { label: "State" }, { label: "Lacking" }, { label: "Tries", num: true }, { label: "Request" }, { label: "Key" },
  { label: "Since" }, { label: "What was said" }, { label: "Repair" }];
const REPAIRS = ["retry", "drop", "skip"];

export class Writes {
  constructor(name, act, may) {
    Object.assign(this, { name, act, may, opened: new Set(), shown: new Map() });
    this.told = h("p.soft");
    this.list = h("div");
    this.element = h("section.writes", { hidden: true }, h("h2", { tabindex: "-1" }, "Writes to both sides"), this.told, this.list);
  }

  // dual: does the route write to both sides now? What it left behind is there after that too.
  async load(dual) {
    const found = await get(shiftUrl(this.name, "/writes")).catch((refusal) => ({ refused: refusal.message }));
    this.element.hidden = !dual && !found.writes?.length;
    const text = JSON.stringify([found, this.may()]);
    if (text === this.text || this.element.hidden) return;
    this.text = text;
    this.show(found);
  }

  show({ writes = [], after, refused }) {
    const dead = writes.filter((write) => write.state === "dead").length;
    setText(this.told, refused ? `None to show: ${refused}.` : !writes.length ? "Both sides have all writes." :
      `${count(writes.length)}${after ? " or more" : ""} ${writes.length === 1 ? "write" : "writes"} to look at${dead ? `, ${count(dead)} of them ${dead === 1 ? "waits" : "wait"} for a person` : ""}.`);
    const held = document.activeElement?.dataset?.repair;
    this.list.replaceChildren(...(writes.length ? [table("Writes that one side lacks", COLUMNS, writes.map((write) => this.cells(write)), "table.writes")] : []));
    if (held) (this.list.querySelector(`[data-repair="${held}"]`) ?? this.element.querySelector("h2")).focus();
  }

  cells(write) {
    const state = h("span.state", { "data-state": write.state }, STATES[write.state] ?? write.state);
    return [`${write.id}`, h("span", state, write.reason && h("span.soft", ` ${write.reason}`)), LACKS[write.lacks] ?? write.lacks, count(write.tries),
      this.request(write), h("code", write.key), time(write.at), write.said || "nothing yet", this.repairs(write)];
  }

  repairs(write) {
    const fitting = REPAIRS.filter((verb) => VERBS[verb].states.includes(write.state));
    if (!fitting.length) return "none needed";
    return h("span.verbs", fitting.map((verb) => h("button.small", { type: "button", disabled: !this.may(), "data-repair": `${verb} ${write.id}`,
      "aria-label": `${VERBS[verb].label}: write ${write.id}`, onclick: () => this.act(verb, { action: verb, id: `${write.id}` }) }, VERBS[verb].label)));
  }

  // The rest of it is asked for when somebody opens it.
  request(write) {
    const inside = h("div");
    const open = (event) => {
      this.opened[event.target.open ? "add" : "delete"](write.id);
      if (event.target.open) this.more(write, inside);
    };
    return h("details.examples", { open: this.opened.has(write.id), ontoggle: open }, h("summary", h("code", write.request)), inside);
  }

  async more(write, inside) {
    const all = await get(shiftUrl(this.name, `/writes?id=${write.id}`)).catch((refusal) => ({ refused: refusal.message }));
    const lines = all.refused ? [h("p", `Not to be had: ${all.refused}.`)] : [
      h("p", `${count(all.body_bytes)} bytes of body, which is not shown. Idempotency-Key `, h("code", all.idempotency_key), all.status ? `. The side that took it answered ${all.status}.` : "."),
      h("pre", { tabindex: "0", role: "region", "aria-label": `Headers of write ${write.id}` }, (all.headers ?? []).map((field) => `${field.name}: ${field.value}`).join("\n"))];
    inside.replaceChildren(...lines);
  }
}
