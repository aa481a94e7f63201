// @ts-check
/** Rows of CSV or Parquet as a table. */
import {html} from "./vendor/preact.js";
import {visible} from "./format.js";

/** Longer values are cut in the table; the whole value is the tooltip. */
const LONGEST = 200;

/** Types of Arrow, and the one of CSV, whose values are aligned at the right. */
const NUMERIC = /^(number|u?int|float|double|halffloat|decimal)/;

/** @param {{columns: {name: string, type: string|null}[], rows: any[][], label: string}} props */
export function DataTable({columns, rows, label}) {
  const numeric = columns.map((column) => NUMERIC.test(column.type ?? ""));
  return html`<div class="table-wrap data-table" tabindex="0" role="group" aria-label=${label}><table class="table">
    <thead><tr>
      <th scope="col" class="is-number"><span class="visually-hidden">Row</span></th>
      ${columns.map(
        (column, index) => html`<th key=${index} scope="col" class=${numeric[index] ? "is-number" : ""}>${visible(column.name)}
          ${column.type && column.type !== "text" && html`<span class="column-type">${visible(column.type)}</span>`}</th>`,
      )}
    </tr></thead>
    <tbody>${rows.map(
      (row, index) => html`<tr key=${index}><th scope="row" class="is-number">${index + 1}</th>
        ${columns.map((_, column) => html`<${Cell} key=${column} value=${row[column]} numeric=${numeric[column]} />`)}</tr>`,
    )}</tbody>
  </table></div>`;
}

/** @param {{value: any, numeric: boolean}} props */
function Cell({value, numeric}) {
  if (value === null || value === undefined) return html`<td class="muted ${numeric ? "is-number" : ""}">null</td>`;
  const text = visible(typeof value === "string" ? value : JSON.stringify(value));
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return html`<td class=${numeric ? "is-number" : ""} title=${short === text ? undefined : text}>${short}</td>`;
}
