// SPDX-License-Identifier: Apache-2.0
// What changes together, and who knows what.
import { count, fixed, h } from "../../../web/dom.js";
import { fileOf, files, folderOf, history } from "./data.js";
import { grid } from "./grid.js";
import { bar, cutNote, day, place, plural, tile, tiles } from "./words.js";

const isCode = (path) => fileOf.get(path)?.kind === "code";

export function couplingView() {
  const all = history.couplings.map((pair) => ({ ...pair, code: isCode(pair.one) && isCode(pair.other), far: folderOf(pair.one) !== folderOf(pair.other) }));
  const stage = h("div"), onlyCode = h("input", { type: "checkbox", checked: all.some((pair) => pair.code), onchange: draw }), onlyFar = h("input", { type: "checkbox", onchange: draw });

  function draw() {
    const rows = all.filter((pair) => (!onlyCode.checked || pair.code) && (!onlyFar.checked || pair.far));
    stage.replaceChildren(grid("Files that change together", [
      { label: "File", of: (c) => c.one, cell: (c) => place(c.one) }, { label: "Other file", of: (c) => c.other, cell: (c) => place(c.other) },
      { label: "Degree", num: true, of: (c) => c.degree, cell: (c) => [bar(c.degree / 100), ` ${fixed(c.degree, 0)} %`] },
      { label: "Together", num: true, of: (c) => c.shared }, { label: "Changes, mean", num: true, of: (c) => c.average },
      { label: "By chance", num: true, of: (c) => c.p, cell: (c) => (c.p < 0.001 ? "< 0.1 %" : `${fixed(c.p * 100, 1)} %`) }], rows, { by: 2 }));
  }

  draw();
  return h("div", h("p.soft", "Degree: changes that touch both, of the mean of their changes. At least 5 changes each and 5 together, 30 %, and less than 5 % likely by chance. ",
    history.couplings_by_chance ? `${plural(history.couplings_by_chance, "pair")} more may be chance.` : ""), cutNote("history.couplings", "pairs"),
  h("div.controls", h("label.check", onlyCode, "code only"), h("label.check", onlyFar, "in different packages only")), stage);
}

// Packages with what is known of who knows them: main authors' shares by changes.
function folders() {
  const found = new Map();
  for (const file of files) {
    if (file.kind !== "code" || !file.main) continue;
    const name = folderOf(file.path), one = found.get(name) || { name, files: 0, changes: 0, left: 0, alone: 0, people: new Map() };
    one.files++;
    one.changes += file.changes;
    one.left += file.left ? 1 : 0;
    one.alone += file.people === 1 ? 1 : 0;
    one.people.set(file.main, (one.people.get(file.main) || 0) + file.main_share * file.changes);
    found.set(name, one);
  }
  return [...found.values()].map((one) => {
    const [main, own] = [...one.people].sort((x, y) => y[1] - x[1])[0];
    return { ...one, main, share: one.changes ? own / one.changes : 0 };
  });
}

export function peopleView() {
  const known = files.filter((file) => file.kind === "code" && file.main);
  return h("div", tiles(tile("Bus factor", history.bus_factor ?? "unknown", history.bus_factor ? `by degree of authorship: ${history.bus_factor_people.slice(0, 3).join(", ")}${history.bus_factor > 3 ? ", …" : ""}` : null),
    tile("Known only by people who left", plural(history.orphans, "file"), "no commit for a year"),
    tile("Touched by one person", plural(known.filter((file) => file.people === 1).length, "file")),
    tile("Changes", count(history.change_sets), `${day(history.first)} to ${day(history.last)}`)),
  grid("Who knows which package", [
    { label: "Package", of: (f) => f.name, cell: (f) => h("code", f.name) }, { label: "Files", num: true, of: (f) => f.files }, { label: "Main author", of: (f) => f.main },
    { label: "At least", num: true, of: (f) => f.share, cell: (f) => [bar(f.share), ` ${fixed(f.share * 100, 0)} %`] },
    { label: "Touched by one", num: true, of: (f) => f.alone }, { label: "Authors left", num: true, of: (f) => f.left }], folders(), { by: 1, step: 25 }),
  grid("Who knows which file", [
    { label: "File", of: (f) => f.path, cell: (f) => place(f.path) }, { label: "Main author", of: (f) => f.main }, { label: "Share", num: true, of: (f) => f.main_share, cell: (f) => [bar(f.main_share), ` ${fixed(f.main_share * 100, 0)} %`] },
    { label: "People", num: true, of: (f) => f.people }, { label: "Changes", num: true, of: (f) => f.changes }, { label: "Authors", of: (f) => (f.left ? "left" : "here") }], known, { by: 4, step: 25 }));
}
