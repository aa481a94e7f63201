// @ts-check
/** Which rows are selected, and which one is active: the one that the keyboard is at. */
import {useRef, useState} from "./vendor/preact.js";
import {keyOf, MOST_SELECTED} from "./rows.js";
import {count} from "./format.js";
import {toast} from "./toasts.js";

/** @typedef {import("./rows.js").Row} Row */
/** @typedef {Map<string, Row>} Selected */

/**
 * @param {import("./rows.js").Rows} rows
 */
export function useSelection(rows) {
  const [selected, setSelected] = useState(/** @type {Selected} */ (new Map()));
  const [active, setActive] = useState(-1);
  /** Where a range begins. */
  const anchor = useRef(0);
  /** What was selected when the range began. */
  const base = useRef(/** @type {Selected} */ (new Map()));
  /** Of ranges: the last one counts. */
  const request = useRef(0);

  /** @param {number} index @param {boolean} [add] to what is selected */
  const toggle = (index, add = true) => {
    const row = rows.get(index);
    if (!row) return;
    request.current += 1;
    const next = new Map(add ? selected : []);
    if (add && next.has(keyOf(row))) next.delete(keyOf(row));
    else next.set(keyOf(row), row);
    anchor.current = index;
    base.current = new Map(next);
    setSelected(next);
    setActive(index);
  };

  /** Select from the anchor to an index. @param {number} index @param {boolean} [add] */
  const extend = async (index, add = false) => {
    setActive(index);
    const first = Math.min(anchor.current, index);
    const last = Math.max(anchor.current, index);
    await select(first, last, add ? base.current : new Map());
  };

  const all = async () => {
    const total = rows.counts?.total ?? 0;
    if (total) await select(0, total - 1, new Map());
  };

  /** @param {number} first @param {number} last @param {Selected} kept */
  const select = async (first, last, kept) => {
    if (last - first >= MOST_SELECTED) {
      toast(`At most ${count(MOST_SELECTED)} rows can be selected. Filter the list, or select its folder instead.`);
      return;
    }
    const number = ++request.current;
    try {
      const found = await rows.range(first, last);
      if (number !== request.current) return;
      setSelected(new Map([...kept, ...found.map((row) => /** @type {[string, Row]} */ ([keyOf(row), row]))]));
    } catch (error) {
      toast(`The rows could not be read: ${/** @type {Error} */ (error).message}`, {kind: "danger"});
    }
  };

  const clear = () => {
    request.current += 1;
    base.current = new Map();
    setSelected(new Map());
  };

  /** Remove rows that are gone. @param {Set<string>} keys */
  const remove = (keys) => {
    setSelected((now) => {
      if (![...keys].some((key) => now.has(key))) return now;
      return new Map([...now].filter(([key]) => !keys.has(key)));
    });
  };

  /** Move to a row. @param {number} index @param {boolean} [extending] */
  const moveTo = (index, extending = false) => {
    if (extending) return extend(index);
    anchor.current = index;
    base.current = new Map();
    setActive(index);
  };

  return {selected, active, setActive, toggle, extend, all, clear, remove, moveTo, anchor};
}

/** @param {Selected} selected */
export function split(selected) {
  const rows = [...selected.values()];
  return {
    names: rows.filter((row) => row.type !== "folder").map((row) => row.name),
    prefixes: rows.filter((row) => row.type === "folder").map((row) => row.name),
  };
}
