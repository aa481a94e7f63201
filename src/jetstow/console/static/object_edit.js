// @ts-check
/** The dialog that edits what users attach to an object: description, type, tags, metadata, headers. */
import {html, useState} from "./vendor/preact.js";
import {ApiError, at, get, patch} from "./api.js";
import {visible} from "./format.js";
import {S3_TAGS_HINT, TAGS_HINT} from "./object_details.js";
import {PairsEditor, toPairs, toRecord} from "./object_pairs.js";
import {Button, Dialog, ErrorBox, Field, toast} from "./ui.js";

/** @typedef {import("./object_page.js").ObjectData} ObjectData */
/** @typedef {import("./object_pairs.js").Pair} Pair */

/**
 * What the form has.
 * @typedef {{description: string, contentType: string, tags: string, metadata: Pair[], headers: Pair[], s3Tags: Pair[]}} Draft
 */

/** @type {Record<keyof Draft, string>} */
const LABELS = {description: "Description", contentType: "Type", tags: "Tags", metadata: "Metadata", headers: "Headers", s3Tags: "S3 tags"};

/** @param {ObjectData} object @returns {Draft} */
function draftOf(object) {
  return {
    description: object.description ?? "",
    contentType: object.content_type ?? "",
    tags: object.tags.join("\n"),
    metadata: toPairs(object.metadata),
    headers: Object.entries(object.headers).flatMap(([name, values]) => values.map((value) => ({name, value}))),
    s3Tags: toPairs(object.s3_tags),
  };
}

/** Whether a part of two drafts has the same content. @param {Draft} a @param {Draft} b @param {keyof Draft} part */
const isSame = (a, b, part) => JSON.stringify(a[part]) === JSON.stringify(b[part]);

/** @param {{bucket: string, object: ObjectData, onClose: () => void, onSaved: (object: ObjectData) => void}} props */
export function EditDialog({bucket, object, onClose, onSaved}) {
  // The page may load a newer revision while the dialog is open: what was edited is this one.
  const [base, setBase] = useState(object);
  const [draft, setDraft] = useState(() => draftOf(object));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [newer, setNewer] = useState(/** @type {ObjectData|null} */ (null));
  const change = (/** @type {keyof Draft} */ part) => (/** @type {any} */ value) => setDraft((before) => ({...before, [part]: value}));

  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      onSaved(await saveDraft(bucket, base, draft));
      toast("Saved", {kind: "ok"});
      onClose();
    } catch (failure) {
      const isConflict = failure instanceof ApiError && failure.status === 409;
      if (isConflict) setNewer(await get(at`buckets/${bucket}/object`, {name: base.name}).catch(() => null));
      setError(failure);
      setBusy(false);
    }
  };
  const takeTheirs = () => {
    if (newer) rebase(newer, draftOf(newer));
  };
  const keepMine = () => {
    if (newer) rebase(newer, merge(draftOf(base), draft, draftOf(newer)));
  };
  const rebase = (/** @type {ObjectData} */ next, /** @type {Draft} */ nextDraft) => {
    setBase(next);
    setDraft(nextDraft);
    setNewer(null);
    setError(null);
  };
  const actions = html`<${Button} onClick=${onClose} disabled=${busy}>Cancel<//>
    <${Button} type="submit" kind="primary" busy=${busy} disabled=${newer !== null}>Save<//>`;
  return html`<${Dialog} title="Edit" wide onClose=${onClose} onSubmit=${save} busy=${busy} actions=${actions}>
    ${newer ? html`<${Conflict} base=${base} newer=${newer} draft=${draft} onTheirs=${takeTheirs} onMine=${keepMine} />` : html`<${ErrorBox} error=${error} />`}
    <${Field} label="Description" value=${draft.description} onInput=${change("description")} />
    <${Field} label="Type" value=${draft.contentType} onInput=${change("contentType")} placeholder="text/csv" />
    <${PairsEditor} title="Metadata" pairs=${draft.metadata} onChange=${change("metadata")} />
    <${PairsEditor} title="Headers" pairs=${draft.headers} onChange=${change("headers")} />
    <${PairsEditor} title="S3 tags" pairs=${draft.s3Tags} onChange=${change("s3Tags")} limit=${10} hint=${S3_TAGS_HINT} />
    <${Field} label="Tags" as="textarea" class="short-text" value=${draft.tags} onInput=${change("tags")} hint=${`${TAGS_HINT} One in each line.`} />
  <//>`;
}

