// A run's document, made ready to draw.
import assert from "node:assert/strict";
import test from "node:test";

import { Run } from "../../src/lightning_gapmon/web/run.js";

const VERDICT = { verdict: "overfitting", since: 2, severity: "warning", message: "", remedies: [] };

function run(columns, more = {}) {
  const size = columns.val.length;
  const check = Array.from({ length: size }, (_, i) => i + 1);
  const counted = { check, epoch: check.map((n) => n - 1), step: check.map((n) => 10 * n) };
  return new Run({ name: "r", columns: { ...counted, ...columns }, verdict: VERDICT, best: null, kept: [], lr_changes: [], ...more });
}

test("what was not measured is no number, and infinity is one by its name", () => {
  assert.deepEqual(run({ val: [1, null, "Infinity"] }).column("val"), [1, NaN, Infinity]);
  assert.deepEqual(run({ val: [1, 2] }).column("probe"), [NaN, NaN]);
});

test("an epoch's check stands at the epoch's end, and steps between the checks lie between", () => {
  const places = run({ val: [3, 2, 1] }).places("epoch");

  assert.deepEqual(places.checks, [1, 2, 3]);
  assert.equal(places.of(15), 1.5);
  assert.equal(places.of(0), 0);
});

test("several checks in an epoch share it by their steps", () => {
  const places = run({ val: [4, 3, 2, 1], epoch: [0, 0, 1, 1], step: [5, 10, 15, 20] }).places("epoch");

  assert.deepEqual(places.checks, [0.5, 1, 1.5, 2]);
});

test("an epoch that was cut short is drawn as far as it came", () => {
  const places = run({ val: [3, 2, 1], epoch: [0, 1, 2], step: [10, 20, 25] }).places("epoch");

  assert.deepEqual(places.checks, [1, 2, 2.5]);
});

test("time counts in the unit that fits, and never runs backwards", () => {
  const places = run({ val: [3, 2, 1], seconds: [300, 240, 600] }).places("time");

  assert.equal(places.unit, "minutes");
  assert.deepEqual(places.checks, [5, 5, 10]);
  assert.deepEqual(run({ val: [1] }).axes, ["epoch", "step"]);
});

test("marks stand at their checks, and a settled verdict has no beginning", () => {
  const more = { best: { check: 1, val: 1 }, stop: 3, kept: [1], lr_changes: [2], };
  const kinds = (verdict) => run({ val: [1, 2, 3], lr: [0.1, 0.01, 0.01] }, { ...more, verdict }).marks().map(({ kind, i, label }) => [kind, i, label]);

  assert.deepEqual(kinds(VERDICT), [
    ["best", 0, "best 1.000"], ["onset", 1, "overfitting since check 2"], ["stop", 2, "stopped at check 3"],
    ["kept", 0, ""], ["lr", 1, "lr ×0.1"],
  ]);
  assert.ok(!kinds({ ...VERDICT, verdict: "good_fit" }).some(([kind]) => kind === "onset"));
});

test("a check that is not among those drawn is marked nowhere", () => {
  assert.deepEqual(run({ val: [1] }, { stop: 9, verdict: { ...VERDICT, since: null } }).marks(), []);
});

test("all that was measured at a check is told, and nothing else", () => {
  const told = run({ val: [0.5], train: [0.25], gap: [0.25], gap_low: [0.2], gap_high: [0.4], gap_stderr: [0.05], basis: ["probe"] }).told(0);

  assert.deepEqual(told, [
    ["check", "1"], ["epoch", "1"], ["step", "10"], ["train (probe)", "0.2500"], ["validation", "0.5000"],
    ["gap", "+0.250 [+0.200, +0.400]"], ["online train", "nan"],
  ]);
});

test("a metric that the run lacks shows its loss", () => {
  const both = run({ val: [2], train: [1] }, { metrics: { acc: [[0.5], [0.4]] } });

  assert.deepEqual(both.sides("acc"), [[0.5], [0.4]]);
  assert.deepEqual(both.sides("f1"), [[1], [2]]);
});
