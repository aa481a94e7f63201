// @ts-check
/** What can be done with one object: links to download it, and the dialogs to share and to rename it. */
import {html, useEffect, useState} from "./vendor/preact.js";
import {ApiError, at, post, s3, s3Path} from "./api.js";
import {baseName, exactTime, folderOf, visible} from "./format.js";
import {OlderVersions} from "./older_versions.js";
import {createStore, useStore} from "./store.js";
import {Button, Dialog, ErrorBox, Field, Icon, Name, toast} from "./ui.js";

/**
 * @typedef {{kind: "share", bucket: string, name: string, version?: string}
 *   | {kind: "rename", bucket: string, name: string, onDone?: (name: string) => void}} OpenDialog
 */

const opened = createStore(/** @type {OpenDialog|null} */ (null));

/** @param {string} bucket @param {string} name @param {string} [version] */
export const openShare = (bucket, name, version) => opened.set({kind: "share", bucket, name, version});

/** @param {string} bucket @param {string} name @param {(name: string) => void} [onDone] called with the new name */
export const openRename = (bucket, name, onDone) => opened.set({kind: "rename", bucket, name, onDone});

/** The URL of an object's bytes, as an attachment. @param {string} bucket @param {string} name @param {string|null} [version] */
export const downloadUrl = (bucket, name, version) => s3Path(bucket, name, version ? {versionId: version} : {});

/**
 * Download a URL without leaving the page.
 * @param {string} url
 * @param {string} [name] of the file
 */
export function startDownload(url, name = "") {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Download an object. @param {string} bucket @param {string} name @param {string|null} [version] */
export const downloadObject = (bucket, name, version) => startDownload(downloadUrl(bucket, name, version), baseName(name));

/** A link to the bytes of an object, as a button. @param {{bucket: string, name: string, version?: string|null, kind?: string}} props */
export function DownloadLink({bucket, name, version, kind = "plain"}) {
  return html`<a class="button button-${kind}" href=${downloadUrl(bucket, name, version)} download=${baseName(name)}><${Icon} name="download" /><span>Download</span></a>`;
}

/** The open dialog: once in the page. */
export function ObjectDialogs() {
  const dialog = useStore(opened);
  const close = () => opened.set(null);
  if (dialog?.kind === "share") return html`<${ShareDialog} ...${dialog} onClose=${close} />`;
  if (dialog?.kind === "rename") return html`<${RenameDialog} ...${dialog} onClose=${close} />`;
  return null;
}

const HOUR = 3600;
const EXPIRIES = [
  {seconds: HOUR / 4, label: "15 minutes"},
  {seconds: HOUR, label: "1 hour"},
  {seconds: 24 * HOUR, label: "1 day"},
  {seconds: 7 * 24 * HOUR, label: "7 days (the longest)"},
];

/** @param {{bucket: string, name: string, version?: string, onClose: () => void}} props */
function ShareDialog({bucket, name, version, onClose}) {
  const [seconds, setSeconds] = useState(24 * HOUR);
  const [link, setLink] = useState(/** @type {{url: string, expires: string}|null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [copied, setCopied] = useState(false);
  const load = () => {
    const controller = new AbortController();
    setLink(null);
    setError(null);
    setCopied(false);
    const body = {name, version: version ?? null, seconds};
    post(at`buckets/${bucket}/share`, body, controller.signal).then(setLink, (failure) => {
      if (!controller.signal.aborted) setError(failure);
    });
    return () => controller.abort();
  };
  useEffect(load, [seconds]);
  const copy = async () => {
    if (link) setCopied(await copyText(link.url));
  };
  const actions = html`<${Button} onClick=${onClose}>Close<//>
    <${Button} kind="primary" icon=${copied ? "check" : "copy"} disabled=${!link} onClick=${copy}>${copied ? "Copied" : "Copy link"}<//>`;
  return html`<${Dialog} title="Share" onClose=${onClose} actions=${actions}>
    <p>Everyone who has the link can download <b><${Name} value=${baseName(name)} /></b>${version ? " in this version" : ""},
      without a key, until the link expires or your key is revoked.</p>
    <${Field} label="Expires after" as="select" value=${String(seconds)} onInput=${(/** @type {string} */ value) => setSeconds(Number(value))}>
      ${EXPIRIES.map((each) => html`<option key=${each.seconds} value=${String(each.seconds)}>${each.label}</option>`)}
    <//>
    <${Field} label="Link" value=${link?.url ?? ""} readOnly placeholder=${error ? "" : "Creating the link"}
      onFocus=${(/** @type {any} */ event) => event.target.select()}
      hint=${link ? `Valid until ${exactTime(link.expires)}` : " "} />
    <${ErrorBox} error=${error} onRetry=${load} />
    <p class="visually-hidden" role="status">${copied ? "The link was copied" : ""}</p>
  <//>`;
}

