// @ts-check
/** Copy and move objects and folders, within a bucket or to another one. */
import {html, useEffect, useState} from "./vendor/preact.js";
import {ApiError, get, s3} from "./api.js";
import {describe} from "./deletes.js";
import {baseName, count, folderOf, middle, visible} from "./format.js";
import {renameObject} from "./object_actions.js";
import {OlderVersions} from "./older_versions.js";
import {namesBelow} from "./rows.js";
import {createStore, useStore} from "./store.js";
import {progressToast, toast} from "./toasts.js";
import {Button, Dialog, ErrorBox, Field} from "./ui.js";

/**
 * @typedef {{names: string[], prefixes: string[]}} Selection
 * @typedef {Selection & {kind: "copy"|"move", bucket: string, onStart?: () => void}} Transfer
 * @typedef {{from: string, to: string}} Step
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
    run(transfer, target, to, single, replace);
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

/** What becomes what, of objects. @param {string[]} names @param {string} to @param {string|null} single @returns {Step[]} */
const stepsOf = (names, to, single) => names.map((name) => ({from: name, to: single === null ? to + baseName(name) : to}));

/** The two objects of which steps would keep one only. @param {Step[]} steps @param {boolean} isSameBucket */
function findCollision(steps, isSameBucket) {
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

/** @param {Transfer} transfer @param {string} target @param {string} to @param {string|null} single @param {boolean} replace */
async function run(transfer, target, to, single, replace) {
  const {kind, bucket} = transfer;
  const what = visible(describe(transfer));
  const [doing, done] = kind === "copy" ? ["Copying", "Copied"] : ["Moving", "Moved"];
  const control = new AbortController();
  const progress = progressToast(`${doing} ${what}`, () => control.abort());
  let finished = 0;
  /** @type {{name: string, error: any}[]} */
  const failed = [];
  try {
    const steps = await plan(transfer, to, single, control.signal);
    const problem = findCollision(steps, target === bucket);
    if (problem) throw new Error(problem);
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
    progress.close();
  }
}

/** What becomes what. @param {Transfer} transfer @param {string} to @param {string|null} single @param {AbortSignal} signal @returns {Promise<Step[]>} */
async function plan({bucket, names, prefixes}, to, single, signal) {
  const steps = stepsOf(names, to, single);
  for (const prefix of prefixes) {
    const place = single === null ? to + baseName(prefix) : to;
    const below = await namesBelow(bucket, prefix, signal);
    steps.push(...below.map((name) => ({from: name, to: place + name.slice(prefix.length)})));
  }
  return steps;
}

/** @param {"copy"|"move"} kind @param {string} bucket @param {string} target @param {Step} step @param {boolean} replace */
async function moveOrCopy(kind, bucket, target, {from, to}, replace) {
  if (kind === "move" && bucket === target) return renameObject(bucket, from, to, {replace});
  const headers = /** @type {Record<string, string>} */ ({"x-amz-copy-source": `/${bucket}/${encodeURIComponent(from)}`});
  if (!replace) headers["if-none-match"] = "*";
  const response = await s3("PUT", target, to, {headers});
  // A copy that takes long answers with status 200 first, and may fail then.
  const error = new DOMParser().parseFromString(await response.text(), "application/xml").querySelector("Error > Code");
  if (error) throw new ApiError(error.textContent ?? "", error.parentElement?.querySelector("Message")?.textContent ?? "", 500);
  if (kind === "move") await s3("DELETE", bucket, from);
}

/** @param {string} verb @param {string} message @param {{name: string, error: any}[]} failed @param {number} finished */
function report(verb, message, failed, finished) {
  if (!failed.length) return toast(message, {kind: "ok"});
  const {name, error} = failed[0];
  const why = error.status === 412 ? "an object with this name exists there" : error.message;
  const others = failed.length > 1 ? `; ${count(failed.length)} of ${count(finished)} failed` : "";
  return toast(`Not ${verb}: “${middle(name, 60)}”: ${why}${others}`, {kind: "danger"});
}
