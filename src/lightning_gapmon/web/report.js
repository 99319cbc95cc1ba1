// A page that is opened from disk: its runs are in it, and pictures stand where this does not run.

import "./chart.js";
import { Page } from "./page.js";
import { decideBy } from "./scheme.js";

const address = {
  read: () => window.location.hash,
  write: (hash) => {
    // A page without an origin, in a mail's frame say, may not have its address changed.
    try {
      window.history.replaceState(null, "", hash);
    } catch {
      // Then the choice is only not kept.
    }
  },
};

function embedded(text) {
  const documents = JSON.parse(text);
  const byName = new Map(documents.map((document) => [document.name, document]));
  const pick = async (names) => Object.fromEntries(names.map((name) => [name, byName.get(name)]));
  return { list: async () => documents.map(({ name }) => ({ name, stamp: "" })), read: pick, brief: pick };
}

async function showReport() {
  decideBy(() => matchMedia("(prefers-color-scheme: dark)").matches);
  const page = new Page(document.getElementById("gap-runs"), embedded(document.getElementById("gap-data").textContent), address);
  await page.refresh();
}

// One run in the output of a notebook's cell, in the place of its picture.
function showRun(host, document) {
  decideBy(notebookIsDark);
  const chart = window.document.createElement("gap-chart");
  host.replaceChildren(chart);
  chart.run = document;
}

// Notebooks have themes of their own, and say so each in its way.
function notebookIsDark() {
  const { body } = window.document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (body.classList.contains("vscode-dark")) return true;
  return !body.classList.contains("vscode-light") && matchMedia("(prefers-color-scheme: dark)").matches;
}

export { showReport, showRun };
