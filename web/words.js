// SPDX-License-Identifier: Apache-2.0
// What phases, verdicts and verbs are called, and what they mean. Each has a sign beside its colour.

export const PHASES = {
  old: { sign: "○", label: "old", means: "everything goes to the old side" },
  shadow: { sign: "◐", label: "shadow", means: "the new side gets copies, and its answers are compared; users get the old side's" },
  canary: { sign: "◑", label: "canary", means: "some users are served by the new side" },
  new: { sign: "●", label: "new", means: "all users are served by the new side, but for those held back to compare with" },
  retired: { sign: "✓", label: "retired", means: "the old side is not asked any more" },
};

export const SAYS = {
  wait: { sign: "…", label: "wait" },
  on: { sign: "→", label: "go on" },
  back: { sign: "↩", label: "go back" },
};

export const METRICS = { errors: "Errors", p50: "Slower than the old p50", p95: "Slower than the old p95", p99: "Slower than the old p99", mismatch: "Mismatches" };
export const metricLabel = (name) => METRICS[name] ?? name.replace(/^counter /, "Counter ");

// In the order of a life. phases: where one is likely to want it; the gateway has the last word. needs: only where a subject asks for it.
export const VERBS = {
  shadow: { label: "Shadow", role: "operate", phases: ["old"],
    about: "Copies of requests go to the new side, and the answers are compared. Users notice nothing." },
  canary: { label: "Start canary", role: "operate", phases: ["old", "shadow"],
    target: true, about: "The first users are served by the new side. The judge watches, and goes back by itself." },
  to: { label: "Set percent", role: "operate", phases: ["canary"], percent: true,
    about: "So many users of a hundred are served by the new side." },
  approve: { label: "Approve", role: "approve", phases: Object.keys(PHASES), needs: true,
    about: "You say yes to what waits for a person." },
  pause: { label: "Pause", role: "operate", phases: ["shadow", "canary"], paused: false,
    about: "The share stays where it is until somebody resumes. Going back still happens by itself." },
  resume: { label: "Resume", role: "operate", phases: ["shadow", "canary"], paused: true,
    about: "The steps go on by themselves again." },
  back: { label: "Go back", role: "operate", phases: ["shadow", "canary", "new"], strong: true,
    about: "All users are served by the old side again. Requests in flight finish where they are." },
  drill: { label: "Drill", role: "operate", phases: ["canary", "new"],
    about: "Going back on purpose, to see that it works." },
  retire: { label: "Retire the old side", role: "approve", phases: ["new"], strong: true,
    about: "Nobody is held back on the old side any more. After this there is nothing to go back to." },
  accept: { label: "Accept", role: "operate", phases: [], difference: true,
    about: "Differences of this kind at this path do not count any more." },
  unaccept: { label: "Take back", role: "operate", phases: [], difference: true,
    about: "Differences of this kind at this path, which somebody accepted, count again." },
  drain: { label: "Take out", role: "operate", phases: [], server: true, strong: true,
    about: "This server gets no new requests, at any gateway that shares the journal. What it has it finishes." },
  undrain: { label: "Put back", role: "operate", phases: [], server: true,
    about: "This server gets requests again, few at first where the upstream has a slow_start." },
};

// What is done to a single write; one verb of the gateway's. states: those it is for.
const WRITE = { role: "operate", phases: [], path: "writes", write: true };
Object.assign(VERBS, {
  retry: { ...WRITE, label: "Retry", states: ["dead", "skipped", "due", "unknown"],
    about: "It goes to the other side again, and those behind it of the same key after it." },
  drop: { ...WRITE, label: "Drop", states: ["dead", "skipped", "differs"], strong: true,
    about: "It is forgotten: the other side has it by other means, or must not have it." },
  skip: { ...WRITE, label: "Skip", states: ["dead"],
    about: "It stays in the list, and those behind it go on. Retried later it comes after them, which may undo what they did." },
});

// What it waits for: a person's yes to what another asked for, or whatever the gateway says.
export function waitsFor(subject) {
  if (subject.asked) return `${subject.asked_by || "somebody"} asked for ${subject.asked}; another person approves it`;
  return subject.blocked || subject.book || "";
}

export const isAsked = (name, subject) => !VERBS[name].needs || subject.needs === name;

export function isUsual(name, subject) {
  const verb = VERBS[name];
  if (!verb.phases.includes(subject.phase)) return false;
  if (verb.paused !== undefined && verb.paused !== Boolean(subject.paused)) return false;
  return isAsked(name, subject);
}
