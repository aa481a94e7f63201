// @ts-check
/** Sizes, counts, times and names as text. */

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/** 512 B, 9.5 MiB, 120 GiB: as the command line writes them. @param {number|null|undefined} bytes */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  if (bytes < 1024) return `${bytes} B`;
  let amount = bytes / 1024;
  let unit = 0;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${amount >= 99.95 ? amount.toFixed(0) : amount.toFixed(1)} ${UNITS[unit]}`;
}

const NUMBER = new Intl.NumberFormat("en");

/** 100,000; with a noun: 1 folder, 2 folders. @param {number|null|undefined} number @param {string} [noun] */
export function count(number, noun) {
  const text = number === null || number === undefined ? "–" : NUMBER.format(number);
  if (!noun) return text;
  return `${text} ${number === 1 ? noun : `${noun}s`}`;
}

/** @param {number} value @param {number} [digits] */
const pad = (value, digits = 2) => String(value).padStart(digits, "0");

/** Local time to the minute or to the second, in a form that sorts and aligns. @param {string|number|null|undefined} iso @param {boolean} [seconds] */
export function time(iso, seconds = false) {
  if (iso === null || iso === undefined) return "–";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "–";
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}${seconds ? `:${pad(date.getSeconds())}` : ""}`;
}

/** Local time to the millisecond, with the offset from UTC. @param {string|number|null|undefined} iso */
export function exactTime(iso) {
  if (iso === null || iso === undefined) return "";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  return `${time(iso, true)}.${pad(date.getMilliseconds(), 3)} (UTC${zone})`;
}

/** 90 s, 12 min, 3 h, 30 days. @param {number|null|undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** @param {number} bytesPerSecond */
export const rate = (bytesPerSecond) => `${size(Math.round(bytesPerSecond))}/s`;

// Control characters, line and paragraph separators, zero-width and bidirectional controls, the byte-order
// mark, tags and lone surrogates: a name could use them to look like another name. The joiner U+200D is part
// of emoji.
const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|(?<!\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/** A name with characters that cannot be seen replaced by their numbers: ‹U+202E›. @param {string} text */
export function visible(text) {
  return text.replace(INVISIBLE, (character) => {
    const code = /** @type {number} */ (character.codePointAt(0));
    return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
  });
}

/** A name in at most `limit` characters, with its middle left out: endings matter. @param {string} text @param {number} [limit] */
export function middle(text, limit = 80) {
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  const tail = Math.floor((limit - 1) / 2.5);
  return `${characters.slice(0, limit - 1 - tail).join("")}…${characters.slice(-tail).join("")}`;
}

/** The last part of a name, as folders split it: "a/b/c.txt" -> "c.txt", "a/b/" -> "b/". @param {string} name */
export function baseName(name) {
  const cut = name.lastIndexOf("/", name.length - 2);
  return name.slice(cut + 1);
}

/** The folder that a name is in: "a/b/c.txt" -> "a/b/", "a/b/" -> "a/", "c" -> "". @param {string} name */
export function folderOf(name) {
  return name.slice(0, name.lastIndexOf("/", name.length - 2) + 1);
}

const POWERS = " kmgtp";

/** Bytes of a text like "10 GiB", "500m" (MiB), "500 MB" (10^6) or "1024"; null if it is empty, NaN if it is not a size. @param {string} text */
export function parseSize(text) {
  if (text.trim() === "") return null;
  const found = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgtp]?)(i?b)?\s*$/i.exec(text);
  if (!found) return Number.NaN;
  const [, number, prefix, unit = ""] = found;
  const base = unit.toLowerCase() === "b" ? 1000 : 1024;
  return Math.round(Number(number) * base ** Math.max(0, POWERS.indexOf(prefix.toLowerCase())));
}

const LENGTHS = /** @type {Record<string, number>} */ ({s: 1, m: 60, h: 3600, d: 86400, w: 604800});

/** Seconds of a text like "30 days", "12h" or "90 s"; null if it is empty, NaN if it is not a duration. @param {string} text */
export function parseDuration(text) {
  if (text.trim() === "") return null;
  const found = /^\s*([0-9]+(?:\.[0-9]+)?)\s*(s|m|h|d|w)(?:ec|econds?|in|inutes?|ours?|ays?|eeks?)?\s*$/i.exec(text);
  return found ? Math.round(Number(found[1]) * LENGTHS[found[2].toLowerCase()]) : Number.NaN;
}
