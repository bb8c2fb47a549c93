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

// An order of the nodes with little weight of edges against it (Eades, Lin, Smyth 1993): who is needed by nobody goes first, who needs nobody last,
// and of those in circles always the one that needs others most and is needed least.
export function order(edges, weight) {
  const count = edges.length, left = new Set(edges.keys()), into = edges.map(() => []), out = new Array(count).fill(0), ins = new Array(count).fill(0);
  edges.forEach((list, x) => list.forEach((y) => { into[y].push(x); out[x] += weight(x, y); ins[y] += weight(x, y); }));
  const head = [], tail = [];
  const take = (node, list) => {
    left.delete(node);
    list.push(node);
    for (const y of edges[node]) ins[y] -= weight(node, y);
    for (const x of into[node]) out[x] -= weight(x, node);
  };
  while (left.size) {
    const first = [...left], sinks = first.filter((node) => out[node] <= 0);
    if (sinks.length) {
      sinks.forEach((node) => take(node, tail));
      continue;
    }
    const sources = first.filter((node) => ins[node] <= 0);
    if (sources.length) sources.forEach((node) => take(node, head));
    else take(first.reduce((x, y) => (out[y] - ins[y] > out[x] - ins[x] ? y : x)), head);
  }
  return sift([...head, ...tail.reverse()], weight);
}

// Each node where least of its own weight leads back, the others staying as they are; a few rounds.
function sift(list, weight) {
  for (let round = 0; round < 4; round++) {
    let moved = false;
    for (const node of list.slice()) {
      const rest = list.filter((other) => other !== node);
      let cost = rest.reduce((all, other) => all + weight(other, node), 0), best = 0, least = cost;
      rest.forEach((other, i) => {
        cost += weight(node, other) - weight(other, node);
        if (cost < least) [best, least] = [i + 1, cost];
      });
      const at = list.indexOf(node);
      let now = 0;
      list.forEach((other, i) => { now += i < at ? weight(node, other) : weight(other, node); });
      if (least >= now) continue;
      rest.splice(best, 0, node);
      list = rest;
      moved = true;
    }
    if (!moved) break;
  }
  return list;
}

// Rows of a graph: who needs others stands above them, but for edges that lead back. Within a row near to what they are tied to.
export function rows(edges, weight) {
  const { part, parts } = components(edges), placeOf = new Array(edges.length), depth = new Array(edges.length).fill(0), size = new Array(parts).fill(0);
  const whole = order(edges, weight);
  whole.forEach((node, i) => { placeOf[node] = i; });
  part.forEach((p) => { size[p]++; });
  const back = (x, y) => placeOf[y] < placeOf[x];
  for (const node of whole.slice().reverse())
    for (const to of edges[node]) if (!back(node, to)) depth[node] = Math.max(depth[node], depth[to] + 1);
  const deepest = Math.max(0, ...depth), levels = Array.from({ length: deepest + 1 }, () => []);
  whole.forEach((node) => levels[deepest - depth[node]].push(node));
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
  return { levels, order: whole, back, circle: (node) => size[part[node]] > 1 };
}

export const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The one of `others` that an arrow key leads to: not far, and rather ahead than aside. centre(one) is its { x, y }.
export function nearest(from, others, way, centre) {
  const here = centre(from);
  let best = null, least = Infinity;
  for (const other of others) {
    const there = centre(other), along = (there.x - here.x) * way[0] + (there.y - here.y) * way[1];
    const aside = Math.abs((there.x - here.x) * way[1]) + Math.abs((there.y - here.y) * way[0]);
    if (other !== from && along > 1 && along + 2 * aside < least) [best, least] = [other, along + 2 * aside];
  }
  return best;
}

// Of many things that an arrow key reaches one is a stop of the Tab key: the last that had the focus.
export function roam(element, all) {
  for (const other of all) if (other !== element && other.getAttribute("tabindex") === "0") other.setAttribute("tabindex", "-1");
  element.setAttribute("tabindex", "0");
}
