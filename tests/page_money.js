// SPDX-License-Identifier: Apache-2.0
// Usage: node tests/page_money.js FILE
// The page's formula beside the program's. Of FILE the first line is the table of inputs, each other line an amount ([value, text]) or what
// --json says of a case. Says how many lines it compared; a difference ends it with 1.
const fs = require("fs");

const source = fs.readFileSync("src/audit/page/money.js", "utf8").replace(/^export /gm, "");
const { MONEY_INPUTS, amountText, reckon } = new Function(`${source}; return { MONEY_INPUTS, amountText, reckon };`)();
const RANGES = ["annual_cost", "interest_a_year", "principal", "refactoring_cost", "saving_a_month", "payback_months", "net", "roi", "break_even_share"];

function die(text) {
  console.log(text);
  process.exit(1);
}

function same(ours, theirs) { // JSON has null for what has no end
  return theirs === null ? !Number.isFinite(ours) : Math.abs(ours - theirs) <= 1e-12 * Math.max(Math.abs(ours), Math.abs(theirs));
}

function compare(name, ours, theirs, line) {
  const known = theirs !== null;
  if (known !== Boolean(ours) || (known && !["low", "likely", "high"].every((end) => same(ours[end], theirs[end]))))
    die(`${name}: the page says ${JSON.stringify(ours)}, the program ${JSON.stringify(theirs)} of\n${line}`);
}

function check(line) {
  const theirs = JSON.parse(line);
  if (Array.isArray(theirs)) {
    if (amountText("$", theirs[0]) !== theirs[1]) die(`${theirs[0]}: the page says ${amountText("$", theirs[0])}, the program ${theirs[1]}`);
    return;
  }
  const known = Object.fromEntries(Object.entries(theirs.inputs).map(([key, input]) => [key, input.value])), ours = reckon(known, theirs.refactoring_cost);
  for (const name of RANGES) compare(name, ours[name], theirs[name], line);
  for (const name of Object.keys(theirs.parts)) compare(name, ours.parts[name], theirs.parts[name], line);
  if (ours.verdict !== theirs.verdict || ours.parts_missing !== theirs.parts_missing) die(`verdict ${ours.verdict} of\n${line}`);
  theirs.thresholds.forEach((threshold, i) => {
    compare(threshold.of, ours.thresholds[i].value, threshold.value, line);
    if (ours.thresholds[i].is !== threshold.is || ours.thresholds[i].doubtful !== threshold.doubtful) die(`${threshold.of} of\n${line}`);
  });
}

const [table, ...lines] = fs.readFileSync(process.argv[2], "utf8").trim().split("\n");
const rows = JSON.parse(table);
if (rows.map((row) => row.key).join() !== Object.keys(MONEY_INPUTS).join()) die("the inputs differ");
for (const row of rows) {
  const ours = MONEY_INPUTS[row.key];
  if (ours.unit !== row.unit || ours.per !== row.per || (ours.most || 0) !== row.most || Boolean(ours.assumed) !== row.assumed) die(`${row.key} differs`);
}
lines.forEach(check);
console.log(`${lines.length} compared`);