/** Another client has changed the object. @param {{base: ObjectData, newer: ObjectData, draft: Draft, onTheirs: () => void, onMine: () => void}} props */
function Conflict({base, newer, draft, onTheirs, onMine}) {
  const before = draftOf(base);
  const theirs = draftOf(newer);
  const parts = /** @type {(keyof Draft)[]} */ (Object.keys(LABELS)).filter((part) => !isSame(before, theirs, part));
  const clashing = parts.filter((part) => !isSame(before, draft, part) && !isSame(theirs, draft, part));
  return html`<div class="error-box" role="alert"><div>
    <p class="error-title">Another client has changed this object since you began</p>
    <p>${parts.length ? `Changed there: ${parts.map((part) => LABELS[part]).join(", ")}.` : "It has other bytes now; what you edit here was not changed."}
      ${clashing.length > 0 && ` You changed ${clashing.map((part) => LABELS[part]).join(", ")}, too.`}</p>
    ${clashing.length > 0 && html`<ul class="conflict-list">${clashing.map(
      (part) => html`<li key=${part}><b>${LABELS[part]}</b> there: <code>${visible(asText(theirs[part]))}</code></li>`,
    )}</ul>`}
    <div class="button-row">
      <${Button} onClick=${onMine}>Keep my changes<//>
      <${Button} onClick=${onTheirs}>Discard my changes<//>
    </div>
  </div></div>`;
}

/** @param {string|Pair[]} value */
function asText(value) {
  if (typeof value === "string") return value || "(empty)";
  return value.map((pair) => `${pair.name}: ${pair.value}`).join("; ") || "(empty)";
}

/** Their values, with what I have changed since `before`. @param {Draft} before @param {Draft} mine @param {Draft} theirs @returns {Draft} */
function merge(before, mine, theirs) {
  const merged = {...theirs};
  for (const part of /** @type {(keyof Draft)[]} */ (Object.keys(LABELS))) {
    if (!isSame(before, mine, part)) /** @type {any} */ (merged)[part] = mine[part];
  }
  return merged;
}

/**
 * Store what was changed, all or nothing. Returns the object.
 * @param {string} bucket @param {ObjectData} base @param {Draft} draft
 * @returns {Promise<ObjectData>}
 */
async function saveDraft(bucket, base, draft) {
  const before = draftOf(base);
  const changed = (/** @type {keyof Draft} */ part) => !isSame(before, draft, part);
  /** @type {Record<string, any>} */
  const body = {};
  if (changed("description")) body.description = draft.description;
  if (changed("contentType")) body.content_type = draft.contentType.trim();
  if (changed("tags")) body.tags = draft.tags.split("\n").map((tag) => tag.trim()).filter(Boolean);
  if (changed("metadata")) body.metadata = toRecord(draft.metadata, "Metadata");
  if (changed("headers")) body.headers = toLists(draft.headers);
  if (changed("s3Tags")) body.s3_tags = toRecord(draft.s3Tags, "S3 tags");
  return Object.keys(body).length ? patch(at`buckets/${bucket}/object`, {revision: base.revision, ...body}, {name: base.name}) : base;
}

/** @param {Pair[]} pairs @returns {Record<string, string[]>} */
function toLists(pairs) {
  /** @type {Map<string, string[]>} */
  const lists = new Map();
  for (const {name, value} of pairs) {
    if (name.trim()) lists.set(name.trim(), [...(lists.get(name.trim()) ?? []), value]);
  }
  return Object.fromEntries(lists);
}
