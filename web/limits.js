// SPDX-License-Identifier: Apache-2.0
// What is bounded and how full it is, from the gateway's metrics: its own limits, queues and connections of upstreams, caches, databases.
import { count, fixed, h } from "./dom.js";

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export function parseMetrics(text) {
  const samples = [];
  for (const line of text.split("\n")) {
    const found = SAMPLE.exec(line);
    if (found && !line.startsWith("#"))
      samples.push({ name: found[1], labels: Object.fromEntries([...(found[2] ?? "").matchAll(LABEL)].map((label) => [label[1], label[2]])), value: Number(found[3]) });
  }
  return samples;
}

const key = (labels) => JSON.stringify(Object.entries(labels).sort());
const words = (name) => name.replaceAll("_", " ");

// Each X_limit or X_limit_bytes with the X that it bounds, and banyan_limit with banyan_limit_used.
function boundOf(name) {
  if (/_limit_used$/.test(name)) return name.replace(/_used$/, "");
  if (/_limit(_bytes|_ratio)?$/.test(name)) return null;
  return name.endsWith("_bytes") ? name.replace(/_bytes$/, "_limit_bytes") : `${name}_limit`;
}

export function limitsOf(samples) {
  const limits = new Map(samples.map((sample) => [sample.name + key(sample.labels), sample.value]));
  const rows = [];
  for (const { name, labels, value } of samples) {
    const bound = boundOf(name), limit = bound && limits.get(bound + key(labels));
    if (limit > 0) rows.push({ what: nameOf(name, labels), used: value, limit, bytes: name.includes("bytes") || /bytes|memory|spool/.test(labels.limit ?? "") });
  }
  return rows.sort((a, b) => b.used / b.limit - a.used / a.limit || a.what.localeCompare(b.what));
}

function nameOf(name, { limit, ...labels }) {
  const base = words(name.replace(/^banyan_/, "").replace(/_limit_used$|_bytes$/, ""));
  return [...Object.values(labels), limit ? words(limit) : base].join(": ");
}

function amount(value, bytes) {
  if (!bytes || value < 1024) return count(value);
  const power = Math.min(3, Math.floor(Math.log2(value) / 10));
  return `${fixed(value / 1024 ** power, 1)} ${["", "KiB", "MiB", "GiB"][power]}`;
}

export const LIMIT_COLUMNS = [{ label: "What" }, { label: "Used", num: true }, { label: "Limit", num: true }, { label: "Full", num: true }];

export function limitCells({ what, used, limit, bytes }) {
  const full = (100 * used) / limit;
  const sign = full >= 90 ? h("span.state", { "data-state": "down" }, "✕ ") : full >= 70 ? h("span.state", { "data-state": "slow" }, "△ ") : null;
  return [what, amount(used, bytes), amount(limit, bytes), h("span", sign, `${fixed(full, 0)} %`)];
}
