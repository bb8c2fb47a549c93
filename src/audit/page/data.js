// SPDX-License-Identifier: Apache-2.0
// The data of the page, in the form that the views want it: rows instead of columns, folders as a tree.

export const data = JSON.parse(document.getElementById("data").textContent);
export const audit = data.audit;
export const kinds = data.totals.kinds.map((kind) => kind.name);
export const history = audit.history?.read ? audit.history : null;

function fileRows(columns) {
  const names = Object.keys(columns).filter((name) => name !== "names");
  return columns.path.map((_, i) => {
    const row = Object.fromEntries(names.map((name) => [name, columns[name][i]]));
    row.kind = kinds[row.kind];
    row.main = row.main ? columns.names[row.main - 1] : "";
    row.package = row.package ? audit.packages?.[row.package - 1]?.name ?? null : null;
    row.group = row.group ? audit.groups?.[row.group - 1]?.name ?? "" : "";
    return row;
  });
}

export const files = fileRows(data.files);
export const fileOf = new Map(files.map((file) => [file.path, file]));
export const hotspots = files.filter((file) => file.score > 0).sort((x, y) => y.score - x.score);
for (const finding of data.findings) finding.of = data.rules[finding.rule];

// Where something lies, for those who look for a part of the whole: its package, or two folders deep.
export function folderOf(path) {
  const known = fileOf.get(path)?.package;
  if (known !== null && known !== undefined) return known || "(top)";
  const parts = path.split("/");
  return parts.length === 1 ? "(top)" : parts.slice(0, Math.min(2, parts.length - 1)).join("/");
}

// Folders of these files, with what `size` and `weight` give summed up. A folder with nothing but one folder in it is one with that.
export function folderTree(rows, size) {
  const root = { name: "", path: "", size: 0, files: 0, children: new Map() };
  for (const file of rows) {
    const amount = size(file);
    if (!(amount > 0)) continue;
    const parts = file.path.split("/");
    let at = root;
    parts.forEach((name, depth) => {
      at.size += amount;
      at.files += Math.max(1, file.folded);
      let next = at.children.get(name);
      if (!next) {
        next = { name, path: parts.slice(0, depth + 1).join("/"), size: 0, files: 0, children: new Map(), parent: at };
        at.children.set(name, next);
      }
      at = next;
    });
    at.size += amount;
    at.files = Math.max(1, file.folded);
    at.file = file;
  }
  return root;
}

export function skipSingle(node) {
  let at = node;
  while (!at.file && at.children.size === 1 && !at.children.values().next().value.file) at = at.children.values().next().value;
  return at;
}

export function filesIn(node) {
  const found = [], ahead = [node];
  while (ahead.length) {
    const at = ahead.pop();
    if (at.file) found.push(at.file);
    else ahead.push(...at.children.values());
  }
  return found;
}

// "shown 5,000 of 120,000", for a list that was cut; else null.
export function cutOf(list) {
  return data.page.cut.find((cut) => cut.list === list) || null;
}
