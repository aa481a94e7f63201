// @ts-check
/** The keyboard in a folder. */
import {useKeys} from "./keys.js";

/** Actions on the selection: key, id, label. */
const KEYS = [
  ["d", "download", "Download"], ["F2", "rename", "Rename"], ["c", "copy", "Copy"], ["m", "move", "Move"],
  ["Delete", "delete", "Delete"],
];
const KEYS_OF_DELETED = [["u", "undelete", "Undelete"]];

/**
 * @param {{rows: import("./rows.js").Rows, selection: any, grid: {current: any}, search: {current: any},
 *   actions: import("./folder_actions.js").Action[], open: (row: any) => void, up: () => void,
 *   openMenu: () => any}} options
 */
export function useFolderKeys({rows, selection, grid, search, actions, open, up, openMenu}) {
  const {deleted} = rows.query;
  const {active, selected} = selection;
  const hasTarget = selected.size > 0 || rows.get(active) !== undefined;
  /** Run an action on the selection, or else on the active row. @param {string} id */
  const act = (id) => {
    const action = hasTarget && actions.find((each) => each.id === id);
    return action ? void action.run() : false;
  };
  const group = "Folder";
  const step = (/** @type {number} */ by) => (/** @type {KeyboardEvent} */ event) => grid.current.step(by, event.shiftKey);
  const chosen = "Selection";
  useKeys([
    {keys: "/", label: "Filter", group, run: () => search.current?.focus()},
    {keys: "ArrowDown", label: "Next row", group, run: step(1)},
    {keys: "ArrowUp", label: "Previous row", group, run: step(-1)},
    {keys: "PageDown", label: "", run: (event) => grid.current.step(grid.current.page, event.shiftKey)},
    {keys: "PageUp", label: "", run: (event) => grid.current.step(-grid.current.page, event.shiftKey)},
    {keys: "Home", label: "First row", group, run: (event) => grid.current.go(0, event.shiftKey)},
    {keys: "End", label: "Last row", group, run: (event) => grid.current.end(event.shiftKey)},
    {keys: "Enter", label: "Open", group, run: () => (rows.get(active) ? open(rows.get(active)) : false)},
    {keys: "Backspace", label: "Folder above", group, run: up},
    {keys: "Shift F10", label: "Actions", group: chosen},
    {keys: "F10", label: "", run: (event) => (event.shiftKey ? openMenu() : false)},
    {keys: "ContextMenu", label: "", run: openMenu},
    {keys: "Space", label: "Select the row", group: chosen, run: () => (active >= 0 ? selection.toggle(active) : false)},
    {keys: "Shift ArrowDown", label: "Select a range", group: chosen},
    {keys: "ctrl+a", label: "Select all", group: chosen, run: () => void selection.all()},
    {keys: "Escape", label: "Select nothing", group: chosen, run: () => (selected.size ? selection.clear() : false)},
    ...(deleted ? KEYS_OF_DELETED : KEYS).map(([keys, id, label]) => ({keys, label, group: chosen, run: () => act(id)})),
  ]);
}
