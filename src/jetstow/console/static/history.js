// @ts-check
/** The load of the gateway in the last hour, as plots and as a table. */
import {html, useState} from "./vendor/preact.js";
import {get} from "./api.js";
import {count, rate} from "./format.js";
import {REFRESH} from "./health.js";
import {useEvery, useLoad} from "./object_load.js";
import {Plot} from "./plots.js";
import {ScrollTable} from "./scroll_table.js";
import {Button, Empty, ErrorBox, Name, Spinner, useTitle} from "./ui.js";

/**
 * Rates are per second.
 * @typedef {{step: number, times: number[], operations: number[], errors: number[], received: number[], sent: number[],
 *   slowest: {operation: string, count: number, mean_ms: number, max_ms: number}[]}} HistoryData
 */

/** @param {number} value */
const perSecond = (value) => `${value >= 10 || Number.isInteger(value) ? count(Math.round(value)) : value.toFixed(1)}/s`;

/** @type {{title: string, format: (value: number) => string, isBytes?: boolean, series: {label: string, name: "received"|"sent"|"operations"|"errors", color: string}[]}[]} */
const PLOTS = [
  {title: "Throughput", format: rate, isBytes: true, series: [
    {label: "Received", name: "received", color: "--plot-1"},
    {label: "Sent", name: "sent", color: "--plot-2"},
  ]},
  {title: "Operations", format: perSecond, series: [{label: "Operations", name: "operations", color: "--plot-1"}]},
  {title: "Errors", format: perSecond, series: [{label: "Errors", name: "errors", color: "--danger"}]},
];

export function HistoryPage() {
  useTitle("Activity");
  const {data, error, busy, reload} = useLoad((signal) => get("history", {}, signal), []);
  const [asTable, setAsTable] = useState(false);
  useEvery(reload, REFRESH);
  /** @type {HistoryData|null} */
  const history = data;
  return html`<div class="page">
    <div class="page-head"><h1>Activity of the last hour</h1>
      <label class="check"><input type="checkbox" checked=${asTable} onChange=${() => setAsTable(!asTable)} /> As a table</label>
      <${Button} kind="quiet" icon="refresh" label="Refresh" disabled=${busy} onClick=${reload} /></div>
    <${ErrorBox} error=${error} title=${history ? "What you see is old: the last refresh failed" : undefined} onRetry=${reload} />
    ${!history && !error && html`<${Spinner} label="Loading" />`}
    ${history && (history.times.length < 2
      ? html`<${Empty} title="The gateway has just started"><p>The first values come in ${REFRESH * 2} seconds.</p><//>`
      : asTable
        ? html`<${HistoryTable} history=${history} />`
        : html`<div class="plots">${PLOTS.map(
            ({title, format, isBytes, series}) => html`<${Plot} key=${title} title=${title} isBytes=${isBytes} times=${history.times} step=${history.step} format=${format}
              series=${series.map((each) => ({...each, values: history[each.name]}))} />`,
          )}</div>`)}
    ${history && history.slowest.length > 0 && html`<${Slowest} operations=${history.slowest} />`}
  </div>`;
}

/** Means of a minute, the latest first. @param {{history: HistoryData}} props */
function HistoryTable({history}) {
  const {times, step} = history;
  const each = Math.max(1, Math.round(60 / step));
  const rows = [];
  for (let end = times.length; end > 0; end -= each) rows.push([Math.max(0, end - each), end]);
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + (value ?? 0), 0) / values.length;
  const clock = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit"});
  return html`<${ScrollTable} label="Activity of the last hour">
    <thead><tr><th scope="col">Time</th>${PLOTS.flatMap(({series}) => series).map(
      ({label}) => html`<th key=${label} scope="col" class="is-number">${label}</th>`)}</tr></thead>
    <tbody>${rows.map(
      ([start, end]) => html`<tr key=${times[start]}><th scope="row">${clock.format(times[start] * 1000)}</th>
        ${PLOTS.flatMap(({series, format}) => series.map(
          ({name}) => html`<td key=${name} class="is-number">${format(mean(history[name].slice(start, end)))}</td>`))}</tr>`,
    )}</tbody>
  <//>`;
}

/** @param {{operations: HistoryData["slowest"]}} props */
function Slowest({operations}) {
  return html`<section class="block" aria-label="Slowest operations"><h2>Slowest operations</h2>
    <${ScrollTable} label="Slowest operations">
      <thead><tr><th scope="col">Operation</th><th scope="col" class="is-number">Requests</th><th scope="col" class="is-number">Mean</th><th scope="col" class="is-number">Longest, at most</th></tr></thead>
      <tbody>${operations.map(
        (each) => html`<tr key=${each.operation}><td><${Name} value=${each.operation} /></td><td class="is-number">${count(each.count)}</td>
          <td class="is-number">${milliseconds(each.mean_ms)}</td><td class="is-number">${milliseconds(each.max_ms)}</td></tr>`,
      )}</tbody>
    <//></section>`;
}

/** @param {number|null} value */
function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${value >= 10 ? Math.round(value) : value.toFixed(1)} ms`;
}
