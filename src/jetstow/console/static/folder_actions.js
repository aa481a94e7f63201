// @ts-check
/** What can be done with the selected rows of a folder. */
import {apiUrl, at, canWrite} from "./api.js";
import {canBeDelayed, deleteObjects} from "./deletes.js";
import {count} from "./format.js";
import {copyText, downloadObject, downloadUrl, openRename, openShare, startDownload} from "./object_actions.js";
import {navigate, paths} from "./router.js";
import {split} from "./selection.js";
import {toast} from "./toasts.js";
import {openCopy, openMove} from "./transfer.js";
import {undeleteObjects} from "./undelete.js";

/**
 * @typedef {{id: string, label: string, icon: string, run: () => void, bar?: boolean, danger?: boolean, hint?: string, href?: string}} Action
 * With `href`, the action is a link.
 */

// Proxies and servers limit the length of a URL.
const LONGEST_URL = 12_000;

/** @param {string} bucket @param {string} prefix @param {string[]} names @param {string[]} prefixes */
export const zipUrl = (bucket, prefix, names, prefixes) => apiUrl(at`buckets/${bucket}/zip`, {prefix, names, prefixes});

/**
 * @param {{bucket: string, prefix: string, chosen: import("./selection.js").Selected, info: any, shown: {created: string, revision: number}, onDone: () => void,
 *   confirm: (deletion: import("./deletes.js").Deletion) => void}} options
 *   `info` is the bucket, `shown` the state of it that the rows show
 * @returns {Action[]}
 */
export function selectionActions({bucket, prefix, chosen, info, shown, onDone, confirm}) {
  const {names, prefixes} = split(chosen);
  const single = chosen.size === 1 ? [...chosen.values()][0] : null;
  const isObject = single?.type === "object";
  const writable = canWrite() && !info?.sealed;

  const zip = isObject ? "" : zipUrl(bucket, prefix, names, prefixes);
  const isTooLong = zip.length > LONGEST_URL;
  const download = () => {
    if (isObject) return downloadObject(bucket, names[0]);
    if (isTooLong) return toast(`${count(chosen.size)} rows are too many for one zip: select a folder instead.`);
    return startDownload(zip);
  };
  const rename = () => (isObject ? openRename(bucket, names[0], onDone) : openMove(bucket, {names, prefixes}, onDone));
  const remove = () => {
    const deletion = {bucket, ...shown, names, prefixes};
    const versioned = info?.versioning === "enabled";
    if (!versioned && !canBeDelayed(deletion)) return confirm(deletion);
    deleteObjects({...deletion, versioned});
    return onDone();
  };
  /** @type {(Action|false)[]} */
  const actions = [
    {id: "download", label: "Download", icon: "download", bar: true, hint: "D", run: download, href: isObject ? downloadUrl(bucket, names[0]) : isTooLong ? undefined : zip},
    isObject && {id: "share", label: "Share", icon: "share", run: () => openShare(bucket, names[0])},
    single !== null && {id: "name", label: "Copy name", icon: "file", run: () => copyName(single.name)},
    writable && single !== null && {id: "rename", label: "Rename", icon: "edit", bar: true, hint: "F2", run: rename},
    writable && {id: "copy", label: "Copy", icon: "copy", bar: true, hint: "C", run: () => openCopy(bucket, {names, prefixes}, onDone)},
    writable && {id: "move", label: "Move", icon: "move", bar: true, hint: "M", run: () => openMove(bucket, {names, prefixes}, onDone)},
    writable && {id: "delete", label: "Delete", icon: "trash", bar: true, danger: true, hint: "Del", run: remove},
  ];
  return actions.filter((action) => action !== false);
}

/**
 * What can be done with selected deleted objects.
 * @param {{bucket: string, prefix: string, chosen: import("./selection.js").Selected, info: any, onDone: () => void,
 *   onUndeleted: () => void}} options
 * @returns {Action[]}
 */
export function deletedActions({bucket, prefix, chosen, info, onDone, onUndeleted}) {
  const {names} = split(chosen);
  const undelete = () => {
    undeleteObjects({bucket, prefix, names}).then(onUndeleted);
    onDone();
  };
  /** @type {(Action|false)[]} */
  const actions = [
    canWrite() && !info?.sealed && {id: "undelete", label: "Undelete", icon: "restore", bar: true, hint: "U", run: undelete},
    names.length === 1 && {id: "versions", label: "Versions", icon: "file", run: () => navigate(paths.object(bucket, names[0]))},
    names.length === 1 && {id: "name", label: "Copy name", icon: "copy", run: () => copyName(names[0])},
  ];
  return actions.filter((action) => action !== false);
}

/** @param {string} name */
async function copyName(name) {
  if (await copyText(name)) toast("The name was copied");
}
