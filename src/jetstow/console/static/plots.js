// @ts-check
/** Lines over time, drawn by uPlot. */
import {html, useLayoutEffect, useRef, useState} from "./vendor/preact.js";
import {useColors} from "./theme_state.js";
import {themeColor} from "./ui.js";
import uPlot from "./vendor/uplot.js";

const HEIGHT = 192;

/** Distances of the lines behind a plot: of bytes in powers of two, and of other numbers. */
const BYTE_STEPS = Array.from({length: 48}, (_, power) => 2 ** power);
const NUMBER_STEPS = [0.1, 0.2, 0.5].flatMap((step) => Array.from({length: 10}, (_, power) => step * 10 ** power)).sort((a, b) => a - b);

/** Cursors of all plots move together. */
const SYNC = uPlot.sync("history");

/** The style sheet of uPlot, once. */
const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = "/_console/static/vendor/uplot.css";
document.head.append(sheet);

/** @typedef {{label: string, values: number[], color: string}} Series `color` is a custom property */

/** @param {{title: string, times: number[], step: number, series: Series[], format: (value: number) => string, isBytes?: boolean}} props */
export function Plot({title, times, step, series, format, isBytes = false}) {
  const box = useRef(/** @type {any} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const [width, setWidth] = useState(0);
  const colors = useColors();
  const data = [times, ...series.map(({values}) => values)];
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (!width) return undefined;
    const created = new uPlot(options({width, series, step, format, isBytes}), data, box.current);
    plot.current = created;
    return () => {
      SYNC.unsub(created);
      created.destroy();
      plot.current = null;
    };
  }, [width > 0, colors]);
  useLayoutEffect(() => {
    if (width) plot.current?.setSize({width, height: HEIGHT});
  }, [width]);
  useLayoutEffect(() => plot.current?.setData(data), [times]);
  return html`<section class="panel plot" aria-label=${title}><h2>${title}</h2>
    <div ref=${box} role="img" aria-label=${summary(title, series, format)}></div></section>`;
}

/** The plot in words. @param {string} title @param {Series[]} series @param {(value: number) => string} format */
function summary(title, series, format) {
  const parts = series.map(({label, values}) => `${label}: now ${format(values.at(-1) ?? 0)}, at most ${format(values.reduce((most, value) => Math.max(most, value ?? 0), 0))}`);
  return `${title} of the last hour. ${parts.join("; ")}.`;
}

/**
 * @param {{width: number, series: Series[], step: number, format: (value: number) => string, isBytes: boolean}} plot
 * @returns {any}
 */
function options({width, series, step, format, isBytes}) {
  const text = themeColor("--muted");
  const grid = {stroke: themeColor("--border"), width: 1};
  const axis = {stroke: text, grid, ticks: grid, font: "12px system-ui, sans-serif"};
  const clock = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit", second: "2-digit"});
  return {
    width,
    height: HEIGHT,
    padding: [8, 32, 0, 0],
    legend: {live: true},
    cursor: {sync: {key: SYNC.key}, drag: {x: false, y: false}, points: {size: 6}},
    scales: {x: {time: true}, y: {range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => [0, Math.max(high * 1.1, 1)]}},
    axes: [
      {...axis, space: 72, values: [[3600, "{HH}:{mm}", null, null, null, null, null, null, 0], [60, "{HH}:{mm}", null, null, null, null, null, null, 0], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 0]]},
      {...axis, size: 76, incrs: isBytes ? BYTE_STEPS : NUMBER_STEPS, values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map(format)},
    ],
    series: [
      {label: "Time", value: (/** @type {any} */ _, /** @type {number|null} */ value) => (value === null ? "–" : clock.format(value * 1000))},
      ...series.map(({label, color}) => ({
        label,
        stroke: themeColor(color),
        width: 1.5,
        points: {show: false},
        // Without samples for a while, such as after a restart, there is a gap.
        gaps: (/** @type {any} */ self, /** @type {number} */ _, /** @type {number} */ first, /** @type {number} */ last, /** @type {number[][]} */ nulls) =>
          [...nulls, ...gapsOf(self, first, last, step)],
        value: (/** @type {any} */ _, /** @type {number|null} */ value) => (value === null || value === undefined ? "–" : format(value)),
      })),
    ],
  };
}

/** The gaps between samples, in pixels. @param {any} plot @param {number} first @param {number} last @param {number} step */
function gapsOf(plot, first, last, step) {
  const times = plot.data[0];
  const gaps = [];
  for (let index = first + 1; index <= last; index += 1) {
    if (times[index] - times[index - 1] > step * 2.5) {
      gaps.push([Math.round(plot.valToPos(times[index - 1], "x", true)), Math.round(plot.valToPos(times[index], "x", true))]);
    }
  }
  return gaps;
}
