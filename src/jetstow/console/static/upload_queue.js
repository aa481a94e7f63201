// @ts-check
// All uploads of this page: they run while you browse.
import {session} from "./api.js";
import {keepObjects} from "./deletes.js";
import {FileUpload} from "./upload_file.js";
import {fingerprint, loadRecords, looksLike} from "./upload_records.js";
import {Slots} from "./upload_slots.js";

/** How many requests, and how many files, are sent at the same time. */
const PARALLEL = 3;

/** How often listeners are called at most, and the time over which the speed is measured. */
const REFRESH = 200;
const SPEED_WINDOW = 8000;

/** What a file costs besides its bytes, as bytes, for the remaining time. */
const PER_FILE = 64 * 1024;

/** @typedef {{path: string, file: File}} Entry a file with its path below the dropped folder */

/**
 * @typedef {object} Totals
 * @property {number} files uploads that are not skipped or cancelled
 * @property {number} done
 * @property {number} failed
 * @property {number} active queued, uploading or waiting
 * @property {number} paused
 * @property {number} needed begun before a reload: their files have to be chosen again
 * @property {number} size bytes in all
 * @property {number} loaded
 * @property {number} speed bytes per second
 * @property {number | null} remaining seconds, or null if unknown
 */

export class UploadQueue {
  constructor() {
    /** @type {FileUpload[]} */
    this.files = [];
    this.owner = "";
    /** What to do with all further conflicts: "" asks. @type {"" | "replace" | "keep" | "skip"} */
    this.policy = "";
    this.slots = new Slots(PARALLEL);
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** @type {{time: number, loaded: number, work: number}[]} */
    this.samples = [];
    this.timer = 0;
    this.running = 0;
    /** Files before this index are not queued: a folder can have many thousands. */
    this.cursor = 0;
    window.addEventListener("beforeunload", (event) => {
      if (this.totals().active) event.preventDefault();
    });
  }

  /**
   * Use the key of the session. Uploads of the key from before a reload are offered again.
   * @param {string} owner an access key; empty: there is no session, and what runs is paused
   */
  signIn(owner) {
    if (owner === this.owner) return;
    this.pauseAll();
    if (owner) this.files = this.files.filter((each) => each.owner === owner);
    this.owner = owner;
    const present = new Set(this.files.map((each) => each.parts.record?.id));
    for (const record of owner ? loadRecords(owner) : []) {
      if (present.has(record.id)) continue;
      const file = this.#newFile(record.bucket, record.key, null, record);
      if (record.isCancelled) void file.cancel(); // the page was closed before the gateway answered
      else this.files.push(file);
    }
    this.#changed();
  }

