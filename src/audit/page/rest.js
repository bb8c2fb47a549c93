// SPDX-License-Identifier: Apache-2.0
// Clones; what is known from outside of the code; and whatever else --json has that no other view shows.
import { count, DASH, fixed, h } from "../../../web/dom.js";
import { audit } from "./data.js";
import { grid } from "./grid.js";
import { bar, cutNote, minutes, place, plural, real, tile, tiles } from "./words.js";

const percent = (value) => (Number.isFinite(value) ? `${fixed(value, 1)} %` : DASH);

export function clonesView() {
  const clones = audit.clones;
  const places = (one) => h("ul.plain", one.places.slice(0, 12).map((p) => h("li", place(p.path, `${p.line}–${p.end_line}`), p.unit ? h("span.soft", ` ${p.unit}`) : "")),
    one.places.length > 12 ? h("li.soft", `and ${count(one.places.length - 12)} more`) : null);
  return h("div", tiles(tile("Of the code is a clone", percent(clones.code?.percent), `${count(clones.code?.cloned)} lines`), tile("Of the tests", percent(clones.tests?.percent)),
    tile("Change together", plural(clones.together, "class", "classes")), tile("Drifted apart", plural(clones.drifted, "class", "classes"))),
  h("p.soft", `The same code but for names, literals and comments, ${count(clones.tokens)} tokens and ${count(clones.lines)} lines at least.`), clones.cut ? h("p.note", "There was more than can be compared: some are missing.") : null,
  cutNote("clones.classes", "classes of clones"), grid("Classes of clones", [
    { label: "Places", of: (c) => c.places.length, cell: places }, { label: "Lines", num: true, of: (c) => c.lines }, { label: "Tokens", num: true, of: (c) => c.tokens },
    { label: "Copies", num: true, of: (c) => c.places.length }, { label: "Changed together", num: true, of: (c) => c.changed_together }, { label: "Changed apart", num: true, of: (c) => c.changed_apart },
    { label: "Drifted", of: (c) => (c.drifts?.length ? "yes" : "") }, { label: "Alike", of: (c) => (c.exact ? "to the letter" : "but for names") }], clones.classes || [], { step: 25 }));
}

export function outsideView() {
  const o = audit.outside, cover = o.coverage, tests = o.tests, builds = o.builds;
  const timed = (title, rows) => (rows?.length ? grid(title, [{ label: "Name", of: (r) => r.name }, { label: "Seconds", num: true, of: (r) => r.seconds, cell: (r) => real(r.seconds) }], rows, { by: 1, step: 15 }) : null);
  return h("div", tiles(
    tile("Covered by tests", cover ? percent(cover.percent) : "unknown", cover ? `${count(cover.covered)} of ${count(cover.lines)} lines` : "no report was read"),
    tile("Tests", tests ? count(tests.tests) : "unknown", tests ? `${real(tests.seconds)} s, ${count((tests.failures || 0) + (tests.errors || 0))} failed` : "no report was read"),
    tile("Build", builds ? `${real(builds.median)} s` : "unknown", builds ? `median of ${plural(builds.count, "build")}` : "no log was read"),
    tile("Known holes", o.holes ? count(o.holes.length) : "unknown", o.holes ? null : "no advisories were read")),
  o.holes?.length ? grid("Packages with known holes", [
    { label: "Package", of: (x) => x.package, cell: (x) => h("code", `${x.package} ${x.version}`) }, { label: "What", of: (x) => x.id, cell: (x) => `${x.id} ${x.summary || ""}` },
    { label: "Severity", of: (x) => x.severity || "" }, { label: "Mended in", of: (x) => x.fixed || "" }], o.holes) : null,
  o.ends?.length ? grid(`Ends of life (as known on ${o.ends_as_of})`, [
    { label: "Product", of: (e) => e.product }, { label: "Version", of: (e) => e.version || e.cycle }, { label: "Ends", of: (e) => e.ends }, { label: "Days", num: true, of: (e) => e.days }, { label: "From", of: (e) => e.from }], o.ends) : null,
  cover ? grid("Coverage", [
    { label: "File", of: (f) => f.path, cell: (f) => place(f.path) }, { label: "Lines", num: true, of: (f) => f.lines }, { label: "Not covered", num: true, of: (f) => f.lines - f.covered },
    { label: "Covered", num: true, of: (f) => (f.lines ? f.covered / f.lines : 0), cell: (f) => (f.lines ? [bar(f.covered / f.lines), ` ${fixed((100 * f.covered) / f.lines, 0)} %`] : DASH) }], cover.files || [], { by: 2, step: 20 }) : null,
  tests ? timed("Slowest tests", tests.slowest) : null,
  tests?.failed?.length ? grid("Tests that fail", [{ label: "Test", of: (t) => t.name }, { label: "Why", of: (t) => t.why || "" }], tests.failed, { step: 15 }) : null,
  builds ? timed("Steps of builds", builds.steps) : null,
  o.packages?.length ? grid("Packages", [
    { label: "Package", of: (p) => p.name, cell: (p) => h("code", p.name) }, { label: "Version", of: (p) => p.version || "not pinned" }, { label: "Wanted", of: (p) => p.wanted || "" },
    { label: "Where", of: (p) => p.path || "", cell: (p) => place(p.path || "?", p.line) }, { label: "For", of: (p) => (p.dev ? "development" : "") }], o.packages, { step: 25 }) : null,
  o.files?.length ? grid("Files that were read", [{ label: "File", of: (f) => f.path }, { label: "What", of: (f) => f.what }, { label: "Gave", num: true, of: (f) => f.items }, { label: "Note", of: (f) => f.note || "" }], o.files) : null);
}

