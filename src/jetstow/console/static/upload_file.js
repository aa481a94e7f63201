// The upload of one file: its state, its requests, pause and resume.
import {ApiError} from "./api.js";
import {fingerprint, removeRecord, saveRecord} from "./upload_records.js";
import {abortUpload, completeUpload, createUpload, exists, listParts, PART_SIZE, partSize, putFile, putPart}
  from "./upload_s3.js";
import {retrying, UploadError} from "./upload_send.js";

/** @typedef {import("./upload_slots.js").Slots} Slots */
/** @typedef {import("./upload_records.js").UploadRecord} UploadRecord */

/**
 * `needs-file`: begun before the page was reloaded, and the file has to be chosen again.
 * @typedef {"queued" | "uploading" | "waiting" | "paused" | "conflict" | "done" | "skipped" | "failed"
 *   | "needs-file" | "cancelled"} State
 */

let nextId = 1;

export class FileUpload {
  /**
   * @param {{bucket: string, key: string, file: File | null, record?: UploadRecord, owner: string,
   *   slots: Slots, onChange: () => void}} options
   */
  constructor({bucket, key, file, record, owner, slots, onChange}) {
    this.id = nextId++;
    this.bucket = bucket;
    this.key = key;
    this.file = file;
    this.owner = owner;
    this.size = file?.size ?? record?.size ?? 0;
    /** Whether the object must not exist. */
    this.isNew = record?.isNew ?? true;
    /** @type {State} */
    this.state = file ? "queued" : "needs-file";
    /** @type {UploadError | null} */
    this.error = null;
    /** When the next attempt is made, in milliseconds since the epoch; 0: none is due. */
    this.retryAt = 0;
    this.record = record ?? null;
    this.slots = slots;
    this.onChange = onChange;
    /** @type {Map<number, string>} ETags of the parts that the gateway has, by number */
    this.etags = new Map();
    this.stored = 0;
    /** The bytes that were stored before the page was loaded. */
    this.found = 0;
    /** @type {Map<number, number>} bytes sent of the requests that are running, by part */
    this.sending = new Map();
    this.wasChecked = false;
    this.controller = new AbortController();
  }

  /** The bytes that were sent. */
  get loaded() {
    if (this.state === "done") return this.size;
    let loaded = this.stored;
    for (const bytes of this.sending.values()) loaded += bytes;
    return Math.min(loaded, this.size);
  }

  /** Whether nothing more happens to it. */
  get isOver() {
    return this.state === "done" || this.state === "skipped" || this.state === "cancelled";
  }

  /** Upload the file, until it is stored, paused, cancelled, failed, or in conflict. */
  async run() {
    if (!this.file) return;
    const controller = new AbortController();
    const {signal} = controller;
    this.controller = controller;
    this.set("uploading");
    try {
      await this.check(signal);
      if (this.size <= PART_SIZE) await this.#sendWhole(signal);
      else await this.#sendParts(signal);
      this.stored = this.size;
      this.set("done");
    } catch (error) {
      if (signal.aborted) return; // paused or cancelled: it may run again already
      controller.abort(); // the other parts
      this.#handle(error);
    }
  }

  /** Look before a large file is sent whether its object exists. */
  async check(/** @type {AbortSignal} */ signal) {
    if (!this.isNew || this.wasChecked || this.record || this.size <= PART_SIZE) return;
    if (await this.#request(signal, () => exists(this, {signal}))) {
      throw new UploadError("PreconditionFailed", "An object with this name exists.", 412);
    }
    this.wasChecked = true;
  }

  pause() {
    if (["queued", "uploading", "waiting"].includes(this.state)) {
      this.controller.abort();
      this.set("paused");
    }
  }

  /** Queue it again: after a pause, or after an error. */
  resume() {
    if (this.state === "paused" || this.state === "failed" || this.state === "conflict") this.set("queued");
  }

  /** Cancel it, and remove what was stored of it. */
  async cancel() {
    if (this.isOver) return;
    this.controller.abort();
    this.set("cancelled");
    await this.#discard();
  }

  /** Leave the object that exists as it is. */
  async skip() {
    this.set("skipped");
    await this.#discard();
  }

  /** Replace the object that exists. */
  replace() {
    this.isNew = false;
    this.set("queued");
  }

  /** Use another key. Parts that were sent under the first one are removed. */
  async rename(/** @type {string} */ key) {
    await this.#discard();
    this.#forget();
    this.key = key;
    this.wasChecked = false;
    this.set("queued");
  }

  /** Continue an upload that was begun before the page was loaded. */
  attach(/** @type {File} */ file) {
    this.file = file;
    this.set("queued");
  }

  set(/** @type {State} */ state) {
    this.state = state;
    if (state !== "uploading") this.sending.clear();
    if (state !== "failed") this.error = null;
    if (state !== "waiting") this.retryAt = 0;
    this.onChange();
  }

