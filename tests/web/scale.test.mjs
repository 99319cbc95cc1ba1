// The axes.
import assert from "node:assert/strict";
import test from "node:test";

import { along, span, spansDecades } from "../../src/lightning_gapmon/web/scale.js";

test("wild losses at the start are cut off, those of the later half never", () => {
  const calm = Array.from({ length: 20 }, (_, i) => 1 - i / 100);

  assert.ok(span([50, ...calm])[1] < 2);
  assert.ok(span([...calm, 50])[1] > 50);
});

test("every finite loss of a calm run is within", () => {
  const [low, high] = span([1, NaN, 2, Infinity, 1.5]);

  assert.ok(low < 1 && high > 2 && high < 3);
});

test("an axis has a span whatever the losses are", () => {
  for (const losses of [[], [NaN], [2, 2], [0, 0], [-1, -1]]) {
    for (const log of [false, true]) {
      const [low, high] = span(losses, { log });

      assert.ok(high > low, `${losses}`);
      assert.ok(!log || low > 0);
    }
  }
});

test("a log scale is for positive losses with a peak that dwarfs them", () => {
  assert.ok(spansDecades([100, 1, 1, 1]));
  assert.ok(!spansDecades([100, 1, 1, 0]));
  assert.ok(!spansDecades([2, 1, 1]));
  assert.ok(!spansDecades([]));
});

test("between anchors lie straight lines, and beyond them their continuation", () => {
  const way = along([0, 10, 20], [0, 1, 3]);

  assert.deepEqual([0, 5, 10, 15, 20, 25].map(way), [0, 0.5, 1, 2, 3, 4]);
  assert.ok(Number.isNaN(along([], [])(3)));
});
