// @ts-check
/** JSON as a tree that folds. Numbers are shown as they are stored: 1.0 and 2^60 do not survive JavaScript. */
import {html, useState} from "./vendor/preact.js";
import {count, visible} from "./format.js";
import {Button} from "./ui.js";

/** How many members of an object or an array are shown at once. */
const PAGE = 200;

/** Deeper values are folded at first. */
const OPEN_LEVELS = 2;

class NumberText {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/** @param {string} text @returns {{value: any}|null} null: not valid, or not without a loss */
export function parseJson(text) {
  try {
    return {value: JSON.parse(text, /** @type {any} */ (exact))};
  } catch {
    return null;
  }
}

/** @param {string} _key @param {any} value @param {{source?: string}} [context] the text of a number, in newer browsers */
function exact(_key, value, context) {
  if (typeof value !== "number") return value;
  if (context?.source !== undefined) return new NumberText(context.source);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new RangeError("the number would be shown as another");
  return new NumberText(String(value));
}

/** @param {{value: any}} props */
export function JsonTree({value}) {
  return html`<div class="json" role="group" aria-label="JSON" tabindex="0"><${Node} value=${value} level=${0} /></div>`;
}

/** @param {{label?: string, value: any, level: number}} props */
function Node({label, value, level}) {
  const [open, setOpen] = useState(level < OPEN_LEVELS);
  const [shown, setShown] = useState(PAGE);
  const isArray = Array.isArray(value);
  const isTree = isArray || (value !== null && typeof value === "object" && !(value instanceof NumberText));
  const name = label === undefined ? null : html`<span class="json-name">${visible(label)}</span><span class="muted">: </span>`;
  if (!isTree) return html`<div class="json-line">${name}<${Scalar} value=${value} /></div>`;
  /** @type {[string, any][]} */
  const members = Object.entries(value);
  const facts = isArray ? `[${count(members.length)}]` : `{${count(members.length)}}`;
  if (!members.length) return html`<div class="json-line">${name}<span>${isArray ? "[]" : "{}"}</span></div>`;
  return html`<div class="json-node">
    <button type="button" class="json-fold" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>
      <span class="json-arrow ${open ? "is-open" : ""}" aria-hidden="true"></span>${name}<span class="muted">${facts}</span>
    </button>
    ${open && html`<div class="json-members">
      ${members.slice(0, shown).map(([key, member]) => html`<${Node} key=${key} label=${key} value=${member} level=${level + 1} />`)}
      ${members.length > shown && html`<${Button} onClick=${() => setShown(shown + PAGE)}>Show ${count(Math.min(PAGE, members.length - shown))} more<//>`}
    </div>`}
  </div>`;
}

/** @param {{value: any}} props */
function Scalar({value}) {
  if (value instanceof NumberText) return html`<span class="json-number">${value.text}</span>`;
  if (typeof value === "string") return html`<span class="json-string">${JSON.stringify(value)}</span>`;
  return html`<span class="json-word">${String(value)}</span>`;
}
