// @ts-check
/** The rows of a folder as a grid: it follows changes without moving what is being looked at. */
import {html, useEffect, useLayoutEffect, useRef} from "./vendor/preact.js";
import {GridRow} from "./grid_row.js";
import {keyOf} from "./rows.js";
import {Icon, useMedia} from "./ui.js";
import {useVirtual} from "./virtual.js";

/** @typedef {import("./rows.js").Row} Row */

const HEAD = 32;
const COLUMNS = /** @type {const} */ ([["name", "Name"], ["size", "Size"], ["modified", "Modified"]]);
const COLUMNS_OF_DELETED = /** @type {const} */ ([["name", "Name"], ["size", "Size"], ["modified", "Deleted"]]);
/** Narrow pages have one column, and this list above it. */
const ORDERS = [
  ["name asc", "Name"], ["name desc", "Name, Z to A"], ["size desc", "Largest first"], ["size asc", "Smallest first"],
  ["modified desc", "Newest first"], ["modified asc", "Oldest first"],
];

const MOST_PLACES = 200;

/** Where each folder was scrolled to, and its active row, by its URL. @type {Map<string, {index: number, pixels: number, total: number, active: number, key: string}>} */
const places = new Map();

/**
 * @param {{rows: import("./rows.js").Rows, place: string, selection: any, changed: Set<string>, isDeleting: (row: Row) => boolean,
 *   hrefOf: (row: Row) => string, onSort: (column: string, order?: string) => void, onOpen: (row: Row) => void,
 *   onMenu: (x: number, y: number) => void, handle: {current: any}}} props
 */
