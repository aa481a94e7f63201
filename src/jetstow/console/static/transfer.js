// @ts-check
/** The dialog that copies and moves objects and folders, within a bucket or to another one. */
import {html, useEffect, useState} from "./vendor/preact.js";
import {get} from "./api.js";
import {describe} from "./deletes.js";
import {baseName, folderOf, visible} from "./format.js";
import {OlderVersions} from "./older_versions.js";
import {createStore, useStore} from "./store.js";
import {findCollision, runTransfer, stepsOf} from "./transfer_run.js";
import {Button, Dialog, ErrorBox, Field} from "./ui.js";

/**
 * @typedef {{names: string[], prefixes: string[]}} Selection
 * @typedef {Selection & {kind: "copy"|"move", bucket: string, onStart?: () => void}} Transfer
 */

const opened = createStore(/** @type {Transfer|null} */ (null));

/** @param {string} bucket @param {Selection} selection @param {() => void} [onStart] */
export const openCopy = (bucket, selection, onStart) => opened.set({kind: "copy", bucket, ...selection, onStart});
/** @param {string} bucket @param {Selection} selection @param {() => void} [onStart] */
export const openMove = (bucket, selection, onStart) => opened.set({kind: "move", bucket, ...selection, onStart});

/** The dialog of `openCopy` and `openMove`: once in the page. */
export function TransferDialogs() {
  const transfer = useStore(opened);
  return transfer && html`<${TransferDialog} transfer=${transfer} onClose=${() => opened.set(null)} />`;
}

/** @param {{transfer: Transfer, onClose: () => void}} props */
function TransferDialog({transfer, onClose}) {
  const {kind, bucket, names, prefixes} = transfer;
  const single = names.length + prefixes.length === 1 ? (names[0] ?? prefixes[0]) : null;
  const [target, setTarget] = useState(bucket);
  const [typed, setTyped] = useState(single ?? folderOf(names[0] ?? prefixes[0]));
  const [replace, setReplace] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const buckets = useBuckets(bucket);
  const verb = kind === "copy" ? "Copy" : "Move";
  const to = single === null || prefixes.length ? asFolder(typed) : typed;

  const submit = () => {
    const problem = check(transfer, target, to, single);
    setError(problem && new Error(problem));
    if (problem) return;
    onClose();
    transfer.onStart?.();
    runTransfer(transfer, target, to, single, replace);
  };
  const actions = html`<${Button} onClick=${onClose}>Cancel<//><${Button} type="submit" kind="primary">${verb}<//>`;
  return html`<${Dialog} title=${verb} onClose=${onClose} onSubmit=${submit} actions=${actions}>
    <p>${verb} ${visible(describe(transfer))}</p>
    <${Field} label="Bucket" as="select" value=${target} onInput=${setTarget}>
      ${buckets.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
    <//>
    <${Field} label=${single === null ? "Folder" : "New name"} value=${typed} onInput=${setTyped} autofocus
      hint=${single === null ? "Empty for the top of the bucket. It need not exist." : "The whole name, with its folders."} />
    ${kind === "move" && html`<${OlderVersions} bucket=${bucket} name=${single !== null && names.length ? single : null} />`}
    <${Field} type="checkbox" label="Replace objects that exist there" value=${replace} onInput=${setReplace} />
    <${ErrorBox} error=${error} />
  <//>`;
}

/** @param {string} first */
function useBuckets(first) {
  const [names, setNames] = useState([first]);
  useEffect(() => {
    get("buckets").then(
      ({buckets}) => setNames([...new Set([first, ...buckets.map((/** @type {any} */ each) => each.name)])].sort()),
      () => {}, // the bucket itself can still be chosen
    );
  }, []);
  return names;
}

/** @param {string} text */
const asFolder = (text) => (text === "" || text.endsWith("/") ? text : `${text}/`);

/** What is wrong, if something is. @param {Transfer} transfer @param {string} target @param {string} to @param {string|null} single */
function check({bucket, names, prefixes}, target, to, single) {
  if (single !== null && names.length && (to === "" || to.endsWith("/"))) return "Enter a name that does not end with a slash.";
  if (target === bucket) {
    if (single !== null && to === single) return "That is where it already is.";
    const places = prefixes.map((prefix) => (single === null ? to + baseName(prefix) : to));
    const inside = prefixes.findIndex((prefix, index) => places[index].startsWith(prefix));
    if (inside >= 0) return "A folder cannot be put into itself.";
    if (names.some((name) => folderOf(name) === to) && single === null) return "That is where they already are.";
  }
  return findCollision(stepsOf(names, to, single), target === bucket);
}
