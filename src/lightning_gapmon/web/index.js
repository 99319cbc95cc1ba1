// The Gap tab: the page of all runs, fed by TensorBoard. TensorBoard calls `render`.

import { element } from "./dom.js";
import { address, followDark, isDark, listen } from "./host.js";
import { Page } from "./page.js";
import { decideBy, refresh } from "./scheme.js";

const EVERY = 5000; // milliseconds between two looks for news, while the tab is in sight

async function get(route, names = []) {
  const query = names.length ? `?${new URLSearchParams(names.map((name) => ["run", name]))}` : "";
  const answer = await fetch(`./${route}${query}`);
  if (!answer.ok) throw new Error(`TensorBoard answered ${answer.status} to ${route}`);
  return answer.json();
}

const source = {
  list: async () => (await get("runs")).runs,
  read: (names) => get("documents", names),
  brief: (names) => get("briefs", names),
  empty: "No run has a validation loss yet. Pairs of names such as train_loss and val_loss, train/loss and val/loss, or Loss/train and Loss/val are found by themselves.",
};

async function styled() {
  const sheets = ["./static/uplot/uPlot.min.css", "./static/style.css"].map((href) => element("link", { rel: "stylesheet", href }));
  document.head.append(...sheets);
  await Promise.all(sheets.map((sheet) => new Promise((done) => { sheet.onload = sheet.onerror = done; })));
}

async function render() {
  await styled();
  decideBy(isDark);
  followDark(refresh);
  document.body.classList.add("gap-page");
  const page = new Page(document.body, source, address);
  let busy = false;
  const look = async () => {
    if (busy || document.hidden) return;
    busy = true;
    await page.refresh();
    busy = false;
  };
  listen({ "experimental.DataReloaded": look });
  setInterval(look, EVERY);
  await look();
}

export { render };
