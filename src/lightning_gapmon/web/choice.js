// What the reader has chosen, kept in the address so that it can be sent, and which runs that shows.

import { AXES } from "./run.js";

const SCALES = ["auto", "linear", "log"];
const DEFAULTS = { q: "", verdict: "", sort: "verdict", x: "epoch", y: "auto", show: "loss", pick: "", view: "cards", run: "" };

// The worst first: what a tired reader has to see is on top.
const ORDER = ["non_finite", "diverging", "leakage_suspected", "overfitting", "underfitting", "plateau", "undecided", "learning", "good_fit"];

const SORTS = {
  verdict: { label: "verdict", key: (run) => rank(run.verdict?.verdict) },
  gap: { label: "gap, largest first", key: (run) => last(-num(run.last?.gap)) },
  best: { label: "best validation loss", key: (run) => last(num(run.best?.val)) },
  name: { label: "name", key: () => 0 },
};

const PREFIX = "gap.";

// Anybody may write an address: what is no choice of ours is passed over.
const ALLOWED = {
  sort: (value) => Object.hasOwn(SORTS, value),
  x: (value) => AXES.includes(value),
  y: (value) => SCALES.includes(value),
  view: (value) => ["cards", "overlay"].includes(value),
  pick: (value) => picked(value).length > 0,
};

// The names of the runs that an overlay shows; none where the text is no list of names.
function picked(text) {
  try {
    const names = JSON.parse(text || "[]");
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

function rank(verdict) {
  const at = ORDER.indexOf(verdict);
  return at < 0 ? ORDER.length : at;
}

// What is not known, or no number, comes last and is compared with nothing.
function last(value) {
  return Number.isNaN(value) ? Infinity : value;
}

function num(value) {
  return value === null || value === undefined ? NaN : Number(value);
}

// Read choices out of the part of an address behind #; unknown names are left alone.
function readChoice(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, "").split("&").filter((part) => part.includes("=")).join("&"));
  const found = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    const value = given.get(PREFIX + name);
    if (value !== null && (!ALLOWED[name] || ALLOWED[name](value))) found[name] = value;
  }
  return found;
}

// Write them back, behind what else the address holds.
function writeChoice(hash, choice) {
  const kept = hash.replace(/^#/, "").split("&").filter((part) => part && !part.startsWith(PREFIX));
  const said = Object.keys(DEFAULTS).filter((name) => choice[name] !== DEFAULTS[name]);
  return `#${[...kept, ...said.map((name) => `${PREFIX}${name}=${encodeURIComponent(choice[name])}`)].join("&")}`;
}

// The names of the runs to show, in order.
function chosen(runs, choice) {
  const wanted = choice.q.toLowerCase().split(/\s+/).filter(Boolean);
  const verdicts = choice.verdict ? choice.verdict.split(",") : [];
  const { key } = SORTS[choice.sort];
  const byName = new Intl.Collator("en", { numeric: true }).compare;
  return runs
    .filter((run) => wanted.every((word) => run.name.toLowerCase().includes(word)))
    .filter((run) => !choice.run || run.name === choice.run)
    .filter((run) => !verdicts.length || verdicts.includes(run.verdict?.verdict))
    .map((run) => ({ run, at: key(run) }))
    .sort((a, b) => (a.at === b.at ? byName(a.run.name, b.run.name) : a.at < b.at ? -1 : 1))
    .map(({ run }) => run.name);
}

export { DEFAULTS, ORDER, SCALES, SORTS, chosen, picked, readChoice, writeChoice };
