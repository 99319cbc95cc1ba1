// A run's card: its name, verdict, one sentence, chart, and what to do. Drawn when it is seen.

import "./chart.js";
import { element } from "./dom.js";
import { number, read, withInterval } from "./numbers.js";
import { worded } from "./run.js";

const SHOWN_REMEDIES = 2;

class Card {
  #chart = null;

  constructor(name, { pick, only }) {
    this.name = name;
    this.document = null;
    this.badge = element("span", { class: "gap-badge" }, "…");
    this.figures = element("p", { class: "gap-figures" });
    this.sentence = element("p", { class: "gap-sentence" });
    this.place = element("div", { class: "gap-place" });
    this.advice = element("div", { class: "gap-advice" });
    this.picked = element("input", { type: "checkbox", "aria-label": `Overlay ${name}`, onchange: () => pick(name, this.picked.checked) });
    const title = element("h2", { title: name }, element("button", { class: "gap-name", onclick: () => only(name) }, name));
    this.node = element("article", { class: "gap-card", "aria-label": `Run ${name}` },
      element("header", {}, element("label", { class: "gap-pick", title: "Overlay this run with others" }, this.picked), title, this.badge),
      this.figures, this.sentence, this.place, this.advice);
    this.node.dataset.run = name;
  }

  // Say what is known already, with the chart or without it.
  tell(document) {
    const { verdict } = document;
    this.badge.textContent = worded(verdict.verdict);
    this.badge.dataset.tone = verdict.verdict === "good_fit" ? "good" : verdict.severity;
    this.sentence.textContent = sentence(verdict.message);
    this.figures.replaceChildren(...figures(document));
    this.advice.replaceChildren(...advice(document));
  }

  draw(document, view) {
    this.document = document;
    this.tell(document);
    if (!this.#chart) {
      this.#chart = window.document.createElement("gap-chart");
      this.#chart.show(view);
      this.#chart.run = document;
      this.place.replaceChildren(this.#chart);
    } else {
      this.#chart.run = document;
    }
  }

  show(view) {
    this.#chart?.show(view);
  }

  // Give the canvas back when the card is far out of sight; its height stays.
  rest() {
    if (!this.#chart || this.place.contains(window.document.activeElement)) return;
    this.place.style.minHeight = `${this.place.offsetHeight}px`;
    this.#chart.remove();
    this.#chart = null;
    this.document = null;
  }

  fail(error) {
    this.place.replaceChildren(element("p", { class: "gap-empty" }, `This run cannot be shown: ${error}`));
  }
}

function sentence(message) {
  return message ? `${message[0].toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}` : "";
}

function figures({ best, last, checks, planned, stop, ended, names, own }) {
  const found = [];
  const add = (name, value, title = null) => found.push(element("span", { title }, element("b", {}, name), ` ${value}`));
  if (best) add("best", `${number(read(best.val))} at check ${best.check}`);
  if (last) add("gap", withInterval(read(last.gap), read(last.gap_low), read(last.gap_high), read(last.gap_stderr)));
  const of = planned ? ` of ${planned}` : "";
  add("checks", `${checks}${of}${stop ? `, stopped at ${stop}` : ended ? "" : ", running"}`);
  if (!own && names.train && names.val) add("losses", `${names.train}, ${names.val}`, "The logged names that are compared");
  return found;
}

function advice({ verdict, outlook, stopped_by: stopped, notes }) {
  const { remedies } = verdict;
  const found = [];
  if (remedies.length) {
    const shown = remedies.slice(0, SHOWN_REMEDIES);
    const rest = remedies.slice(SHOWN_REMEDIES);
    found.push(element("ul", {}, ...shown.map((remedy) => element("li", {}, remedy))));
    if (rest.length) found.push(element("details", {}, element("summary", {}, `${rest.length} more`), element("ul", {}, ...rest.map((remedy) => element("li", {}, remedy)))));
  }
  if (outlook?.message) found.push(element("p", { class: "gap-outlook" }, element("b", {}, "Outlook "), outlook.message));
  if (stopped) found.push(element("p", {}, element("b", {}, "Stopped "), stopped));
  for (const note of notes ?? []) found.push(element("p", { class: "gap-note" }, note));
  return found;
}

export { Card, sentence };
