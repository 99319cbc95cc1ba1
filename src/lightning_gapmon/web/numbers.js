// How numbers are written: as `analysis/wording.py` writes them.

const DIGITS = 4;
const MOST_DECIMALS = 9;
const LARGE = 1e6;

// A value out of a run's document: null was not measured, and what is not finite comes by name.
function read(value) {
  return value === null || value === undefined ? NaN : Number(value);
}

function number(value) {
  return significant(value, "");
}

function withError(value, stderr) {
  return stderr > 0 && stderr < Infinity ? `${number(value)} ± ${exponent(trimmed(stderr.toPrecision(2)))}` : number(value);
}

function difference(value, stderr = NaN) {
  const decimals = decimalsOf(stderr);
  if (Number.isFinite(value) && decimals !== null && Math.abs(value) < LARGE) return plus(value) + value.toFixed(decimals);
  return significant(value, plus(value));
}

function withInterval(value, low, high, stderr) {
  const written = difference(value, stderr);
  if (![value, low, high].every(Number.isFinite)) return written;
  return `${written} [${difference(low, stderr)}, ${difference(high, stderr)}]`;
}

function significant(value, sign) {
  if (Number.isNaN(value)) return `${sign}nan`;
  if (!Number.isFinite(value)) return value > 0 ? `${sign}inf` : "-inf";
  const size = Math.abs(value);
  if (size >= 10 ** DIGITS && size < LARGE) return sign + value.toFixed(0);
  if (size && (size < 1e-4 || size >= LARGE)) return sign + exponent(value.toExponential(DIGITS - 1));
  return sign + exponent(trimmed(value.toPrecision(DIGITS)));
}

function plus(value) {
  return value >= 0 || Number.isNaN(value) ? "+" : "";
}

function exponent(text) {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function trimmed(text) {
  return text.replace(/\.$/, "");
}

// The decimals that show two digits of an error; null where it says nothing.
function decimalsOf(stderr) {
  if (!(stderr > 0 && stderr < Infinity)) return null;
  const decimals = Math.max(0, 1 - Number(stderr.toExponential(1).split("e")[1]));
  return decimals <= MOST_DECIMALS ? decimals : null;
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

export { difference, duration, number, read, short, withError, withInterval };
