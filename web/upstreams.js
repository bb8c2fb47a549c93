// SPDX-License-Identifier: Apache-2.0
// Upstreams and their servers: health, connections, queues; then all that has a limit. Asked for every two seconds while somebody looks.
import { get, getText, may } from "./api.js";
import { ask } from "./dialog.js";
import { count, h, row, setText, table } from "./dom.js";
import { LIMIT_COLUMNS, limitCells, limitsOf, parseMetrics } from "./limits.js";
import { VERBS } from "./words.js";

const EVERY_MS = 2000;
const COLUMNS = [{ label: "Server" }, { label: "State" }, { label: "Requests", num: true }, { label: "Connections", num: true }, { label: "Weight", num: true },
  { label: "Failures in a row", num: true }];
const ACTIONS = { label: "Take out or put back" };
const STATES = { up: "✓ up", slow: "△ slow", down: "✕ down" };

const of = (value, limit) => (limit ? `${count(value)} of ${count(limit)}` : count(value));

function stateOf(server) {
  const notes = [server.ejected && "ejected", server.drained && "drained", server.slow_start && "starting slowly"].filter(Boolean);
  return h("span.state", { "data-state": server.state }, [STATES[server.state] ?? server.state, ...notes].join(", "));
}

const cells = (server) => [server.address, stateOf(server), count(server.requests), of(server.connections, server.max_connections), count(server.weight), count(server.failures_in_a_row)];

// Servers are taken out and put back where the upstream can be moved (`shift: {}`), by who may.
class Upstream {
  constructor(upstream, view) {
    Object.assign(this, { name: upstream.name, view, buttons: new Map() });
    this.facts = h("p.facts");
    this.columns = this.subject() ? [...COLUMNS, ACTIONS] : COLUMNS;
    this.scroll = table(`Servers of ${upstream.name}`, this.columns, [], "table.servers");
    this.body = this.scroll.querySelector("tbody");
    this.element = h("section.upstream", { "data-name": upstream.name }, h("h2", upstream.name), this.facts, this.scroll);
    this.show(upstream);
  }

  show(upstream) {
    const text = JSON.stringify(upstream);
    if (text === this.text) return;
    this.text = text;
    const up = upstream.servers.filter((server) => server.state !== "down" && !server.ejected && !server.drained).length;
    setText(this.facts, `Servers that take requests: ${up} of ${upstream.servers.length}. Connections ${of(upstream.connections, upstream.max_connections)}; ` +
      `waiting ${of(upstream.waiting, upstream.queue_length)}; retries ${of(upstream.retries, upstream.retries_allowed)}.`);
    const held = document.activeElement;
    this.body.replaceChildren(...upstream.servers.map((server) => row(this.columns, this.cells(server))));
    if (this.body.contains(held)) held.focus();
  }

  subject() {
    return this.view.store.subjects.get(`upstream:${this.name}`);
  }

  cells(server) {
    return this.columns.includes(ACTIONS) ? [...cells(server), this.button(server)] : cells(server);
  }

  // One a server, whose words change: the keyboard stays where it is.
  button(server) {
    if (!this.buttons.has(server.address)) this.buttons.set(server.address, h("button.small", { type: "button", disabled: !may(this.view.who, "operate") }));
    const button = this.buttons.get(server.address), name = server.drained && server.weight ? "undrain" : "drain";
    setText(button, VERBS[name].label);
    button.title = VERBS[name].about;
    button.dataset.verb = name;
    button.setAttribute("aria-label", `${VERBS[name].label}: ${server.address}`);
    button.onclick = () => this.act(name, server.address);
    return button;
  }

  async act(name, server) {
    const done = await ask(name, this.subject(), { server });
    if (!done) return;
    if (done.subject) this.view.store.take(done.subject);
    await this.view.load();
    this.buttons.get(server)?.focus();
  }
}

export class UpstreamsView {
  title = "Upstreams";

  constructor(store, who) {
    Object.assign(this, { store, who });
    this.shown = new Map();
    this.told = h("p.soft", "Asking…");
    this.list = h("div");
    this.scroll = table("All that has a limit, the fullest first", LIMIT_COLUMNS, [], "table.limits");
    this.limits = h("section.limits", { hidden: true }, h("h2", "Limits"), this.scroll);
    this.element = h("section", h("div.headline", h("h1", { tabindex: "-1" }, "Upstreams")), this.told, this.list, this.limits);
    this.ask();
  }

  async ask() {
    if (!document.hidden) await Promise.all([this.load(), this.loadLimits()]);
    if (!this.ended) this.timer = setTimeout(() => this.ask(), EVERY_MS);
  }

  async load() {
    try {
      const upstreams = await get("/upstreams");
      setText(this.told, `${upstreams.length === 1 ? "One upstream" : `${upstreams.length} upstreams`}, as this gateway sees ${upstreams.length === 1 ? "it" : "them"}.`);
      for (const upstream of upstreams) {
        if (this.shown.has(upstream.name)) this.shown.get(upstream.name).show(upstream);
        else {
          const fresh = new Upstream(upstream, this);
          this.shown.set(upstream.name, fresh);
          this.list.append(fresh.element);
        }
      }
      for (const [name, old] of this.shown)
        if (!upstreams.some((upstream) => upstream.name === name)) {
          old.element.remove();
          this.shown.delete(name);
        }
    } catch (refusal) {
      setText(this.told, `Not to be had: ${refusal.message}.`);
    }
  }

  async loadLimits() {
    const rows = limitsOf(parseMetrics(await getText("/metrics").catch(() => "")));
    const text = JSON.stringify(rows);
    if (text === this.limitsText) return;
    this.limitsText = text;
    this.limits.hidden = !rows.length;
    this.scroll.querySelector("tbody").replaceChildren(...rows.map((one) => row(LIMIT_COLUMNS, limitCells(one))));
  }

  end() {
    this.ended = true;
    clearTimeout(this.timer);
  }
}
