// How numbers are written: as `report/numbers.py` does, with the digits an error leaves meaningful.

const DIGITS = 4;
const MOST_DECIMALS = 9;
const LARGE = 1e6;

// A value out of a run's document: null was not measured, and what is not finite comes by name.
function read(value) {
  return value === null || value === undefined ? NaN : Number(value);
}

function number(value, { stderr = NaN, sign = false } = {}) {
  const plus = sign && value >= 0 ? "+" : "";
  if (Number.isNaN(value)) return "not measured";
  if (!Number.isFinite(value)) return value > 0 ? `${plus}infinite` : "-infinite";
  const decimals = decimalsOf(stderr);
  const size = Math.abs(value);
  if (decimals !== null && size < LARGE) return plus + value.toFixed(decimals);
  if (size >= 10 ** DIGITS && size < LARGE) return plus + value.toFixed(0);
  if (value !== 0 && (size < 1e-4 || size >= LARGE)) {
    return plus + value.toExponential(DIGITS - 1).replace(/e([+-])(\d)$/, "e$10$2");
  }
  return plus + value.toPrecision(DIGITS);
}

// The decimals that show two digits of an error; null where it says nothing.
function decimalsOf(stderr) {
  if (!(stderr > 0 && stderr < Infinity)) return null;
  const exponent = Number(stderr.toExponential(1).split("e")[1]);
  const decimals = Math.max(0, 1 - exponent);
  return decimals <= MOST_DECIMALS ? decimals : null;
}

function withInterval(value, low, high, stderr) {
  const written = number(value, { stderr, sign: true });
  if (![value, low, high].every(Number.isFinite)) return written;
  const ends = [low, high].map((end) => number(end, { stderr, sign: true }));
  return `${written} [${ends.join(", ")}]`;
}

function duration(seconds) {
  if (!(seconds >= 1 && seconds < Infinity)) return `${Number(seconds.toPrecision(2))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

// A tick of an axis that counts.
function short(value) {
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (Math.abs(value) >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(6)));
}

export { duration, number, read, short, withInterval };
