// @ts-check
/** A number with a unit, such as a limit of bytes or an age. */
import {html, useState} from "./vendor/preact.js";
import {Field, useId} from "./ui.js";

/** @typedef {{label: string, factor: number}} Unit the largest first */

/** @type {Unit[]} */
export const BYTE_UNITS = [
  {label: "TiB", factor: 2 ** 40},
  {label: "GiB", factor: 2 ** 30},
  {label: "MiB", factor: 2 ** 20},
  {label: "KiB", factor: 2 ** 10},
  {label: "bytes", factor: 1},
];

/** @type {Unit[]} */
export const TIME_UNITS = [
  {label: "days", factor: 86400},
  {label: "hours", factor: 3600},
  {label: "minutes", factor: 60},
  {label: "seconds", factor: 1},
];

/**
 * A field for an amount; empty is null, which `empty` describes. `onInput` receives the amount, or NaN if the text is not a number.
 * @param {{label: string, value: number|null, units: Unit[], preferred: string, empty?: string, hint?: string, error?: string, onInput: (value: number|null) => void}} props
 */
export function AmountField({label, value, units, preferred, empty = "No limit", hint, error, onInput}) {
  const [start] = useState(() => split(value, units, preferred));
  const [text, setText] = useState(start.text);
  const [unit, setUnit] = useState(start.unit);
  const id = useId("unit");
  const change = (/** @type {string} */ nextText, /** @type {string} */ nextUnit) => {
    setText(nextText);
    setUnit(nextUnit);
    const factor = units.find((each) => each.label === nextUnit)?.factor ?? 1;
    const number = Number(nextText);
    onInput(nextText.trim() === "" ? null : number > 0 ? Math.round(number * factor) : NaN);
  };
  return html`<div class="amount">
    <${Field} label=${label} inputmode="decimal" value=${text} hint=${hint} error=${error} placeholder=${empty}
      onInput=${(/** @type {string} */ next) => change(next, unit)} />
    <div class="field amount-unit"><label class="visually-hidden" for=${id}>${`${label}: unit`}</label>
      <select class="input" id=${id} value=${unit} onChange=${(/** @type {any} */ event) => change(text, event.target.value)}>
        ${units.map((each) => html`<option key=${each.label} value=${each.label}>${each.label}</option>`)}
      </select></div>
  </div>`;
}

/**
 * The text and the unit of an amount: the largest unit that it is a short number of.
 * @param {number|null} value @param {Unit[]} units @param {string} preferred the unit if there is no amount
 */
function split(value, units, preferred) {
  if (value === null || value <= 0) return {text: "", unit: preferred};
  const unit = units.find(({factor}) => value >= factor && Number.isInteger((value / factor) * 10)) ?? units[units.length - 1];
  return {text: String(value / unit.factor), unit: unit.label};
}
