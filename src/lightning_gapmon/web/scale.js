// From losses to an axis: the rules of `report/scale.py`'s pictures, with the numbers of theme.js.

import { THEME } from "./theme.js";

const RULES = THEME.scale;
// Beyond these a ratio or a difference is none that a number holds.
const SMALLEST = 1e-100;
const LARGEST = 1e150;

// Whether equal heights are better equal ratios: losses are positive and a peak dwarfs the rest.
function spansDecades(losses) {
  const sorted = finite(losses).sort((a, b) => a - b);
  if (!sorted.length || sorted[0] <= SMALLEST) return false;
  return sorted[sorted.length - 1] > RULES.peak * sorted[(sorted.length - 1) >> 1];
}

// The ends of the axis over losses in their order. Wild losses at the start would flatten all
// that matters and are cut off; the later half of a run never is.
function span(losses, { log = false } = {}) {
  const drawn = finite(losses).filter((loss) => !log || loss > SMALLEST);
  if (!drawn.length) return log ? [0.1, 1] : [0, 1];
  const sorted = [...drawn].sort((a, b) => a - b);
  const low = sorted[0];
  const late = Math.max(...finite(losses.slice(losses.length >> 1)), low);
  const most = sorted[Math.floor(RULES.share * (sorted.length - 1))];
  const cut = Math.max(low + RULES.headroom * (most - low), late);
  return padded(low, log ? sorted[sorted.length - 1] : Math.min(sorted[sorted.length - 1], cut), log);
}

function padded(low, high, log) {
  if (log) {
    const room = high > low ? (high / low) ** RULES.pad : 2;
    return [low / room, high * room];
  }
  const room = high > low ? RULES.pad * (high - low) : Math.abs(low) / 10 || 0.5;
  return [low - room, high + room];
}

function finite(losses) {
  return losses.filter((loss) => Math.abs(loss) < LARGEST);
}

// A robust way from one increasing list to another: straight lines between the anchors.
function along(from, to) {
  return (value) => {
    if (!from.length) return NaN;
    if (from.length === 1) return to[0] + (value - from[0]);
    let low = 0;
    let high = from.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (from[middle] <= value) low = middle;
      else high = middle;
    }
    const width = from[high] - from[low];
    return width > 0 ? to[low] + ((to[high] - to[low]) * (value - from[low])) / width : to[low];
  };
}

export { LARGEST, SMALLEST, along, finite, span, spansDecades };
