// @ts-check
/** Copy and move objects, within a bucket or to another one. */
import {ApiError, at, get, ndjson, s3} from "./api.js";
import {describe} from "./deletes.js";
import {baseName, count, middle, visible} from "./format.js";
import {renameObject} from "./object_actions.js";
import {namesBelow} from "./rows.js";
import {progressToast, toast} from "./toasts.js";

/**
 * @typedef {import("./transfer.js").Transfer} Transfer
 * @typedef {{from: string, to: string, isMarker?: boolean}} Step `isMarker`: the object of a folder itself
 */

/** The transfers that are running: they end with the page. */
let running = 0;

addEventListener("beforeunload", (event) => {
  if (running) event.preventDefault();
});

/** What becomes what, of objects. @param {string[]} names @param {string} to @param {string|null} single @returns {Step[]} */
export const stepsOf = (names, to, single) => names.map((name) => ({from: name, to: single === null ? to + baseName(name) : to}));

/** The two objects of which steps would keep one only. @param {Step[]} steps @param {boolean} isSameBucket */
export function findCollision(steps, isSameBucket) {
  const shown = (/** @type {string} */ name) => `“${middle(name, 60)}”`;
  const sources = new Set(isSameBucket ? steps.map((step) => step.from) : []);
  /** @type {Map<string, string>} */
  const sourceOf = new Map();
  for (const {from, to} of steps) {
    const other = sourceOf.get(to);
    if (other !== undefined) return `${shown(other)} and ${shown(from)} have the same target: ${shown(to)}.`;
    if (sources.has(to)) return `${shown(from)} has the target ${shown(to)}, which is selected, too.`;
    sourceOf.set(to, from);
  }
  return "";
}

/**
 * Copy or move what is selected, with its progress as a message.
 * @param {Transfer} transfer @param {string} target the other bucket, or the same @param {string} to @param {string|null} single @param {boolean} replace
 */
export async function runTransfer(transfer, target, to, single, replace) {
  const {kind, bucket} = transfer;
  const what = visible(describe(transfer));
  const [doing, done] = kind === "copy" ? ["Copying", "Copied"] : ["Moving", "Moved"];
  const control = new AbortController();
  const progress = progressToast(`${doing} ${what}`, () => control.abort());
  let finished = 0;
  /** @type {{name: string, error: any}[]} */
  const failed = [];
  running += 1;
  try {
    const steps = await plan(transfer, to, single, control.signal);
    const problem = findCollision(steps, target === bucket);
    if (problem) throw new Error(problem);
    if (!steps.length) throw new Error("There are no objects in it any more.");
    let next = 0;
    const work = async () => {
      while (next < steps.length && !control.signal.aborted) {
        const step = steps[next++];
        try {
          await moveOrCopy(kind, bucket, target, step, replace);
        } catch (error) {
          failed.push({name: step.from, error});
        }
        finished += 1;
        if (steps.length > 1) progress.update(`${doing} ${what}: ${count(finished)} of ${count(steps.length)}`, finished / steps.length);
      }
    };
    await Promise.all([work(), work(), work(), work()]);
    report(done.toLowerCase(), control.signal.aborted ? `${done} ${count(finished - failed.length)} of ${count(steps.length)}, then cancelled` : `${done} ${what}`, failed, finished);
  } catch (error) {
    if (!control.signal.aborted) toast(`${what}: ${/** @type {Error} */ (error).message}`, {kind: "danger"});
  } finally {
    running -= 1;
    progress.close();
  }
}

/** What becomes what. @param {Transfer} transfer @param {string} to @param {string|null} single @param {AbortSignal} signal @returns {Promise<Step[]>} */
async function plan({bucket, names, prefixes}, to, single, signal) {
  const steps = stepsOf(names, to, single);
  for (const prefix of prefixes) {
    const place = single === null ? to + baseName(prefix) : to;
    const below = await namesBelow(bucket, prefix, signal);
    // The top of a bucket has no object of its own: that of the folder stays then.
    if (place && (await hasMarker(bucket, prefix, signal))) steps.push({from: prefix, to: place, isMarker: true});
    steps.push(...below.map((name) => ({from: name, to: place + name.slice(prefix.length)})));
  }
  return steps;
}

