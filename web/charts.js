// SPDX-License-Identifier: Apache-2.0
// The charts of a subject's page. The old side is drawn dashed, the new one solid: they differ without their colours too. What a chart
// shows last is said below it in words, for those who do not see it.
import uPlot from "./uplot.js";
import { clock, evidence, h, ms, percent, setAttribute, setText, share } from "./dom.js";
import { metricLabel } from "./words.js";

const DASHED = [6, 4];
const HEIGHT = 170;
const SHORTEST_S = 60;
const FLOOR = 0.01; // of evidence, which is drawn by its powers of ten

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function axis(format, size) {
  return { stroke: () => colour("soft"), grid: { stroke: () => colour("line"), width: 1 }, ticks: { show: false }, size,
    font: "12px system-ui, sans-serif", values: (_, values) => values.map((value) => (value === null ? "" : format(value))) };
}

const sides = (unit) => [
  { label: "old", stroke: () => colour("old"), dash: DASHED, width: 2, points: { show: false }, spanGaps: true, unit },
  { label: "new", stroke: () => colour("new"), width: 2, points: { show: false }, spanGaps: true, unit }];

// A second without a request has no ratio and no time: nothing, which is not 0.
const seen = (name, key) => (point) => (point[name]?.rate > 0 && Number.isFinite(point[name][key]) ? point[name][key] : null);

// The first points stand at the right end of a minute.
const lately = (_, min, max) => (Number.isFinite(max) ? [Math.min(min, max - SHORTEST_S), max] : [Date.now() / 1000 - SHORTEST_S, Date.now() / 1000]);

const newShare = (point) => {
  const all = (point.old?.rate ?? 0) + (point.new?.rate ?? 0);
  return all > 0 ? (100 * (point.new?.rate ?? 0)) / all : null;
};

const KINDS = [
  { id: "split", title: "Split: share of requests on the new side", format: percent, top: 100,
    series: () => [{ label: "new", stroke: () => colour("new"), fill: () => colour("new-soft"), width: 2, points: { show: false }, spanGaps: true }],
    data: (points) => [points.map(newShare)] },
  { id: "errors", title: "Error ratio", format: share, least: 0.001, series: () => sides(share),
    data: (points) => [points.map(seen("old", "errors")), points.map(seen("new", "errors"))] },
  { id: "p99", title: "Response time, p99", format: ms, least: 1, series: () => sides(ms),
    data: (points) => [points.map(seen("old", "p99_ms")), points.map(seen("new", "p99_ms"))] },
];

// What was done, as upright lines: the journal below says what each was.
const marks = (chart) => ({ hooks: { draw: [(u) => {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = colour("ink");
  ctx.setLineDash([2, 3]);
  ctx.globalAlpha = 0.6;
  ctx.beginPath();
  for (const at of chart.marks) {
    if (at < u.scales.x.min || at > u.scales.x.max) continue;
    const x = Math.round(u.valToPos(at, "x", true));
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}] } });

// The evidence of each metric, and its limit as a level line of the same colour.
function evidenceKind(metrics) {
  let shown = metrics.filter((metric) => metric.limit > 0);
  return { refresh(fresh) { shown = shown.map((metric) => fresh.find((one) => one.name === metric.name) ?? metric); }, id: "evidence", title: "Evidence that the new side is worse, against its limit", format: evidence, log: true,
    series: () => shown.flatMap((metric, i) => [
      { label: metricLabel(metric.name), stroke: () => colour(`mark-${(i % 4) + 1}`), width: 2, points: { show: false }, spanGaps: true },
      { label: `limit of ${metricLabel(metric.name)}`, stroke: () => colour(`mark-${(i % 4) + 1}`), dash: [2, 4], width: 1, points: { show: false }, quiet: true }]),
    data: (points) => shown.flatMap((metric) => [
      points.map((p) => (p.evidence?.[metric.name] > 0 ? Math.max(p.evidence[metric.name], FLOOR) : null)),
      points.map(() => metric.limit)]),
    words: () => shown.map((metric) => `${metricLabel(metric.name)} ${evidence(metric.evidence)} of ${evidence(metric.limit)}`).join(", ") };
}

class Chart {
  constructor(kind) {
    this.kind = kind;
    this.marks = [];
    this.box = h("div.plot", { role: "img", "aria-label": kind.title });
    this.words = h("p.words");
    this.element = h("figure.chart", { "data-chart": kind.id }, h("figcaption", kind.title, this.key()), this.box, this.words);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.box);
  }

  key() {
    const shown = this.kind.series().filter((series) => !series.quiet);
    return shown.length > 1 && h("span.key", shown.map((series, i) => h(`span.key-${this.kind.log ? `mark-${(i % 4) + 1}` : series.label}`, series.label)));
  }

  options(width) {
    return { width, height: HEIGHT, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } }, padding: [8, 28, 0, 0],
      scales: { x: { time: true, range: lately }, y: this.kind.log ? { distr: 3, range: (_, min, max) => [Math.min(min || 1, 0.1), Math.max(max || 1, 10) * 2] } :
        { range: (_, min, max) => [0, this.kind.top ?? Math.max((max || 0) * 1.15, this.kind.least)] } },
      axes: [axis(clock, 28), axis(this.kind.format, 62)], series: [{}, ...this.kind.series()], plugins: [marks(this)] };
  }

  draw(points) {
    const data = [points.map((p) => Date.parse(p.at) / 1000), ...this.kind.data(points)];
    const width = Math.floor(this.box.clientWidth);
    if (!this.plot && width > 0) this.plot = new uPlot(this.options(width), data, this.box);
    else this.plot?.setData(data);
    this.tell(data);
  }

  tell(data) {
    const last = data.slice(1).map((values) => values.findLast((value) => value !== null));
    const text = this.kind.words ? this.kind.words() : this.kind.series().map((series, i) =>
      `${series.label} ${this.kind.format(last[i] ?? NaN)}`).join(", ");
    setText(this.words, `Now: ${text}`);
    setAttribute(this.box, "aria-label", `${this.kind.title}. Now: ${text}`);
  }

  resize() {
    const width = Math.floor(this.box.clientWidth);
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  end() {
    this.watch.disconnect();
    this.plot?.destroy();
  }
}

export class Charts {
  constructor(metrics) {
    const kinds = metrics?.some((metric) => metric.limit > 0) ? [...KINDS, evidenceKind(metrics)] : KINDS;
    this.names = (metrics ?? []).map((metric) => metric.name).join();
    this.charts = kinds.map((kind) => new Chart(kind));
    this.element = h("div.charts", this.charts.map((chart) => chart.element));
    this.redraw = () => this.charts.forEach((chart) => chart.plot?.redraw(false));
    addEventListener("theme", this.redraw);
  }

  // marks: when something was done, as the journal has it.
  draw(points, marks = []) {
    for (const chart of this.charts) {
      chart.marks = marks;
      chart.draw(points);
    }
  }

  refresh(metrics) {
    this.charts.forEach((chart) => chart.kind.refresh?.(metrics ?? []));
  }

  end() {
    removeEventListener("theme", this.redraw);
    this.charts.forEach((chart) => chart.end());
  }
}