/**
 * Copy text to the clipboard. Return whether that worked: pages without TLS have the old way only.
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) toast("The browser does not allow copying. Select the text, then press Ctrl C.", {kind: "danger"});
    return done;
  }
}

/** @param {{bucket: string, name: string, onDone?: (name: string) => void, onClose: () => void}} props */
function RenameDialog({bucket, name, onDone, onClose}) {
  const [typed, setTyped] = useState(name);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const exists = error instanceof ApiError && error.status === 412;
  const isReady = typed !== "" && typed !== name;
  const change = (/** @type {string} */ value) => {
    setTyped(value);
    setError(null);
  };
  const rename = async () => {
    if (!isReady) return;
    setBusy(true);
    setError(null);
    try {
      await renameObject(bucket, name, typed, {replace: exists});
      toast(folderOf(typed) === folderOf(name) ? `Renamed to ${visible(typed)}` : `Moved to ${visible(`${bucket}/${typed}`)}`, {kind: "ok"});
      onClose();
      onDone?.(typed);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const actions = html`<${Button} onClick=${onClose} disabled=${busy}>Cancel<//>
    <${Button} type="submit" kind=${exists ? "danger" : "primary"} busy=${busy} disabled=${!isReady}>${exists ? "Replace" : "Rename"}<//>`;
  const select = (/** @type {HTMLInputElement|null} */ input) => selectStem(input, name);
  return html`<${Dialog} title="Rename" onClose=${onClose} onSubmit=${rename} busy=${busy} actions=${actions}>
    <${Field} label="New name" value=${typed} onInput=${change} inputRef=${select}
      hint="The whole name, with its folder. Without the folder, the object moves to the top of the bucket." />
    <${OlderVersions} bucket=${bucket} name=${name} />
    ${exists
      ? html`<div class="error-box" role="alert"><div>An object with this name exists. Replace it?</div></div>`
      : html`<${ErrorBox} error=${error} />`}
  <//>`;
}

/** @type {WeakSet<HTMLInputElement>} */
const selected = new WeakSet();

/** Select the name without folder and extension, once. @param {HTMLInputElement|null} input @param {string} name */
function selectStem(input, name) {
  if (!input || selected.has(input)) return;
  selected.add(input);
  const start = folderOf(name).length;
  const dot = name.lastIndexOf(".");
  setTimeout(() => input.setSelectionRange(start, dot > start ? dot : name.length));
}

/**
 * Give an object another name. Raises `ApiError`; status 412: the name is taken.
 * @param {string} bucket @param {string} name @param {string} newName
 * @param {{replace?: boolean}} [options]
 */
export async function renameObject(bucket, name, newName, {replace = false} = {}) {
  const headers = /** @type {Record<string, string>} */ ({"x-amz-rename-source": `/${bucket}/${encodeURIComponent(name)}`});
  if (!replace) headers["if-none-match"] = "*";
  await s3("PUT", bucket, newName, {query: {renameObject: ""}, headers});
}