  /**
   * Upload files below a prefix.
   * @param {string} bucket
   * @param {Entry[]} entries
   * @param {string} prefix
   */
  async add(bucket, entries, prefix) {
    keepObjects(bucket, entries.map(({path}) => prefix + path));
    if (!this.totals().active) this.policy = "";
    const earlier = new Map(this.files.filter((each) => each.bucket === bucket).map((each) => [each.key, each]));
    const added = [];
    for (const {path, file} of entries) {
      const key = prefix + path;
      const before = earlier.get(key);
      if (before?.state === "needs-file" && await this.attach(before, file)) continue;
      if (before && !before.isOver && before.state !== "failed" && before.state !== "needs-file") continue; // it is uploaded now
      void before?.cancel(); // its parts are those of another file
      earlier.set(key, this.#newFile(bucket, key, file));
      added.push(key);
    }
    const replaced = new Set(added);
    const others = this.files.filter((each) => each.bucket !== bucket || !replaced.has(each.key));
    this.files = others.concat([...replaced].map((key) => /** @type {FileUpload} */ (earlier.get(key))));
    this.cursor = 0;
    this.#changed();
    this.#start();
  }

  /**
   * Continue an upload with the file that was chosen again.
   * @param {FileUpload} upload
   * @param {File} file
   * @returns {Promise<boolean>} whether it is the same file
   */
  async attach(upload, file) {
    const {record} = upload.parts;
    if (!record || !looksLike(record, file) || await fingerprint(file) !== record.fingerprint) return false;
    upload.attach(file);
    this.#restart();
    return true;
  }

  pauseAll() {
    for (const each of this.files) each.pause();
  }

  resumeAll() {
    for (const each of this.files) if (each.state === "paused" || each.state === "failed") each.resume();
    this.#restart();
  }

  async cancelAll() {
    await Promise.all(this.files.map((each) => each.cancel()));
  }

  /** @param {FileUpload} file */
  resume(file) {
    file.resume();
    this.#restart();
  }

  /** Remove the files of which nothing more happens from the list. */
  clear() {
    this.files = this.files.filter((each) => !each.isOver && each.state !== "failed");
    this.cursor = 0;
    this.#changed();
  }

  /**
   * Resolve the conflict of a file, and further ones with `forAll`.
   * @param {FileUpload} file
   * @param {"replace" | "keep" | "skip"} choice
   * @param {boolean} [forAll]
   */
  async resolve(file, choice, forAll = false) {
    if (forAll) this.policy = choice;
    const files = forAll ? this.conflicts : [file];
    for (const each of files) {
      if (choice === "replace") each.replace();
      else if (choice === "skip") await each.skip();
      else await each.rename(nextName(each.key));
    }
    this.#restart();
  }

  /** The files whose objects exist, which wait for a decision. */
  get conflicts() {
    return this.files.filter((each) => each.state === "conflict");
  }

  /** @param {() => void} listener @returns {() => void} a function that removes it */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @returns {Totals} */
  totals() {
    const totals = {files: 0, done: 0, failed: 0, active: 0, paused: 0, needed: 0, size: 0, loaded: 0};
    for (const each of this.files) {
      if (each.state === "skipped" || each.state === "cancelled") continue;
      totals.files += 1;
      totals.size += each.size;
      totals.loaded += each.loaded;
      if (each.state === "done") totals.done += 1;
      else if (each.state === "failed") totals.failed += 1;
      else if (each.state === "needs-file") totals.needed += 1;
      else if (each.state === "paused" || each.state === "conflict") totals.paused += 1;
      else totals.active += 1;
    }
    const {speed, workSpeed} = this.#speed();
    const work = totals.size - totals.loaded + (totals.files - totals.done) * PER_FILE;
    return {...totals, speed, remaining: workSpeed > 0 ? work / workSpeed : null};
  }

  /**
   * @param {string} bucket @param {string} key @param {File | null} file
   * @param {import("./upload_records.js").UploadRecord} [record] of an upload from before a reload
   */
  #newFile(bucket, key, file, record) {
    const {owner, slots} = this;
    return new FileUpload({bucket, key, file, record, owner, slots, onChange: () => this.#changed()});
  }

  /** Start queued files while there are free places, in order. */
  #start() {
    for (; this.running < PARALLEL && this.cursor < this.files.length; this.cursor += 1) {
      const next = this.files[this.cursor];
      if (next.state !== "queued" || next.owner !== this.owner) continue;
      this.running += 1;
      void this.#run(next);
    }
  }

  /** Start files that were queued again. */
  #restart() {
    this.cursor = 0;
    this.#start();
  }

  async #run(/** @type {FileUpload} */ file) {
    try {
      await file.run();
    } finally {
      this.running -= 1;
    }
    if (file.state === "conflict" && this.policy) await this.resolve(file, this.policy);
    if (file.error?.needsSignIn) session.set(null);
    this.#start();
  }

  #changed() {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.#sample();
      for (const listener of this.listeners) listener();
    }, REFRESH);
  }

  #sample() {
    const time = Date.now();
    let loaded = 0;
    let done = 0;
    for (const each of this.files) {
      loaded += each.loaded - each.parts.found;
      if (each.state === "done") done += 1;
    }
    this.samples = this.samples.filter((each) => time - each.time < SPEED_WINDOW);
    this.samples.push({time, loaded, work: loaded + done * PER_FILE});
  }

  /** Bytes per second, and those with the cost of files. */
  #speed() {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    if (!first || !last || last.time - first.time < 1000) return {speed: 0, workSpeed: 0};
    const seconds = (last.time - first.time) / 1000;
    return {
      speed: Math.max(0, last.loaded - first.loaded) / seconds,
      workSpeed: Math.max(0, last.work - first.work) / seconds,
    };
  }
}

/**
 * Return another name for an object: `a/b.txt` is followed by `a/b (2).txt`, then `a/b (3).txt`.
 * @param {string} key
 */
export function nextName(key) {
  const folder = key.slice(0, key.lastIndexOf("/") + 1);
  const name = key.slice(folder.length);
  const dot = name.lastIndexOf(".") > 0 ? name.lastIndexOf(".") : name.length;
  const [, base, number] = /^(.*?)(?: \((\d{1,6})\))?$/s.exec(name.slice(0, dot)) ?? ["", name.slice(0, dot), ""];
  return `${folder}${base} (${Number(number || 1) + 1})${name.slice(dot)}`;
}

/** The uploads of this page. They pause when the session ends, and belong to its key. */
export const uploads = new UploadQueue();
const useSession = () => uploads.signIn(session.get()?.access_key ?? "");
session.subscribe(useSession);
useSession();
