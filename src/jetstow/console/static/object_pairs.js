// @ts-check
/** A list of names and values to edit. */
import {html, useLayoutEffect, useRef} from "./vendor/preact.js";
import {ApiError} from "./api.js";
import {Button} from "./ui.js";

/** @typedef {{name: string, value: string}} Pair */

/** @param {Record<string, string>} record @returns {Pair[]} */
export const toPairs = (record) => Object.entries(record).map(([name, value]) => ({name, value}));

/**
 * The pairs as an object. Raises `ApiError` if a name is there twice.
 * @param {Pair[]} pairs @param {string} title for the error
 * @returns {Record<string, string>}
 */
export function toRecord(pairs, title) {
  /** @type {Map<string, string>} */
  const record = new Map();
  for (const {name, value} of pairs) {
    const trimmed = name.trim();
    if (!trimmed && !value) continue;
    if (!trimmed) throw new ApiError("InvalidArgument", `${title}: the value ${value} has no name.`, 0);
    if (record.has(trimmed)) throw new ApiError("InvalidArgument", `${title}: the name ${trimmed} is there twice.`, 0);
    record.set(trimmed, value);
  }
  return Object.fromEntries(record);
}

/** @param {{title: string, pairs: Pair[], onChange: (pairs: Pair[]) => void, limit?: number, hint?: string}} props */
export function PairsEditor({title, pairs, onChange, limit = 200, hint}) {
  const list = useRef(/** @type {any} */ (null));
  /** What gets the focus when the list is rendered with another length. */
  const next = useRef("");
  useLayoutEffect(() => {
    if (next.current) list.current.querySelector(next.current)?.focus();
    next.current = "";
  }, [pairs.length]);
  const change = (/** @type {number} */ index, /** @type {Partial<Pair>} */ part) =>
    onChange(pairs.map((pair, at) => (at === index ? {...pair, ...part} : pair)));
  const remove = (/** @type {number} */ index) => {
    next.current = ":scope > button";
    onChange(pairs.filter((_, at) => at !== index));
  };
  const add = () => {
    next.current = ".pair:last-of-type input";
    onChange([...pairs, {name: "", value: ""}]);
  };
  return html`<fieldset class="pairs-editor" ref=${list}>
    <legend>${title}</legend>
    ${hint && html`<p class="field-hint">${hint}</p>`}
    ${pairs.map(
      (pair, index) => html`<div class="pair" key=${index}>
        <input class="input" aria-label=${`${title}: name ${index + 1}`} placeholder="Name" value=${pair.name} spellcheck=${false}
          onInput=${(/** @type {any} */ event) => change(index, {name: event.target.value})} />
        <input class="input" aria-label=${`${title}: value ${index + 1}`} placeholder="Value" value=${pair.value} spellcheck=${false}
          onInput=${(/** @type {any} */ event) => change(index, {value: event.target.value})} />
        <${Button} kind="quiet" icon="close" label=${`Remove ${title} ${index + 1}`} onClick=${() => remove(index)} />
      </div>`,
    )}
    ${pairs.length < limit && html`<${Button} icon="plus" onClick=${add}>${`Add to ${title.replace(/^[MH]/, (letter) => letter.toLowerCase())}`}<//>`}
  </fieldset>`;
}
