// SPDX-License-Identifier: Apache-2.0
// The database as the code sees it: tables, who touches them, what would be torn by a cut; routes, tasks and signals.
import { count, DASH, h } from "../../../web/dom.js";
import { audit } from "./data.js";
import { grid } from "./grid.js";
import { cutNote, place, plural, tile, tiles } from "./words.js";

const models = audit.models, COLUMNS = 24, ROWS = 80;
const packageName = (i) => (i === null || i === undefined ? DASH : models.packages[i] ?? `#${i}`);
const tableName = (i) => models.tables[i]?.name ?? `#${i}`;

// Tables by packages: who reads, writes and locks.
function matrix() {
  const used = new Map();
  for (const cell of models.cells) used.set(cell.package, (used.get(cell.package) || 0) + cell.reads + cell.writes + cell.locks);
  const packages = [...used].sort((x, y) => y[1] - x[1]).slice(0, COLUMNS).map(([i]) => i);
  const tables = models.tables.map((table, i) => ({ ...table, i })).filter((table) => table.packages).sort((x, y) => y.packages - x.packages || y.writes - x.writes);
  const at = new Map(models.cells.map((cell) => [`${cell.table} ${cell.package}`, cell]));
  if (!tables.length) return h("p.soft", "Nobody was seen to touch a table.");
  const cell = (table, i) => {
    const one = at.get(`${table.i} ${i}`), text = one ? [one.reads && `R${one.reads}`, one.writes && `W${one.writes}`, one.locks && `L${one.locks}`].filter(Boolean).join(" ") : "";
    return h("td.num", { "data-owner": table.package === i, "data-foreign": Boolean(one?.writes) && table.package !== i }, text);
  };
  return h("div.scroll.matrix", { role: "region", tabindex: "0", "aria-label": "Tables by packages" },
    h("table", h("caption", "R reads, W writes, L locks: places in the code. Shaded: the table's own package. Framed: written by another."),
      h("thead", h("tr", h("th", { scope: "col" }, "Table"), packages.map((i) => h("th.num", { scope: "col" }, packageName(i))))),
      h("tbody", tables.slice(0, ROWS).map((table) => h("tr", h("th", { scope: "row" }, h("code", table.name)), packages.map((i) => cell(table, i)))))),
    tables.length > ROWS || used.size > COLUMNS ? h("p.note", `Shown: ${count(Math.min(ROWS, tables.length))} of ${count(tables.length)} tables, ${count(packages.length)} of ${plural(used.size, "package")}.`) : null);
}

function tableList() {
  return grid("Tables", [
    { label: "Table", of: (t) => t.name, cell: (t) => h("code", t.name) }, { label: "Owner", of: (t) => packageName(t.package) },
    { label: "Model", of: (t) => models.models[t.model]?.name ?? "" }, { label: "Packages", num: true, of: (t) => t.packages },
    { label: "Reads", num: true, of: (t) => t.reads }, { label: "Writes", num: true, of: (t) => t.writes }, { label: "Locks", num: true, of: (t) => t.locks }],
  models.tables, { by: 3, step: 20 });
}

function touches() {
  if (!models.touches?.length) return null;
  return h("section", cutNote("models.touches", "places"), grid("Who touches tables", [
    { label: "Table", of: (t) => tableName(t.table), cell: (t) => h("code", tableName(t.table)) }, { label: "Package", of: (t) => packageName(t.package) },
    { label: "Where", of: (t) => `${t.path}:${t.line}`, cell: (t) => [place(t.path || "?", t.line), t.unit ? h("span.soft", ` ${t.unit}`) : ""] },
    { label: "Reads", num: true, of: (t) => t.reads }, { label: "Writes", num: true, of: (t) => t.writes }, { label: "Locks", num: true, of: (t) => t.locks },
    { label: "By", of: (t) => (t.via || []).join(", ") }], models.touches, { by: 4, step: 20 }));
}

