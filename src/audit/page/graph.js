// SPDX-License-Identifier: Apache-2.0
// Who imports whom: a drawing and a matrix of the same parts. Parts are packages; one is opened to what is in it by a click or Enter, and closed by
// its name above. Rows of the drawing go from those that need others to those that others need, so that a line upwards closes a circle.
import { count, DASH, fixed, h, say } from "../../../web/dom.js";
import { audit, fileOf } from "./data.js";
import { grid } from "./grid.js";
import { nearest, roam, rows, WAYS } from "./layout.js";
import { bar, chooser, cutNote, plural, place, tile, tiles } from "./words.js";

const NODES = 60, LABEL = 20, FEW = 7, WIDE = 7, BOX = { w: 150, h: 38, dx: 172, dy: 92 }, SVG = "http://www.w3.org/2000/svg", HEATS = 5;
const links = audit.links;

// Packages with their packages and modules; those with neither tests nor anything else that counts are not there.
function packagesBelow(tests) {
  const counts = (module) => tests || (fileOf.get(module.path)?.kind ?? "code") === "code";
  const below = links.packages.map(() => []), modules = links.packages.map(() => []), tops = [];
  links.packages.forEach((one, i) => (one.parent === undefined || one.parent === null ? tops.push(i) : below[one.parent]?.push(i)));
  links.modules.forEach((one, i) => { if (counts(one)) modules[one.package]?.push(i); });
  const size = modules.map((list) => list.length);
  for (let i = size.length - 1; i >= 0; i--) if (links.packages[i].parent >= 0) size[links.packages[i].parent] += size[i];
  const full = (list) => list.filter((i) => size[i] > 0);
  return { below: below.map(full), modules, tops: full(tops), size };
}

// What is drawn while these packages are open: packages that are closed, and modules of those that are open.
class Parts {
  constructor(tests) {
    Object.assign(this, packagesBelow(tests));
    this.open = new Set();
    while (this.visible().length < FEW && this.openLargest());
  }

  // The largest of those that are closed, if what is in it can still be drawn.
  openLargest() {
    const closed = this.visible().filter((part) => this.opens(part)).sort((x, y) => links.packages[y.package].all - links.packages[x.package].all);
    return closed.some((part) => {
      this.open.add(part.package);
      if (this.visible().length <= NODES) return true;
      this.open.delete(part.package);
      return false;
    });
  }

  opens(part) {
    return part.package !== undefined && this.below[part.package].length + this.modules[part.package].length > 1;
  }

  visible() {
    const found = [], ahead = [...this.tops].reverse();
    while (ahead.length) {
      let at = ahead.pop();
      while (!this.modules[at].length && this.below[at].length === 1) [at] = this.below[at];
      if (!this.open.has(at)) {
        found.push({ package: at, name: links.packages[at].name || "(no package)" });
        continue;
      }
      ahead.push(...[...this.below[at]].reverse());
      found.push(...this.modules[at].map((module) => ({ module, name: links.modules[module].name })));
    }
    return found;
  }

  // Visible parts with their imports of each other, heaviest first when there are too many to draw.
  graph(kinds) {
    let parts = this.visible();
    const whole = parts.length;
    const ofPackage = new Map(), ofModule = new Map();
    parts.forEach((part, i) => (part.module === undefined ? ofPackage.set(part.package, i) : ofModule.set(part.module, i)));
    const home = (module) => {
      if (ofModule.has(module)) return ofModule.get(module);
      for (let at = links.modules[module]?.package; at !== undefined && at !== null; at = links.packages[at]?.parent)
        if (ofPackage.has(at)) return ofPackage.get(at);
      return -1;
    };
    const homes = links.modules.map((_, i) => home(i)), weights = new Map(), degree = parts.map(() => 0);
    for (const [from, to, bits, imports] of links.edges) {
      const x = homes[from] ?? -1, y = homes[to] ?? -1;
      if (x < 0 || y < 0 || x === y || !(bits & kinds)) continue;
      weights.set(x * whole + y, (weights.get(x * whole + y) || 0) + imports);
      degree[x]++;
      degree[y]++;
    }
    const kept = parts.map((_, i) => i).sort((x, y) => degree[y] - degree[x] || x - y).slice(0, NODES).sort((x, y) => x - y);
    const number = new Map(kept.map((old, i) => [old, i]));
    parts = kept.map((i) => parts[i]);
    const edges = parts.map(() => []), weight = new Map();
    for (const [key, imports] of weights) {
      const x = number.get(Math.floor(key / whole)), y = number.get(key % whole);
      if (x === undefined || y === undefined) continue;
      edges[x].push(y);
      weight.set(x * parts.length + y, imports);
    }
    return { parts, edges, whole, weight: (x, y) => weight.get(x * parts.length + y) || 0 };
  }
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== null) element.setAttribute(key, value);
  element.append(...children.filter(Boolean));
  return element;
}

