// SPDX-License-Identifier: Apache-2.0
// The formula, for the sliders: the same steps in the same order as src/audit/money.c, so that both give the same figures (its unit test holds
// them against each other). A range is { low, likely, high }; what is not known is null.

const MONTHS = 12;

// As money.c has them. unit: h hours, m money, s a share, y years. assumed: somebody's guess, which gets a range when it has none.
export const MONEY_INPUTS = {
  hours_lost: { unit: "h", per: " a month", text: "Hours lost to the debt", assumed: true },
  rate: { unit: "m", per: " an hour", text: "Rate", assumed: true },
  infrastructure: { unit: "m", per: " a month", text: "Infrastructure overhead", assumed: true },
  opportunity: { unit: "m", per: " a year", text: "Cost of delayed features", assumed: true },
  security: { unit: "m", per: " a year", text: "Cost of security risks", assumed: true },
  churn: { unit: "m", per: " a year", text: "Customers lost", assumed: true },
  saving: { unit: "m", per: " a month", text: "Saving once it is done", assumed: true },
  removed: { unit: "s", per: "", text: "Share of the cost that goes", most: 1, assumed: true },
  running: { unit: "m", per: " a month", text: "Running what replaces it", assumed: true },
  years: { unit: "y", per: "", text: "Years looked ahead", most: 50 },
  budget: { unit: "m", per: " a year", text: "Development budget" },
  velocity_fall: { unit: "s", per: " a year", text: "Velocity falls by", most: 1 },
  availability: { unit: "s", per: "", text: "Availability", most: 1 },
  maintenance: { unit: "s", per: "", text: "Critical people's maintenance", most: 1 },
  principal: { unit: "h", per: "", text: "Mending what was found", assumed: true },
};

const scaled = (x, by) => ({ low: x.low * by, likely: x.likely * by, high: x.high * by });
const times = (x, y) => ({ low: x.low * y.low, likely: x.likely * y.likely, high: x.high * y.high });
const plus = (x, y) => ({ low: x.low + y.low, likely: x.likely + y.likely, high: x.high + y.high });
const minus = (x, y) => ({ low: x.low - y.high, likely: x.likely - y.likely, high: x.high - y.low });
const quotient = (x, y) => (y > 0 ? x / y : Infinity);
const over = (x, y) => ({ low: quotient(x.low, y.high), likely: quotient(x.likely, y.likely), high: quotient(x.high, y.low) });
const product = (x, y, by) => (x && y ? scaled(times(x, y), by) : null);

function annualCost(known) {
  const parts = {
    hours_lost: product(known.hours_lost, known.rate, MONTHS),
    infrastructure: known.infrastructure && scaled(known.infrastructure, MONTHS),
    opportunity: known.opportunity, security: known.security, churn: known.churn,
  };
  const given = Object.values(parts).filter(Boolean);
  const annual = given.length ? given.reduce(plus, { low: 0, likely: 0, high: 0 }) : null;
  return { parts, annual, missing: Object.keys(parts).length - given.length };
}

// A loss weighs most on the smallest price.
const returnOn = (all, cost) => ({
  low: all.low / (all.low < 0 ? cost.low : cost.high) - 1,
  likely: all.likely / cost.likely - 1,
  high: all.high / (all.high < 0 ? cost.high : cost.low) - 1,
});

function verdictOf(net) {
  if (!net) return "unknown";
  if (net.low > 0) return "pays";
  if (net.likely > 0) return "likely";
  return net.high > 0 ? "doubtful" : "does-not-pay";
}

function judged(value, limit, below) {
  if (!value) return { value: null, is: "unknown", doubtful: false };
  const crossed = (x) => (below ? x < limit : x > limit);
  return { value, is: crossed(value.likely) ? "crossed" : "kept", doubtful: crossed(value.low) !== crossed(value.high) };
}

// known: ranges by the inputs' names; cost: the work's.
export function reckon(known, cost) {
  const { parts, annual, missing } = annualCost(known);
  const years = known.years ? known.years.likely : 0;
  let saving = known.saving || product(annual, known.removed, 1 / MONTHS);
  if (saving && known.running) saving = minus(saving, known.running);
  let breakEven = null;
  if (cost && annual) {
    let yearly = scaled(cost, quotient(1, years));
    if (known.running) yearly = plus(yearly, scaled(known.running, MONTHS));
    breakEven = over(yearly, annual);
  }
  const all = cost && saving && scaled(saving, MONTHS * years);
  const net = all ? minus(all, cost) : null;
  return {
    parts, annual_cost: annual, parts_missing: missing, interest_a_year: parts.hours_lost, principal: product(known.principal, known.rate, 1),
    refactoring_cost: cost, saving_a_month: saving || null, payback_months: all ? over(cost, saving) : null, net,
    roi: all && cost.low > 0 ? returnOn(all, cost) : null, break_even_share: breakEven, verdict: verdictOf(net),
    thresholds: [
      judged(known.budget && annual ? over(annual, known.budget) : null, 0.4, false), judged(known.velocity_fall, 0.2, false),
      judged(known.availability, 0.99, true), judged(known.maintenance, 0.5, false)],
  };
}

// An input moved to another value: its range moves along; one that was not known gets the range of an assumption.
export function moved(range, likely, row) {
  const most = row?.most ?? Infinity;
  let to = { low: likely, likely, high: likely };
  if (range && range.likely > 0) to = { low: range.low * (likely / range.likely), likely, high: range.high * (likely / range.likely) };
  else if (!range && row?.assumed) to = { low: likely * 0.5, likely, high: likely * 1.5 };
  return { low: Math.min(to.low, most), likely: Math.min(to.likely, most), high: Math.min(to.high, most) };
}

// As C's printf rounds: what lies just between two goes to the even one, where toFixed takes the larger.
function rounded(size, digits) {
  const by = 10 ** digits, between = digits === 0 ? size % 1 === 0.5 : digits === 2 && Number.isInteger(size * 8) && !Number.isInteger(size * 4);
  if (!between) return size.toFixed(digits);
  const below = Math.floor(size * by);
  return ((below + (below % 2)) / by).toFixed(digits);
}

// As money_amount_put writes it: "$1.69M", "-$40K", "EUR 312.50".
export function amountText(currency, amount) {
  if (!Number.isFinite(amount)) return "without end";
  const [from, sign] = [[1e9, "B"], [1e6, "M"], [1e3, "K"], [0, ""]].find(([least]) => Math.abs(amount) >= least * 0.9995);
  const size = Math.abs(amount) / (from || 1), hundredths = Math.round(size * 100);
  const digits = hundredths % 100 === 0 || (from && size >= 100) ? 0 : from && hundredths % 10 === 0 ? 1 : 2;
  return `${amount < 0 && Math.abs(amount) >= 0.005 ? "-" : ""}${currency}${/[A-Za-z]$/.test(currency) ? " " : ""}${rounded(size, digits)}${sign}`;
}
