// @ts-check
// The parts of a large file: which the gateway has, and sending the others.
import {checksumHeader} from "./upload_checksum.js";
import {fingerprint, removeRecord, saveRecord} from "./upload_records.js";
import {abortUpload, completeUpload, createUpload, listParts, partSize, putPart} from "./upload_s3.js";
import {UploadError} from "./upload_send.js";

/** @typedef {import("./upload_records.js").UploadRecord} UploadRecord */

export class Parts {
  /**
   * @param {import("./upload_file.js").FileUpload} upload
   * @param {UploadRecord | null} record of an upload that was begun before the page was loaded
   */
  constructor(upload, record) {
    this.upload = upload;
    this.record = record;
    /** @type {Map<number, string>} ETags of the parts that the gateway has, by number */
    this.etags = new Map();
    this.stored = 0;
    /** The bytes that were stored before the page was loaded. */
    this.found = 0;
  }

  /** Send what the gateway does not have, and complete the object. */
  async send(/** @type {File} */ file, /** @type {AbortSignal} */ signal) {
    const record = await this.#begin(file, signal);
    if (!record) return;
    /** @type {number[]} */
    const numbers = [];
    for (let number = 1; (number - 1) * record.partSize < this.upload.size; number += 1) {
      if (!this.etags.has(number)) numbers.push(number);
    }
    // The gateway stores parts in order, so they begin in order. Three are sent while the next one is summed.
    const running = [1, 2, 3, 4].map(async () => {
      for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
        await this.#sendPart(record, file, number, signal);
      }
    });
    await Promise.all(running);
    const etags = [...this.etags].sort(([a], [b]) => a - b).map(([, etag]) => etag);
    try {
      await this.upload.request(signal, () => completeUpload(this.upload, record.id, etags, {isNew: this.upload.isNew, signal}));
    } catch (error) {
      if (isGone(error)) this.forget(); // it was aborted elsewhere: a retry begins again
      throw error;
    }
    removeRecord(record.id);
  }

  async #sendPart(/** @type {UploadRecord} */ record, /** @type {File} */ file, /** @type {number} */ number,
    /** @type {AbortSignal} */ signal) {
    const start = (number - 1) * record.partSize;
    const body = file.slice(start, start + record.partSize);
    const onProgress = (/** @type {number} */ loaded) => {
      this.upload.sending.set(number, Math.min(loaded, body.size));
      this.upload.onChange();
    };
    const headers = await checksumHeader(body, signal);
    const etag = await this.upload.request(signal, () => putPart(this.upload, record.id, number, body, {headers, signal, onProgress}));
    this.upload.sending.delete(number);
    this.etags.set(number, etag);
    this.stored += body.size;
    saveRecord(record);
    this.upload.onChange();
  }

  /** Return the record of the upload in parts: a new one, or an earlier one with what it has. Null: it is complete. */
  async #begin(/** @type {File} */ file, /** @type {AbortSignal} */ signal) {
    if (this.record) {
      try {
        await this.#loadParts(this.record, signal);
        return this.record;
      } catch (error) {
        if (!isGone(error)) throw error;
        if (await this.#wasCompleted(this.record, signal)) return null;
        this.forget();
      }
    }
    const id = await this.upload.request(signal, () => createUpload(this.upload, file, {signal}));
    const {bucket, key, size, isNew, owner} = this.upload;
    const fresh = {id, owner, bucket, key, name: file.name, size, isNew, lastModified: file.lastModified,
      partSize: partSize(size), fingerprint: await fingerprint(file)};
    this.record = /** @type {UploadRecord} */ (fresh);
    saveRecord(fresh);
    return this.record;
  }

  /**
   * Return whether an upload was completed, although the response was lost: the gateway repeats it then, if
   * the object still is that of the upload.
   */
  async #wasCompleted(/** @type {UploadRecord} */ record, /** @type {AbortSignal} */ signal) {
    try {
      await this.upload.request(signal, () => completeUpload(this.upload, record.id, ["0".repeat(32)], {isNew: false, signal}));
      removeRecord(record.id);
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  /** Ask the gateway which parts it has. */
  async #loadParts(/** @type {UploadRecord} */ record, /** @type {AbortSignal} */ signal) {
    const parts = await this.upload.request(signal, () => listParts(this.upload, record.id, {signal}));
    this.etags.clear();
    const before = this.stored;
    this.stored = 0;
    for (const [number, {etag, size}] of parts) {
      const expected = Math.min(record.partSize, this.upload.size - (number - 1) * record.partSize);
      if (size !== expected) continue;
      this.etags.set(number, etag);
      this.stored += size;
    }
    this.found += this.stored - before;
  }

  /** Begin again the next time. */
  forget() {
    if (this.record) removeRecord(this.record.id);
    this.record = null;
    this.etags.clear();
    this.stored = this.found = 0;
  }

  /** Remove the parts. The record is kept until then: if the page is closed, the next one does it. */
  async discard() {
    const {record} = this;
    if (!record) return;
    saveRecord({...record, isCancelled: true});
    try {
      await abortUpload(this.upload, record.id);
      removeRecord(record.id);
    } catch (error) {
      this.upload.error = error instanceof UploadError ? error : null;
    }
  }
}

/** Whether an error means that the gateway does not have the upload. */
function isGone(/** @type {unknown} */ error) {
  return error instanceof UploadError && error.code === "NoSuchUpload";
}