export function Grid({rows, place, selection, changed, isDeleting, hrefOf, onSort, onOpen, onMenu, handle}) {
  const narrow = useMedia("(max-width: 639px)");
  const rowHeight = narrow ? 56 : 36;
  const known = places.get(place);
  const total = rows.counts?.total ?? known?.total ?? 0;
  const virtual = useVirtual({total, rowHeight, headHeight: HEAD});
  const {scroller, first, last, top} = virtual;
  const {active, selected} = selection;
  /** The rows in sight, before the next change. */
  const seen = useRef({generation: -1, reset: 0, ratio: 1, keys: /** @type {[string, number][]} */ ([]), activeKey: known?.key ?? "", isFirst: true});

  useLayoutEffect(() => {
    if (known) {
      virtual.scrollTo(known.index, -known.pixels);
      selection.setActive(known.active);
      if (known.active >= 0 && !document.activeElement?.matches("input")) scroller.current.focus({preventScroll: true});
    }
  }, []);

  // After a change: the first row in sight that is still there stays where it is.
  useLayoutEffect(() => {
    const before = seen.current;
    if (before.generation >= 0 && before.generation !== rows.generation) {
      if (before.reset !== rows.reset) {
        virtual.scrollTo(0);
        selection.setActive(-1);
      } else {
        if (scroller.current.scrollTop > 0) keepPlace(before);
        const moved = before.activeKey ? rows.indexOf(before.activeKey) : -1;
        if (moved >= 0 && moved !== active) selection.setActive(moved);
        // The list is shown again, and the row has gone: keys must not act on another one.
        else if (moved < 0 && before.activeKey && before.isFirst && rows.get(active)) selection.setActive(-1);
        else if (active >= total) selection.setActive(total - 1);
      }
    }
    /** @type {[string, number][]} */
    const keys = [];
    for (let index = top; index <= last && index < top + 40; index += 1) {
      const row = rows.get(index);
      if (row) keys.push([keyOf(row), index]);
    }
    const isFirst = !rows.counts;
    const activeKey = isFirst ? before.activeKey : keyAt(active);
    seen.current = {generation: rows.generation, reset: rows.reset, ratio: virtual.ratio, keys, activeKey, isFirst};
  });

  /** @param {number} index */
  function keyAt(index) {
    const row = rows.get(index);
    return row ? keyOf(row) : "";
  }

  /** @param {{keys: [string, number][], ratio: number}} before */
  function keepPlace({keys, ratio}) {
    for (const [key, index] of keys) {
      const now = rows.indexOf(key);
      if (now < 0) continue;
      if (now !== index) virtual.scrollTo(now, index * rowHeight - scroller.current.scrollTop * ratio);
      return;
    }
  }

  useEffect(() => rows.want(first, last));
  /** Store the place with an active row. @param {number} index */
  const remember = (index) => {
    if (!rows.counts) return;
    places.delete(place); // so that it becomes the last one
    places.set(place, {index: top, pixels: virtual.offset - top * rowHeight, total, active: index, key: keyAt(index)});
    if (places.size > MOST_PLACES) places.delete(/** @type {string} */ (places.keys().next().value));
  };
  // Not `useEffect`: the page may be left before it runs.
  useLayoutEffect(() => remember(active));
  /** Open a row, which is the active one when you come back. @param {number} index @param {Row} row */
  const open = (index, row) => {
    remember(index);
    onOpen(row);
  };

  /** @param {number} index @param {boolean} [extending] */
  const go = (index, extending) => {
    const next = Math.max(0, Math.min(total - 1, index));
    if (total === 0) return;
    selection.moveTo(next, extending);
    virtual.reveal(next);
    if (!scroller.current.contains(document.activeElement)) scroller.current.focus({preventScroll: true});
  };
  handle.current = {
    go,
    step: (/** @type {number} */ by, /** @type {boolean} */ extending) => go(active < 0 ? (by < 0 ? total - 1 : 0) : active + by, extending),
    end: (/** @type {boolean} */ extending) => go(total - 1, extending),
    page: virtual.page,
    focus: () => scroller.current.focus({preventScroll: true}),
  };

  /** @param {any} event @param {(index: number, row: Row) => void} action */
  const onRow = (event, action) => {
    const found = event.target.closest("[data-index]");
    const row = found && rows.get(Number(found.dataset.index));
    if (row) action(Number(found.dataset.index), row);
  };
  const onClick = (/** @type {any} */ event) =>
    onRow(event, (index, row) => {
      const control = event.ctrlKey || event.metaKey;
      if (event.target.closest(".row-menu")) {
        const box = event.target.closest(".row-menu").getBoundingClientRect();
        if (!selected.has(keyOf(row))) selection.toggle(index, false);
        onMenu(box.right - 176, box.bottom + 4);
      } else if (event.target.closest(".row-check")) {
        const box = event.target.closest(".row-check").firstElementChild;
        if (event.shiftKey) selection.extend(index, true).then(() => (box.checked = true));
        else selection.toggle(index);
      } else if (event.target.closest("a")) {
        if (event.shiftKey || !control) event.preventDefault();
        if (event.shiftKey) selection.extend(index, control);
        else if (!control) open(index, row);
      } else if (event.shiftKey) selection.extend(index, control);
      else selection.toggle(index, control);
    });
  const onContextMenu = (/** @type {any} */ event) =>
    onRow(event, (index, row) => {
      event.preventDefault();
      if (!selected.has(keyOf(row))) selection.toggle(index, false);
      onMenu(event.clientX, event.clientY);
    });

  const limit = Math.max(16, Math.floor(((scroller.current?.clientWidth ?? 800) - (narrow ? 130 : 400)) / widthOfText()));
  const indexes = Array.from({length: Math.max(0, last - first + 1)}, (_, index) => first + index);
  const used = new Set();
  /**
   * An element stays that of its row, so that a click never acts on a row that has moved under the pointer.
   * While a change is loaded, a row can be there twice. @param {number} index @param {string} key
   */
  const elementKey = (index, key) => {
    if (!key || used.has(key)) return index;
    used.add(key);
    return key;
  };
  const activeRow = active >= first && active <= last && rows.get(active);
  const {sort, order, deleted} = rows.query;
  return html`<div class="grid ${rows.counts && total === 0 ? "is-empty" : ""} ${activeRow ? "has-active" : ""}" role="grid" aria-label=${deleted ? "Deleted objects" : "Objects"} tabIndex="0" ref=${scroller} aria-rowcount=${total + 1}
    aria-multiselectable="true" aria-busy=${rows.busy || !rows.counts ? "true" : "false"} onScroll=${virtual.onScroll}
    aria-activedescendant=${activeRow ? `row-${active}` : undefined} onClick=${onClick} onContextMenu=${onContextMenu}
    onDblClick=${(/** @type {any} */ event) => event.target.closest("a, input, button, label") || onRow(event, open)}
    onMouseDown=${(/** @type {MouseEvent} */ event) => event.shiftKey && event.preventDefault()}>
    <div class="grid-head" role="row" aria-rowindex="1">
      <div role="columnheader" class="cell-check"><input type="checkbox" aria-label="Select all" title="Select all" tabIndex=${total ? 0 : -1} disabled=${!total}
        checked=${selected.size > 0 && selected.size === total} ref=${(/** @type {any} */ box) => box && (box.indeterminate = selected.size > 0 && selected.size < total)}
        onChange=${() => (selected.size ? selection.clear() : selection.all())} /></div>
      ${narrow && html`<div role="columnheader" class="cell-name"><select class="sort-choice" aria-label="Sort by" value=${`${sort} ${order}`}
        onChange=${(/** @type {any} */ event) => onSort(...event.target.value.split(" "))}>
        ${ORDERS.map(([id, label]) => html`<option key=${id} value=${id}>${label}</option>`)}</select></div>`}
      ${!narrow && (deleted ? COLUMNS_OF_DELETED : COLUMNS).map(
        ([id, label]) => html`<div role="columnheader" key=${id} class=${`cell-${id}`} aria-sort=${sort === id ? (order === "desc" ? "descending" : "ascending") : "none"}>
          <button type="button" class="sort" onClick=${() => onSort(id)}>${label}${sort === id && html`<${Icon} name=${order === "desc" ? "down" : "up"} size=${12} />`}</button>
        </div>`,
      )}
      <div role="columnheader" class="cell-menu"><span class="visually-hidden">Actions</span></div>
    </div>
    <div class="grid-space" role="presentation" style=${{height: `${virtual.height}px`}}>
      <div class="grid-rows" role="presentation" style=${{transform: `translateY(${virtual.shift}px)`}}>
        ${indexes.map((index) => {
          const row = rows.get(index);
          const key = row ? keyOf(row) : "";
          return html`<${GridRow} key=${elementKey(index, key)} index=${index} row=${row} narrow=${narrow} limit=${limit} active=${index === active} selected=${row ? selected.has(key) : false}
            changed=${row ? changed.has(row.name) : false} deleting=${row ? isDeleting(row) : false} href=${row ? hrefOf(row) : ""} />`;
        })}
      </div>
    </div>
  </div>`;
}

let textWidth = 0;

/** The width of a wide letter of names, in pixels. */
function widthOfText() {
  if (!textWidth) {
    const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    context.font = getComputedStyle(document.body).font;
    textWidth = context.measureText("n").width;
  }
  return textWidth;
}
