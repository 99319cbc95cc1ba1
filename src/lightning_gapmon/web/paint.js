// What a chart has beside uPlot's lines, painted on its canvas: the shaded gap, marks, labels.

import { finite } from "./scale.js";

const FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif";
const LINE = 13; // CSS pixels from one line of text to the next

// A pen over a uPlot's canvas that counts in CSS pixels of the plot.
class Pen {
  constructor(plot, ratio) {
    this.plot = plot;
    this.ctx = plot.ctx;
    this.ratio = ratio;
    const { left, top, width, height } = plot.bbox;
    this.left = left / ratio;
    this.top = top / ratio;
    this.right = (left + width) / ratio;
    this.bottom = (top + height) / ratio;
  }

  // Paint within the plot's frame, or all over the canvas.
  within(paint, { clip = true } = {}) {
    const { ctx, ratio } = this;
    ctx.save();
    ctx.scale(ratio, ratio);
    if (clip) {
      ctx.beginPath();
      ctx.rect(this.left, this.top, this.right - this.left, this.bottom - this.top);
      ctx.clip();
    }
    paint(ctx);
    ctx.restore();
  }

  x(value) {
    return this.plot.valToPos(value, "x", true) / this.ratio;
  }

  y(value) {
    const at = this.plot.valToPos(value, "y", true) / this.ratio;
    return Number.isFinite(at) ? Math.min(Math.max(at, -1e5), 1e5) : this.bottom + 1e3;
  }

  holds(x, y) {
    return x >= this.left - 1 && x <= this.right + 1 && y >= this.top - 1 && y <= this.bottom + 1;
  }

  write(text, x, y, { colour, align = "left", bold = false, paper = "" }) {
    const { ctx } = this;
    ctx.font = `${bold ? "600 " : ""}11.5px ${FONT}`;
    ctx.textAlign = align;
    ctx.textBaseline = "middle";
    if (paper) {
      ctx.strokeStyle = paper;
      ctx.lineWidth = 3;
      ctx.lineJoin = "round";
      ctx.strokeText(text, x, y);
    }
    ctx.fillStyle = colour;
    ctx.fillText(text, x, y);
  }
}

// The area between two curves, in pieces where both are finite.
function area(pen, places, upper, lower, colour, opacity) {
  pen.within((ctx) => {
    ctx.globalAlpha = opacity;
    ctx.fillStyle = colour;
    for (const [from, to] of stretches(upper, lower)) {
      ctx.beginPath();
      for (let i = from; i <= to; i += 1) ctx.lineTo(pen.x(places[i]), pen.y(upper[i]));
      for (let i = to; i >= from; i -= 1) ctx.lineTo(pen.x(places[i]), pen.y(lower[i]));
      ctx.closePath();
      ctx.fill();
    }
  });
}

// Runs of indices at which all lists are finite.
function stretches(...lists) {
  const found = [];
  let from = -1;
  for (let i = 0; i <= lists[0].length; i += 1) {
    const drawn = i < lists[0].length && lists.every((list) => Number.isFinite(list[i]));
    if (drawn && from < 0) from = i;
    if (!drawn && from >= 0) {
      found.push([from, i - 1]);
      from = -1;
    }
  }
  return found;
}

function thinLine(pen, places, values, colour, { opacity = 1, width = 1, dash = [] } = {}) {
  pen.within((ctx) => {
    ctx.globalAlpha = opacity;
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.setLineDash(dash);
    for (const [from, to] of stretches(values)) {
      ctx.beginPath();
      for (let i = from; i <= to; i += 1) ctx.lineTo(pen.x(places[i]), pen.y(values[i]));
      ctx.stroke();
    }
  });
}

function vertical(pen, x, colour, { dash = [], from = pen.top } = {}) {
  pen.within(
    (ctx) => {
      ctx.strokeStyle = colour;
      ctx.lineWidth = 1.25;
      ctx.setLineDash(dash);
      ctx.beginPath();
      ctx.moveTo(x, from);
      ctx.lineTo(x, pen.bottom);
      ctx.stroke();
    },
    { clip: false },
  );
}

function dot(pen, x, y, { colour, paper, radius = 4.5, hollow = false }) {
  pen.within(
    (ctx) => {
      ctx.beginPath();
      ctx.arc(x, y, radius, 0, 2 * Math.PI);
      ctx.fillStyle = hollow ? paper : colour;
      ctx.strokeStyle = hollow ? colour : paper;
      ctx.lineWidth = 2;
      ctx.fill();
      ctx.stroke();
    },
    { clip: false },
  );
}

// Which line above the plot each label stands on, so that none covers another.
function rowsOf(labels, width) {
  const ends = [];
  return labels.map(({ x, size, label }) => {
    if (!label) return -1;
    const left = x + size > width ? x - size : x;
    const right = x + size > width ? x : x + size;
    let row = ends.findIndex((spans) => spans.every(([a, b]) => right < a || left > b));
    if (row < 0) row = ends.push([]) - 1;
    ends[row].push([left, right + 6]);
    return row;
  });
}

// Heights at which labels of line ends stand: near their lines, none over another.
function spread(heights, top, bottom, distance = LINE) {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b]);
  const placed = [...heights];
  let least = top;
  for (const i of order) {
    placed[i] = Math.max(placed[i], least);
    least = placed[i] + distance;
  }
  let most = bottom;
  for (const i of [...order].reverse()) {
    placed[i] = Math.min(placed[i], most);
    most = placed[i] - distance;
  }
  return placed;
}

// The last finite value of a list, with its index; null where there is none.
function lastOf(values) {
  for (let i = values.length - 1; i >= 0; i -= 1) {
    if (Number.isFinite(values[i])) return { i, value: values[i] };
  }
  return null;
}

function textWidth(ctx, text) {
  ctx.save();
  ctx.font = `600 11.5px ${FONT}`;
  const { width } = ctx.measureText(text);
  ctx.restore();
  return width;
}

function hasSome(values) {
  return finite(values).length > 0;
}

export {
  FONT, LINE, Pen, area, dot, hasSome, lastOf, rowsOf, spread, stretches, textWidth, thinLine, vertical,
};