function placed(layout) {
  const where = new Map(), lines = [];
  for (const level of layout.levels)
    for (let i = 0; i < level.length; i += WIDE) lines.push(level.slice(i, i + WIDE));
  const widest = Math.max(1, ...lines.map((line) => line.length));
  lines.forEach((line, y) => line.forEach((node, i) =>
    where.set(node, { x: ((widest - line.length) / 2 + i) * BOX.dx + 11, y: y * BOX.dy + 24 })));
  return { where, width: widest * BOX.dx, height: Math.max(1, lines.length) * BOX.dy };
}

// Without the package that was opened around it, as long as that leaves two of one name apart; from its end when it is long.
function labels(parts, open) {
  const ends = parts.map((part) => {
    const around = part.name.split(".").slice(0, -1).join(".");
    return around && [...open].some((at) => links.packages[at].name === around) ? part.name.slice(around.length + 1) : part.name;
  });
  return ends.map((end, i) => {
    const name = ends.indexOf(end) === ends.lastIndexOf(end) ? end : parts[i].name;
    return name.length <= LABEL ? name : `…${name.slice(1 - LABEL)}`;
  });
}

function drawing(graph, layout, open) {
  const { where, width, height } = placed(layout), edges = [], nodes = [], names = labels(graph.parts, open.all());
  graph.edges.forEach((list, x) => list.forEach((y) => {
    const from = where.get(x), to = where.get(y), down = to.y > from.y;
    const [x1, x2] = [from.x + BOX.w / 2, to.x + BOX.w / 2], [y1, y2] = down ? [from.y + BOX.h, to.y] : [from.y, to.y + BOX.h];
    const bend = to.y === from.y ? -46 : (y2 - y1) / 2;
    const path = to.y === from.y ? `M${x1},${from.y}C${x1},${from.y + bend} ${x2},${to.y + bend} ${x2},${to.y}` :
      `M${x1},${y1}C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}`;
    edges.push(svg("path", { d: path, class: "edge", "data-from": x, "data-to": y, "data-back": layout.back(x, y) ? "" : undefined,
      "stroke-width": Math.min(6, 1 + Math.log2(1 + graph.weight(x, y)) / 2) }));
  }));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Graph of imports", class: "graph" });
  picture.style.width = `${width}px`;
  const light = (node) => {
    picture.toggleAttribute("data-lit", node !== null);
    for (const edge of edges) edge.toggleAttribute("data-on", node !== null && (Number(edge.dataset.from) === node || Number(edge.dataset.to) === node));
  };
  const drawn = layout.levels.flat();
  drawn.forEach((i) => {
    const part = graph.parts[i];
    const { x, y } = where.get(i), out = graph.edges[i].length, into = graph.edges.filter((list) => list.includes(i)).length, can = open.opens(part);
    const inside = part.module === undefined ? plural(open.size(part.package), "module") : "module";
    const said = `${part.name}, ${inside}: imports ${out}, imported by ${into}${layout.circle(i) ? ", in a circle" : ""}${can ? ", opens" : ""}`;
    const act = () => can && open.toggle(part.package);
    const node = svg("g", { class: "node", transform: `translate(${x},${y})`, tabindex: nodes.length ? -1 : 0, role: can ? "button" : "img",
      "data-circle": layout.circle(i) ? "" : undefined, "data-opens": can ? "" : undefined },
    svg("title", {}, said), svg("rect", { width: BOX.w, height: BOX.h, rx: 5 }),
    svg("text", { x: BOX.w / 2, y: 16 }, names[i]),
    svg("text", { x: BOX.w / 2, y: 31, class: "small" }, inside));
    node.addEventListener("click", act);
    node.addEventListener("keydown", (event) => {
      const next = WAYS[event.key] && nearest(node, nodes, WAYS[event.key], (one) => where.get(drawn[nodes.indexOf(one)]));
      if (event.key === "Enter" || event.key === " ") act();
      else if (next) next.focus();
      else return;
      event.preventDefault();
    });
    node.addEventListener("focus", () => roam(node, nodes));
    for (const [on, off] of [["mouseenter", "mouseleave"], ["focus", "blur"]]) {
      node.addEventListener(on, () => light(i));
      node.addEventListener(off, () => light(null));
    }
    nodes.push(node);
  });
  picture.append(...edges, ...nodes);
  return picture;
}

