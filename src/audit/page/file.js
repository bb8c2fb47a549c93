// SPDX-License-Identifier: Apache-2.0
// All that the page knows of one file.
import { fixed, h } from "../../../web/dom.js";
import { audit, data, fileOf, history } from "./data.js";
import { findingItem, LEVELS } from "./findings.js";
import { grid } from "./grid.js";
import { fileCard } from "./treemap.js";
import { cutNote, place } from "./words.js";

function findings(path) {
  const found = data.findings.filter((one) => one.path === path).sort((x, y) => LEVELS[x.of.level] - LEVELS[y.of.level] || x.line - y.line);
  return h("section", h("h3", "Findings"), cutNote("findings", "findings"), found.length ? h("ol.findings", found.map(findingItem)) : h("p.soft", "None."));
}

function functions(path) {
  const found = data.functions.filter((one) => one.path === path);
  return found.length ? grid("Functions that are hardest to read", [
    { label: "Function", of: (f) => f.name, cell: (f) => h("code", f.name) }, { label: "Line", num: true, of: (f) => f.line }, { label: "Lines", num: true, of: (f) => f.lines },
    { label: "Cognitive", num: true, of: (f) => f.cognitive }, { label: "Cyclomatic", num: true, of: (f) => f.cc }, { label: "Nesting", num: true, of: (f) => f.nesting },
    { label: "Arguments", num: true, of: (f) => f.arguments }], found, { by: 3, step: 15 }) : null;
}

function coupled(path) {
  const found = (history?.couplings || []).filter((pair) => pair.one === path || pair.other === path).map((pair) => ({ ...pair, far: pair.one === path ? pair.other : pair.one }));
  return found.length ? grid("Changes together with", [
    { label: "File", of: (c) => c.far, cell: (c) => place(c.far) }, { label: "Degree", num: true, of: (c) => c.degree, cell: (c) => `${fixed(c.degree, 0)} %` },
    { label: "Together", num: true, of: (c) => c.shared }], found, { by: 1, step: 15 }) : null;
}

function imports(path) {
  const links = audit.links, at = links?.modules?.findIndex((module) => module.path === path) ?? -1;
  if (at < 0) return null;
  const kinds = (bits) => links.kinds.filter((_, i) => bits & (1 << i)).join(", ");
  const side = (title, own, far) => grid(title, [
    { label: "Module", of: (e) => links.modules[e[far]]?.name ?? "?", cell: (e) => (links.modules[e[far]]?.path ? place(links.modules[e[far]].path) : h("code", links.modules[e[far]]?.name ?? "?")) },
    { label: "Line", num: true, of: (e) => e[6] }, { label: "Uses", num: true, of: (e) => e[4] }, { label: "How", of: (e) => kinds(e[2]) }], links.edges.filter((e) => e[own] === at), { step: 15 });
  return h("div.columns", side("Imports", 0, 1), side("Imported by", 1, 0));
}

function tables(path) {
  const found = (audit.models?.touches || []).filter((one) => one.path === path);
  return found.length ? grid("Touches tables", [
    { label: "Table", of: (t) => audit.models.tables[t.table]?.name ?? "?", cell: (t) => h("code", audit.models.tables[t.table]?.name ?? "?") }, { label: "In", of: (t) => t.unit || "" },
    { label: "Line", num: true, of: (t) => t.line }, { label: "Reads", num: true, of: (t) => t.reads }, { label: "Writes", num: true, of: (t) => t.writes }, { label: "Locks", num: true, of: (t) => t.locks }], found, { step: 15 }) : null;
}

function clones(path) {
  const found = (audit.clones?.classes || []).filter((one) => one.places.some((p) => p.path === path));
  return found.length ? grid("Shares code with", [
    { label: "Here", of: (c) => c.places.find((p) => p.path === path).line, cell: (c) => `lines ${c.places.filter((p) => p.path === path).map((p) => `${p.line}–${p.end_line}`).join(", ")}` },
    { label: "There", of: (c) => c.places.find((p) => p.path !== path)?.path ?? "", cell: (c) => c.places.filter((p) => p.path !== path).slice(0, 6).map((p, i) => [i ? ", " : "", place(p.path, p.line)]) },
    { label: "Lines", num: true, of: (c) => c.lines }], found, { by: 2, step: 15 }) : null;
}

export function fileView(query) {
  const file = fileOf.get(query.get("path"));
  if (!file) return h("p", "The page does not know this file.");
  return h("div", fileCard(file), findings(file.path), functions(file.path), coupled(file.path), imports(file.path), tables(file.path), clones(file.path));
}
