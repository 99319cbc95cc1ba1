// A run's document, made ready to draw: columns of numbers, places on the axis, marks.

import { duration, number, read, withError, withInterval } from "./numbers.js";
import { along } from "./scale.js";

const AXES = ["epoch", "step", "time"];

class Run {
  constructor(document) {
    this.document = document;
    this.name = document.name;
    const columns = document.columns ?? {};
    this.check = columns.check ?? [];
    this.size = this.check.length;
    this.columns = columns;
    this.verdict = document.verdict;
    this.at = new Map(this.check.map((check, i) => [check, i]));
  }

  column(name) {
    const values = this.columns[name];
    return values ? values.map(read) : this.check.map(() => NaN);
  }

  // The train and the validation values of a metric; of the loss by default.
  sides(metric = "loss") {
    const sides = this.document.metrics?.[metric];
    if (metric === "loss" || !sides) return [this.column("train"), this.column("val")];
    return sides.map((side) => side.map(read));
  }

  // What the horizontal axis can count here.
  get axes() {
    return this.columns.seconds ? AXES : AXES.slice(0, 2);
  }

  // Places of the checks on an axis, and of any step: epochs are counted as they end.
  places(axis) {
    const steps = this.column("step");
    if (axis === "step") return { checks: steps, of: (step) => step };
    if (axis === "time" && this.columns.seconds) {
      const seconds = rising(this.column("seconds"));
      const unit = timeUnit(seconds[seconds.length - 1]);
      const checks = seconds.map((s) => s / unit.seconds);
      return { checks, of: along(steps, checks), unit: unit.name };
    }
    const epochs = epochsDone(this.column("epoch"), steps);
    const of = along(epochs.steps, epochs.done);
    return { checks: steps.map(of), of };
  }

  // The index of the check that lies nearest to a place.
  nearest(places, place) {
    let best = 0;
    places.forEach((here, i) => {
      if (Math.abs(here - place) < Math.abs(places[best] - place)) best = i;
    });
    return best;
  }

  // All that was measured at a check, as pairs of a name and a text.
  told(i) {
    const at = (name) => read(this.columns[name]?.[i]);
    const stderr = at("gap_stderr");
    const basis = this.columns.basis?.[i];
    const facts = [
      ["check", String(this.check[i])],
      ["epoch", String(at("epoch") + 1)],
      ["step", at("step").toLocaleString("en")],
      ["time", Number.isFinite(at("seconds")) ? duration(at("seconds")) : ""],
      [basis === "online" ? "train" : `train (${basis})`, number(at("train"))],
      ["validation", withError(at("val"), at("val_stderr"))],
      ["gap", withInterval(at("gap"), at("gap_low"), at("gap_high"), stderr)],
      ["online train", basis === "online" ? "" : number(at("online"))],
      ["learning rate", Number.isFinite(at("lr")) ? number(at("lr")) : ""],
    ];
    for (const [name, [train, val]] of Object.entries(this.document.metrics ?? {})) {
      facts.push([name, `${number(read(train[i]))} train, ${number(read(val[i]))} val`]);
    }
    return facts.filter(([, text]) => text !== "");
  }

  // What stands out, each with the index of its check and a word for it.
  marks() {
    const { verdict, stop, kept, lr_changes: changes, best } = this.document;
    const rates = this.column("lr");
    const found = [];
    const add = (kind, check, label) => {
      const i = this.at.get(check);
      if (i !== undefined) found.push({ kind, i, label });
    };
    if (best) add("best", best.check, `best ${number(read(best.val))}`);
    const since = verdict?.since;
    if (since && !["good_fit", "learning", "undecided"].includes(verdict.verdict)) {
      add("onset", since, `${worded(verdict.verdict)} since check ${since}`);
    }
    if (stop) add("stop", stop, `stopped at check ${stop}`);
    for (const check of kept ?? []) add("kept", check, "");
    for (const check of changes ?? []) {
      const i = this.at.get(check);
      if (i > 0) add("lr", check, `lr ×${Number((rates[i] / rates[i - 1]).toPrecision(2))}`);
    }
    return found;
  }
}

function worded(verdict) {
  return verdict.replaceAll("_", " ");
}

// Wall time may stand still or be missing; an axis needs it rising.
function rising(seconds) {
  let last = 0;
  return seconds.map((value) => {
    last = Number.isFinite(value) ? Math.max(last, value) : last;
    return last;
  });
}

function timeUnit(seconds) {
  if (seconds > 3 * 3600) return { name: "hours", seconds: 3600 };
  return seconds > 180 ? { name: "minutes", seconds: 60 } : { name: "seconds", seconds: 1 };
}

// How many epochs were done after which step: an epoch's last check is its end, unless the
// epochs before say that the last of them was cut short.
function epochsDone(epochs, steps) {
  const found = { steps: [0], done: [0] };
  epochs.forEach((epoch, i) => {
    if (i < epochs.length - 1 && epochs[i + 1] === epoch) return;
    const known = found.steps.length - 1;
    const pace = known > 0 ? found.done[known] / found.steps[known] : Infinity;
    const whole = epoch + 1;
    const last = i === epochs.length - 1;
    const done = last && known > 0 ? Math.min(whole, Math.max(epoch, pace * steps[i])) : whole;
    if (steps[i] > found.steps[known]) {
      found.steps.push(steps[i]);
      // A pace that fits to within two hundredths of an epoch is rounding, no cut.
      found.done.push(Math.abs(done - whole) < 0.02 * Math.max(1, whole) ? whole : done);
    }
  });
  return found;
}

export { AXES, Run, worded };
