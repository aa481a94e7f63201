// @ts-check
/** The preview of an object. Its bytes are hostile: text is shown as text, all else comes from the preview origin. */
import {html, useEffect, useRef, useState} from "./vendor/preact.js";
import {at, get} from "./api.js";
import {baseName, count, size} from "./format.js";
import {downloadUrl} from "./object_actions.js";
import {useLoad} from "./object_load.js";
import {JsonTree, parseJson} from "./preview_json.js";
import {DataTable} from "./preview_table.js";
import {Button, Empty, ErrorBox, Name, Spinner} from "./ui.js";

/** @typedef {import("./object_page.js").ObjectData} ObjectData */

/** How much text is read at first, and at most. */
const FIRST = 256 * 1024;
const MOST = 1024 * 1024;

/**
 * @param {{bucket: string, object: ObjectData, version?: string, onStale: () => void}} props
 *   `onStale` is called when the preview's URL has expired
 */
export function PreviewTab({bucket, object, version, onStale}) {
  const [asText, setAsText] = useState(false);
  const [busy, setBusy] = useState(true);
  const kind = asText ? "text" : object.preview?.kind ?? "";
  const shared = {bucket, object, version, onBusy: setBusy};
  return html`<section class="preview" role="region" aria-label="Preview" aria-busy=${String(busy)}>
    ${kind === "text" || kind === "json"
      ? html`<${TextPreview} ...${shared} isJson=${kind === "json"} />`
      : kind === "csv" || kind === "parquet"
        ? html`<${TablePreview} ...${shared} onText=${kind === "csv" ? () => setAsText(true) : undefined} />`
        : kind === "image" || kind === "audio" || kind === "video" || kind === "pdf"
          ? html`<${MediaPreview} ...${shared} kind=${kind} onStale=${onStale} />`
          : html`<${NoPreview} object=${object} onText=${() => setAsText(true)} onBusy=${setBusy} />`}
  </section>`;
}

/** @typedef {(busy: boolean) => void} OnBusy called when a preview begins and ends to load */

/** @param {{object: ObjectData, onText?: () => void, why?: string, onBusy: OnBusy}} props */
function NoPreview({object, onText, why, onBusy}) {
  useEffect(() => onBusy(false), []);
  const canRead = !object.encrypted && (!object.link || object.link.name !== null);
  const text = why ?? (object.encrypted
    ? "It is encrypted: the gateway does not have its key."
    : object.content_type ? `The type is ${object.content_type}.` : "It has no type.");
  return html`<${Empty} title="There is no preview of this object" icon="file">
    <p>${text}</p>
    ${canRead && onText && html`<${Button} onClick=${onText}>Show as text<//>`}
  <//>`;
}

