// @ts-check
/** Jobs on a bucket: verify its objects, remove garbage, mirror it. */
import {html, useState} from "./vendor/preact.js";
import {at, get} from "./api.js";
import {count, size} from "./format.js";
import {cancelJob, clearJob, startJob, useJob} from "./jobs.js";
import {useLoad} from "./object_load.js";
import {Link, paths} from "./router.js";
import {ScrollTable} from "./scroll_table.js";
import {Button, ConfirmDialog, ErrorBox, Field, Name, Progress} from "./ui.js";

/** @typedef {import("./jobs.js").Job} Job */
/** @typedef {import("./settings_page.js").BucketData} BucketData */

/** @param {{bucket: BucketData, mayRepair: boolean}} props */
export function JobsTab({bucket, mayRepair}) {
  return html`<div class="jobs">
    ${bucket.owned && html`<${VerifyJob} bucket=${bucket.name} versioned=${bucket.versioning !== null} />`}
    ${mayRepair && !bucket.sealed && html`<${GarbageJob} bucket=${bucket.name} />`}
    ${mayRepair && html`<${MirrorJob} bucket=${bucket.name} />`}
    ${!bucket.owned && html`<p class="notice">Only the owner of the bucket can run jobs on it.</p>`}
  </div>`;
}

/** @param {{bucket: string, versioned: boolean}} props */
function VerifyJob({bucket, versioned}) {
  const key = `verify ${bucket}`;
  const job = useJob(key);
  const start = () => startJob(key, at`buckets/${bucket}/verify`, {});
  return html`<${JobPanel} title="Verify" name=${key} job=${job} about=${`Reads all objects${versioned ? " and all older versions" : ""}, and compares them with their digests. Nothing is changed.`}
    start=${html`<${Button} icon="check" onClick=${start}>Verify all objects<//>`}
    result=${job?.result && html`<${VerifyResult} bucket=${bucket} versioned=${versioned} result=${job.result} />`} />`;
}

/** @param {{bucket: string, versioned: boolean, result: any}} props */
function VerifyResult({bucket, versioned, result}) {
  const {objects, links, findings} = result;
  const read = `${count(objects, versioned ? "version" : "object")}${links ? ` and ${count(links, "link")}` : ""}, ${size(result.size)}`;
  if (!findings.length) return html`<p class="good">${read}: all are intact.</p>`;
  return html`<p class="bad">${read}: ${count(findings.length, "fault")}.</p><${Findings} bucket=${bucket} findings=${findings} />`;
}

/** @param {{bucket: string}} props */
function GarbageJob({bucket}) {
  const key = `garbage ${bucket}`;
  const job = useJob(key);
  const [asked, setAsked] = useState(false);
  const start = (/** @type {boolean} */ dryRun) => startJob(key, at`buckets/${bucket}/garbage`, {dry_run: dryRun});
  const found = job?.result?.dry_run ? garbageCount(job.result) : 0;
  return html`<${JobPanel} title="Garbage" name=${key} job=${job}
    about="Finds chunks that belong to no object: clients that were killed leave them behind. Uploads of the last hour are spared."
    start=${html`<${Button} icon="search" onClick=${() => start(true)}>Look for garbage<//>
      ${found > 0 && html`<${Button} kind="danger" icon="trash" onClick=${() => setAsked(true)}>Remove it<//>`}`}
    result=${job?.result && html`<${GarbageResult} bucket=${bucket} result=${job.result} />`} />
    ${asked && html`<${ConfirmDialog} title="Remove garbage" action="Remove" onClose=${() => setAsked(false)} onConfirm=${() => void start(false)}>
      <p>Remove the garbage of <b><${Name} value=${bucket} /></b>? Objects and their versions are not touched.</p><//>`}`;
}

/** @param {any} result */
const garbageCount = ({uploads = 0, names = 0, markers = 0, versions = 0}) => uploads + names + markers + versions;

/** @param {{bucket: string, result: any}} props */
function GarbageResult({bucket, result}) {
  const {dry_run: isDry, messages, uploads, names, markers, versions, recent, findings = []} = result;
  /** @type {string[]} */
  const parts = [];
  if (uploads) parts.push(`${count(uploads, "unfinished upload")} with ${count(messages, "chunk")}`);
  if (names) parts.push(count(names, "old name"));
  if (markers) parts.push(count(markers, "old delete marker"));
  if (versions) parts.push(`${count(versions, "duplicate")} of current versions`);
  const text = !parts.length ? "There is no garbage." : isDry ? `Found ${parts.join(", ")}.` : `Removed ${parts.join(", ")}.`;
  return html`<p class=${parts.length && isDry ? "" : "good"}>${text}${recent ? ` ${count(recent, "upload")} of the last hour may still be running.` : ""}</p>
    <${Findings} bucket=${bucket} findings=${findings} />`;
}

/** @param {{bucket: string}} props */
function MirrorJob({bucket}) {
  const key = `mirror ${bucket}`;
  const job = useJob(key);
  const [to, setTo] = useState("");
  const {data, error} = useLoad((signal) => get("buckets", {}, signal), []);
  /** @type {string[]} */
  const names = (data?.buckets ?? []).filter((/** @type {BucketData} */ each) => each.owned && each.name !== bucket && !each.sealed)
    .map((/** @type {BucketData} */ each) => each.name);
  const start = () => startJob(key, at`buckets/${bucket}/mirror`, {to});
  return html`<${JobPanel} title="Mirror" name=${key} job=${job} about="Copies new and changed objects to another bucket. Objects that are only there stay."
    start=${html`<${Field} label="To the bucket" as="select" value=${to} onInput=${setTo} error=${error?.message}
        hint=${data && !names.length ? "You own no other bucket." : undefined}>
        <option value="">Choose a bucket</option>
        ${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      <//>
      <${Button} icon="copy" disabled=${!to} onClick=${start}>Mirror<//>`}
    result=${job?.result && html`<${MirrorResult} bucket=${bucket} result=${job.result} />`} />`;
}

/** @param {{bucket: string, result: any}} props */
function MirrorResult({bucket, result: {copied, updated, unchanged, size: bytes, failed}}) {
  const parts = [`${count(copied, "object")} copied`, `${count(updated)} updated`, `${count(unchanged)} unchanged`, `${size(bytes)} written`];
  if (failed.length) parts.push(`${count(failed.length)} failed`);
  return html`<p class=${failed.length ? "bad" : "good"}>${parts.join(", ")}.</p>
    <${Findings} bucket=${bucket} findings=${failed} />`;
}

/** @param {{bucket: string, findings: {name: string|null, version: string|null, code: string, message: string}[]}} props */
function Findings({bucket, findings}) {
  if (!findings.length) return null;
  const shown = findings.slice(0, 200);
  return html`<${ScrollTable} label="Findings">
    <thead><tr><th scope="col">Object</th><th scope="col">Fault</th></tr></thead>
    <tbody>${shown.map(
      (finding, index) => html`<tr key=${index}>
        <td>${finding.name ? html`<${Link} href=${paths.object(bucket, finding.name, finding.version ?? undefined)}><${Name} value=${finding.name} /><//>${
          finding.version && html` <span class="badge">Older version</span>`}` : "–"}</td>
        <td><${Name} value=${finding.message} limit=${400} /> <code class="muted">${finding.code}</code></td></tr>`,
    )}</tbody>
  <//>${findings.length > shown.length && html`<p class="muted">and ${count(findings.length - shown.length)} more</p>`}`;
}

/** @param {{title: string, about: string, name: string, job: Job|undefined, start: any, result: any}} props */
function JobPanel({title, about, name, job, start, result}) {
  const isRunning = job?.state === "running";
  const progress = job && (job.total === null ? (job.done ? count(job.done) : "") : `${count(job.done)} of ${count(job.total)}`);
  return html`<section class="panel job" aria-label=${title}>
    <h2>${title}</h2><p class="muted">${about}</p>
    ${isRunning
      ? html`<div class="job-running"><${Progress} label=${title} value=${job.total ? job.done : null} max=${job.total ?? 1} />
          <span class="number">${progress}</span><${Button} icon="close" onClick=${() => cancelJob(name)}>Cancel<//></div>`
      : html`<div class="button-row is-end">${start}</div>`}
    <div role="status" aria-label=${`${title}: result`}>
      ${job?.state === "cancelled" && html`<p class="muted">Cancelled after ${progress || "0"}.</p>`}
      ${result}
    </div>
    ${job?.state === "failed" && html`<${ErrorBox} error=${job.error} title="The job failed" onRetry=${() => clearJob(name)} />`}
  </section>`;
}
