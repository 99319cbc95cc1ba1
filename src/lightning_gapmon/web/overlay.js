// Several runs in one chart: colour is the run, a full line is validation, a dashed one is train.

import uPlot from "./uplot/uPlot.esm.js";
import { element } from "./dom.js";
import { difference, number, short } from "./numbers.js";
import { FONT, LINE, Pen, lastOf, spread } from "./paint.js";
import { Run, worded } from "./run.js";
import { LARGEST, SMALLEST, span, spansDecades } from "./scale.js";
import { followScheme, scheme } from "./scheme.js";

class Overlay {
  #plot = null;
  #lines = [];
  #view = null;
  #documents = [];

  constructor() {
    this.host = element("div", { class: "gap-plot", tabindex: "0", role: "img" });
    this.legend = element("div", { class: "gap-scroll" });
    this.node = element("section", { class: "gap-overlay", "aria-label": "Overlay of runs" },
      element("p", { class: "gap-key" }, "Colour is the run; a full line is validation, a dashed line is train."), this.host, this.legend);
    followScheme(() => this.#redraw());
    new ResizeObserver(() => this.#resize()).observe(this.host);
  }

  draw(documents, view) {
    this.#documents = documents;
    this.#view = view;
    this.#redraw();
  }

  #redraw() {
    if (!this.#view) return;
    this.#plot?.destroy();
    this.host.replaceChildren();
    this.#lines = this.#documents.map((document) => this.#line(new Run(document)));
    const every = this.#lines.flatMap(({ train, val }) => train.flatMap((loss, i) => [loss, val[i]]));
    this.log = this.#view.scale === "log" || (this.#view.scale === "auto" && spansDecades(every));
    this.range = span(every, { log: this.log });
    this.host.setAttribute("aria-label", this.#lines.map(({ run }) => run.document.words ?? run.name).join(" "));
    if (this.#lines.length) this.#plot = new uPlot(this.#options(), this.#data(), this.host);
    this.#tell(null);
  }

  #line(run) {
    const axis = run.axes.includes(this.#view.axis) ? this.#view.axis : "step";
    const [train, val] = run.sides(this.#view.metric);
    // One axis for all: time counts in minutes whatever a single run would take.
    const places = axis === "time" ? run.column("seconds").map((s) => s / 60) : run.places(axis).checks;
    return { run, train, val, places };
  }

  #data() {
    const tables = this.#lines.map(({ train, val, places }) => {
      const drawn = (values) => values.map((v) => (Math.abs(v) < LARGEST && (!this.log || v > SMALLEST) ? v : null));
      return [places, drawn(train), drawn(val)];
    });
    // Retained, so that a hole stays one and only what another run lacks is passed over.
    return uPlot.join(tables, tables.map((table) => table.map(() => 1)));
  }

  #options() {
    const colours = scheme();
    const look = { stroke: colours.faint, font: `12px ${FONT}`, ticks: { show: false }, grid: { stroke: colours.grid, width: 1 } };
    const points = { show: false };
    const series = this.#lines.flatMap((_, i) => {
      const stroke = colour(colours, i);
      return [{ stroke, width: 1.5, dash: [5, 4], points }, { stroke, width: 2.25, points }];
    });
    const label = this.#view.axis === "time" ? "minutes" : this.#view.axis;
    return {
      width: this.#width(),
      height: 420,
      padding: [10, 150, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, dist: 4 }, points: { size: 6 } },
      scales: { x: { time: false }, y: { distr: this.log ? 3 : 1, range: () => this.range } },
      axes: [{ ...look, size: 26, label, labelSize: 18, labelFont: `12px ${FONT}`, labelGap: -2, values: (_, ticks) => ticks.map((v) => (v === null ? "" : short(v))) }, { ...look, size: 58 }],
      series: [{}, ...series],
      hooks: {
        draw: [(plot) => this.#names(new Pen(plot, uPlot.pxRatio), colours)],
        setCursor: [(plot) => this.#tell(plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : null)],
      },
    };
  }

  #names(pen, colours) {
    const { max } = pen.plot.scales.x;
    const ends = this.#lines.map(({ run, val, places }) => ({
      run, end: lastOf(val.map((v, i) => (places[i] <= max + 1e-9 ? v : NaN))),
    }));
    const heights = spread(ends.map(({ end }) => (end ? pen.y(end.value) : pen.bottom)), pen.top + 6, pen.bottom - 6, LINE);
    pen.within(() => ends.forEach(({ run }, i) => {
      pen.write(clipped(run.name), pen.right + 8, heights[i], { colour: colour(colours, i), bold: true });
    }), { clip: false });
  }

  // The numbers at the cursor, or the last ones.
  #tell(place) {
    const colours = scheme();
    const rows = this.#lines.map(({ run, train, val, places }, i) => {
      const at = place === null ? run.size - 1 : run.nearest(places, place);
      const swatch = element("span", { class: "gap-swatch" });
      swatch.style.background = colour(colours, i);
      const best = run.document.best;
      const cells = [run.check[at], number(train[at]), number(val[at]), difference(val[at] - train[at]), best ? `${number(Number(best.val))} at ${best.check}` : "", worded(run.verdict.verdict)];
      return element("tr", {}, element("th", { scope: "row" }, swatch, run.name), ...cells.map((cell) => element("td", {}, String(cell))));
    });
    const heads = ["run", "check", "train", "validation", "gap", "best validation", "verdict"];
    this.legend.replaceChildren(element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), element("tbody", {}, ...rows)));
  }

  #width() {
    return Math.max(320, Math.floor(this.host.clientWidth || 800));
  }

  #resize() {
    if (this.#plot && Math.abs(this.#plot.width - this.#width()) > 1) this.#plot.setSize({ width: this.#width(), height: 420 });
  }
}

function colour(colours, i) {
  return colours.runs[i % colours.runs.length];
}

function clipped(name) {
  return name.length > 20 ? `…${name.slice(-19)}` : name;
}

export { Overlay };
