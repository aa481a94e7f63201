// @ts-check
/** Undelete objects of a versioned bucket: the newest version that is left of each becomes the current one. */
import {at} from "./api.js";
import {withdrawUndo} from "./deletes.js";
import {count, middle} from "./format.js";
import {CancelledError, reportFailures, runOnMany} from "./many.js";
import {toast} from "./toasts.js";

/**
 * Undelete objects below a prefix: those with some names, or by default all. Errors are shown.
 * @param {{bucket: string, prefix: string, names?: string[]}} options
 */
export async function undeleteObjects({bucket, prefix, names}) {
  const what = names?.length === 1 ? `“${middle(names[0], 60)}”` : names ? count(names.length, "object") : "all deleted objects";
  try {
    const result = await runOnMany(`Undeleting ${what}`, at`buckets/${bucket}/undelete`, {prefix, names: names ?? null});
    reportFailures("undeleted", result);
    const failed = new Set(result.failed.map((/** @type {{name: string}} */ each) => each.name));
    withdrawUndo(bucket, (name) => !failed.has(name) && (names ? names.includes(name) : name.startsWith(prefix)));
    if (result.undeleted) toast(`Undeleted ${names?.length === 1 ? what : count(result.undeleted, "object")}`, {kind: "ok"});
    else if (!result.failed_count) toast("There was nothing to undelete");
  } catch (error) {
    if (error instanceof CancelledError) toast("Cancelled; what was undeleted until then stays.");
    else toast(`Not all of ${what} could be undeleted: ${/** @type {Error} */ (error).message}`, {kind: "danger"});
  }
}
