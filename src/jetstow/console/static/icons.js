// @ts-check
/** Icons as outlines of 16 by 16 units, in the colour of the text. */
import {html} from "./vendor/preact.js";

/** @type {Record<string, string>} */
const SHAPES = {
  archive: "M2 3h12v3H2zM3 6v7h10V6M6.5 9h3",
  back: "M10 3 5 8l5 5",
  bucket: "M2.5 4.5h11l-1.2 9H3.7zM2.5 4.5C2.5 3 5 2.5 8 2.5s5.5.5 5.5 2",
  check: "m3 8.5 3.5 3.500L13 4.5",
  chevron: "m6 3 5 5-5 5",
  close: "m4 4 8 8M12 4l-8 8",
  copy: "M5.5 5.500h8v8h-8zM10.5 5.500v-3h-8v8h3",
  dots: "M3.200 7.700v.6h-.6v-.6zM8.300 7.700v.6h-.6v-.6zM13.400 7.700v.6h-.6v-.6z",
  down: "M8 12.500v-9M4 8.500l4 4 4-4",
  download: "M8 2v8.500M4.5 7 8 10.5 11.5 7M2.5 13.500h11",
  edit: "m3 13 .5-3 7-7 2.5 2.5-7 7zM9 4.5 11.5 7",
  empty: "M2 9.5 4 3h8l2 6.500v3.500H2zM2 9.500h3.500l1 2h3l1-2H14",
  file: "M4 1.500h5l3 3v10H4zM9 1.500v3h3",
  folder: "M1.5 3.500h4.500l1.5 2h7v7.500h-13z",
  help: "M5.8 6a2.2 2.2 0 1 1 3.3 1.900c-.7.4-1.1.8-1.1 1.600M8 12h.01",
  info: "M8 14.500a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 7.500v3.500M8 5h.01",
  key: "M10 6a4 4 0 1 0-3.2 3.900L8 11h1.500v1.500H11V14h2.500v-2.300L9.6 7.800c.26-.55.4-1.16.4-1.800zM5 5h.01",
  link: "M7 9a2.5 2.5 0 0 0 3.5 0l2.5-2.500A2.5 2.5 0 0 0 9.5 3L8.5 4M9 7a2.5 2.5 0 0 0-3.5 0L3 9.500A2.5 2.5 0 0 0 6.5 13l1-1",
  lock: "M3.5 7h9v6.500h-9zM5.5 7V4.800a2.5 2.5 0 0 1 5 0V7",
  move: "M2 8h11M9.5 4.5 13 8l-3.5 3.5",
  pause: "M5.5 3.500v9M10.5 3.500v9",
  play: "m5 3 7.5 5L5 13z",
  plus: "M8 3v10M3 8h10",
  refresh: "M13 8a5 5 0 1 1-1.5-3.500L13.5 6.500M13.5 2.500v4h-4",
  restore: "M3 2.500v4h4M3.300 6.500A5 5 0 1 1 3 9.500",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14",
  settings: "M2 4.500h6M12 4.500h2M2 11.500h2M8 11.500h6M10 2.800v3.400M6 9.800v3.4",
  share: "M8 10V2M5 4.5 8 1.500l3 3M4.5 7H3v7.500h10V7h-1.5",
  signout: "M10 5V2.5H2.5v11H10V11M6 8h8M11.5 5.5 14 8l-2.5 2.5",
  theme: "M8 14.500a6.5 6.5 0 1 0 0-13zM8 1.500a6.5 6.5 0 0 0 0 13z",
  trash: "M2.5 4h11M6 4V2h4v2M4 4l.7 10h6.600L12 4M6.7 6.500v5M9.3 6.500v5",
  up: "M8 3.500v9M4 7.500l4-4 4 4",
  upload: "M8 11V2.500M4.5 6 8 2.5 11.5 6M2.5 13.500h11",
  user: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14.500c.5-3 2.7-4.5 5.5-4.500s5 1.5 5.5 4.5",
  warning: "M8 2 1.5 13.500h13zM8 6.500v3.500M8 11.800h.01",
};

/** @param {{name: string, size?: number, filled?: boolean}} props */
export function Icon({name, size = 16, filled = false}) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 16 16" fill=${filled ? "currentColor" : "none"}
    stroke="currentColor" stroke-width="1.3" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
    <path d=${SHAPES[name] ?? SHAPES.file} />
  </svg>`;
}
