// @ts-check
/** The rows of a folder, read in windows as they are needed, and again when the bucket changes. */
import {at, get} from "./api.js";

/**
 * @typedef {{type: "folder", name: string, label: string}} FolderRow
 * @typedef {{type: "object", name: string, label: string, size: number, modified: string, revision: number,
 *   content_type: string|null, link: {bucket: string, name: string|null}|null}} ObjectRow
 * @typedef {{type: "deleted", name: string, label: string, size: number, modified: string, revision: number, version: string}} DeletedRow
 *   `modified` is when it was deleted
 * @typedef {FolderRow|ObjectRow|DeletedRow} Row
 * @typedef {{filter: string, deep: boolean, deleted: boolean, sort: "name"|"size"|"modified", order: "asc"|"desc"}} Query
 * @typedef {{total: number, folders: number, objects: number, bytes: number, partial: boolean}} Counts
 */

export const WINDOW = 200;
// The largest window that the server sends: for selections.
const LARGE = 1000;
// How many rows of a page are in the next one, too, when all names are read.
const OVERLAP = 100;
export const MOST_SELECTED = 10_000;

/** An object and a folder may have the same name. @param {{type: string, name: string}} row */
export const keyOf = (row) => `${row.type === "folder" ? "d" : "f"}:${row.name}`;

export class Rows {
  /** @type {Counts|null} null: nothing was read yet */
  counts = null;
  /** @type {any} */
  error = null;
  /** The bucket that was read last, by the time of its creation, and its revision: what is newer was not shown. */
  state = {created: "", revision: 0};
  /** Changes when rows may have moved. */
  generation = 0;
  /** Changes when the rows are those of another query. */
  reset = 0;
  busy = false;
  /** @type {Map<number, Row[]>} */
  #windows = new Map();
  /** @type {Map<number, AbortController>} */
  #loading = new Map();
  /** @type {AbortController|null} */
  #refreshing = null;
  #again = false;
  #first = 0;
  #last = 0;
  /** @type {number|undefined} */
  #timer;

  /** @param {string} bucket @param {string} prefix @param {Query} query @param {() => void} onChange */
  constructor(bucket, prefix, query, onChange) {
    this.bucket = bucket;
    this.prefix = prefix;
    this.query = query;
    this.onChange = onChange;
  }

  /** @param {number} index @returns {Row|undefined} */
  get(index) {
    return this.#windows.get(Math.floor(index / WINDOW))?.[index % WINDOW];
  }

  /** The index of a row that was read, or -1. @param {string} key */
  indexOf(key) {
    for (const [number, rows] of this.#windows) {
      const index = rows.findIndex((row) => keyOf(row) === key);
      if (index >= 0) return number * WINDOW + index;
    }
    return -1;
  }

  /** Read rows of another filter or order. The present ones stay until then. @param {Query} query */
  setQuery(query) {
    this.query = query;
    this.#first = this.#last = 0;
    this.#abort();
    return this.refresh(true);
  }