  async #sendWhole(/** @type {AbortSignal} */ signal) {
    const file = /** @type {File} */ (this.file);
    const onProgress = (/** @type {number} */ loaded) => { this.sending.set(1, loaded); this.onChange(); };
    await this.#request(signal, () => putFile(this, file, {isNew: this.isNew, signal, onProgress}));
  }

  async #sendParts(/** @type {AbortSignal} */ signal) {
    const record = await this.#begin(signal);
    const file = /** @type {File} */ (this.file);
    const numbers = [];
    for (let number = 1; (number - 1) * record.partSize < this.size; number += 1) {
      if (!this.etags.has(number)) numbers.push(number);
    }
    // The gateway stores parts in order, so they begin in order: each slot takes the next.
    const running = [1, 2, 3].map(async () => {
      for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
        await this.#sendPart(record, file, number, signal);
      }
    });
    await Promise.all(running);
    const etags = [...this.etags].sort(([a], [b]) => a - b).map(([, etag]) => etag);
    try {
      await this.#request(signal, () => completeUpload(this, record.id, etags, {isNew: this.isNew, signal}));
    } catch (error) {
      // Another attempt may have completed it; if not, the parts are gone, and it starts again.
      if (error instanceof UploadError && error.code === "NoSuchUpload") this.#forget();
      throw error;
    }
    removeRecord(record.id);
  }

  async #sendPart(/** @type {UploadRecord} */ record, /** @type {File} */ file, /** @type {number} */ number,
    /** @type {AbortSignal} */ signal) {
    const start = (number - 1) * record.partSize;
    const body = file.slice(start, start + record.partSize);
    const onProgress = (/** @type {number} */ loaded) => {
      this.sending.set(number, Math.min(loaded, body.size));
      this.onChange();
    };
    const etag = await this.#request(signal, () => putPart(this, record.id, number, body, {signal, onProgress}));
    this.sending.delete(number);
    this.etags.set(number, etag);
    this.stored += body.size;
    saveRecord(record);
    this.onChange();
  }

  /** Return the record of the upload in parts: a new one, or an earlier one with what it has. */
  async #begin(/** @type {AbortSignal} */ signal) {
    const file = /** @type {File} */ (this.file);
    if (this.record) {
      try {
        await this.#loadParts(this.record, signal);
        return this.record;
      } catch (error) {
        if (!(error instanceof UploadError) || error.code !== "NoSuchUpload") throw error;
        this.#forget();
      }
    }
    const id = await this.#request(signal, () => createUpload(this, file, {signal}));
    const {bucket, key, size, isNew, owner} = this;
    const fresh = {id, owner, bucket, key, name: file.name, size, isNew, lastModified: file.lastModified,
      partSize: partSize(size), fingerprint: await fingerprint(file)};
    this.record = /** @type {UploadRecord} */ (fresh);
    saveRecord(fresh);
    return this.record;
  }

  /** Ask the gateway which parts it has. */
  async #loadParts(/** @type {UploadRecord} */ record, /** @type {AbortSignal} */ signal) {
    const parts = await this.#request(signal, () => listParts(this, record.id, {signal}));
    this.etags.clear();
    const before = this.stored;
    this.stored = 0;
    for (const [number, {etag, size}] of parts) {
      const expected = Math.min(record.partSize, this.size - (number - 1) * record.partSize);
      if (size !== expected) continue;
      this.etags.set(number, etag);
      this.stored += size;
    }
    this.found += this.stored - before;
  }

  /**
   * Send a request in a free slot, and again while its error is transient.
   * @template T
   * @param {AbortSignal} signal
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  #request(signal, action) {
    const onWait = (/** @type {UploadError | null} */ error, /** @type {number} */ seconds) => {
      if (signal.aborted) return;
      this.set(error ? "waiting" : "uploading");
      this.error = error;
      this.retryAt = error ? Date.now() + seconds * 1000 : 0;
      this.onChange();
    };
    return retrying(async () => {
      try {
        return await this.slots.use(signal, action);
      } catch (error) {
        // A file that was changed on the disk looks like an error of the network.
        if (error instanceof UploadError && error.status === 0) await this.file?.slice(0, 1).arrayBuffer();
        throw error;
      }
    }, {signal, onWait});
  }

  #handle(/** @type {unknown} */ error) {
    if (error instanceof UploadError && error.status === 412) {
      this.set("conflict");
      return;
    }
    this.set("failed");
    this.error = error instanceof UploadError ? error : readError(error);
    this.onChange();
  }

  #forget() {
    if (this.record) removeRecord(this.record.id);
    this.record = null;
    this.etags.clear();
    this.stored = this.found = 0;
  }

  /** Remove the parts. The record is kept if that fails: the tray offers it after a reload. */
  async #discard() {
    const {record} = this;
    if (!record) return;
    try {
      await abortUpload(this, record.id);
      removeRecord(record.id);
    } catch (error) {
      this.error = error instanceof UploadError ? error : null;
    }
  }
}

/** The error of a name without a URL, or of a file that was changed, moved, or is a folder. */
function readError(/** @type {unknown} */ error) {
  if (error instanceof ApiError) return new UploadError(error.code, error.message, error.status);
  const why = error instanceof Error ? error.message : String(error);
  return new UploadError("FileNotReadable", `The file could not be read: ${why}`, 0);
}
