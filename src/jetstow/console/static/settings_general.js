// @ts-check
/** Description, limits, replicas and versioning of a bucket. */
import {html, useLayoutEffect, useState} from "./vendor/preact.js";
import {at, patch} from "./api.js";
import {AmountField, BYTE_UNITS, TIME_UNITS} from "./amounts.js";
import {duration, size} from "./format.js";
import {ReplicasField} from "./replicas_field.js";
import {Button, ErrorBox, Field, Time, toast} from "./ui.js";

/** @typedef {import("./settings_page.js").BucketData} BucketData */

/** What the form changes. @param {BucketData} bucket */
const draftOf = ({description, max_bytes, max_age, replicas, versioning}) => ({
  description: description ?? "",
  max_bytes: max_bytes && max_bytes > 0 ? max_bytes : null,
  max_age: max_age || null,
  replicas: String(replicas),
  versioning: versioning ?? "",
});

/** @param {{bucket: BucketData, mayChange: boolean, onSaved: (bucket: BucketData) => void, onUnsaved: (isUnsaved: boolean) => void}} props */
export function GeneralForm({bucket, mayChange, onSaved, onUnsaved}) {
  const [draft, setDraft] = useState(() => draftOf(bucket));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const isFixed = !mayChange || bucket.sealed;
  const before = draftOf(bucket);
  const changed = Object.fromEntries(Object.entries(draft).filter(([name, value]) => !Object.is(value, /** @type {any} */ (before)[name])));
  const isDirty = !isFixed && Object.keys(changed).length > 0;
  useLayoutEffect(() => onUnsaved(isDirty), [isDirty]);
  if (isFixed) return html`<${Facts} bucket=${bucket} />`;
  const isValid = !Number.isNaN(draft.max_bytes) && !Number.isNaN(draft.max_age);
  const change = (/** @type {string} */ name) => (/** @type {any} */ value) => setDraft((now) => ({...now, [name]: value}));
  const invalid = (/** @type {number|null} */ value) => (Number.isNaN(value) ? "This is not a number above 0" : undefined);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!isDirty || !isValid || busy) return;
    setBusy(true);
    setError(null);
    try {
      const body = {...changed, ...("replicas" in changed ? {replicas: Number(changed.replicas)} : {})};
      const saved = await patch(at`buckets/${bucket.name}`, body);
      onSaved(saved);
      setDraft(draftOf(saved));
      toast("Saved", {kind: "ok"});
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return html`<form class="form settings-form" onSubmit=${save} noValidate aria-label="General settings">
    <${Field} label="Description" value=${draft.description} onInput=${change("description")} />
    <div class="form-row">
      <${AmountField} label="Largest size" value=${draft.max_bytes} units=${BYTE_UNITS} preferred="GiB" onInput=${change("max_bytes")}
        hint="Uploads that do not fit are refused." error=${invalid(draft.max_bytes)} />
      <${AmountField} label="Delete objects after" value=${draft.max_age} units=${TIME_UNITS} preferred="days" empty="Never" onInput=${change("max_age")}
        hint="Counted from when they were stored." error=${invalid(draft.max_age)} />
    </div>
    <div class="form-row">
      <${ReplicasField} value=${draft.replicas} onInput=${change("replicas")} present=${bucket.replicas} />
      <${Field} label="Versioning" as="select" value=${draft.versioning} onInput=${change("versioning")}
        hint="Keeps what is replaced or deleted, so that you can restore it.">
        ${before.versioning === "" && html`<option value="">Off</option>`}
        <option value="enabled">Enabled</option>
        ${before.versioning !== "" && html`<option value="suspended">Suspended</option>`}
      <//>
    </div>
    <${ErrorBox} error=${error} title="The settings were not saved" />
    <div class="button-row">
      <${Button} type="submit" kind="primary" busy=${busy} disabled=${!isDirty || !isValid}>Save<//>
      ${isDirty && html`<span class="muted">There are unsaved changes</span>`}
    </div>
    <${Facts} bucket=${bucket} fixedOnly />
  </form>`;
}

/** @param {{bucket: BucketData, fixedOnly?: boolean}} props */
function Facts({bucket, fixedOnly = false}) {
  const changeable = [
    ["Description", bucket.description],
    ["Largest size", bucket.max_bytes && bucket.max_bytes > 0 ? size(bucket.max_bytes) : "no limit"],
    ["Delete objects after", bucket.max_age ? duration(bucket.max_age) : "never"],
    ["Replicas", bucket.replicas],
    ["Versioning", bucket.versioning ?? "off"],
  ];
  const fixed = [
    ["Owner", bucket.owner ?? "none: another NATS client created it"],
    ["Created", html`<${Time} value=${bucket.created} />`],
    ["Storage", bucket.storage],
    ["Compression", bucket.compressed ? "on" : "off"],
    ["Object Lock", bucket.object_lock ? "on" : "off"],
    ["Sealed", bucket.sealed ? "yes: nothing can be changed any more" : "no"],
  ];
  const rows = [...(fixedOnly ? [] : changeable), ...fixed].filter(([, value]) => value);
  return html`<dl class="facts">${rows.map(([term, value]) => html`<div key=${term}><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}