const FIGURES = { files: "files of code", lines: "lines of code", functions: "functions", hard: "functions hard to read", cyclomatic: "worst cyclomatic complexity",
  cognitive: "worst cognitive complexity", minutes: "time to mend all findings", ratio: "debt ratio", findings: "findings", ignored: "findings ignored with a reason" };

// What differs from another revision.
export function compareView() {
  const c = audit.compare, columns = (more) => [
    { label: "Rule", of: (f) => f.name || f.rule, cell: (f) => `${f.rule} ${f.name || ""}` }, { label: "Where", of: (f) => f.path || "", cell: (f) => place(f.path || "(the project)", f.line) }, ...more];
  const figures = Object.entries(c.figures || {}).map(([name, f]) => ({ name, label: FIGURES[name] || `findings of ${name}`, ...f }));
  const written = (f, value) => (f.name === "minutes" ? minutes(value) : f.name === "ratio" ? percent(100 * value) : count(value));
  return h("div", h("p.soft", `With ${c.rev} (${c.id}).`), tiles(tile("New", count(c.new?.length || 0)), tile("Grown", count(c.grown?.length || 0)), tile("Fixed", count(c.fixed_count || 0)), tile("As before", count(c.same || 0))),
    cutNote("compare.new", "new findings"), grid("New findings", columns([{ label: "What", of: (f) => f.text || "" }, { label: "Level", of: (f) => f.level || "" }]), c.new || []),
    grid("Findings that grew", columns([{ label: "Before", num: true, of: (f) => f.before, cell: (f) => real(f.before) }, { label: "Now", num: true, of: (f) => f.now, cell: (f) => real(f.now) }]), c.grown || []),
    grid("Fixed", columns([{ label: "How many", num: true, of: (f) => f.count }]), c.fixed || []),
    grid("Figures", [{ label: "Figure", of: (f) => f.label }, { label: "Before", num: true, of: (f) => f.before, cell: (f) => written(f, f.before) },
      { label: "Now", num: true, of: (f) => f.now, cell: (f) => written(f, f.now) }], figures.filter((f) => f.before !== f.now)));
}

// Any value of JSON: lists of objects as tables, the rest as lists of names. What lies deeper than a few levels is JSON's own text.
export function anything(caption, value, deep = 0) {
  if (value === null || value === undefined) return h("span.soft", "not known");
  if (typeof value !== "object") return h("span", typeof value === "number" ? real(value) : String(value));
  if (deep > 3) return h("code", JSON.stringify(value).slice(0, 300));
  if (Array.isArray(value)) {
    if (!value.length) return h("span.soft", "none");
    if (value.every((one) => one && typeof one === "object" && !Array.isArray(one))) {
      const names = [...new Set(value.slice(0, 50).flatMap((one) => Object.keys(one)))].slice(0, 10);
      return grid(caption, names.map((name) => ({ label: name, num: value.every((one) => one[name] === undefined || one[name] === null || typeof one[name] === "number"),
        of: (one) => (typeof one[name] === "object" && one[name] ? JSON.stringify(one[name]) : one[name]), cell: (one) => anything(name, one[name], deep + 1) })), value, { step: 15, bare: true });
    }
    return h("span", value.slice(0, 20).map((one, i) => [i ? ", " : "", anything(caption, one, deep + 1)]), value.length > 20 ? `, … (${count(value.length)})` : "");
  }
  return h("dl.facts", Object.entries(value).map(([name, one]) => h("div", h("dt", name), h("dd", anything(name, one, deep + 1)))));
}