function torn() {
  const joins = models.joins || [], transactions = models.transactions || [], keys = (models.relations || []).filter((r) => r.crosses);
  const modelName = (i, text) => (i === null || i === undefined ? text || DASH : models.models[i]?.name ?? `#${i}`);
  return h("section", h("h3", "What a cut between packages would tear"),
    grid("Keys into another package", [
      { label: "Field", of: (r) => `${modelName(r.from)}.${r.field}`, cell: (r) => h("code", `${modelName(r.from)}.${r.field}`) },
      { label: "To", of: (r) => modelName(r.to, r.to_text) }, { label: "Kind", of: (r) => r.kind }, { label: "On delete", of: (r) => r.on_delete || "" },
      { label: "From package", of: (r) => packageName(models.models[r.from]?.package) }, { label: "Into package", of: (r) => packageName(models.models[r.to]?.package) }], keys, { step: 20 }),
    grid("Joins into another package", [
      { label: "Names", of: (j) => j.names, cell: (j) => h("code", j.names) }, { label: "From", of: (j) => tableName(j.from) }, { label: "To", of: (j) => tableName(j.to) },
      { label: "Where", of: (j) => `${j.path}:${j.line}`, cell: (j) => place(j.path, j.line) }], joins, { step: 20 }),
    grid("Transactions over several packages", [
      { label: "Where", of: (t) => `${t.path}:${t.line}`, cell: (t) => [place(t.path, t.line), t.unit ? h("span.soft", ` ${t.unit}`) : ""] },
      { label: "Packages", num: true, of: (t) => t.packages }, { label: "Tables written", of: (t) => t.tables.map(tableName).join(", ") }], transactions, { step: 20 }));
}

export function tablesView() {
  const unknown = models.unknown || {};
  return h("div", tiles(tile("Models", count(models.models.length)), tile("Tables", count(models.tables.length)),
    tile("Touched by several packages", count(models.tables.filter((t) => t.packages > 1).length)),
    tile("Not followed", count((unknown.queries || 0) + (unknown.sql || 0)), `${count(unknown.queries || 0)} queries, ${count(unknown.sql || 0)} SQL texts put together while running`)),
  matrix(), tableList(), touches(), torn());
}

const packaged = (row) => packageName(row.package);
export function routesView() {
  const unknown = models.unknown?.routes || 0;
  return h("div", unknown ? h("p.note", `${plural(unknown, "route")} more: their path or view is computed while running.`) : null, cutNote("models.routes", "routes"),
    grid("Routes", [
      { label: "Route", of: (r) => r.route, cell: (r) => h("code", r.route || "/") }, { label: "Methods", of: (r) => r.methods || "" }, { label: "View", of: (r) => r.target_unit || r.view },
      { label: "Package", of: packaged }, { label: "Where", of: (r) => r.target_path || r.path, cell: (r) => place(r.target_path || r.path, r.target_path ? r.target_line : r.line) },
      { label: "Name", of: (r) => r.name || "" }, { label: "Framework", of: (r) => r.framework }], models.routes || []),
    grid("Tasks", [
      { label: "Task", of: (t) => t.name, cell: (t) => h("code", t.name) }, { label: "Kind", of: (t) => t.kind }, { label: "Schedule", of: (t) => t.schedule || "" }, { label: "Package", of: packaged },
      { label: "Queued at", num: true, of: (t) => t.calls ?? 0 }, { label: "Other packages that do", num: true, of: (t) => t.callers ?? 0 },
      { label: "Where", of: (t) => t.path || "", cell: (t) => place(t.path || "?", t.line) }], models.tasks || []),
    grid("Signals", [
      { label: "Signal", of: (s) => s.name, cell: (s) => h("code", s.name) }, { label: "Sender", of: (s) => s.sender || "any" }, { label: "Receiver's package", of: packaged },
      { label: "Sent from", of: (s) => packageName(s.from) },
      { label: "Receiver", of: (s) => s.path || "", cell: (s) => [place(s.path || "?", s.line), s.unit ? h("span.soft", ` ${s.unit}`) : ""] }], models.signals || []),
    grid("Templates", [
      { label: "Template", of: (t) => t.name, cell: (t) => h("code", t.name) }, { label: "Used by code", num: true, of: (t) => t.uses }, { label: "By templates", num: true, of: (t) => t.included },
      { label: "File", of: (t) => t.file || "", cell: (t) => (t.file ? place(t.file) : h("span.soft", "not found")) },
      { label: "First used at", of: (t) => t.path || "", cell: (t) => (t.path ? place(t.path, t.line) : DASH) }], models.templates || [], { by: 1, step: 20 }),
    grid("Settings", [
      { label: "Setting", of: (s) => s.name, cell: (s) => h("code", s.name) }, { label: "Reads", num: true, of: (s) => s.reads }, { label: "Packages", num: true, of: (s) => s.packages },
      { label: "Defined", of: (s) => (s.defined ? "yes" : "not seen") }], models.settings || [], { by: 1, step: 20 }));
}
