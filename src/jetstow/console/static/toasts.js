// @ts-check
/** Messages that are shown for a while, with an action or a progress. */
import {html} from "./vendor/preact.js";
import {visible} from "./format.js";
import {createStore, useStore} from "./store.js";
import {Button, Progress} from "./ui.js";

/**
 * @typedef {{id: number, message: string, kind: string, label: string, undo?: () => void, onClose?: () => void,
 *   share?: number|null, cancel?: () => void, timer?: number}} ToastData
 */

/** How many messages without an undo are shown at the same time. */
const MOST = 4;
const toasts = createStore(/** @type {ToastData[]} */ ([]));
let last = 0;

/** @param {ToastData} each */
function remove(each) {
  clearTimeout(each.timer);
  toasts.set(toasts.get().filter((other) => other.id !== each.id));
}

/** @param {ToastData} each */
function close(each) {
  if (!toasts.get().some((other) => other.id === each.id)) return;
  remove(each);
  each.onClose?.();
}

/** @param {ToastData} added */
function add(added) {
  toasts.set([...toasts.get(), added]);
  const plain = toasts.get().filter((each) => each.timer !== undefined && !each.undo);
  for (const each of plain.slice(0, Math.max(0, plain.length - MOST))) close(each);
}

/**
 * Show a message for a while. Returns the function that removes it.
 * @param {string} message
 * @param {{kind?: "info"|"ok"|"danger", undo?: () => void, label?: string, seconds?: number, onClose?: () => void}} [options]
 *   `undo` adds a button, named "Undo" or by `label`; `onClose` is called when the message is dismissed or
 *   its time is over, not after `undo`
 */
export function toast(message, {kind = "info", undo, label = "Undo", seconds, onClose} = {}) {
  const time = seconds ?? (kind === "danger" ? 12 : undo ? 8 : 4);
  /** @type {ToastData} */
  const added = {id: ++last, message, kind, undo, label, onClose};
  added.timer = setTimeout(() => close(added), time * 1000);
  add(added);
  return () => close(added);
}

/**
 * Show a message with a progress until it is closed.
 * @param {string} message @param {() => void} [cancel] adds a button
 * @returns {{update: (message: string, share: number|null) => void, close: () => void}}
 */
export function progressToast(message, cancel) {
  const id = ++last;
  add({id, message, kind: "info", label: "", share: null, cancel});
  return {
    update(text, share) {
      toasts.set(toasts.get().map((each) => (each.id === id ? {...each, message: text, share} : each)));
    },
    close() {
      toasts.set(toasts.get().filter((each) => each.id !== id));
    },
  };
}

/** The messages: once in the page. */
export function Toasts() {
  return html`<div class="toasts">${useStore(toasts).map((each) => html`<${Toast} key=${each.id} each=${each} />`)}</div>`;
}

/** @param {{each: ToastData}} props */
function Toast({each}) {
  const undo = () => {
    remove(each);
    each.undo?.();
  };
  return html`<div class="toast is-${each.kind}" role=${each.kind === "danger" ? "alert" : "status"}>
    <div class="toast-text"><span>${visible(each.message)}</span>
      ${each.share === undefined ? null : html`<${Progress} value=${each.share} label=${each.message} />`}
    </div>
    ${each.undo && html`<${Button} onClick=${undo}>${each.label}<//>`}
    ${each.cancel && html`<${Button} onClick=${each.cancel}>Cancel<//>`}
    ${each.share === undefined && html`<${Button} kind="quiet" icon="close" label="Dismiss" onClick=${() => close(each)} />`}
  </div>`;
}