function matrix(graph, layout) {
  const { order } = layout, most = Math.max(1, ...graph.edges.flatMap((list, x) => list.map((y) => graph.weight(x, y))));
  const cell = (x, y) => {
    const imports = x === y ? 0 : graph.weight(x, y), back = layout.back(x, y);
    const heat = imports ? Math.min(HEATS, 1 + Math.floor(HEATS * Math.log(imports) / Math.log(most + 1))) : 0;
    return h("td.num", { "data-heat": heat, "data-back": Boolean(imports) && back, "data-self": x === y, title: imports ? `${graph.parts[x].name} imports ${graph.parts[y].name}: ${imports}` : null },
      imports ? count(imports) : "");
  };
  return h("div.scroll.matrix", { role: "region", tabindex: "0", "aria-label": "Dependency matrix" },
    h("table", h("caption", "Import statements from the row's part to the column's, in an order in which as few as possible lead back. Framed: these do."),
      h("thead", h("tr", h("td"), order.map((y, i) => h("th.num", { scope: "col", title: graph.parts[y].name }, h("span.hidden", graph.parts[y].name), h("span", { "aria-hidden": "true" }, String(i + 1)))))),
      h("tbody", order.map((x, i) => h("tr", h("th", { scope: "row" }, h("span.soft", { "aria-hidden": "true" }, `${i + 1} `), graph.parts[x].name), order.map((y) => cell(x, y)))))));
}

function edgeList(list) {
  return list.map(([from, to, line]) => h("li", place(links.modules[from]?.path ?? links.modules[from]?.name ?? "?", line), " → ", h("code", links.modules[to]?.name ?? "?")));
}

function circles() {
  const all = links.cycles || [];
  if (!all.length) return h("section", h("h3", "Circles"), h("p", "No modules import each other in a circle."));
  return h("section", h("h3", "Circles"), all.slice(0, 40).map((cycle) => h("details", h("summary", `${plural(cycle.modules.length, "module")}${cycle.lazy ? ", closed by an import within a function" : ""}: `,
    h("code", cycle.modules.slice(0, 3).map((m) => links.modules[m]?.name ?? m).join(", ")), cycle.modules.length > 3 ? ", …" : ""),
  h("h4", "One way round"), h("ol", edgeList(cycle.circle)), h("h4", "Without these there is no circle"), h("ul", edgeList(cycle.cut)))),
  all.length > 40 ? h("p.note", `${plural(all.length - 40, "more circle")} are not shown.`) : null);
}

function contracts() {
  if (!links.contracts?.length) return null;
  return h("section", grid("Rules about imports", [
    { label: "Rule", of: (c) => c.name }, { label: "Kind", of: (c) => c.kind }, { label: "Breaches", num: true, of: (c) => c.breaches },
    { label: "From", of: (c) => c.from || "banyan.yaml" }, { label: "Note", of: (c) => c.odd || "" }], links.contracts));
}

