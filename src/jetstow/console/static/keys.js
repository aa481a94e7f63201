// @ts-check
/** Keyboard shortcuts of the page, and the dialog that lists them. */
import {html, useEffect, useRef} from "./vendor/preact.js";
import {createStore, useStore} from "./store.js";
import {Dialog} from "./ui.js";

/**
 * A shortcut: "?", "Delete", "ctrl+a", or a sequence "g b". `run` may return false: the key was not handled.
 * Without `run`, it is only listed.
 * @typedef {{keys: string, label: string, group?: string, run?: (event: KeyboardEvent) => any}} Shortcut
 */

/** @type {{current: Shortcut[]}[]} */
const active = [];
export const helpOpen = createStore(false);
let prefix = "";
let prefixTime = 0;

/** Shortcuts while a component is shown; the last component comes first. @param {Shortcut[]} shortcuts */
export function useKeys(shortcuts) {
  const ref = useRef(shortcuts);
  ref.current = shortcuts;
  useEffect(() => {
    active.unshift(ref);
    return () => {
      active.splice(active.indexOf(ref), 1);
    };
  }, []);
}

/** @param {any} target */
const isEditing = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button])"));

/** What Enter and Space activate by themselves. @param {any} target */
const isControl = (target) => target instanceof HTMLElement && target.matches("button, a, summary, input");

/** @param {KeyboardEvent} event */
function keyName(event) {
  const name = event.key === " " ? "Space" : event.key;
  const control = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  const alt = event.altKey ? "alt+" : "";
  return control + alt + (control ? name.toLowerCase() : name);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || isEditing(event.target)) return;
  if (document.querySelector("dialog[open], .menu")) return;
  const key = keyName(event);
  if ((key === "Enter" || key === "Space") && isControl(event.target)) return;
  const sequence = prefix && event.timeStamp - prefixTime < 1500 ? `${prefix} ${key}` : key;
  prefix = "";
  for (const {current} of active) {
    for (const {keys, run} of current) {
      if (!run) continue;
      if (keys === sequence && run(event) !== false) {
        event.preventDefault();
        return;
      }
      if (keys.startsWith(`${sequence} `)) {
        prefix = sequence;
        prefixTime = event.timeStamp;
      }
    }
  }
});

/** The dialog of all shortcuts that are active now. */
export function KeyHelp() {
  const open = useStore(helpOpen);
  if (!open) return null;
  /** @type {Map<string, Shortcut[]>} */
  const groups = new Map();
  for (const {current} of [...active].reverse()) {
    for (const shortcut of current) {
      if (!shortcut.label) continue;
      const group = shortcut.group ?? "Everywhere";
      groups.set(group, [...(groups.get(group) ?? []), shortcut]);
    }
  }
  return html`<${Dialog} title="Keyboard shortcuts" wide onClose=${() => helpOpen.set(false)}>
    <div class="key-help" tabIndex="0">
      ${[...groups].map(
        ([group, shortcuts]) => html`<section key=${group}><h3>${group}</h3><dl>
          ${shortcuts.map(
            ({keys, label}) => html`<div key=${keys}><dt>${keys.split(" ").map((key) => html`<kbd>${shown(key)}</kbd> `)}</dt><dd>${label}</dd></div>`,
          )}
        </dl></section>`,
      )}
    </div>
  <//>`;
}

/** @type {Record<string, string>} */
const NAMES = {ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", "ctrl+a": "Ctrl A", Escape: "Esc"};

/** @param {string} key */
const shown = (key) => NAMES[key] ?? key;
