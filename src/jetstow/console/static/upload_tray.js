// @ts-check
// The list of uploads at the edge of the page. It stays while you browse.
import {html, useEffect, useRef, useState} from "./vendor/preact.js";
import {session} from "./api.js";
import {baseName, count, duration, folderOf, rate, size, visible} from "./format.js";
import {Link, paths} from "./router.js";
import {useStore} from "./store.js";
import {Button, Icon, Name, Progress, toast} from "./ui.js";
import {uploads} from "./upload_queue.js";

/** @typedef {import("./upload_file.js").FileUpload} FileUpload */

/** How many files are shown; a folder can have thousands. */
const SHOWN = 100;

/** Files that wait for the user first, then those that are sent. */
const ORDER = {conflict: 0, "needs-file": 1, failed: 2, uploading: 3, waiting: 3, paused: 4, queued: 5, done: 6,
  skipped: 7, cancelled: 8};

/** Render again when the uploads change. */
export function useUploads() {
  const [, update] = useState({});
  useEffect(() => uploads.subscribe(() => update({})), []);
}

export function UploadTray() {
  useUploads();
  const current = useStore(session);
  const [isOpen, setOpen] = useState(true);
  const files = uploads.files.filter((each) => each.state !== "cancelled");
  const conflict = uploads.conflicts[0];
  const totals = uploads.totals();
  const isOver = totals.active + totals.paused + totals.conflicts + totals.failed + totals.needed === 0;
  // It covers a part of the page: open while it has something to say.
  useEffect(() => setOpen(!isOver), [isOver]);
  useEffect(() => {
    if (conflict) setOpen(true);
  }, [conflict]);
  if (!current || !files.length) return null;
  const sorted = [...files].sort((a, b) => ORDER[a.state] - ORDER[b.state] || a.id - b.id);
  return html`<section class="tray ${isOpen ? "" : "is-closed"}" role="region" aria-label="Uploads">
    <header class="tray-head">
      <button type="button" class="tray-title" aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)}>
        <span class="tray-arrow ${isOpen ? "is-open" : ""}"><${Icon} name="chevron" /></span>
        <span class="tray-summary">${summary(totals).split(" · ").map((part, index) => html`${index > 0 && " · "}<span key=${index}>${part}</span>`)}</span>
      </button>
      <${AllButtons} totals=${totals} />
    </header>
    ${totals.active > 0 && html`<${Progress} label="All uploads" value=${totals.loaded} max=${totals.size} />`}
    ${isOpen && html`
      ${conflict && html`<${Conflict} key=${conflict.id} file=${conflict} />`}
      <ul class="tray-list">
        ${sorted.slice(0, SHOWN).map((file) => html`<${File} key=${file.id} file=${file} />`)}
      </ul>
      ${sorted.length > SHOWN && html`<p class="tray-more">and ${count(sorted.length - SHOWN)} more</p>`}
    `}
    <${Announcer} totals=${totals} />
  </section>`;
}

/** @param {import("./upload_queue.js").Totals} totals */
function summary({files, done, failed, active, paused, conflicts, needed, size: bytes, loaded, speed, remaining}) {
  const failures = failed ? ` · ${failed} failed` : "";
  if (active) {
    const percent = bytes ? Math.floor(loaded / bytes * 100) : 0;
    const time = remaining === null ? "" : ` · ${rate(speed)} · ${duration(Math.ceil(remaining))} left`;
    return `Uploading ${count(Math.min(done + 1, files))} of ${count(files)} · ${percent} %${time}${failures}`;
  }
  if (conflicts) return `${count(done)} of ${count(files)} uploaded · waits for your answer${failures}`;
  if (paused) return `${count(done)} of ${count(files)} uploaded · paused${failures}`;
  if (needed) return `${count(needed, "unfinished upload")}${failures}`;
  if (failed) return `${count(done)} of ${count(files)} uploaded${failures}`;
  return done ? `${count(done, "file")} uploaded` : "Nothing was uploaded";
}

/** @param {{totals: import("./upload_queue.js").Totals}} props */
function AllButtons({totals: {active, paused, conflicts, failed, needed}}) {
  const isBusy = active + paused + conflicts > 0;
  return html`<div class="tray-buttons">
    ${active > 0 && html`<${Button} kind="quiet" icon="pause" label="Pause all" onClick=${() => uploads.pauseAll()} />`}
    ${active === 0 && paused + failed > 0 && html`<${Button} kind="quiet" icon=${paused ? "play" : "refresh"}
      label=${paused ? "Resume all" : "Retry all"} onClick=${() => uploads.resumeAll()} />`}
    ${isBusy && html`<${Button} kind="quiet" icon="close" label="Cancel all" onClick=${() => uploads.cancelAll()} />`}
    ${!isBusy && !needed && html`<${Button} kind="quiet" icon="close" label="Close" onClick=${() => uploads.clear()} />`}
  </div>`;
}

