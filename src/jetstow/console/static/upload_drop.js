// @ts-check
// Files and folders that are dropped or chosen, as a list with paths.
import {useEffect} from "./vendor/preact.js";
import {toast} from "./ui.js";
import {uploads} from "./upload_queue.js";

/** @typedef {import("./upload_queue.js").Entry} Entry */

/**
 * Return the files of an input. Those of a chosen folder have its name in their path.
 * @param {FileList} files
 * @returns {Entry[]}
 */
export function chosenEntries(files) {
  return sorted(Array.from(files, (file) => ({path: file.webkitRelativePath || file.name, file})));
}

/**
 * Return the files of a drop, folders with all their files.
 * @param {DataTransfer} transfer
 * @returns {Promise<{entries: Entry[], unreadable: string[]}>}
 */
export async function droppedEntries(transfer) {
  // The list is empty after the first await: collect everything before.
  const roots = [];
  for (const item of transfer.items) {
    const entry = item.kind === "file" ? item.webkitGetAsEntry?.() : null;
    const file = item.kind === "file" && !entry ? item.getAsFile() : null;
    if (entry) roots.push(entry);
    else if (file) roots.push(file);
  }
  /** @type {Entry[]} */
  const entries = [];
  /** @type {string[]} */
  const unreadable = [];
  for (const root of roots) {
    if (root instanceof File) entries.push({path: root.name, file: root});
    else await collect(root, entries, unreadable);
  }
  return {entries: sorted(entries), unreadable};
}

/** @param {Entry[]} entries */
const sorted = (entries) => entries.sort((a, b) => (a.path < b.path ? -1 : 1));

/**
 * Add the files of an entry to a list.
 * @param {FileSystemEntry} root
 * @param {Entry[]} entries
 * @param {string[]} unreadable paths that could not be read
 */
async function collect(root, entries, unreadable) {
  const waiting = [root];
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    const path = entry.fullPath.replace(/^\//, "");
    try {
      if (entry.isFile) entries.push({path, file: await fileOf(/** @type {FileSystemFileEntry} */ (entry))});
      else waiting.push(...await childrenOf(/** @type {FileSystemDirectoryEntry} */ (entry)));
    } catch {
      unreadable.push(path);
    }
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/**
 * Return the entries of a folder, which browsers report in batches of 100.
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function childrenOf(folder) {
  const reader = folder.createReader();
  const children = [];
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return children;
    children.push(...batch);
  }
}

/**
 * Upload what is dropped on an element.
 * @param {{current: HTMLElement | null}} ref
 * @param {{bucket: string, prefix: string, disabled?: boolean}} target
 */
export function useDrop(ref, {bucket, prefix, disabled = false}) {
  useEffect(() => {
    const element = ref.current;
    if (!element || disabled) return undefined;
    let depth = 0; // enter and leave are reported for each child
    const mark = (/** @type {number} */ value) => {
      depth = Math.max(0, value);
      element.classList.toggle("is-drop-target", depth > 0);
    };
    const enter = (/** @type {DragEvent} */ event) => { if (hasFiles(event)) mark(depth + 1); };
    const leave = (/** @type {DragEvent} */ event) => { if (hasFiles(event)) mark(depth - 1); };
    const over = (/** @type {DragEvent} */ event) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    };
    const drop = (/** @type {DragEvent} */ event) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      mark(0);
      void addDropped(event.dataTransfer, bucket, prefix);
    };
    const handlers = Object.entries({dragenter: enter, dragleave: leave, dragover: over, drop});
    for (const [name, handler] of handlers) element.addEventListener(name, /** @type {any} */ (handler));
    return () => {
      mark(0);
      for (const [name, handler] of handlers) element.removeEventListener(name, /** @type {any} */ (handler));
    };
  }, [ref.current, bucket, prefix, disabled]);
}

/** @param {DataTransfer} transfer @param {string} bucket @param {string} prefix */
async function addDropped(transfer, bucket, prefix) {
  const {entries, unreadable} = await droppedEntries(transfer);
  if (unreadable.length) toast(`${unreadable.length} files could not be read, such as ${unreadable[0]}.`, {kind: "danger"});
  else if (!entries.length) toast("There are no files in what you dropped. A bucket has no empty folders.");
  await uploads.add(bucket, entries, prefix);
}

/** @param {DragEvent} event */
function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

// A file that misses the drop zone would replace the page, and end the uploads.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => {
    if (hasFiles(/** @type {DragEvent} */ (event))) event.preventDefault();
  });
}
