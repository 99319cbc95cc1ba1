// What is shown, and how it is kept in the address.
import assert from "node:assert/strict";
import test from "node:test";

import { DEFAULTS, chosen, readChoice, writeChoice } from "../../src/lightning_gapmon/web/choice.js";

const runs = [
  { name: "run 10", verdict: { verdict: "good_fit" }, best: { val: 0.1 }, last: { gap: 0.1 } },
  { name: "run 2", verdict: { verdict: "overfitting" }, best: { val: 0.3 }, last: { gap: 0.9 } },
  { name: "lost", verdict: { verdict: "non_finite" }, best: null, last: { gap: null } },
  { name: "new" },
];
const by = (choice) => chosen(runs, { ...DEFAULTS, ...choice });

test("the worst verdict comes first, and what is not known last", () => {
  assert.deepEqual(by({ sort: "verdict" }), ["lost", "run 2", "run 10", "new"]);
  assert.deepEqual(by({ sort: "gap" }), ["run 2", "run 10", "lost", "new"]);
  assert.deepEqual(by({ sort: "best" }), ["run 10", "run 2", "lost", "new"]);
  assert.deepEqual(by({ sort: "name" }), ["lost", "new", "run 2", "run 10"]);
});

test("filters leave the runs that meet all of them", () => {
  assert.deepEqual(by({ q: "RUN 1" }), ["run 10"]);
  assert.deepEqual(by({ verdict: "overfitting,good_fit" }), ["run 2", "run 10"]);
  assert.deepEqual(by({ run: "lost" }), ["lost"]);
  assert.deepEqual(by({ q: "(" }), []);
});

test("what was chosen comes back out of the address, whatever it is", () => {
  const choice = { ...DEFAULTS, q: "a&b=c#d ä", sort: "gap", pick: '["<img>","x,y"]', x: "time" };
  const hash = writeChoice("#gapmon&smoothing=0.6", choice);

  assert.ok(hash.startsWith("#gapmon&smoothing=0.6&gap."));
  assert.deepEqual(readChoice(hash), choice);
  assert.equal(writeChoice(hash, DEFAULTS), "#gapmon&smoothing=0.6");
});

test("an address that somebody has changed by hand is no harm", () => {
  assert.deepEqual(readChoice("#gapmon&gap.sort=constructor"), DEFAULTS);
  assert.deepEqual(readChoice("#gapmon&gap.x=tea&gap.y=%zz&gap.pick={"), DEFAULTS);
  assert.deepEqual(readChoice(""), DEFAULTS);
});
