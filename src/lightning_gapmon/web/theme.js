// Colours and the rules of the axes, said once: `report/theme.py` reads this file too, so the
// object below is strict JSON. Blue and orange are told apart by the colour-blind; text in either
// has a contrast of at least 4.5 to 1 on the paper.
const THEME = {
  "light": {
    "paper": "#ffffff", "ink": "#1f2328", "faint": "#5f6875", "grid": "#e7e9ee",
    "train": "#1b6ac9", "val": "#b85500", "gap": "#f4a259", "gapOpacity": 0.2,
    "stop": "#7d3c98", "onset": "#b3261e", "lr": "#5f6875",
    "good": "#1a7f4b", "info": "#57606a", "warning": "#9a5b00", "error": "#b3261e",
    "runs": ["#1b6ac9", "#b85500", "#1a7f4b", "#8e3fa8", "#a8324a", "#0b7f8f", "#7a6200", "#5c5f66"]
  },
  "dark": {
    "paper": "#1e1f22", "ink": "#e8eaed", "faint": "#a2a9b4", "grid": "#34373d",
    "train": "#6cb0ff", "val": "#ff9a4a", "gap": "#ff9a4a", "gapOpacity": 0.17,
    "stop": "#d4a3ea", "onset": "#ff8b82", "lr": "#a2a9b4",
    "good": "#5fd39a", "info": "#b4bac4", "warning": "#f3b75f", "error": "#ff8b82",
    "runs": ["#6cb0ff", "#ff9a4a", "#5fd39a", "#d4a3ea", "#ff8fa3", "#5ad1e0", "#e0c341", "#b4bac4"]
  },
  "scale": {"share": 0.9, "headroom": 1.6, "peak": 20, "pad": 0.05}
};

export { THEME };
