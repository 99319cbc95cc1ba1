// All runs of a log: a bar to sort and filter by, a card for each run, an overlay of those picked.

import { Card } from "./card.js";
import { ORDER, SCALES, SORTS, chosen, picked, readChoice, writeChoice } from "./choice.js";
import { element } from "./dom.js";
import { Overlay } from "./overlay.js";
import { AXES, worded } from "./run.js";

const BATCH = 8; // runs that are asked for in one go
const SMALL = 260; // pixels that a chart is high among others, and alone
const LARGE = 460;
const BRIEFS = 24;
const MOST_PICKED = 8; // more colours than that are told apart by nobody

// A source gives `list()`, names with what is known of each at once; `read(names)` and
// `brief(names)`, whole documents and those without columns, by name. An address reads and writes
// the part behind #.
class Page {
  #cards = new Map();
  #known = new Map();
  #stamps = new Map();
  #seen = new Set();
  #wanted = new Set();
  #reading = false;
  #shown = "";
  #drawn = false;

  constructor(host, source, address) {
    this.source = source;
    this.address = address;
    this.choice = readChoice(address.read());
    this.overlay = new Overlay();
    this.status = element("p", { class: "gap-status", role: "status" });
    this.cards = element("div", { class: "gap-cards" });
    this.bar = this.#bar();
    host.replaceChildren(this.bar, this.status, this.overlay.node, this.cards);
    this.overlay.node.hidden = true;
    this.watch = new IntersectionObserver((entries) => this.#sight(entries), { rootMargin: "300px 0px" });
  }

  #bar() {
    const select = (name, label, options) => {
      const control = element("select", { name, onchange: () => this.choose({ [name]: control.value }) },
        ...options.map(([value, text]) => element("option", { value }, text)));
      control.value = this.choice[name];
      return element("label", {}, `${label} `, control);
    };
    this.search = element("input", { type: "search", placeholder: "Filter by name", "aria-label": "Filter by name", oninput: () => this.choose({ q: this.search.value }) });
    this.search.value = this.choice.q;
    this.verdicts = element("div", { class: "gap-verdicts", role: "group", "aria-label": "Filter by verdict" });
    this.metric = select("show", "show", [["loss", "loss"]]);
    this.together = element("button", { class: "gap-together", onclick: () => this.choose({ view: this.choice.view === "overlay" ? "cards" : "overlay" }) });
    this.all = element("button", { onclick: () => this.choose({ run: "" }) }, "All runs");
    return element("form", { class: "gap-bar", onsubmit: (event) => event.preventDefault() },
      this.search,
      select("sort", "sort by", Object.entries(SORTS).map(([name, { label }]) => [name, label])),
      this.metric,
      select("x", "across", AXES.map((axis) => [axis, axis])),
      select("y", "scale", SCALES.map((scale) => [scale, scale])),
      this.together, this.all, this.verdicts);
  }

  // Take a change of what is shown; it goes into the address.
  choose(change) {
    Object.assign(this.choice, change);
    this.address.write(writeChoice(this.address.read(), this.choice));
    this.arrange();
    if (["x", "y", "show", "run"].some((name) => name in change)) this.#cards.forEach((card) => card.show(this.view));
  }

  get view() {
    const height = this.choice.run ? LARGE : SMALL;
    return { axis: this.choice.x, scale: this.choice.y, metric: this.choice.show, height };
  }

  get picked() {
    return picked(this.choice.pick);
  }

