// What is painted beside the lines.
import assert from "node:assert/strict";
import test from "node:test";

import { Pen, area, lastOf, rowsOf, spread, stretches, thinLine } from "../../src/lightning_gapmon/web/paint.js";

function canvas() {
  const points = [];
  const nothing = () => {};
  const ctx = { save: nothing, restore: nothing, scale: nothing, beginPath: nothing, rect: nothing, clip: nothing,
    closePath: nothing, fill: nothing, stroke: nothing, setLineDash: nothing, lineTo: (x, y) => points.push([x, y]) };
  const valToPos = (value) => 2 * value;
  return { points, plot: { ctx, bbox: { left: 0, top: 0, width: 100, height: 50 }, valToPos } };
}

test("holes in a curve are left out of lines and areas", () => {
  const { points, plot } = canvas();
  thinLine(new Pen(plot, 1), [1, 2, 3], [4, NaN, 6], "blue");
  area(new Pen(plot, 1), [1, 2, 3], [4, 5, Infinity], [1, 2, 3], "blue", 0.2);

  assert.deepEqual(points.flat().filter((at) => !Number.isFinite(at)), []);
  assert.deepEqual(points, [[2, 8], [6, 12], [2, 8], [4, 10], [4, 4], [2, 2]]);
});

test("a pen counts in CSS pixels on a screen of any density", () => {
  const { plot } = canvas();

  assert.equal(new Pen(plot, 2).x(10), 10);
  assert.equal(new Pen(plot, 2).right, 50);
});

test("stretches are the runs in which all lists are finite", () => {
  assert.deepEqual(stretches([1, 2, NaN, 4], [1, 2, 3, 4]), [[0, 1], [3, 3]]);
  assert.deepEqual(stretches([NaN]), []);
});

test("labels of line ends keep their order and their distance, inside the plot", () => {
  const placed = spread([10, 11, 12, 95], 0, 100, 13);

  assert.deepEqual(placed, [10, 23, 36, 95]);
  assert.deepEqual(spread([99, 98], 0, 100, 13), [100, 87]);
});

test("labels that would cover each other stand on lines of their own", () => {
  const labels = [{ x: 0, size: 50, label: "a" }, { x: 20, size: 50, label: "b" }, { x: 90, size: 50, label: "c" }, { x: 5, size: 0, label: "" }];

  assert.deepEqual(rowsOf(labels, 200), [0, 1, 0, -1]);
});

test("the last finite value is what a label says", () => {
  assert.deepEqual(lastOf([1, 2, NaN]), { i: 1, value: 2 });
  assert.equal(lastOf([NaN]), null);
});
