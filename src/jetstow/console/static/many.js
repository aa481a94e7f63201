// @ts-check
/** Work of the server on many objects: its progress as a message, and what failed. */
import {ndjson} from "./api.js";
import {count, middle} from "./format.js";
import {progressToast, toast} from "./toasts.js";

// Shorter work shows its end only, in milliseconds.
const SLOW = 600;

/** The user has cancelled the work: what was done until then stays. */
export class CancelledError extends Error {}

/**
 * Run a job of the API with names, and show its progress if it takes long. Returns its last line.
 * Raises `CancelledError`, and what `ndjson` raises.
 * @param {string} text what it does: "Deleting 3 objects"
 * @param {string} path @param {any} body
 * @returns {Promise<any>}
 */
export async function runOnMany(text, path, body) {
  const control = new AbortController();
  /** @type {ReturnType<typeof progressToast>|null} */
  let progress = null;
  const slow = setTimeout(() => (progress = progressToast(text, () => control.abort())), SLOW);
  const onLine = (/** @type {any} */ {done, total}) => {
    if (done !== undefined) progress?.update(`${text}: ${count(done)} of ${count(total)}`, total ? done / total : null);
  };
  try {
    return await ndjson(path, body, onLine, control.signal);
  } catch (error) {
    if (control.signal.aborted) throw new CancelledError();
    throw error;
  } finally {
    clearTimeout(slow);
    /** @type {any} */ (progress)?.close();
  }
}

/**
 * Show what failed, if anything did.
 * @param {string} verb "deleted"
 * @param {{failed: {name: string, code: string, message: string}[], failed_count: number}} result
 */
export function reportFailures(verb, {failed, failed_count: number}) {
  if (!failed.length) return;
  const {name, message, code} = failed[0];
  const others = number > 1 ? ` and ${count(number - 1, "other")}` : "";
  toast(`Not ${verb}: “${middle(name, 60)}”${others}. ${message || code}`, {kind: "danger"});
}
