// @ts-check
/** Delete objects so that it can be undone: by the delete markers of a versioned bucket, or before it is sent. */
import {apiUrl, at, csrf, s3} from "./api.js";
import {count, folderOf, middle} from "./format.js";
import {CancelledError, reportFailures, runOnMany} from "./many.js";
import {navigate, paths} from "./router.js";
import {createStore} from "./store.js";
import {toast} from "./toasts.js";

/** @typedef {{bucket: string, names: string[], prefixes: string[]}} Deletion */

const UNDO_SECONDS = 8;
/** In a bucket with versions, nothing waits for the end of the message. */
const UNDO_SECONDS_OF_VERSIONS = 30;
// Browsers send at most 64 KiB after a page is closed.
export const LARGEST_DELAYED = 48 * 1024;

/** Deletions that are not done yet. @type {import("./store.js").Store<Deletion[]>} */
export const deleting = createStore(/** @type {Deletion[]} */ ([]));

/** Those of them that are not sent yet. @type {Set<Deletion>} */
const delayed = new Set();

/** Whether a row is being deleted. @param {Deletion[]} deletions @param {string} bucket @param {{type: string, name: string}} row */
export function isDeleting(deletions, bucket, {type, name}) {
  return deletions.some(
    (each) =>
      each.bucket === bucket &&
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
export function deleteObjects({bucket, names, prefixes, versioned, now = false}) {
  const deletion = {bucket, names, prefixes};
  const what = describe(deletion);
  deleting.set([...deleting.get(), deletion]);
  if (versioned || now) return send(deletion, what, versioned);
  delayed.add(deletion);
  toast(`Deleted ${what}`, {
    seconds: UNDO_SECONDS,
    undo: () => forget(deletion),
    onClose: () => delayed.has(deletion) && send(deletion, what, false),
  });
  return Promise.resolve();
}

/** @param {Deletion} deletion */
function forget(deletion) {
  delayed.delete(deletion);
  deleting.set(deleting.get().filter((each) => each !== deletion));
}

/** @param {Deletion} deletion */
export function describe({names, prefixes}) {
  if (names.length + prefixes.length === 1) return `“${middle(names[0] ?? prefixes[0], 60)}”`;
  const parts = [prefixes.length && count(prefixes.length, "folder"), names.length && count(names.length, "object")];
  return parts.filter(Boolean).join(" and ");
}

/** @param {Deletion} deletion @param {string} what @param {boolean} versioned */
async function send(deletion, what, versioned) {
  delayed.delete(deletion);
  const {bucket, names, prefixes} = deletion;
  try {
    const result = await runOnMany(`Deleting ${what}`, at`buckets/${bucket}/delete`, {names, prefixes});
    reportFailures("deleted", result);
    const markers = Object.entries(result.markers);
    if (!versioned || !result.deleted) return;
    const seconds = UNDO_SECONDS_OF_VERSIONS;
    if (markers.length) toast(`Deleted ${what}`, {undo: () => restore(bucket, markers), seconds});
    // They are too many to undo at once.
    else toast(`Deleted ${what}`, {undo: () => showDeleted(bucket, folderOf(names[0] ?? prefixes[0])), label: "Show deleted", seconds});
  } catch (error) {
    if (error instanceof CancelledError) toast("The deletion was cancelled; what was deleted until then stays deleted.");
    else toast(`${what} could not be deleted: ${/** @type {Error} */ (error).message}`, {kind: "danger"});
  } finally {
    forget(deletion);
  }
}

/** @param {string} bucket @param {string} prefix */
const showDeleted = (bucket, prefix) => navigate(paths.folder(bucket, prefix, {deleted: "1"}));

/** @param {string} bucket @param {[string, string][]} markers */
async function restore(bucket, markers) {
  let restored = 0;
  /** @type {any} */
  let failure = null;
  const waiting = [...markers];
  const work = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [name, versionId] = next;
      try {
        await s3("DELETE", bucket, name, {query: {versionId}});
        restored += 1;
      } catch (error) {
        failure = error;
      }
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  if (failure) toast(`${count(markers.length - restored, "object")} could not be restored: ${failure.message}`, {kind: "danger"});
  else toast(`Restored ${count(restored, "object")}`, {kind: "ok"});
}

/** Send what waits, for a page that is closed or a session that ends. */
export function flushDeletes() {
  const waiting = [...delayed];
  waiting.forEach(forget);
  return Promise.allSettled(
    waiting.map(({bucket, names, prefixes}) =>
      fetch(apiUrl(at`buckets/${bucket}/delete`), {
        method: "POST",
        keepalive: true,
        headers: {"content-type": "application/json", "x-csrf-token": csrf()},
        body: JSON.stringify({names, prefixes}),
      }),
    ),
  );
}

addEventListener("pagehide", flushDeletes);
