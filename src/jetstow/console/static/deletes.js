// @ts-check
/** Delete objects so that it can be undone: by the delete markers of a versioned bucket, or before it is sent. */
import {apiUrl, at, ndjson, request} from "./api.js";
import {count, folderOf, middle} from "./format.js";
import {CancelledError, reportFailures, runOnMany} from "./many.js";
import {navigate, paths} from "./router.js";
import {createStore} from "./store.js";
import {toast} from "./toasts.js";

/**
 * What is deleted, as it was at a revision of the bucket: what is changed or added later is kept.
 * `created` is the time at which the bucket was created: another one of the same name is not touched.
 * @typedef {{bucket: string, created: string, revision: number, names: string[], prefixes: string[]}} Deletion
 */

const UNDO_SECONDS = 8;
/** In a bucket with versions, nothing waits for the end of the message. */
const UNDO_SECONDS_OF_VERSIONS = 30;
// Browsers send at most 64 KiB after a page is closed.
export const LARGEST_DELAYED = 48 * 1024;
// The names of so many fit into one request.
const MARKERS_AT_ONCE = 1_000;

/** Deletions that are not done yet. @type {import("./store.js").Store<Deletion[]>} */
export const deleting = createStore(/** @type {Deletion[]} */ ([]));

/** Those of them that are not sent yet, with the function that closes the message. @type {Map<Deletion, () => void>} */
const delayed = new Map();

/** What "Undo" restores now, by delete markers. @type {Set<{bucket: string, markers: [string, string][], close: () => void}>} */
const undoable = new Set();

/** Whether a row is being deleted. @param {Deletion[]} deletions @param {string} bucket @param {import("./rows.js").Row} row */
export function isDeleting(deletions, bucket, row) {
  const {type, name} = row;
  return deletions.some(
    (each) =>
      each.bucket === bucket &&
      (type === "folder" || row.revision <= each.revision) &&
      ((type === "object" && each.names.includes(name)) || each.prefixes.some((prefix) => name.startsWith(prefix))),
  );
}

/** Whether a deletion can be delayed; if not, ask before. @param {Deletion} deletion */
export const canBeDelayed = (deletion) => new Blob([JSON.stringify(deletion)]).size < LARGEST_DELAYED;

/**
 * Delete objects and folders. In a versioned bucket this happens at once and adds delete markers, which
 * "Undo" removes. In other buckets it is sent after 8 seconds, unless it is undone.
 * @param {Deletion & {versioned: boolean, now?: boolean}} options `now`: do not wait, there is no undo
 */
export function deleteObjects({versioned, now = false, ...deletion}) {
  const what = describe(deletion);
  deleting.set([...deleting.get(), deletion]);
  if (versioned || now) return send(deletion, what, versioned);
  const close = toast(`${what} will be deleted in ${UNDO_SECONDS} seconds`, {
    seconds: UNDO_SECONDS,
    undo: () => forget(deletion),
    onClose: () => delayed.has(deletion) && send(deletion, describe(deletion), false),
  });
  delayed.set(deletion, close);
  return Promise.resolve();
}

/** @param {Deletion} deletion */
function forget(deletion) {
  delayed.delete(deletion);
  deleting.set(deleting.get().filter((each) => each !== deletion));
}

/** Do not delete objects that are stored again now. @param {string} bucket @param {Iterable<string>} names */
export function keepObjects(bucket, names) {
  const stored = new Set(names);
  for (const [deletion, close] of [...delayed]) {
    const kept = deletion.bucket === bucket ? deletion.names.filter((name) => stored.has(name)) : [];
    if (!kept.length) continue;
    deletion.names = deletion.names.filter((name) => !stored.has(name));
    deleting.set([...deleting.get()]);
    if (!deletion.names.length && !deletion.prefixes.length) {
      forget(deletion);
      close();
    }
    toast(`${describe({names: kept, prefixes: []})} will not be deleted: you upload it again`);
  }
}

/** Do not delete objects of a bucket that is deleted as a whole. @param {string} bucket */
export function forgetBucket(bucket) {
  for (const [deletion, close] of [...delayed]) {
    if (deletion.bucket !== bucket) continue;
    forget(deletion);
    close();
  }
}

