// @ts-check
// Uploads in parts that are not complete, in the browser's storage: they continue after a reload.
//
// Each upload has an item of its own, so that tabs do not overwrite each other's.

const PREFIX = "jetstow.upload.";
const EDGE = 64 * 1024;

/** A record that another tab has touched this recently is in use there, in milliseconds. */
const IN_USE = 90_000;

/** This tab. It keeps its id when it is reloaded. */
const TAB = tabId();

/**
 * @typedef {object} UploadRecord
 * @property {string} id the id of the upload
 * @property {string} owner the access key that began it
 * @property {string} bucket
 * @property {string} key
 * @property {string} name the name of the file, for the file dialog
 * @property {number} size
 * @property {number} lastModified
 * @property {number} partSize
 * @property {string} fingerprint of the first and the last 64 KiB
 * @property {boolean} isNew whether the object must not exist when it is complete
 * @property {boolean} [isCancelled] whether its parts are to be removed
 * @property {string} tab
 * @property {number} touched when the tab last made progress, in milliseconds
 */

/**
 * Store a record, or the time of its last progress.
 * @param {Omit<UploadRecord, "tab" | "touched">} record
 */
export function saveRecord(record) {
  try {
    localStorage.setItem(PREFIX + record.id, JSON.stringify({...record, tab: TAB, touched: Date.now()}));
  } catch { /* the storage is full or switched off: the upload works, but not after a reload */ }
}

/** @param {string} id */
export function removeRecord(id) {
  try {
    localStorage.removeItem(PREFIX + id);
  } catch { /* the storage is switched off */ }
}

/**
 * Return the uploads that a key began and that no other tab is working on.
 * @param {string} owner
 * @returns {UploadRecord[]}
 */
export function loadRecords(owner) {
  const records = [];
  try {
    for (const item of Object.keys(localStorage)) {
      if (!item.startsWith(PREFIX)) continue;
      const record = JSON.parse(localStorage.getItem(item) ?? "null");
      const isElsewhere = record?.tab !== TAB && Date.now() - record?.touched < IN_USE;
      if (record?.owner === owner && !isElsewhere) records.push(record);
    }
  } catch { /* the storage is switched off, or its content is not ours */ }
  return records.sort((a, b) => a.touched - b.touched);
}

/**
 * Return whether a file can be that of a record, without reading it.
 * @param {UploadRecord} record
 * @param {File} file
 */
export function looksLike(record, file) {
  return file.size === record.size && file.lastModified === record.lastModified;
}

/**
 * Return a fingerprint of a file: its first and last 64 KiB. It finds a changed file, not a forged
 * one, so a fast hash does: `crypto.subtle` is missing on pages without TLS.
 * @param {File} file
 */
export async function fingerprint(file) {
  const edges = [file.slice(0, EDGE), file.slice(Math.max(0, file.size - EDGE))];
  const bytes = await Promise.all(edges.map(async (edge) => new Uint8Array(await edge.arrayBuffer())));
  return bytes.map((each) => hash(each, 0x811c9dc5) + hash(each, 0x1000193)).join("-");
}

/**
 * FNV-1a of bytes.
 * @param {Uint8Array} bytes
 * @param {number} start
 */
function hash(bytes, start) {
  let value = start;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return (value >>> 0).toString(16).padStart(8, "0");
}

function tabId() {
  const fresh = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
  try {
    const id = sessionStorage.getItem("jetstow.tab") ?? fresh;
    sessionStorage.setItem("jetstow.tab", id);
    return id;
  } catch {
    return fresh;
  }
}
