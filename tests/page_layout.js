// SPDX-License-Identifier: Apache-2.0
// Usage: node tests/page_layout.js
// The page's geometry and graphs on many small cases, beside what is slow and plainly right. Says how many it compared; a mistake ends it with 1.
const fs = require("fs");

const source = fs.readFileSync("src/audit/page/layout.js", "utf8").replace(/^export /gm, "");
const { components, order, rows, squarify } = new Function(`${source}; return { components, order, rows, squarify };`)();
let seed = 1, compared = 0;

function chance(most) {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor((seed / 2147483648) * most);
}

function must(fine, ...about) {
  if (fine) return;
  console.log(JSON.stringify(about));
  process.exit(1);
}

// Each size has its share of the area, within the box, and over no other.
function checkSquares() {
  const sizes = Array.from({ length: 1 + chance(30) }, () => 1 + chance(1000)).sort((x, y) => y - x), total = sizes.reduce((x, y) => x + y);
  const box = { x: chance(50), y: chance(50), w: 20 + chance(900), h: 20 + chance(600) }, placed = squarify(sizes, box);
  must(placed.length === sizes.length, sizes, box);
  placed.forEach((p, i) => {
    must(Math.abs(p.w * p.h - (box.w * box.h * sizes[i]) / total) < 1e-6 * box.w * box.h, "area", sizes, box, i);
    must(p.x > box.x - 1e-6 && p.y > box.y - 1e-6 && p.x + p.w < box.x + box.w + 1e-6 && p.y + p.h < box.y + box.h + 1e-6, "outside", sizes, box, i);
    for (const q of placed.slice(0, i))
      must(p.x + p.w < q.x + 1e-6 || q.x + q.w < p.x + 1e-6 || p.y + p.h < q.y + 1e-6 || q.y + q.h < p.y + 1e-6, "over", sizes, box, i);
  });
}

function reach(edges) {
  const far = edges.map((list, x) => edges.map((_, y) => x === y || list.includes(y)));
  for (let k = 0; k < edges.length; k++)
    for (let i = 0; i < edges.length; i++)
      for (let j = 0; j < edges.length; j++) far[i][j] ||= far[i][k] && far[k][j];
  return far;
}

// Two nodes are of one part when each is reached from the other; an order is all nodes once, and leads back only where there are circles.
function checkGraph() {
  const count = 1 + chance(12), edges = Array.from({ length: count }, (_, x) => Array.from({ length: count }, (_, y) => y).filter((y) => y !== x && chance(count) < 2));
  const weights = edges.map(() => edges.map(() => 1 + chance(9))), weight = (x, y) => (edges[x].includes(y) ? weights[x][y] : 0);
  const far = reach(edges), { part } = components(edges), list = order(edges, weight), laid = rows(edges, weight);
  edges.forEach((_, x) => edges.forEach((_, y) => {
    must((part[x] === part[y]) === (far[x][y] && far[y][x]), "parts", edges, x, y);
    if (weight(x, y)) {
      must(part[y] <= part[x], "part's number", edges, x, y);
      must(list.indexOf(x) < list.indexOf(y) || far[y][x], "back without a circle", edges, x, y);
    }
  }));
  must([...list].sort((x, y) => x - y).every((node, i) => node === i) && list.length === count, "order", edges);
  must(laid.levels.flat().length === count && laid.levels.every((level) => level.length), "levels", edges);
  const level = new Map(laid.levels.flatMap((nodes, i) => nodes.map((node) => [node, i])));
  edges.forEach((to, x) => to.forEach((y) => must(laid.back(x, y) || level.get(x) < level.get(y), "rows", edges, x, y)));
}

for (; compared < 2000; compared++) {
  checkSquares();
  checkGraph();
}
console.log(`${compared} compared`);