/**
 * Whether a folder has an object of its own, as some clients of S3 store. One that cannot be read fails as a step of its own.
 * @param {string} bucket @param {string} prefix @param {AbortSignal} signal
 */
async function hasMarker(bucket, prefix, signal) {
  try {
    await s3("HEAD", bucket, prefix, {signal});
    return true;
  } catch (error) {
    if (error instanceof ApiError && [400, 403, 404].includes(error.status)) return error.status !== 404;
    throw error;
  }
}

/** @param {"copy"|"move"} kind @param {string} bucket @param {string} target @param {Step} step @param {boolean} replace */
async function moveOrCopy(kind, bucket, target, step, replace) {
  try {
    await moveOrCopyOne(kind, bucket, target, step, replace);
  } catch (error) {
    // The folders become one.
    if (!step.isMarker || !(error instanceof ApiError) || error.status !== 412) throw error;
    if (kind === "move") await removeEmpty(bucket, step.from);
  }
}

/** @param {"copy"|"move"} kind @param {string} bucket @param {string} target @param {Step} step @param {boolean} replace */
async function moveOrCopyOne(kind, bucket, target, {from, to}, replace) {
  if (kind === "copy") return copy(bucket, from, target, to, replace);
  if (bucket === target) return renameObject(bucket, from, to, {replace});
  // Not by the ETag: an object with the same bytes may have other metadata, and a link has none of its own.
  const source = await get(at`buckets/${bucket}/object`, {name: from});
  await copy(bucket, from, target, to, replace);
  return removeUnchanged(bucket, from, source);
}

/** @param {string} bucket @param {string} from @param {string} target @param {string} to @param {boolean} replace */
async function copy(bucket, from, target, to, replace) {
  const headers = /** @type {Record<string, string>} */ ({"x-amz-copy-source": `/${bucket}/${encodeURIComponent(from)}`});
  if (!replace) headers["if-none-match"] = "*";
  const response = await s3("PUT", target, to, {headers});
  // A copy that takes long answers with status 200 first, and may fail then.
  const error = new DOMParser().parseFromString(await response.text(), "application/xml").querySelector("Error > Code");
  if (error) throw new ApiError(error.textContent ?? "", error.parentElement?.querySelector("Message")?.textContent ?? "", 500);
}

/** Delete an object without bytes. @param {string} bucket @param {string} name */
async function removeEmpty(bucket, name) {
  const object = await get(at`buckets/${bucket}/object`, {name});
  if (object.size === 0) await removeUnchanged(bucket, name, object);
}

/** Delete an object, unless it has changed. @param {string} bucket @param {string} name @param {import("./object_page.js").ObjectData} before */
async function removeUnchanged(bucket, name, {bucket_created: created, revision}) {
  const {failed, kept_count: kept} = await ndjson(at`buckets/${bucket}/delete`, {created, revision, names: [name]}, () => {});
  if (failed.length) throw new Error(`it was copied, but cannot be deleted: ${failed[0].message || failed[0].code}`);
  if (kept) throw new Error("it has changed while it was copied, so that it was not deleted");
}

/** @param {string} verb @param {string} message @param {{name: string, error: any}[]} failed @param {number} finished */
function report(verb, message, failed, finished) {
  if (!failed.length) return toast(message, {kind: "ok"});
  const {name, error} = failed[0];
  const why = error.status === 412 ? "an object with this name exists there" : error.message;
  const others = failed.length > 1 ? `; ${count(failed.length)} of ${count(finished)} failed` : "";
  return toast(`Not ${verb}: “${middle(name, 60)}”: ${why}${others}`, {kind: "danger"});
}
