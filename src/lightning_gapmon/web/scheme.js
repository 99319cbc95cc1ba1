// Light or dark: what the host page says, else the desktop. The colours reach CSS as variables.

import { THEME } from "./theme.js";

const followers = new Set();
const desktop = matchMedia("(prefers-color-scheme: dark)");
let decide = () => desktop.matches;
let dark = null;

function scheme() {
  if (dark === null) refresh();
  return dark ? THEME.dark : THEME.light;
}

// Ask again, and let everybody redraw where the answer has changed.
function refresh() {
  const before = dark;
  dark = decide();
  if (dark === before) return;
  const root = document.documentElement;
  for (const [name, value] of Object.entries(dark ? THEME.dark : THEME.light)) {
    if (typeof value === "string") root.style.setProperty(`--gap-${name}`, value);
  }
  root.dataset.gapScheme = dark ? "dark" : "light";
  if (before !== null) followers.forEach((follower) => follower());
}

// Let the host page decide.
function decideBy(answer) {
  decide = answer;
  refresh();
}

// Call back at each change; gives a function that ends it.
function followScheme(follower) {
  followers.add(follower);
  return () => followers.delete(follower);
}

desktop.addEventListener("change", refresh);

export { decideBy, followScheme, refresh, scheme };
