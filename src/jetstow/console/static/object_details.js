// @ts-check
/** The facts of an object, and what users have attached to it. */
import {html, useState} from "./vendor/preact.js";
import {count, exactTime, size} from "./format.js";
import {copyText} from "./object_actions.js";
import {Link, paths} from "./router.js";
import {Button, Name} from "./ui.js";

/** @typedef {import("./object_page.js").ObjectData} ObjectData */

export const TAGS_HINT = "Words that jetstow find selects objects by. Clients of S3 have tags of their own: S3 tags.";
export const S3_TAGS_HINT = "Names with values that clients of S3, policies and lifecycle rules use.";

/** @param {{bucket: string, object: ObjectData}} props */
export function DetailsTab({bucket, object}) {
  return html`<div class="details">
    <section class="panel" aria-label="Facts"><dl class="facts">${facts(bucket, object).map(
      ([term, value]) => html`<div key=${term}><dt>${term}</dt><dd>${value}</dd></div>`,
    )}</dl></section>
    <${Pairs} title="Metadata" items=${Object.entries(object.metadata)} />
    <${Pairs} title="Headers" items=${Object.entries(object.headers).flatMap(([name, values]) => values.map((value) => [name, value]))} />
    <${Pairs} title="S3 tags" hint=${S3_TAGS_HINT} items=${Object.entries(object.s3_tags)} />
    ${object.tags.length > 0 && html`<section class="panel"><h2>Tags</h2><p class="muted">${TAGS_HINT}</p>
      <ul class="chips">${object.tags.map((tag) => html`<li key=${tag} class="chip"><${Name} value=${tag} /></li>`)}</ul>
    </section>`}
  </div>`;
}

/** @param {string} bucket @param {ObjectData} object @returns {[string, any][]} */
function facts(bucket, object) {
  const {link, retention} = object;
  const isSame = object.version === object.nuid; // except of what was written without versioning
  /** @type {[string, any][]} */
  const rows = [
    ["Name", html`<${CopyValue} value=${object.name} />`],
    ["Description", object.description && html`<${Name} value=${object.description} limit=${1000} />`],
    ["Link to", link && html`<${LinkTarget} link=${link} />`],
    ["Size", link ? null : sizeText(object.size)],
    ["Type", object.content_type && html`<${Name} value=${object.content_type} />`],
    ["Modified", exactTime(object.modified)],
    ["Expires", exactTime(object.expires)],
    ["Digest", object.digest && html`<${CopyValue} value=${object.digest} mono />`],
    ["ETag", object.etag && html`<${CopyValue} value=${object.etag} mono />`],
    ["Revision", html`<span class="mono">${object.revision}</span>`],
    [isSame ? "Version, NUID" : "Version", object.version && html`<${CopyValue} value=${object.version} mono />`],
    ["Chunks", link ? null : chunkText(object)],
    ["NUID", isSame ? null : object.nuid && html`<${CopyValue} value=${object.nuid} mono />`],
    ["Encryption", object.encrypted ? "Encrypted by its client: only that client's key can read it" : null],
    ["Retention", retention && `${retention.mode.toLowerCase()}, until ${exactTime(retention.until)}`],
    ["Legal hold", object.legal_hold ? "On: this version cannot be deleted" : null],
  ];
  return rows.filter(([, value]) => value !== null && value !== "" && value !== undefined);
}

/** @param {number} bytes */
const sizeText = (bytes) => (bytes < 1024 ? count(bytes, "byte") : `${size(bytes)} (${count(bytes, "byte")})`);

/** @param {ObjectData} object */
function chunkText({chunks, chunk_size: chunkSize}) {
  return chunkSize ? `${count(chunks)} of up to ${size(chunkSize)}` : count(chunks);
}

/** @param {{link: {bucket: string, name: string|null}}} props */
function LinkTarget({link}) {
  const href = link.name ? paths.object(link.bucket, link.name) : paths.folder(link.bucket);
  return html`<${Link} href=${href}><${Name} value=${link.name ? `${link.bucket}/${link.name}` : link.bucket} /><//>`;
}

/** A value with a button that copies it. @param {{value: string, mono?: boolean}} props */
export function CopyValue({value, mono = false}) {
  const [copied, setCopied] = useState(false);
  const copy = async () => setCopied(await copyText(value));
  return html`<span class="copy-value"><span class=${mono ? "mono break" : "break"}><${Name} value=${value} limit=${2000} /></span>
    <${Button} kind="quiet" icon=${copied ? "check" : "copy"} label=${copied ? "Copied" : "Copy"} onClick=${copy} /></span>`;
}

/** @param {{title: string, items: string[][], hint?: string}} props */
function Pairs({title, items, hint}) {
  if (!items.length) return null;
  return html`<section class="panel"><h2>${title}</h2>${hint && html`<p class="muted">${hint}</p>`}
    <dl class="facts">${items.map(
      ([name, value], index) => html`<div key=${index}><dt><${Name} value=${name} limit=${200} /></dt><dd><${Name} value=${value} limit=${4000} /></dd></div>`,
    )}</dl>
  </section>`;
}
