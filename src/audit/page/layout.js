// SPDX-License-Identifier: Apache-2.0
// Where things go: rectangles of a treemap, rows of a graph. Pure.

// Squarified treemap (Bruls, Huizing, van Wijk 2000): items of falling size in a rectangle; gives one { x, y, w, h } each.
export function squarify(sizes, box) {
  const placed = [], total = sizes.reduce((sum, size) => sum + size, 0);
  let { x, y, w, h } = box, at = 0;
  const scale = total > 0 ? (w * h) / total : 0;
  while (at < sizes.length) {
    const side = Math.min(w, h);
    let sum = 0, count = 0, worst = Infinity;
    while (at + count < sizes.length) {
      const next = sum + sizes[at + count] * scale;
      const thick = side > 0 ? next / side : 0;
      const ratio = [sizes[at], sizes[at + count]].reduce((most, size) => {
        const long = thick > 0 ? (size * scale) / thick : 0;
        return Math.max(most, long > 0 ? Math.max(thick / long, long / thick) : Infinity);
      }, 0);
      if (count && ratio > worst) break;
      worst = ratio;
      sum = next;
      count++;
    }
    const thick = side > 0 ? sum / side : 0;
    let along = 0;
    for (let i = 0; i < count; i++) {
      const long = thick > 0 ? (sizes[at + i] * scale) / thick : 0;
      placed.push(w >= h ? { x, y: y + along, w: thick, h: long } : { x: x + along, y, w: long, h: thick });
      along += long;
    }
    if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    at += count;
  }
  return placed;
}

// Strongly connected components (Tarjan), without recursion. edges: lists of numbers by node. Gives each node's component; what a component
// leads to has a smaller number than it.
export function components(edges) {
  const index = new Array(edges.length).fill(-1), low = [], part = new Array(edges.length).fill(-1), open = [];
  let time = 0, parts = 0;
  for (let root = 0; root < edges.length; root++) {
    if (index[root] >= 0) continue;
    const walk = [[root, 0]];
    while (walk.length) {
      const top = walk[walk.length - 1], [node, step] = top;
      if (step === 0) {
        index[node] = low[node] = time++;
        open.push(node);
      }
      if (step < edges[node].length) {
        const to = edges[node][top[1]++];
        if (index[to] < 0) walk.push([to, 0]);
        else if (part[to] < 0) low[node] = Math.min(low[node], index[to]);
        continue;
      }
      walk.pop();
      if (walk.length) low[walk[walk.length - 1][0]] = Math.min(low[walk[walk.length - 1][0]], low[node]);
      if (low[node] !== index[node]) continue;
      for (let member = -1; member !== node;) {
        member = open.pop();
        part[member] = parts;
      }
      parts++;
    }
  }
  return { part, parts };
}

// Rows of a graph: who needs others stands above them; those of one circle stand together. Within a row near to what they are tied to.
export function rows(edges) {
  const { part, parts } = components(edges);
  const depth = new Array(parts).fill(0), members = Array.from({ length: parts }, () => []);
  part.forEach((p, node) => members[p].push(node));
  for (let p = 0; p < parts; p++)
    for (const node of members[p])
      for (const to of edges[node]) if (part[to] !== p) depth[p] = Math.max(depth[p], depth[part[to]] + 1);
  const deepest = Math.max(0, ...depth), levels = Array.from({ length: deepest + 1 }, () => []);
  part.forEach((p, node) => levels[deepest - depth[p]].push(node));
  const tied = edges.map(() => []);
  edges.forEach((list, node) => list.forEach((to) => { tied[node].push(to); tied[to].push(node); }));
  const place = new Array(edges.length);
  const settle = (level) => level.forEach((node, i) => { place[node] = (i + 0.5) / level.length; });
  levels.forEach(settle);
  for (let sweep = 0; sweep < 6; sweep++)
    for (const level of sweep % 2 ? levels.slice().reverse() : levels) {
      const mean = new Map(level.map((node) => [node, tied[node].length ?
        tied[node].reduce((sum, to) => sum + place[to], 0) / tied[node].length : place[node]]));
      level.sort((x, y) => mean.get(x) - mean.get(y) || x - y);
      settle(level);
    }
  return { levels, part, circle: (node) => members[part[node]].length > 1 };
}
