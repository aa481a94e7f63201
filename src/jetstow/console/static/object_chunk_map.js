// @ts-check
/** The geometry and the drawing of a map of chunks. */
import {themeColor} from "./ui.js";

/** Cells are at most and at least this wide, in pixels, and at most this many: then a cell is several chunks. */
const LARGEST = 24;
const SMALLEST = 8;
const MOST_CELLS = 4000;
const GAP = 2;

/** @typedef {{chunks: number, cells: number, each: number, columns: number, rows: number, pitch: number, width: number, height: number}} Grid */

/**
 * Arrange the chunks in a grid of a width. `each` is how many chunks a cell has.
 * @param {number} chunks @param {number} width
 * @returns {Grid}
 */
export function layout(chunks, width) {
  const each = Math.ceil(chunks / MOST_CELLS);
  const cells = Math.ceil(chunks / each);
  // The largest cells with which the grid is not higher than it is wide by far.
  const wanted = Math.sqrt((width * Math.max(160, width / 3)) / cells);
  const pitch = Math.max(SMALLEST, Math.min(LARGEST, Math.floor(wanted)));
  const columns = Math.max(1, Math.min(cells, Math.floor((width + GAP) / pitch)));
  const rows = Math.ceil(cells / columns);
  return {chunks, cells, each, columns, rows, pitch, width, height: rows * pitch};
}

/** The cell at a place, or null. @param {Grid} grid @param {number} x @param {number} y */
export function cellAt({cells, columns, pitch}, x, y) {
  const column = Math.floor(x / pitch);
  const cell = Math.floor(y / pitch) * columns + column;
  return column >= 0 && column < columns && cell >= 0 && cell < cells ? cell : null;
}

/**
 * @param {HTMLCanvasElement} canvas @param {Grid} grid
 * @param {{checked: number, isBad: boolean}} state `checked` chunks were verified; with `isBad` the next one is at fault
 */
export function drawMap(canvas, grid, {checked, isBad}) {
  const {chunks, cells, each, columns, pitch, width, height} = grid;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(ratio, ratio);
  const colors = {idle: themeColor("--chunk-idle"), ok: themeColor("--chunk-ok"), bad: themeColor("--danger")};
  const edge = pitch - GAP;
  for (let cell = 0; cell < cells; cell += 1) {
    const isDone = checked >= Math.min((cell + 1) * each, chunks);
    const isFault = isBad && !isDone && checked >= cell * each;
    context.fillStyle = isFault ? colors.bad : isDone ? colors.ok : colors.idle;
    context.fillRect((cell % columns) * pitch, Math.floor(cell / columns) * pitch, edge, edge);
  }
}