  /** Read the windows that are shown, and the next one in each direction. @param {number} first @param {number} last */
  want(first, last) {
    this.#first = first;
    this.#last = last;
    if (!this.counts || this.error) return;
    const missing = this.#needed(WINDOW / 2).filter((number) => !this.#windows.has(number) && !this.#loading.has(number));
    if (missing.length === 0 || this.#timer) return;
    // While the scroll bar is dragged, most windows are passed at once.
    this.#timer = setTimeout(() => this.#read(), this.#loading.size ? 60 : 0);
  }

  /** @param {number} around rows */
  #needed(around) {
    const top = Math.max(0, Math.floor((this.#first - around) / WINDOW));
    const end = this.counts ? Math.max(0, this.counts.total - 1) : this.#last + around;
    const bottom = Math.floor(Math.min(end, this.#last + around) / WINDOW);
    return Array.from({length: Math.max(0, bottom - top + 1)}, (_, index) => top + index);
  }

  #read() {
    this.#timer = undefined;
    const needed = this.#needed(WINDOW / 2);
    for (const [number, control] of this.#loading) {
      if (!needed.includes(number)) control.abort();
    }
    for (const number of needed) {
      if (!this.#windows.has(number) && !this.#loading.has(number)) this.#load(number);
    }
  }

  /** @param {number} number */
  async #load(number) {
    const control = new AbortController();
    this.#loading.set(number, control);
    try {
      const {generation} = this;
      const page = await this.#fetch(number * WINDOW, WINDOW, control.signal);
      if (generation !== this.generation) return;
      this.#windows.set(number, page.rows);
      this.#limit(number);
      this.#count(page);
    } catch (error) {
      if (!control.signal.aborted) this.error = error;
    } finally {
      if (this.#loading.get(number) === control) this.#loading.delete(number);
    }
    this.onChange();
  }

  /** Keep the windows near the one that was read. @param {number} number */
  #limit(number) {
    for (const other of this.#windows.keys()) {
      if (Math.abs(other - number) > 20) this.#windows.delete(other);
    }
  }

  /**
   * Read the shown windows again, and then all others when they are needed.
   * @param {boolean} [reset] they are those of another query
   */
  async refresh(reset = false) {
    if (this.#refreshing && !reset) {
      this.#again = true;
      return;
    }
    this.#refreshing?.abort();
    const control = new AbortController();
    this.#refreshing = control;
    this.busy = reset;
    if (reset) this.onChange();
    try {
      let numbers = this.#needed(20);
      if (numbers.length === 0) numbers = [0];
      const pages = await Promise.all(numbers.map((number) => this.#fetch(number * WINDOW, WINDOW, control.signal)));
      this.#abort(control);
      this.#windows = new Map(pages.map((page, index) => [numbers[index], page.rows]));
      this.#count(pages[0]);
      this.error = null;
      this.generation += 1;
      if (reset) this.reset += 1;
    } catch (error) {
      if (control.signal.aborted) return;
      control.abort();
      this.error = error;
    }
    this.busy = false;
    this.#refreshing = null;
    this.onChange();
    if (this.#again) {
      this.#again = false;
      await this.refresh();
    }
  }

  /** @param {Counts} page */
  #count({total, folders, objects, bytes, partial}) {
    this.counts = {total, folders, objects, bytes, partial};
  }

  /** @param {number} offset @param {number} limit @param {AbortSignal} [signal] */
  async #fetch(offset, limit, signal) {
    const {filter, deep, deleted, sort, order} = this.query;
    const shared = {prefix: this.prefix, filter, sort, order, offset, limit};
    const page = deleted
      ? await get(at`buckets/${this.bucket}/deleted`, shared, signal)
      : await get(at`buckets/${this.bucket}/rows`, {...shared, deep}, signal);
    const {created, revision} = page;
    if (created !== this.state.created || revision > this.state.revision) this.state = {created, revision};
    return page;
  }

  /** All rows between two, the last one included. @param {number} first @param {number} last @returns {Promise<Row[]>} */
  async range(first, last) {
    /** @type {Row[]} */
    const rows = [];
    for (let index = first; index <= last; index += 1) {
      const row = this.get(index);
      if (!row) break;
      rows.push(row);
    }
    while (first + rows.length <= last) {
      const offset = first + rows.length;
      const page = await this.#fetch(offset, Math.min(LARGE, last - offset + 1));
      if (page.rows.length === 0) break;
      rows.push(...page.rows);
    }
    return rows;
  }

  /** @param {AbortController} [kept] */
  #abort(kept) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const control of this.#loading.values()) control.abort();
    this.#loading.clear();
    if (this.#refreshing !== kept) {
      this.#refreshing?.abort();
      this.#refreshing = null;
    }
  }

  close() {
    this.onChange = () => {};
    this.#again = false;
    this.#abort();
  }
}

/**
 * All names of objects below a prefix, without that of the prefix itself. Raises an error if they are too many.
 * @param {string} bucket @param {string} prefix @param {AbortSignal} signal @returns {Promise<string[]>}
 */
export async function namesBelow(bucket, prefix, signal) {
  /** @type {Set<string>} */
  const names = new Set();
  for (let offset = 0; ; ) {
    const page = await get(at`buckets/${bucket}/rows`, {prefix, deep: true, offset, limit: LARGE}, signal);
    if (page.partial) throw new Error("The bucket has too many names to list all of them here: use “jetstow cp” or “jetstow mv”.");
    if (offset > 0 && !names.has(page.rows[0]?.name)) {
      // Names before it were deleted in between, so that names not read yet are in earlier pages.
      offset = Math.max(0, offset - LARGE);
      continue;
    }
    for (const row of page.rows) names.add(row.name);
    const end = offset + page.rows.length;
    if (end >= page.total) return [...names];
    offset = end - OVERLAP;
  }
}
