// SPDX-License-Identifier: Apache-2.0
// What changes together, and who knows what.
import { count, fixed, h } from "../../../web/dom.js";
import { audit, fileOf, files, folderOf, history } from "./data.js";
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

// What --json's `past` adds: areas of the code, CODEOWNERS, and who brought in what was mended.
function areas(title, rows) {
  return rows?.length ? grid(title, [
    { label: "Area", of: (a) => a.name, cell: (a) => h("code", a.name || "(top)") }, { label: "Changes", num: true, of: (a) => a.changes }, { label: "Touch no other", num: true, of: (a) => a.alone },
    { label: "Fixes", num: true, of: (a) => a.fixes }, { label: "People", num: true, of: (a) => a.people }, { label: "Main author", of: (a) => a.main },
    { label: "Bus factor", num: true, of: (a) => a.bus_factor }, { label: "Changes with", of: (a) => a.couplings?.length || 0,
      cell: (a) => (a.couplings || []).slice(0, 3).map((c) => `${c.name} (${c.degree} %)`).join(", ") }], rows, { by: 1, step: 20 }) : null;
}

function codeOwners(owners) {
  return owners?.owners ? h("section", grid(`Owners by ${owners.path}`, [
    { label: "Owner", of: (o) => o.name }, { label: "Files", num: true, of: (o) => o.files }, { label: "Own changes", num: true, of: (o) => o.changes }, { label: "Of", num: true, of: (o) => o.of },
    { label: "Who", of: (o) => (o.gone ? "gone" : o.team ? "a team" : o.known ? "here" : "unknown to git") }], owners.owners, { by: 1, step: 20 }),
  h("p.soft", `${plural(owners.without, "file")} of ${count(owners.files)} without an owner.`)) : null;
}

function brought(szz) {
  if (!szz?.read || !szz.files) return null;
  return h("section", grid("What had to be mended later", [
    { label: "File", of: (f) => f.path, cell: (f) => place(f.path) }, { label: "Fixes traced", num: true, of: (f) => f.traced }, { label: "Commits that brought it in", num: true, of: (f) => f.commits },
    { label: "Lines", num: true, of: (f) => f.lines }, { label: "Days until mended", num: true, of: (f) => f.days }], szz.files, { by: 2, step: 20 }),
  h("p.soft", `${count(szz.traced)} of ${count(szz.fixes)} fixes led to a commit: ${count(szz.commits)} of ${count(szz.of)} commits wrote what was mended later.`));
}

export function peopleView() {
  const past = audit.past || {}, known = files.filter((file) => file.kind === "code" && file.main);
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
    { label: "People", num: true, of: (f) => f.people }, { label: "Changes", num: true, of: (f) => f.changes }, { label: "Authors", of: (f) => (f.left ? "left" : "here") }], known, { by: 4, step: 25 }),
  areas("Areas of the code", past.areas), areas("Groups", past.groups), codeOwners(past.codeowners), brought(past.szz));
}
