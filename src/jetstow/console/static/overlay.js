// @ts-check
/** Dialogs and menus. Toasts are in toasts.js. */
import {html, useEffect, useLayoutEffect, useRef, useState} from "./vendor/preact.js";
import {visible} from "./format.js";
import {Icon} from "./icons.js";
import {Button, ErrorBox, Field, useId} from "./ui.js";

export {progressToast, toast, Toasts} from "./toasts.js";

/**
 * A modal dialog: the browser keeps the focus in it and gives it back afterwards. With `onSubmit` its content
 * is a form; Escape and a click outside close it unless it is `busy`.
 * @param {{title: string, onClose: () => void, onSubmit?: (event: Event) => void, actions?: any, busy?: boolean, wide?: boolean, children?: any}} props
 */
export function Dialog({title, onClose, onSubmit, actions, busy = false, wide = false, children}) {
  const ref = useRef(/** @type {any} */ (null));
  const id = useId("dialog");
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog.showModal();
    (dialog.querySelector("[autofocus]") ?? dialog.querySelector("input, select, textarea") ?? dialog.querySelector(".dialog-actions button"))?.focus();
    return () => dialog.close();
  }, []);
  const close = () => busy || onClose();
  /** @param {Event} event */
  const onCancel = (event) => {
    event.preventDefault();
    close();
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key !== "Escape") return; // Chromium closes a dialog at the second Escape without `cancel`
    event.preventDefault();
    event.stopPropagation();
    close();
  };
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (busy) return;
    onSubmit?.(event);
    setTimeout(() => ref.current?.querySelector('[aria-invalid="true"]')?.focus());
  };
  const inner = html`<header class="dialog-head"><h2 id=${id}>${title}</h2>
      <${Button} kind="quiet" icon="close" label="Close" disabled=${busy} onClick=${close} />
    </header>
    <div class="dialog-body">${children}</div>
    ${actions && html`<footer class="dialog-actions">${actions}</footer>`}`;
  return html`<dialog ref=${ref} class="dialog ${wide ? "is-wide" : ""}" aria-labelledby=${id} onCancel=${onCancel} onKeyDown=${onKeyDown}
    onMouseDown=${(/** @type {any} */ event) => event.target === ref.current && close()}>
    ${onSubmit ? html`<form class="dialog-inner" onSubmit=${submit} noValidate>${inner}</form>` : html`<div class="dialog-inner">${inner}</div>`}
  </dialog>`;
}

/**
 * Ask before something final. With `confirm`, that text has to be typed. `onConfirm` may return a promise: the
 * dialog shows its error, and closes when it is done.
 * @param {{title: string, action: string, confirm?: string, danger?: boolean, onConfirm: () => any, onClose: () => void, children?: any}} props
 */
export function ConfirmDialog({title, action, confirm, danger = true, onConfirm, onClose, children}) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const ready = confirm === undefined || typed === confirm;
  const submit = async () => {
    if (!ready || busy) return;
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const actions = html`<${Button} onClick=${onClose} disabled=${busy}>Cancel<//>
    <${Button} type="submit" kind=${danger ? "danger" : "primary"} busy=${busy} disabled=${!ready} autofocus=${confirm === undefined}>${action}<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} onSubmit=${submit} busy=${busy} actions=${actions}>
    ${children}
    ${confirm !== undefined && html`<${Field} label=${`Type ${visible(confirm)} to confirm`} value=${typed} onInput=${setTyped} />`}
    <${ErrorBox} error=${error} />
  <//>`;
}

/**
 * @typedef {{label: string, icon?: string, danger?: boolean, hint?: string, disabled?: boolean, onSelect: () => void}|null|false|undefined} MenuItem
 * `null` is a separator.
 */

/** A list of actions at a place of the window. @param {{items: MenuItem[], x: number, y: number, label: string, onClose: () => void}} props */
export function MenuList({items, x, y, label, onClose}) {
  const ref = useRef(/** @type {any} */ (null));
  const shown = items.filter((item) => item !== false && item !== undefined);
  useLayoutEffect(() => {
    const {style, offsetWidth, offsetHeight} = ref.current;
    style.left = `${Math.max(8, Math.min(x, innerWidth - offsetWidth - 8))}px`;
    style.top = `${Math.max(8, Math.min(y, innerHeight - offsetHeight - 8))}px`;
    const before = /** @type {any} */ (document.activeElement);
    ref.current.querySelector("button")?.focus();
    return () => before?.isConnected && before.focus({preventScroll: true});
  }, []);
  useEffect(() => {
    const outside = (/** @type {any} */ event) => ref.current?.contains(event.target) || onClose();
    document.addEventListener("pointerdown", outside, true);
    addEventListener("blur", onClose);
    addEventListener("resize", onClose);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      removeEventListener("blur", onClose);
      removeEventListener("resize", onClose);
    };
  }, []);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    event.stopPropagation();
    const buttons = [...ref.current.querySelectorAll("button:not(:disabled)")];
    const index = buttons.indexOf(document.activeElement);
    const steps = /** @type {Record<string, number>} */ ({ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: -1});
    if (event.key in steps) buttons.at(steps[event.key] % buttons.length)?.focus();
    else if (event.key === "Escape" || event.key === "Tab") onClose();
    else return;
    event.preventDefault();
  };
  return html`<div class="menu" role="menu" aria-label=${label} ref=${ref} onKeyDown=${onKeyDown}
    onContextMenu=${(/** @type {Event} */ event) => event.preventDefault()}>
    ${shown.map((item, index) =>
      item
        ? html`<button type="button" role="menuitem" tabIndex=${-1} key=${item.label} disabled=${item.disabled} class="menu-item ${item.danger ? "is-danger" : ""}"
            onClick=${() => {
              onClose();
              item.onSelect();
            }}>
            ${item.icon ? html`<${Icon} name=${item.icon} />` : null}<span>${item.label}</span>${item.hint && html`<kbd>${item.hint}</kbd>`}
          </button>`
        : html`<hr key=${`line-${index}`} />`,
    )}
  </div>`;
}

/** A button that opens a list of actions. @param {{label: string, items: MenuItem[], icon?: string, kind?: string, children?: any, class?: string, tabIndex?: number}} props */
export function Menu({label, items, icon = "dots", kind = "quiet", children, class: extra, tabIndex}) {
  const [place, setPlace] = useState(/** @type {{x: number, y: number}|null} */ (null));
  /** @param {any} event */
  const toggle = (event) => {
    event.stopPropagation();
    const box = event.currentTarget.getBoundingClientRect();
    setPlace(place ? null : {x: box.left, y: box.bottom + 4});
  };
  return html`<${Button} kind=${kind} icon=${icon} label=${children ? undefined : label} class=${extra} tabIndex=${tabIndex}
      aria-haspopup="menu" aria-expanded=${place ? "true" : "false"} onClick=${toggle}>${children}<//>
    ${place && html`<${MenuList} items=${items} label=${label} ...${place} onClose=${() => setPlace(null)} />`}`;
}
