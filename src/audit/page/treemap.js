// SPDX-License-Identifier: Apache-2.0
// The treemap: area is lines of code, colour is what was chosen. A folder is opened by a click or Enter; arrow keys go to the nearest neighbour.
// Every box is a button with its figures as its name, and the table below the map has the same figures.
import { count, DASH, fixed, h, say } from "../../../web/dom.js";
import { audit, files, filesIn, folderTree, history, hotspots, skipSingle } from "./data.js";
import { grid } from "./grid.js";
import { nearest, roam, squarify, WAYS } from "./layout.js";
import { chooser, cutNote, minutes, place, plural, spot } from "./words.js";

const HEATS = 6, BOXES = 220, HEIGHT = 0.56, MARGIN = 17;

// A folder has the colour of its worst file.
const worst = (rows, of) => rows.reduce((most, row) => Math.max(most, of(row)), 0);
const METRICS = {
  score: { text: "hotspot: changes × complexity", of: (f) => f.score, shown: (v) => `score ${fixed(v, 1)}`, most: 10, past: true },
  cognitive: { text: "cognitive complexity", of: (f) => f.cognitive, shown: (v) => `complexity ${count(v)}` },
  recent: { text: "changes in the last year", of: (f) => f.recent, shown: (v) => plural(v, "change"), past: true },
  fixes: { text: "fixes", of: (f) => f.fixes, shown: (v) => plural(v, "fix", "fixes"), past: true },
  minutes: { text: "time to mend its findings", of: (f) => f.minutes, shown: minutes },
  alone: { text: "known to one person", of: (f) => (f.changes ? f.main_share : 0), shown: (v) => `${fixed(v * 100, 0)} % by one person`, most: 1, past: true },
};

function name(node) {
  return node.file ? node.name : `${node.name}/`;
}

export function treemapView() {
  const kind = h("input", { type: "checkbox", onchange: () => build() });
  let metric = history ? "score" : "cognitive", root, at, drawn = 0;
  const map = h("div.treemap", { role: "group", "aria-label": "Treemap of the code" }), crumbs = h("nav.crumbs", { "aria-label": "Folder" });
  const about = h("div.about", { "aria-live": "polite" });
  const options = Object.entries(METRICS).filter(([, m]) => history || !m.past).map(([key, m]) => [key, m.text]);

  function build() {
    root = folderTree(files.filter((file) => kind.checked || file.kind === "code"), (file) => file.sloc);
    if (!root.size && !kind.checked) root = folderTree(files, (file) => file.sloc);
    zoom(skipSingle(root));
  }

  function zoom(node, focus) {
    at = node;
    crumbs.replaceChildren(...trail(node));
    draw();
    if (focus) (map.querySelector("button") || crumbs.lastElementChild).focus();
    say(`${node.path || "the whole"}: ${plural(node.files, "file")}, ${count(node.size)} lines of code`);
  }

  function trail(node) {
    const links = [];
    for (let up = node; up; up = up.parent) {
      const here = up === node, text = up.name || "all";
      links.unshift(here ? h("span", { "aria-current": "location" }, text) : h("button.quiet.small", { type: "button", onclick: () => zoom(up, true) }, text));
    }
    return links;
  }

  function ordered(node) {
    return [...node.children.values()].sort((x, y) => y.size - x.size || (x.path < y.path ? -1 : 1));
  }

  // Boxes of a folder and of the folders in it that have room, until there are enough.
  function boxes(width, height) {
    const found = [], ahead = [{ node: at, x: 0, y: 0, w: width, h: height, depth: 0 }];
    while (ahead.length) {
      const box = ahead.shift(), children = ordered(box.node).slice(0, BOXES);
      squarify(children.map((child) => child.size), box).forEach((where, i) => {
        const node = skipSingle(children[i]), one = { ...where, node, depth: box.depth + 1 };
        if (where.w < 2 || where.h < 2) return;
        found.push(one);
        if (!node.file && where.w > 90 && where.h > 60 && box.depth < 2 && found.length < BOXES && (one.opened = true))
          ahead.push({ node, x: where.x + 2, y: where.y + MARGIN, w: where.w - 4, h: where.h - MARGIN - 2, depth: box.depth + 1 });
      });
    }
    return found;
  }

  function draw() {
    const m = METRICS[metric], width = map.clientWidth || 900, height = Math.round(Math.min(640, Math.max(260, width * HEIGHT)));
    drawn = map.clientWidth;
    map.style.height = `${height}px`;
    const found = boxes(width, height).map((box) => ({ ...box, value: worst(box.node.file ? [box.node.file] : filesIn(box.node), m.of) }));
    const most = m.most || Math.max(1e-9, ...found.filter((box) => box.node.file).map((box) => box.value));
    map.replaceChildren(...found.map((box, i) => button(box, m, most, width, i === 0)));
  }

  function button(box, m, most, width, first) {
    const { node, value } = box, said = `${node.path || name(node)}: ${count(node.size)} lines, ${node.file ? "" : "worst file: "}${m.shown(value)}`;
    const heat = value > 0 ? Math.min(HEATS - 1, 1 + Math.floor((value / most) * (HEATS - 1.001))) : 0;
    const label = node.parent === at || !node.parent ? name(node) : node.path.slice(node.parent.path.length + 1) + (node.file ? "" : "/");
    const element = h("button.box", { type: "button", title: said, "aria-label": node.file ? said : `${said}, folder`, "data-heat": heat, tabindex: first ? "0" : "-1",
      "data-folder": !node.file, "data-opened": box.opened, onclick: () => open(node), onkeydown: (event) => key(event, element), onfocus: () => roam(element, map.children) }, box.w > 36 && box.h > 14 ? h("span", label) : null);
    Object.assign(element.style, { left: `${(100 * box.x) / width}%`, top: `${box.y}px`, width: `${(100 * Math.max(1, box.w - 1)) / width}%`, height: `${Math.max(1, box.h - 1)}px` });
    return element;
  }

  function key(event, from) {
    if (event.key === "Escape" || event.key === "Backspace") {
      if (at.parent) zoom(at.parent, true);
      event.preventDefault();
    } else if (WAYS[event.key]) {
      event.preventDefault();
      nearest(from, map.children, WAYS[event.key], (box) => ({ x: box.offsetLeft + box.offsetWidth / 2, y: box.offsetTop + box.offsetHeight / 2 }))?.focus();
    }
  }

  function open(node) {
    if (node.file) show(node.file);
    else zoom(skipSingle(node), true);
  }

  function show(file) {
    about.replaceChildren(fileCard(file));
  }

  build();
  new ResizeObserver(() => { if (map.isConnected && map.clientWidth !== drawn) draw(); }).observe(map);
  return h("div", h("div.controls", chooser("Colour", options, metric, (value) => { metric = value; draw(); }),
    h("label.check", kind, "tests, migrations and others too"),
    h("span.legend", { "aria-hidden": "true" }, "low", Array.from({ length: HEATS }, (_, i) => h("span.swatch", { "data-heat": i })), "high")),
  h("p.soft", history ? "Area: lines of code. A hotspot's score is 10 × rank by changes in the last year × rank by cognitive complexity among the code files." :
    "Area: lines of code. There is no history to colour by."),
  crumbs, map, about, cutNote("files", "files, the smallest are summed up by folder"), hotspotTable(), partTables());
}

