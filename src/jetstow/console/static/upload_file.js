// @ts-check
// The upload of one file: its state, its requests, pause and resume.
import {checksumHeader} from "./upload_checksum.js";
import {Parts} from "./upload_parts.js";
import {exists, PART_SIZE, putFile} from "./upload_s3.js";
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
    this.parts = new Parts(this, record ?? null);
    this.slots = slots;
    this.onChange = onChange;
    /** @type {Map<number, number>} bytes sent of the requests that are running, by part */
    this.sending = new Map();
    this.wasChecked = false;
    this.controller = new AbortController();
  }

  /** The bytes that were sent. */
  get loaded() {
    if (this.state === "done") return this.size;
    let loaded = this.parts.stored;
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
      else await this.parts.send(this.file, signal);
      this.set("done");
    } catch (error) {
      if (signal.aborted) return; // paused or cancelled: it may run again already
      controller.abort(); // the other parts
      this.#handle(error);
    }
  }

  /** Look before a large file is sent whether its object exists. */
  async check(/** @type {AbortSignal} */ signal) {
    if (!this.isNew || this.wasChecked || this.parts.record || this.size <= PART_SIZE) return;
    if (await this.request(signal, () => exists(this, {signal}))) {
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
    await this.parts.discard();
  }

  /** Leave the object that exists as it is. */
  async skip() {
    this.set("skipped");
    await this.parts.discard();
  }

  /** Replace the object that exists. */
  replace() {
    this.isNew = false;
    if (this.parts.record) this.parts.record.isNew = false;
    this.set("queued");
  }

  /** Use another key. Parts that were sent under the first one are removed. */
  async rename(/** @type {string} */ key) {
    await this.parts.discard();
    this.parts.forget();
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
    const checksum = await checksumHeader(file, signal);
    await this.request(signal, () => putFile(this, file, {isNew: this.isNew, checksum, signal, onProgress}));
  }

  /**
   * Send a request in a free slot, and again while its error is transient.
   * @template T
   * @param {AbortSignal} signal
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  request(signal, action) {
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

}

/** The error of a file that was changed, moved, or is a folder. */
function readError(/** @type {unknown} */ error) {
  const why = error instanceof Error ? error.message : String(error);
  return new UploadError("FileNotReadable", `The file could not be read: ${why}`, 0);
}