/** @param {{bucket: string, object: ObjectData, version?: string, isJson: boolean, onBusy: OnBusy}} props */
function TextPreview({bucket, object, version, isJson, onBusy}) {
  const [limit, setLimit] = useState(FIRST);
  const [raw, setRaw] = useState(false);
  const [wrap, setWrap] = useState(true);
  const {data, error, busy, reload} = useLoad(
    (signal) => get(at`buckets/${bucket}/text`, {name: object.name, version, limit}, signal),
    [bucket, object.name, version, limit],
  );
  useEffect(() => onBusy(busy), [busy]);
  if (!data) return error ? html`<${ErrorBox} error=${error} onRetry=${reload} />` : html`<${Spinner} label="Loading the preview" />`;
  const tree = isJson && !data.truncated ? parseJson(data.text) : null;
  return html`<div class="preview-bar">
      <span class="muted">${data.truncated ? `The first ${size(limit)} of ${size(data.size)}` : size(data.size)}</span>
      ${tree && html`<label class="check"><input type="checkbox" checked=${raw} onChange=${() => setRaw(!raw)} /> As stored</label>`}
      ${(!tree || raw) && html`<label class="check"><input type="checkbox" checked=${wrap} onChange=${() => setWrap(!wrap)} /> Wrap lines</label>`}
      ${data.truncated && limit < MOST && html`<${Button} busy=${busy} onClick=${() => setLimit(limit * 4)}>Show more<//>`}
    </div>
    <${ErrorBox} error=${error} onRetry=${reload} />
    ${isJson && !tree && !data.truncated && html`<p class="muted">This is not valid JSON. It is shown as stored.</p>`}
    ${data.size === 0
      ? html`<${Empty} title="This object is empty" icon="file" />`
      : tree && !raw
        ? html`<${JsonTree} value=${tree.value} />`
        : html`<pre class="preview-text ${wrap ? "is-wrapped" : ""}" tabindex="0" aria-label=${`Text of ${baseName(object.name)}`}>${data.text}</pre>`}
    ${data.truncated && html`<p class="muted preview-end">The preview ends here: download the object to see all ${size(data.size)}.</p>`}`;
}

/** @param {{bucket: string, object: ObjectData, version?: string, onText?: () => void, onBusy: OnBusy}} props */
function TablePreview({bucket, object, version, onText, onBusy}) {
  const {data, error, busy, reload} = useLoad(
    (signal) => get(at`buckets/${bucket}/table`, {name: object.name, version}, signal),
    [bucket, object.name, version],
  );
  useEffect(() => onBusy(busy), [busy]);
  if (error?.status === 501) {
    return html`<${NoPreview} object=${object} onBusy=${onBusy}
      why="The gateway needs pyarrow to read Parquet: install jetstow[console,arrow] there." />`;
  }
  if (!data) return error ? html`<${ErrorBox} error=${error} onRetry=${reload} />` : html`<${Spinner} label="Loading the table" />`;
  const shown = data.truncated
    ? `The first ${count(data.rows.length, "row")}${data.total === null ? "" : ` of ${count(data.total)}`}`
    : count(data.rows.length, "row");
  return html`<div class="preview-bar"><span class="muted">${shown}, ${count(data.columns.length, "column")}</span>
      ${onText && html`<${Button} onClick=${onText}>Show as text<//>`}</div>
    <${DataTable} columns=${data.columns} rows=${data.rows} label=${`Rows of ${baseName(object.name)}`} />`;
}

/** @param {{bucket: string, object: ObjectData, version?: string, kind: "image"|"audio"|"video"|"pdf", onStale: () => void, onBusy: OnBusy}} props */
function MediaPreview({bucket, object, version, kind, onStale, onBusy}) {
  const [failed, setFailed] = useState(false);
  const wasStale = useRef(false);
  const name = baseName(object.name);
  const source = object.preview?.url ?? (kind === "pdf" ? null : downloadUrl(bucket, object.name, version)); // only PDFs run script
  const onError = () => {
    // The URL is valid for ten minutes: ask for another, once.
    if (object.preview?.url && !wasStale.current) onStale();
    else setFailed(true);
    wasStale.current = true;
  };
  const failedSource = useRef(source);
  useEffect(() => {
    // The same URL again is not loaded again.
    if (wasStale.current && failedSource.current === source) setFailed(true);
    failedSource.current = source;
  }, [object]);
  const onReady = () => onBusy(false);
  if (source === null) {
    return html`<${NoPreview} object=${object} onBusy=${onBusy} why="Previews of this type need serve --preview HOST:PORT on the gateway." />`;
  }
  if (failed) {
    return html`<${NoPreview} object=${object} onBusy=${onBusy} why=${`The browser cannot show this ${kind}: it may be damaged, or in a format that it does not have.`} />`;
  }
  if (kind === "pdf") {
    // Chromium's viewer does not work in a sandbox: the frame's own origin keeps it apart.
    return html`<iframe class="preview-frame" src=${source} onLoad=${onReady} title=${`Preview of ${name}`} referrerpolicy="no-referrer"></iframe>`;
  }
  if (kind === "audio") return html`<audio class="preview-audio" controls preload="metadata" src=${source} onLoadedMetadata=${onReady} onError=${onError} aria-label=${name}></audio>`;
  if (kind === "video") return html`<video class="preview-video" controls preload="metadata" src=${source} onLoadedMetadata=${onReady} onError=${onError} aria-label=${name}></video>`;
  return html`<${ImagePreview} source=${source} name=${name} onReady=${onReady} onError=${onError} />`;
}

/** @param {{source: string, name: string, onReady: () => void, onError: () => void}} props */
function ImagePreview({source, name, onReady, onError}) {
  const [full, setFull] = useState(false);
  const [facts, setFacts] = useState("");
  const onLoad = (/** @type {any} */ {target}) => {
    setFacts(`${count(target.naturalWidth)} × ${count(target.naturalHeight)} pixels`);
    onReady();
  };
  return html`<div class="preview-bar"><span class="muted">${facts || html`<${Name} value=${name} />`}</span>
      <label class="check"><input type="checkbox" checked=${full} onChange=${() => setFull(!full)} /> Full size</label></div>
    <div class="preview-image ${full ? "is-full" : ""}" tabindex=${full ? 0 : undefined} role=${full ? "group" : undefined} aria-label=${full ? "Image in full size" : undefined}>
      <img src=${source} alt=${name} onLoad=${onLoad} onError=${onError} referrerpolicy="no-referrer" />
    </div>`;
}