  // Look what is there now; of what was shown only what has changed is asked for again.
  async refresh() {
    let runs;
    try {
      runs = await this.source.list();
    } catch (error) {
      this.status.textContent = `The runs cannot be read: ${error.message}`;
      return;
    }
    const names = new Set(runs.map(({ name }) => name));
    for (const name of this.#cards.keys()) if (!names.has(name)) this.#drop(name);
    for (const run of runs) {
      if (this.#stamps.get(run.name) === run.stamp) continue;
      this.#stamps.set(run.name, run.stamp);
      this.#known.set(run.name, { ...this.#known.get(run.name), name: run.name, fresh: false });
      if (!this.#cards.has(run.name)) this.#add(run.name);
      if (this.#seen.has(run.name)) this.#wanted.add(run.name);
    }
    if (!runs.length) this.status.textContent = this.source.empty ?? "No run has a validation loss yet.";
    this.arrange();
    await this.#work();
  }

  #add(name) {
    const card = new Card(name, { pick: (run, on) => this.#pick(run, on), only: (run) => this.choose({ run: this.choice.run ? "" : run }) });
    card.picked.checked = this.picked.includes(name);
    this.#cards.set(name, card);
    this.watch.observe(card.node);
  }

  #drop(name) {
    this.watch.unobserve(this.#cards.get(name).node);
    this.#cards.get(name).node.remove();
    for (const kept of [this.#cards, this.#known, this.#stamps, this.#seen, this.#wanted]) kept.delete(name);
  }

  #pick(name, on) {
    const others = this.picked.filter((run) => run !== name);
    const together = on ? [...others, name].slice(-MOST_PICKED) : others;
    this.#cards.forEach((card) => { card.picked.checked = together.includes(card.name); });
    this.choose({ pick: together.length ? JSON.stringify(together) : "" });
  }

  // Put the cards in order. While runs are still being read those in sight stay where they are.
  arrange({ settled = true } = {}) {
    const wanted = chosen([...this.#known.values()], this.choice);
    const names = settled ? wanted : this.#asBefore(wanted);
    this.cards.classList.toggle("gap-alone", this.choice.run !== "");
    const shown = JSON.stringify(names);
    if (shown !== this.#shown) {
      const focus = document.activeElement;
      this.cards.replaceChildren(...names.map((name) => this.#cards.get(name).node));
      if (focus && focus !== document.activeElement && this.cards.contains(focus)) focus.focus({ preventScroll: true });
      this.#shown = shown;
    }
    this.#buttons(names.length);
    this.#together();
  }

  #asBefore(wanted) {
    const left = new Set(wanted);
    const before = JSON.parse(this.#shown || "[]").filter((name) => left.delete(name));
    return [...before, ...left];
  }

  #buttons(count) {
    const runs = [...this.#known.values()];
    const counts = new Map();
    for (const { verdict } of runs) if (verdict) counts.set(verdict.verdict, (counts.get(verdict.verdict) ?? 0) + 1);
    const active = this.choice.verdict ? this.choice.verdict.split(",") : [];
    const toggle = (name) => this.choose({ verdict: (active.includes(name) ? active.filter((one) => one !== name) : [...active, name]).join(",") });
    const focus = document.activeElement?.dataset?.verdict;
    const there = [...ORDER.filter((name) => counts.has(name) || active.includes(name))];
    this.verdicts.replaceChildren(...there.map((name) => {
      const button = element("button", { type: "button", "aria-pressed": String(active.includes(name)), onclick: () => toggle(name) }, `${worded(name)} ${counts.get(name) ?? 0}`);
      button.dataset.verdict = name;
      return button;
    }));
    if (focus) this.verdicts.querySelector(`[data-verdict="${focus}"]`)?.focus();
    const together = this.picked.length;
    this.together.hidden = together < 1 && this.choice.view !== "overlay";
    this.together.textContent = this.choice.view === "overlay" ? "Close overlay" : `Overlay ${together} run${together === 1 ? "" : "s"}`;
    this.all.hidden = !this.choice.run;
    const known = runs.filter(({ fresh }) => fresh).length;
    if (runs.length) this.status.textContent = known < runs.length ? `${count} of ${runs.length} runs; ${known} read so far` : `${count} of ${runs.length} runs`;
    this.#metrics(runs);
  }

  #metrics(runs) {
    const control = this.metric.querySelector("select");
    const names = ["loss", ...new Set(runs.flatMap(({ metrics }) => Object.keys(metrics ?? {})))];
    if (names.length !== control.options.length) {
      control.replaceChildren(...names.map((value) => element("option", { value }, value)));
      control.value = names.includes(this.choice.show) ? this.choice.show : "loss";
    }
    this.metric.hidden = names.length < 2;
  }

  async #together() {
    const open = this.choice.view === "overlay";
    this.overlay.node.hidden = !open;
    this.cards.hidden = open;
    if (!open) return;
    const names = this.picked.filter((name) => this.#known.has(name));
    const read = names.length ? await this.source.read(names) : {};
    this.overlay.draw(names.map((name) => read[name]).filter(Boolean), this.view);
  }

  #sight(entries) {
    for (const { target, isIntersecting } of entries) {
      const name = target.dataset.run;
      const card = this.#cards.get(name);
      if (!card) continue;
      if (isIntersecting) {
        this.#seen.add(name);
        if (!card.document) this.#wanted.add(name);
      } else {
        this.#seen.delete(name);
        this.#wanted.delete(name);
        card.rest();
      }
    }
    this.#work();
  }

  // Read what is in sight first, then what sorting needs of the others.
  async #work() {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (await this.#next()) await new Promise((done) => { setTimeout(done); });
    } catch (error) {
      this.status.textContent = `The runs cannot be read: ${error.message}`;
    } finally {
      this.#reading = false;
    }
  }

  async #next() {
    const near = [...this.#wanted].slice(0, BATCH);
    if (near.length) {
      near.forEach((name) => this.#wanted.delete(name));
      const read = await this.source.read(near);
      near.forEach((name) => this.#take(name, read[name], true));
      this.arrange({ settled: false });
      return true;
    }
    const rest = [...this.#known.values()].filter(({ fresh }) => !fresh).slice(0, BRIEFS).map(({ name }) => name);
    if (!rest.length) {
      this.arrange();
      return this.#wanted.size > 0;
    }
    const told = await this.source.brief(rest);
    rest.forEach((name) => this.#take(name, told[name], false));
    this.arrange({ settled: false });
    return true;
  }

  #take(name, document, whole) {
    const card = this.#cards.get(name);
    if (!card) return;
    if (!document || document.error) {
      this.#known.set(name, { name, fresh: true });
      card.fail(document?.error ?? "it is gone");
      return;
    }
    const { columns, raw, ...told } = document;
    this.#known.set(name, { ...told, name, fresh: true });
    if (whole && this.#seen.has(name)) {
      card.draw(document, this.view);
      if (!this.#drawn) performance.mark("gap-first-chart");
      this.#drawn = true;
    } else card.tell(document);
  }
}

export { Page };