/** Ask what to do with a file whose object exists. @param {{file: FileUpload}} props */
function Conflict({file}) {
  const [forAll, setForAll] = useState(false);
  const others = uploads.conflicts.length - 1;
  const resolve = (/** @type {"replace" | "keep" | "skip"} */ choice) => () => uploads.resolve(file, choice, forAll);
  return html`<div class="tray-conflict" role="group" aria-label="Name conflict">
    <p role="alert">The bucket <b>${visible(file.bucket)}</b> already has <b><${Name} value=${file.key} /></b>.</p>
    <div class="tray-buttons">
      <${Button} kind="danger" onClick=${resolve("replace")}>Replace<//>
      <${Button} onClick=${resolve("keep")}>Keep both<//>
      <${Button} onClick=${resolve("skip")}>Skip<//>
    </div>
    <label class="check"><input type="checkbox" checked=${forAll} onChange=${() => setForAll(!forAll)} />
      For all further conflicts${others ? ` (${count(others)} more now)` : ""}</label>
  </div>`;
}

/** @param {{file: FileUpload}} props */
function File({file}) {
  const {state} = file;
  const name = baseName(file.key);
  const isRunning = ["uploading", "waiting", "paused"].includes(state);
  return html`<li class=${`tray-file is-${state}`}>
    <div class="tray-line">
      <span class="tray-name" title=${`${file.bucket}/${visible(file.key)}`}>
        ${state === "done" ? html`<${Link} href=${paths.object(file.bucket, file.key)}><${Name} value=${name} /><//>` : html`<${Name} value=${name} />`}
      </span>
      <${FileButtons} file=${file} />
    </div>
    ${isRunning && html`<${Progress} label=${visible(name)} value=${file.loaded} max=${file.size} />`}
    <div class="tray-state"><span>${stateText(file)}</span><span>${amount(file)}</span></div>
  </li>`;
}

/** @param {FileUpload} file */
function stateText(file) {
  const {state, error} = file;
  if (state === "failed") return `Failed: ${error?.message ?? "unknown error"} (${error?.code ?? "Error"})`;
  if (state === "waiting") {
    const seconds = Math.max(0, Math.ceil((file.retryAt - Date.now()) / 1000));
    const why = !error?.status ? "Waiting for the network"
      : error.status === 503 ? "The storage is not available" : `${error.message} (${error.code})`;
    return seconds ? `${why}: next attempt in ${seconds} s` : why;
  }
  return {queued: "Waiting for its turn", uploading: file.loaded >= file.size && file.size ? "Storing" : "Uploading",
    paused: "Paused", conflict: "Exists already", done: "Done", skipped: "Skipped", cancelled: "Cancelled",
    "needs-file": "Paused: the page was reloaded"}[state];
}

/** @param {FileUpload} file */
function amount(file) {
  if (file.state === "uploading" || file.state === "waiting" || file.state === "paused") {
    return `${size(file.loaded)} of ${size(file.size)}`;
  }
  return `${size(file.size)} · ${visible(file.bucket)}/${visible(folderOf(file.key))}`;
}

/** @param {{file: FileUpload}} props */
function FileButtons({file}) {
  const {state} = file;
  const name = visible(baseName(file.key));
  const button = (/** @type {string} */ text, /** @type {string} */ icon, /** @type {() => void} */ action) =>
    html`<${Button} kind="quiet" icon=${icon} label=${`${text} ${name}`} onClick=${action} />`;
  return html`<span class="tray-buttons">
    ${state === "needs-file" && html`<${ChooseAgain} file=${file} />`}
    ${["queued", "uploading", "waiting"].includes(state) && button("Pause", "pause", () => file.pause())}
    ${state === "paused" && button("Resume", "play", () => uploads.resume(file))}
    ${state === "failed" && button("Retry", "refresh", () => uploads.resume(file))}
    ${!file.isOver && button("Cancel", "close", () => cancel(file))}
  </span>`;
}

/** Choose the file of an upload from before a reload. @param {{file: FileUpload}} props */
function ChooseAgain({file}) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const choose = async (/** @type {any} */ {target}) => {
    const chosen = target.files[0];
    if (!chosen) return;
    target.value = "";
    const expected = file.parts.record?.name ?? file.key;
    if (!await uploads.attach(file, chosen)) {
      toast(`${chosen.name} is not the file that the upload began with: ${expected}, ${size(file.size)}. `
        + "To upload it instead, cancel this upload first.", {kind: "danger"});
    }
  };
  return html`<input class="visually-hidden" tabindex="-1" type="file" ref=${input} onChange=${choose}
      aria-label=${`File of ${visible(file.key)}`} />
    <${Button} kind="primary" onClick=${() => input.current?.click()}>Choose file again<//>`;
}

/** @param {FileUpload} file */
async function cancel(file) {
  await file.cancel();
  if (file.error) toast(`The parts of ${file.key} could not be removed: ${file.error.message}`, {kind: "danger"});
}

/** Reports to screen readers that the uploads have ended. @param {{totals: import("./upload_queue.js").Totals}} props */
function Announcer({totals}) {
  const wasActive = useRef(false);
  const [text, setText] = useState("");
  const isOpen = totals.active + totals.paused + totals.conflicts > 0;
  useEffect(() => {
    setText(wasActive.current && !isOpen ? summary(totals) : "");
    wasActive.current = isOpen;
  }, [isOpen]);
  return html`<div class="visually-hidden" role="status" aria-label="Upload result">${text}</div>`;
}