/** @param {{names: string[], prefixes: string[]}} selection */
export function describe({names, prefixes}) {
  if (names.length + prefixes.length === 1) return `“${middle(names[0] ?? prefixes[0], 60)}”`;
  const parts = [prefixes.length && count(prefixes.length, "folder"), names.length && count(names.length, "object")];
  return parts.filter(Boolean).join(" and ");
}

/** @param {Deletion} deletion @param {string} what @param {boolean} versioned */
async function send(deletion, what, versioned) {
  delayed.delete(deletion);
  const {bucket, ...selection} = deletion;
  try {
    const result = await runOnMany(`Deleting ${what}`, at`buckets/${bucket}/delete`, selection);
    reportFailures("deleted", result);
    reportKept(result);
    if (!result.deleted) return;
    const done = `Deleted ${result.kept_count || result.failed_count ? count(result.deleted, "object") : what}`;
    if (versioned) offerUndo(deletion, done, Object.entries(result.markers));
    else toast(done, {kind: "ok"});
  } catch (error) {
    if (error instanceof CancelledError) toast("The deletion was cancelled; what was deleted until then stays deleted.");
    else toast(`${what} could not be deleted: ${/** @type {Error} */ (error).message}`, {kind: "danger"});
  } finally {
    forget(deletion);
  }
}

/** @param {{kept: string[], kept_count: number}} result */
function reportKept({kept, kept_count: number}) {
  if (!number) return;
  const others = number > 1 ? ` and ${count(number - 1, "other")} were kept: they have` : " was kept: it has";
  toast(`“${middle(kept[0], 60)}”${others} changed since you deleted ${number > 1 ? "them" : "it"}`, {seconds: 12});
}

/** @param {Deletion} deletion @param {string} done @param {[string, string][]} markers */
function offerUndo({bucket, names, prefixes}, done, markers) {
  const seconds = UNDO_SECONDS_OF_VERSIONS;
  if (!markers.length) {
    // They are too many to undo at once.
    toast(done, {undo: () => showDeleted(bucket, folderOf(names[0] ?? prefixes[0])), label: "Show only deleted", seconds});
    return;
  }
  const entry = {bucket, markers, close: () => {}};
  const undo = () => {
    undoable.delete(entry);
    return restore(bucket, entry.markers);
  };
  entry.close = toast(done, {undo, onClose: () => undoable.delete(entry), seconds});
  undoable.add(entry);
}

/** Do not offer to undo what was undeleted in another way. @param {string} bucket @param {(name: string) => boolean} isUndeleted */
export function withdrawUndo(bucket, isUndeleted) {
  for (const entry of [...undoable]) {
    if (entry.bucket !== bucket) continue;
    entry.markers = entry.markers.filter(([name]) => !isUndeleted(name));
    if (!entry.markers.length) entry.close();
  }
}

/** @param {string} bucket @param {string} prefix */
const showDeleted = (bucket, prefix) => navigate(paths.folder(bucket, prefix, {deleted: "1"}));

/** @param {string} bucket @param {[string, string][]} markers */
async function restore(bucket, markers) {
  let restored = 0;
  try {
    for (let start = 0; start < markers.length; start += MARKERS_AT_ONCE) {
      const some = Object.fromEntries(markers.slice(start, start + MARKERS_AT_ONCE));
      const result = await ndjson(at`buckets/${bucket}/delete/undo`, {markers: some}, () => {});
      reportFailures("restored", result);
      restored += result.restored;
    }
  } catch (error) {
    toast(`Not everything could be restored: ${/** @type {Error} */ (error).message}`, {kind: "danger"});
  }
  if (restored) toast(`Restored ${count(restored, "object")}`, {kind: "ok"});
}

/** Send what waits, for a page that is closed or a session that ends. */
export function flushDeletes() {
  const waiting = [...delayed];
  for (const [deletion, close] of waiting) {
    forget(deletion);
    close();
  }
  return Promise.allSettled(
    waiting.map(([{bucket, ...selection}]) =>
      request("POST", apiUrl(at`buckets/${bucket}/delete`), {
        keepalive: true,
        headers: {"content-type": "application/json"},
        body: JSON.stringify(selection),
      }),
    ),
  );
}

addEventListener("pagehide", flushDeletes);
