// <gap-chart>: one run as a chart. Set `run` to its document; `show({...})` changes how it is drawn.

import uPlot from "./uplot/uPlot.esm.js";
import { element } from "./dom.js";
import { number, read, short } from "./numbers.js";
import { FONT, LINE, Pen, area, dot, hasSome, lastOf, rowsOf, spread, textWidth, thinLine, vertical } from "./paint.js";
import { Run } from "./run.js";
import { LARGEST, SMALLEST, span, spansDecades } from "./scale.js";
import { followScheme, scheme } from "./scheme.js";
import { numbersTable } from "./table.js";

const HEIGHT = 260;
const ENDS = { train: "train", val: "validation" };
const KEYS = "Arrow keys go through the checks, Home and End to the first and last, B to the best; plus and minus zoom, Shift with arrows pans, 0 shows all.";

class GapChart extends HTMLElement {
  #view = { axis: "epoch", scale: "auto", metric: "loss", height: HEIGHT };
  #run = null;
  #plot = null;
  #sizes = null;
  #unfollow = null;
  #cursor = -1;
  #shown = null;
  #drag = null;
  #window = [0, 1];

  connectedCallback() {
    if (this.#sizes) return; // it was only moved
    this.#unfollow = followScheme(() => this.redraw());
    this.#sizes = new ResizeObserver(() => this.#resize());
    this.#build();
    this.redraw();
  }

  // Cards are moved when they are sorted: only what is not there a moment later is over.
  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#unfollow();
      this.#sizes.disconnect();
      this.#sizes = null;
      this.#plot?.destroy();
      this.#plot = null;
    });
  }

  set run(document) {
    this.#run = new Run(document);
    if (this.isConnected) this.redraw();
  }

  get run() {
    return this.#run;
  }

  // axis: epoch, step or time; scale: auto, linear or log; metric: loss or another; height.
  show(view) {
    this.#view = { ...this.#view, ...view };
    if (this.isConnected) this.redraw();
  }

  get view() {
    return { ...this.#view };
  }

  #build() {
    this.setAttribute("role", "group");
    this.plotHost = element("div", {
      class: "gap-plot", tabindex: "0", role: "application", "aria-roledescription": "chart",
    });
    this.readout = element("p", { class: "gap-readout" });
    this.live = element("p", { class: "gap-unseen", "aria-live": "polite" });
    this.table = element("details", { class: "gap-numbers" }, element("summary", {}, "Numbers"));
    this.table.addEventListener("toggle", () => this.#fillTable());
    this.plotHost.addEventListener("keydown", (event) => this.#key(event));
    this.replaceChildren(this.plotHost, this.readout, this.live, this.table);
    this.#sizes.observe(this.plotHost);
  }

  redraw() {
    if (!this.#run || !this.plotHost) return;
    const run = this.#run;
    const view = this.#view;
    const axis = run.axes.includes(view.axis) ? view.axis : "step";
    const [train, val] = run.sides(view.metric);
    const places = run.places(axis);
    const every = train.flatMap((loss, i) => [loss, val[i]]);
    const log = view.scale === "log" || (view.scale === "auto" && spansDecades(every));
    const kept = this.#shown?.axis === axis && this.#plot && this.#zoomed() ? this.#xRange() : null;
    this.#shown = { axis, places, train, val, log, every, loss: view.metric === "loss", marks: run.marks() };
    this.#plot?.destroy();
    this.plotHost.replaceChildren();
    this.plotHost.setAttribute("aria-label", `${run.document.words ?? run.name} ${KEYS}`);
    if (!hasSome(every)) {
      this.plotHost.append(element("p", { class: "gap-empty" }, "No loss here is a finite number yet."));
      this.#plot = null;
    } else {
      this.#plot = new uPlot(this.#options(), this.#data(), this.plotHost);
      const [min, max] = this.#whole();
      this.#plot.setScale("x", kept ?? { min, max });
    }
    this.#rest();
    this.#fillTable();
  }

  #data() {
    const { places, train, val } = this.#shown;
    const drawable = (values) => values.map((v) => (this.#drawable(v) ? v : null));
    return [places.checks, drawable(train), drawable(val)];
  }

  #drawable(value) {
    return Math.abs(value) < LARGEST && (!this.#shown.log || value > SMALLEST);
  }

  #options() {
    const { log, axis, places } = this.#shown;
    const colours = scheme();
    const points = { show: this.#run.size < 3, size: 6 };
    const grid = { stroke: colours.grid, width: 1 };
    const look = { stroke: colours.faint, font: `12px ${FONT}`, ticks: { show: false }, grid };
    return {
      width: this.#width(),
      height: this.#view.height,
      padding: this.#padding(),
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, dist: 4 },
        points: { size: 7, fill: (_, i) => (i === 1 ? colours.train : colours.val), stroke: colours.paper },
        bind: { mousedown: (_, __, handler) => (event) => this.#startPan(event) || handler(event) },
      },
      scales: {
        x: { time: false, range: (_, low, high) => { this.#window = widened(low, high); return this.#window; } },
        y: { distr: log ? 3 : 1, range: () => this.#yRange() },
      },
      axes: [
        { ...look, size: 26, label: places.unit ?? axis, labelSize: 18, labelFont: `12px ${FONT}`, labelGap: -2, values: (_, ticks) => ticks.map((v) => (v === null ? "" : short(v))), incrs: axis === "time" ? undefined : WHOLE },
        { ...look, size: 58, filter: (_, ticks) => (log ? rare(ticks) : ticks), grid: { ...grid, filter: (_, ticks) => (log ? rare(ticks) : ticks) }, values: (_, ticks) => ticks.map((v) => (v === null ? "" : tick(v, log))) },
      ],
      series: [
        {},
        { stroke: colours.train, width: 2, points, spanGaps: false },
        { stroke: colours.val, width: 2, points, spanGaps: false },
      ],
      hooks: {
        drawAxes: [(plot) => this.#under(new Pen(plot, uPlot.pxRatio), colours)],
        draw: [(plot) => this.#over(new Pen(plot, uPlot.pxRatio), colours)],
        setCursor: [(plot) => this.#hover(plot)],
        ready: [(plot) => this.#wheel(plot)],
      },
    };
  }

  // Room above for the labels of marks, and beside the lines for their names.
  #padding() {
    const { marks } = this.#shown;
    const above = this.#shown.loss ? marks.filter((mark) => mark.label && mark.kind !== "best") : [];
    const lines = Math.min(3, above.length);
    const names = Object.entries(this.#ends()).map(([side, value]) => this.#named(side, value));
    return [8 + LINE * lines, 14 + Math.max(0, ...names.map((name) => textWidth(ruler, name))), 0, 0];
  }

  // The last value of each line that has one.
  #ends() {
    const { train, val } = this.#shown;
    const ends = { train: lastOf(train), val: lastOf(val) };
    return Object.fromEntries(Object.entries(ends).filter(([, end]) => end).map(([side, end]) => [side, end.value]));
  }

  #named(side, value) {
    return `${this.#width() > 420 ? ENDS[side] : side} ${number(value)}`;
  }

  #width() {
    return Math.max(240, Math.floor(this.plotHost.clientWidth || 600));
  }

  #resize() {
    const width = this.#width();
    if (this.#plot && Math.abs(this.#plot.width - width) > 1) {
      this.#plot.setSize({ width, height: this.#view.height });
    }
  }

  // The axis spans what is in sight, so that a zoom shows its part in full height. uPlot asks for
  // it before it takes over the new ends of the other axis, which are therefore kept here.
  #yRange() {
    const { places, every, log } = this.#shown;
    const [min, max] = this.#window;
    const all = !this.#zoomed();
    const seen = all ? every : every.filter((_, i) => inside(places.checks[i >> 1], min, max));
    const start = all && this.#shown.loss ? [read(this.#run.document.start)] : [];
    return span([...start, ...seen], { log });
  }

  #xRange() {
    const [min, max] = this.#window;
    return { min, max };
  }

  #whole() {
    const { checks } = this.#shown.places;
    return widened(this.#shown.loss && hasSome([read(this.#run.document.start)]) ? 0 : checks[0], checks[checks.length - 1]);
  }

  #zoomed() {
    const [low, high] = this.#whole();
    const [min, max] = this.#window;
    return min > low + 1e-9 || max < high - 1e-9;
  }

  #under(pen, colours) {
    const { places, train, val, loss } = this.#shown;
    const only = (values) => values.map((v) => (this.#drawable(v) ? v : NaN));
    area(pen, places.checks, only(val), only(train), colours.gap, colours.gapOpacity);
    if (!loss) return;
    this.#raw(pen, colours, places);
    const online = only(this.#run.column("online"));
    if (online.some((v, i) => Number.isFinite(v) && v !== train[i])) {
      thinLine(pen, places.checks, online, colours.train, { opacity: 0.55, dash: [2, 3] });
    }
    // The gap's own interval, drawn where the gap ends: around the validation loss.
    const ends = ["gap_low", "gap_high"].map((name) => this.#run.column(name).map((gap, i) => train[i] + gap));
    const [low, high] = ends.map((end, i) => only(end.map((v, j) => (this.#shown.log && i === 0 && v <= 0 ? train[j] : v))));
    area(pen, places.checks, high, low, colours.val, 0.24);
  }

  #raw(pen, colours, places) {
    const { step, value } = this.#run.document.raw ?? { step: [], value: [] };
    if (step.length <= this.#run.size) return;
    const values = value.map(read).map((v) => (this.#drawable(v) ? v : NaN));
    thinLine(pen, step.map(places.of), values, colours.train, { opacity: 0.28 });
  }

  #over(pen, colours) {
    const { places, train, val, loss } = this.#shown;
    this.#names(pen, colours, { train, val });
    if (!loss) return;
    const marks = this.#shown.marks.map((mark) => ({ ...mark, x: pen.x(places.checks[mark.i]) }));
    const seen = marks.filter(({ x }) => x >= pen.left - 1 && x <= pen.right + 1);
    this.#lines(pen, colours, seen.filter(({ kind }) => ["onset", "stop", "lr"].includes(kind)));
    const kept = seen.filter(({ kind }) => kind === "kept");
    pen.within(() => kept.forEach(({ x }) => {
      pen.write("▲", x, pen.bottom - 5, { colour: colours.val, align: "center", paper: colours.paper });
    }), { clip: false });
    const start = read(this.#run.document.start);
    if (this.#drawable(start) && pen.holds(pen.x(0), pen.y(start))) {
      dot(pen, pen.x(0), pen.y(start), { colour: colours.val, paper: colours.paper, radius: 3.5, hollow: true });
    }
    this.#probes(pen, colours);
    const best = seen.find(({ kind }) => kind === "best");
    if (best) this.#best(pen, colours, best);
  }

  #lines(pen, colours, marks) {
    const labels = marks.map((mark) => ({ ...mark, size: textWidth(pen.ctx, mark.label) + 8 }));
    const rows = rowsOf(labels, pen.right + 60);
    const height = (i) => pen.top - 7 - LINE * (rows[i] % 3);
    labels.forEach(({ kind, x }, i) => vertical(pen, x, colours[kind], { dash: DASHES[kind], from: height(i) - 5 }));
    labels.forEach(({ kind, x, size, label }, i) => {
      const at = height(i);
      const turned = x + size > pen.right + 60;
      pen.within(() => pen.write(label, turned ? x - 5 : x + 5, at, { colour: colours[kind], align: turned ? "right" : "left", paper: colours.paper }), { clip: false });
    });
  }

  #best(pen, colours, { i, x, label }) {
    const y = pen.y(this.#shown.val[i]);
    dot(pen, x, y, { colour: colours.val, paper: colours.paper });
    const size = textWidth(pen.ctx, label);
    const side = x + size / 2 > pen.right ? "right" : x - size / 2 < pen.left ? "left" : "center";
    const train = pen.y(this.#shown.train[i]);
    const below = y + 18 < pen.bottom - 4 && !inside(train, y, y + 30);
    pen.within(() => pen.write(label, x, below ? y + 16 : y - 16, { colour: colours.val, align: side, bold: true, paper: colours.paper }), { clip: false });
  }

  #probes(pen, colours) {
    const probes = this.#run.column("probe");
    const { places } = this.#shown;
    if (this.#run.size > 80) return;
    probes.forEach((value, i) => {
      const x = pen.x(places.checks[i]);
      if (this.#drawable(value) && pen.holds(x, pen.y(value))) dot(pen, x, pen.y(value), { colour: colours.train, paper: colours.train, radius: 1.5 });
    });
  }

  // The name and the last value of each line, beside its end.
  #names(pen, colours, sides) {
    const { places } = this.#shown;
    const { min, max } = this.#plot?.scales.x ?? pen.plot.scales.x;
    const ends = Object.entries(sides).map(([side, values]) => {
      const seen = values.map((v, i) => (inside(places.checks[i], min, max) && this.#drawable(v) ? v : NaN));
      return { side, end: lastOf(seen) };
    }).filter(({ end }) => end);
    const heights = spread(ends.map(({ end }) => pen.y(end.value)), pen.top + 4, pen.bottom - 4, LINE + 1);
    pen.within(() => ends.forEach(({ side, end }, i) => {
      const text = this.#named(side, end.value);
      const x = Math.min(pen.x(places.checks[end.i]), pen.right) + 7;
      pen.write(text, x, heights[i], { colour: colours[side], bold: true, paper: colours.paper });
    }), { clip: false });
  }

  #hover(plot) {
    const left = plot.cursor.left;
    if (left === undefined || left < 0) return this.#rest();
    return this.#tell(this.#run.nearest(this.#shown.places.checks, plot.posToVal(left, "x")));
  }

  #tell(i) {
    this.#cursor = i;
    this.readout.replaceChildren(...this.#run.told(i).map(([name, text]) => element("span", {}, element("b", {}, name), ` ${text}`)));
  }

  // What stands below the chart while nobody points at it.
  #rest() {
    this.#cursor = -1;
    if (this.#run?.size) {
      const i = this.#run.size - 1;
      this.readout.replaceChildren(...this.#run.told(i).map(([name, text]) => element("span", {}, element("b", {}, name), ` ${text}`)));
    }
  }

  #fillTable() {
    if (!this.table?.open || !this.#run) return;
    this.table.replaceChildren(this.table.firstChild, numbersTable(this.#run));
  }

  #key(event) {
    const last = this.#run ? this.#run.size - 1 : -1;
    if (last < 0 || !this.#plot || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = this.#cursor < 0 ? last + (event.key === "ArrowLeft" ? 1 : 0) : this.#cursor;
    const page = Math.max(1, Math.round(last / 10));
    const moves = { ArrowLeft: here - 1, ArrowRight: here + 1, PageUp: here - page, PageDown: here + page, Home: 0, End: last, b: this.#run.at.get(this.#run.document.best?.check) };
    if (event.shiftKey && event.key.startsWith("Arrow")) this.#pan(event.key === "ArrowLeft" ? -0.2 : 0.2);
    else if (event.key === "+") this.#zoom(0.5);
    else if (event.key === "-") this.#zoom(2);
    else if (event.key === "0") this.reset();
    else if (event.key === "Escape") this.#plot.setCursor({ left: -10, top: -10 });
    else if (moves[event.key] !== undefined) this.#point(Math.min(last, Math.max(0, moves[event.key])));
    else return;
    event.preventDefault();
  }

  #point(i) {
    const { places, val } = this.#shown;
    const left = this.#plot.valToPos(places.checks[i], "x");
    this.#plot.setCursor({ left, top: Math.max(0, this.#plot.valToPos(val[i], "y") || 0) }, false);
    this.#tell(i);
    this.live.textContent = this.#run.told(i).map(([name, text]) => `${name} ${text}`).join(", ");
  }

  // Show all of the run again.
  reset() {
    const [min, max] = this.#whole();
    this.#plot?.setScale("x", { min, max });
  }

  #zoom(factor, centre = null) {
    const { min, max } = this.#plot.scales.x;
    const middle = centre ?? (this.#cursor >= 0 ? this.#shown.places.checks[this.#cursor] : (min + max) / 2);
    this.#within(middle - (middle - min) * factor, middle + (max - middle) * factor);
  }

  #pan(share) {
    const { min, max } = this.#plot.scales.x;
    const [low, high] = this.#whole();
    const by = Math.min(Math.max(share * (max - min), low - min), high - max);
    this.#within(min + by, max + by);
  }

  #within(min, max) {
    const [low, high] = this.#whole();
    const least = (high - low) / Math.max(1, this.#run.size) || 1;
    if (max - min >= least) this.#plot.setScale("x", { min: Math.max(low, min), max: Math.min(high, max) });
  }

  #wheel(plot) {
    plot.over.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.altKey) return;
      event.preventDefault();
      const at = plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x");
      this.#zoom(event.deltaY < 0 ? 0.8 : 1.25, at);
    }, { passive: false });
    plot.over.addEventListener("dblclick", () => this.reset());
  }

  // Shift and drag moves what is in sight.
  #startPan(event) {
    if (!event.shiftKey || event.button !== 0) return false;
    event.preventDefault();
    this.#drag = event.clientX;
    const move = (moved) => {
      this.#pan((this.#drag - moved.clientX) / this.#plot.over.clientWidth);
      this.#drag = moved.clientX;
    };
    const stop = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", stop);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", stop);
    return true;
  }
}

const DASHES = { onset: [5, 4], lr: [1, 3], stop: [] };
const ruler = document.createElement("canvas").getContext("2d");
const WHOLE = [1, 2, 5].flatMap((n) => Array.from({ length: 10 }, (_, e) => n * 10 ** e)).sort((a, b) => a - b);

function widened(low, high) {
  if (!Number.isFinite(low)) return [0, 1];
  return high > low ? [low, high] : [low - 0.5, high + 0.5];
}

// Of the many ticks of a log axis, powers of ten where there are two, else 1, 2 and 5 of each.
function rare(ticks) {
  const digit = (value) => Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  const powers = ticks.filter((value) => digit(value) === 1).length;
  if (powers < 2 && ticks.length < 8) return ticks;
  const kept = powers > 2 ? [1] : [1, 2, 5];
  return ticks.map((value) => (kept.includes(digit(value)) ? value : null));
}

function inside(value, low, high) {
  return value >= low - 1e-9 && value <= high + 1e-9;
}

function tick(value, log) {
  if (log) return Number(value.toPrecision(2)) === 0 ? "0" : value >= 1e5 || value < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(3)));
  return Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-4) ? value.toExponential(1) : String(Number(value.toPrecision(4)));
}

if (!customElements.get("gap-chart")) customElements.define("gap-chart", GapChart);

export { GapChart };
