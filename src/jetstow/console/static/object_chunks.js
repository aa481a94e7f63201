// @ts-check
/** The chunks of an object as a picture. A verification colours them while it runs. */
import {html, useEffect, useLayoutEffect, useRef, useState} from "./vendor/preact.js";
import {at, ndjson} from "./api.js";
import {count, size} from "./format.js";
import {cellAt, drawMap, layout} from "./object_chunk_map.js";
import {useColors} from "./theme_state.js";
import {Button, Empty, ErrorBox} from "./ui.js";

/** @typedef {import("./object_page.js").ObjectData} ObjectData */
/** @typedef {{checked: number, total: number, state: "idle"|"running"|"stopped"|"ok"|"bad", findings: {code: string, message: string}[]}} Check */

/** @type {Check} */
const NOT_CHECKED = {checked: 0, total: 0, state: "idle", findings: []};

/** @param {{bucket: string, object: ObjectData, version?: string}} props `version` that is shown, if it is not the current one */
export function ChunksTab({bucket, object, version}) {
  const {chunks, size: bytes, link} = object;
  const [check, setCheck] = useState(NOT_CHECKED);
  const [error, setError] = useState(/** @type {any} */ (null));
  const running = useRef(/** @type {AbortController|null} */ (null));
  useEffect(() => () => running.current?.abort(), []);
  if (link) return html`<${Empty} title="A link has no chunks"><p>Its target has them.</p><//>`;
  if (!chunks) return html`<${Empty} title="This object is empty"><p>An object of 0 bytes has no chunks.</p><//>`;

  const verify = async () => {
    const controller = new AbortController();
    running.current = controller;
    setError(null);
    setCheck({...NOT_CHECKED, total: chunks, state: "running"});
    const query = new URLSearchParams({name: object.name, ...(version && {version})});
    try {
      const last = await ndjson(`${at`buckets/${bucket}/verify`}?${query}`, {}, (line) => {
        if (line.chunk !== undefined) setCheck((before) => ({...before, checked: Math.max(before.checked, line.chunk)}));
      }, controller.signal);
      const findings = last?.result?.findings ?? [];
      setCheck((before) => ({...before, checked: findings.length ? before.checked : chunks, state: findings.length ? "bad" : "ok", findings}));
    } catch (failure) {
      setCheck((before) => ({...before, state: "stopped"}));
      if (!controller.signal.aborted) setError(failure);
    }
  };
  const isRunning = check.state === "running";
  const average = bytes / chunks;
  return html`<div class="chunks">
    <div class="chunks-head">
      <p>${count(chunks, "chunk")}${object.chunk_size ? ` of up to ${size(object.chunk_size)}` : ""}, ${size(bytes)} in all.
        <span class="muted"> Each is one message in the stream of the bucket.</span></p>
      ${isRunning
        ? html`<${Button} icon="close" onClick=${() => running.current?.abort()}>Stop<//>`
        : html`<${Button} icon="check" onClick=${verify}>Verify<//>`}
    </div>
    <${ChunkMap} chunks=${chunks} chunkSize=${object.chunk_size ?? average} bytes=${bytes} check=${check} />
    <ul class="legend" aria-hidden="true">
      <li><i class="swatch is-idle"></i>not verified</li><li><i class="swatch is-ok"></i>verified</li><li><i class="swatch is-bad"></i>missing or wrong</li>
    </ul>
    <p role="status" aria-label="Verification" class="verify-state is-${check.state}">${stateText(check, chunks)}</p>
    ${check.findings.map((finding, index) => html`<${ErrorBox} key=${index} error=${{message: finding.message, code: finding.code, status: 1}} />`)}
    <${ErrorBox} error=${error} title="The object could not be verified" onRetry=${verify} />
  </div>`;
}

/** @param {Check} check @param {number} chunks */
function stateText({state, checked}, chunks) {
  switch (state) {
    case "running": return `Verified ${count(checked)} of ${count(chunks)}`;
    case "ok": return `All ${count(chunks, "chunk")} are there, and the digest matches`;
    case "bad": return `${count(checked)} of ${count(chunks, "chunk")} were read before the fault`;
    case "stopped": return `Stopped after ${count(checked)} of ${count(chunks, "chunk")}`;
    default: return "";
  }
}

/** @param {{chunks: number, chunkSize: number, bytes: number, check: Check}} props */
function ChunkMap({chunks, chunkSize, bytes, check}) {
  const canvas = useRef(/** @type {any} */ (null));
  const box = useRef(/** @type {any} */ (null));
  const [width, setWidth] = useState(0);
  const [pointed, setPointed] = useState("");
  const colors = useColors();
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const grid = layout(chunks, width);
  useLayoutEffect(() => {
    if (width) drawMap(canvas.current, grid, {checked: check.checked, isBad: check.state === "bad"});
  }, [width, chunks, check.checked, check.state, colors]);
  const point = (/** @type {PointerEvent} */ event) => {
    const cell = cellAt(grid, event.offsetX, event.offsetY);
    if (cell === null) return setPointed("");
    const [first, last] = [cell * grid.each, Math.min(chunks, (cell + 1) * grid.each) - 1];
    const range = `bytes ${count(Math.round(first * chunkSize))} to ${count(Math.min(bytes, Math.round((last + 1) * chunkSize)) - 1)}`;
    return setPointed(first === last ? `Chunk ${count(first + 1)}: ${range}` : `Chunks ${count(first + 1)} to ${count(last + 1)}: ${range}`);
  };
  return html`<div class="chunk-map" ref=${box}>
    <canvas ref=${canvas} role="img" aria-label=${`Map of ${count(chunks, "chunk")}, ${count(check.checked)} verified`}
      onPointerMove=${point} onPointerLeave=${() => setPointed("")}></canvas>
    <p class="muted chunk-pointed">${pointed || (grid.each > 1 ? `Each cell is ${count(grid.each, "chunk")}` : "Each cell is a chunk")}</p>
  </div>`;
}
