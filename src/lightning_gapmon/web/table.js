// The numbers behind a chart, as a table.

import { element } from "./dom.js";
import { number, read } from "./numbers.js";

const HEADS = {
  check: "check", epoch: "epoch", step: "step", seconds: "seconds", train: "train", online: "online train",
  probe: "probe", val: "validation", gap: "gap", gap_low: "gap from", gap_high: "gap to", lr: "learning rate",
};

function numbersTable(run) {
  const names = Object.keys(HEADS).filter((name) => run.columns[name]);
  const metrics = Object.entries(run.document.metrics ?? {});
  const heads = [...names.map((name) => HEADS[name]), ...metrics.flatMap(([name]) => [`${name} train`, `${name} val`])];
  const row = (i) => [
    ...names.map((name) => written(name, run.columns[name][i])),
    ...metrics.flatMap(([, sides]) => sides.map((side) => number(read(side[i])))),
  ];
  const best = run.at.get(run.document.best?.check);
  return element("div", { class: "gap-scroll", tabindex: "0" },
    element("table", {},
      element("caption", { class: "gap-unseen" }, `The numbers of run ${run.name}`),
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...run.check.map((_, i) =>
        element("tr", i === best ? { class: "gap-best" } : {}, ...row(i).map((text) => element("td", {}, text)))))));
}

function written(name, value) {
  if (name === "epoch") return String(value + 1);
  if (name === "check" || name === "step") return String(value);
  const known = read(value);
  return Number.isNaN(known) ? "" : number(known);
}

export { numbersTable };
