// Numbers and times as the page writes them.

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en");
const UNITS = { k: 1e3, m: 1e6, b: 1e9, t: 1e12 };

/** 1234 as "1,234". */
export const count = (number) => whole.format(number);

/** 123400000 as "123.4M". */
export const short = (number) => compact.format(number);

/** ISK for people; what has no value says so. */
export const isk = (value) => (typeof value === "number" ? `${short(value)} ISK` : "no value");

/** ISK as people type it ("100m", "1.5b", "1,000,000"); null where it is no number of at least 0. */
export function readIsk(text) {
  const read = /^(\d[\d,_ ]*(?:\.\d+)?)\s*([kmbt]?)(?:\s*isk)?$/i.exec(text.trim());
  if (read === null) return null;
  return Number(read[1].replaceAll(/[,_ ]/g, "")) * (UNITS[read[2].toLowerCase()] ?? 1);
}

/** Seconds in the unit that fits. */
export function duration(seconds) {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** The hour of a moment, UTC. */
export const hour = (time) => `${new Date(time).toISOString().slice(11, 13)}:00`;

/** Security status as the game shows it: whatever is above zero is at least 0.1. */
export function security(status) {
  const shown = status > 0 && status < 0.05 ? 0.1 : Math.round(status * 10) / 10;
  const band = status >= 0.45 ? "highsec" : status > 0 ? "lowsec" : "nullsec";
  return { text: (shown === 0 ? 0 : shown).toFixed(1), band };
}

/** The middle one; null of none. */
export function median(numbers) {
  const sorted = [...numbers].sort((left, right) => left - right);
  return sorted.length === 0 ? null : sorted[Math.floor(sorted.length / 2)];
}