function packageTable() {
  return grid("Packages", [
    { label: "Package", of: (p) => p.name || "(no package)", cell: (p) => h("code", p.name || "(no package)") },
    { label: "Modules", num: true, of: (p) => p.modules }, { label: "Lines of code", num: true, of: (p) => p.lines },
    { label: "Needed by", num: true, of: (p) => p.fan_in }, { label: "Needs", num: true, of: (p) => p.fan_out },
    { label: "Instability", num: true, of: (p) => p.instability ?? -1, cell: (p) => (p.instability >= 0 ? [bar(p.instability), ` ${fixed(p.instability, 2)}`] : DASH) },
  ], links.packages.filter((p) => p.modules), { by: 3, step: 20 });
}

function deadCode() {
  if (!links.dead?.length) return null;
  const dead = links.dead.map((one) => ({ ...one, at: links.modules[one.module] || {} }));
  return h("section", cutNote("links.dead", "rows"), grid("What nobody seems to use", [
    { label: "What", of: (d) => d.unit || d.at.name || "", cell: (d) => h("code", d.unit || d.at.name || "?") },
    { label: "Where", of: (d) => d.at.path || "", cell: (d) => place(d.at.path || d.at.name || "?", d.line) },
    { label: "Confidence", num: true, of: (d) => d.confidence, cell: (d) => `${fixed(d.confidence, 0)} %` }, { label: "Why", of: (d) => d.why },
  ], dead, { by: 2, step: 20 }));
}

export function graphView() {
  let parts = new Parts(false);
  const stage = h("div"), controls = h("nav.crumbs", { "aria-label": "Open packages" });
  const runs = (links.kinds || []).reduce((bits, name, i) => (["typing", "named"].includes(name) ? bits : bits | (1 << i)), 0), all = -1;
  let kinds = runs || all;
  const open = { opens: (part) => parts.opens(part), size: (at) => parts.size[at], all: () => parts.open, toggle };
  const tests = h("input", { type: "checkbox", onchange: () => { parts = new Parts(tests.checked); draw(); } });
  if (!parts.visible().length) tests.checked = true, parts = new Parts(true);

  function toggle(at) {
    if (parts.open.has(at)) parts.open.delete(at);
    else parts.open.add(at);
    draw();
    say(`${links.packages[at].name || "no package"}: ${parts.open.has(at) ? "opened" : "closed"}`);
    (stage.querySelector(".node") || controls).focus();
  }

  function draw() {
    const graph = parts.graph(kinds), layout = rows(graph.edges, graph.weight);
    controls.replaceChildren(...[...parts.open].map((at) => h("button.quiet.small", { type: "button", onclick: () => toggle(at) }, `close ${links.packages[at].name === "." ? "the top folder" : links.packages[at].name || "(no package)"}`)));
    stage.replaceChildren(graph.whole > graph.parts.length ? h("p.note", `${count(graph.parts.length)} of ${count(graph.whole)} parts are drawn, those with most ties.`) : "",
      h("div.scroll.drawn", { role: "region", tabindex: "0", "aria-label": "Graph" }, drawing(graph, layout, open)), matrix(graph, layout));
  }

  draw();
  return h("div", tiles(tile("Modules", count(links.modules.length)), tile("Need each other", count(links.edges.filter((e) => e[2] & kinds).length), "times, by imports that run"),
    tile("Circles", count(links.cycles?.length || 0)), tile("Outside packages", count((links.outside || []).filter((o) => !o.standard).length))),
  cutNote("links.edges", "imports"), cutNote("links.modules", "modules"),
  h("div.controls", chooser("Imports", [["runs", "that run"], ["all", "for types too"]], "runs", (value) => { kinds = value === "runs" && runs ? runs : all; draw(); }), h("label.check", tests, "tests and migrations too")),
  h("p.soft", "Thicker: more import statements. Red and dashed: leads back, against the order of the rest. Open a package by a click or Enter."), controls, stage, circles(), contracts(), packageTable(), deadCode());
}