export function fileCard(file) {
  const facts = [["Lines of code", count(file.sloc)], ["Cyclomatic", count(file.cc)], ["Cognitive", count(file.cognitive)], ["Maintainability", fixed(file.mi, 1)],
    ["Findings", file.findings ? `${count(file.findings)}, ${minutes(file.minutes)}` : "none"]];
  if (history && file.changes)
    facts.push(["Changes", `${count(file.changes)}, ${count(file.recent)} in the last year`], ["Fixes", count(file.fixes)],
      ["Main author", file.main ? `${file.main} (${fixed(file.main_share * 100, 0)} %), of ${plural(file.people, "person", "people")}` : "–"]);
  return h("section.card", h("h3", file.folded ? spot(file.path) : place(file.path)), file.folded ? h("p", plural(file.folded, "file")) : null,
    h("dl.facts", facts.map(([label, value]) => h("div", h("dt", label), h("dd", value)))));
}

// Packages, and the groups that the configuration names.
function partTables() {
  const columns = (label) => [
    { label, of: (p) => p.name, cell: (p) => h("code", p.name || "(top)") }, { label: "Files", num: true, of: (p) => p.files }, { label: "Lines of code", num: true, of: (p) => p.sloc },
    { label: "Cognitive", num: true, of: (p) => p.cognitive }, { label: "Maintainability", num: true, of: (p) => p.mi, cell: (p) => (p.mi ? fixed(p.mi, 1) : DASH) },
    ...(history ? [{ label: "Changes", num: true, of: (p) => p.changes }, { label: "Fixes", num: true, of: (p) => p.fixes }] : []),
    { label: "Findings", num: true, of: (p) => p.findings }, { label: "To mend", num: true, of: (p) => p.minutes, cell: (p) => (p.minutes ? minutes(p.minutes) : DASH) }];
  return [audit.groups?.length ? grid("Groups", columns("Group"), audit.groups) : null, audit.packages?.length ? grid("Packages of files", columns("Folder"), audit.packages, { by: 2, step: 20 }) : null];
}

export function hotspotTable() {
  const rows = history ? hotspots : files.filter((file) => file.kind === "code" && !file.folded);
  const columns = [
    { label: "File", of: (f) => f.path, cell: (f) => place(f.path) },
    ...(history ? [{ label: "Score", num: true, of: (f) => f.score, cell: (f) => fixed(f.score, 1) },
      { label: "Changes, last year", num: true, of: (f) => f.recent }, { label: "Fixes", num: true, of: (f) => f.fixes }] : []),
    { label: "Cognitive", num: true, of: (f) => f.cognitive }, { label: "Lines of code", num: true, of: (f) => f.sloc },
    { label: "Maintainability", num: true, of: (f) => f.mi, cell: (f) => fixed(f.mi, 1) },
    { label: "To mend", num: true, of: (f) => f.minutes, cell: (f) => (f.minutes ? minutes(f.minutes) : DASH) }];
  return grid(history ? "Files by hotspot score" : "Files of code", columns, rows, { by: 1, step: 20 });
}
