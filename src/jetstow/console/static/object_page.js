// @ts-check
/** The page of an object: what it is, its bytes, its versions, its chunks. */
import {html, useEffect, useState} from "./vendor/preact.js";
import {ApiError, at, canWrite, changes, get} from "./api.js";
import {deleteObjects} from "./deletes.js";
import {Breadcrumbs} from "./folder_bar.js";
import {baseName, folderOf, visible} from "./format.js";
import {useKeys} from "./keys.js";
import {DownloadLink, downloadObject, openRename, openShare} from "./object_actions.js";
import {ChunksTab} from "./object_chunks.js";
import {DetailsTab} from "./object_details.js";
import {EditDialog} from "./object_edit.js";
import {useLoad} from "./object_load.js";
import {MissingObject} from "./object_missing.js";
import {restoreVersion, VersionsTab} from "./object_versions.js";
import {PreviewTab} from "./preview.js";
import {Link, navigate, paths} from "./router.js";
import {openCopy, openMove} from "./transfer.js";
import {Button, Empty, ErrorBox, Menu, Name, Size, Spinner, Tabs, Time, toast, useTitle} from "./ui.js";

/**
 * @typedef {{name: string, size: number, chunks: number, chunk_size: number|null, digest: string|null, nuid: string|null,
 *   modified: string|null, bucket_created: string, revision: number, content_type: string|null, description: string|null,
 *   headers: Record<string, string[]>, metadata: Record<string, string>, tags: string[], s3_tags: Record<string, string>,
 *   link: {bucket: string, name: string|null}|null, encrypted: boolean, expires: string|null, etag: string|null,
 *   version: string|null, latest: boolean, retention: {mode: string, until: string}|null, legal_hold: boolean,
 *   editable: boolean, preview: {kind: string, url: string|null}|null}} ObjectData
 */

const TABS = [
  {id: "preview", label: "Preview"},
  {id: "details", label: "Details"},
  {id: "versions", label: "Versions"},
  {id: "chunks", label: "Chunks"},
];

/** @param {{bucket: string, query: Record<string, string>}} props */
export function ObjectPage({bucket, query}) {
  const {name, version, tab} = query;
  if (!name) {
    return html`<div class="page"><${Empty} page title="The address has no name of an object" /></div>`;
  }
  return html`<${ObjectView} key=${`${name}\n${version ?? ""}`} bucket=${bucket} name=${name} version=${version} tab=${tab} />`;
}

/** @param {{bucket: string, name: string, version?: string, tab?: string}} props */
function ObjectView({bucket, name, version, tab}) {
  const object = useLoad((signal) => get(at`buckets/${bucket}/object`, {name, version}, signal), [bucket, name, version]);
  const [editing, setEditing] = useState(false);
  useTitle(baseName(name));
  useFollow(bucket, name, object);
  const {error} = object;
  // 405: the version is a delete marker.
  const missing = error instanceof ApiError && (error.status === 404 || error.status === 405);
  const data = missing ? null : object.data;
  const current = TABS.find((each) => each.id === tab)?.id ?? (data?.preview ? "preview" : "details");
  const setTab = (/** @type {string} */ next) => navigate(paths.object(bucket, name, version, next), {replace: true});
  const actions = {bucket, name, version, data, edit: () => setEditing(true)};
  useObjectKeys(actions);
  return html`<div class="page object-page">
    <${Breadcrumbs} bucket=${bucket} prefix=${folderOf(name)} leaf=${baseName(name)} />
    <div class="page-head object-head">
      <h1><${Name} value=${baseName(name)} limit=${120} /></h1>
      ${data && html`<p class="object-facts muted">${!data.link && html`<${Size} value=${data.size} />`}
        ${data.content_type && html`<${Name} value=${data.content_type} limit=${40} />`}
        ${data.modified && html`<span>modified <${Time} value=${data.modified} /></span>`}<${Badges} object=${data} version=${version} />
        ${version && !data.latest && html`<${Link} href=${paths.object(bucket, name)}>Show the current version<//>`}</p>`}
      ${data && html`<${Actions} ...${actions} />`}
    </div>
    ${missing
      ? html`<${MissingObject} bucket=${bucket} name=${name} version=${version} state=${error} onChange=${object.reload} />`
      : html`<${ErrorBox} error=${error} title="The object could not be loaded" onRetry=${object.reload} />`}
    ${!data && !error && html`<${Spinner} label="Loading the object" />`}
    ${data && html`<${Tabs} tabs=${TABS} current=${current} onChange=${setTab} label="Object">
      ${current === "preview" && html`<${PreviewTab} key=${data.revision} bucket=${bucket} object=${data} version=${version} onStale=${object.reload} />`}
      ${current === "details" && html`<${DetailsTab} bucket=${bucket} object=${data} />`}
      ${current === "versions" && html`<${VersionsTab} bucket=${bucket} object=${data} onChange=${object.reload} />`}
      ${current === "chunks" && html`<${ChunksTab} key=${data.nuid} bucket=${bucket} object=${data} version=${version} />`}
    <//>`}
    ${editing && data && html`<${EditDialog} bucket=${bucket} object=${data} onClose=${() => setEditing(false)} onSaved=${object.set} />`}
  </div>`;
}

/**
 * Load the object again when another client changes or deletes it.
 * @param {string} bucket @param {string} name @param {import("./object_load.js").Loaded<ObjectData>} object
 */
function useFollow(bucket, name, object) {
  const {reload} = object;
  useEffect(
    () => changes(bucket, name, (batch) => {
      if (batch.some((change) => change.name === name)) reload();
    }),
    [bucket, name, reload],
  );
}

/** @param {{object: ObjectData, version?: string}} props */
function Badges({object, version}) {
  const texts = [
    version && !object.latest && "Older version",
    object.link && "Link",
    object.encrypted && "Encrypted",
    object.legal_hold && "Legal hold",
    object.retention && "Locked",
    object.expires && "Expires",
  ].filter(Boolean);
  return texts.map((text) => html`<span key=${text} class="badge">${text}</span>`);
}

/** @typedef {{bucket: string, name: string, version?: string, data: ObjectData|null, edit: () => void}} ActionProps */

/** @param {ActionProps} props */
function Actions({bucket, name, version, data, edit}) {
  if (!data) return null;
  const isCurrent = !version || data.latest;
  const mayChange = canWrite() && isCurrent;
  const more = [
    {label: "Rename", icon: "file", onSelect: () => rename(bucket, name)},
    {label: "Copy", icon: "copy", onSelect: () => openCopy(bucket, {names: [name], prefixes: []})},
    {label: "Move", icon: "move", onSelect: () => openMove(bucket, {names: [name], prefixes: []})},
    null,
    {label: "Delete", icon: "trash", danger: true, onSelect: () => remove(bucket, name, data)},
  ];
  return html`<div class="actions" role="toolbar" aria-label="Actions">
    ${(!data.link || data.link.name) && html`<${DownloadLink} bucket=${bucket} name=${name} version=${version} kind="primary" />`}
    <${Button} icon="share" onClick=${() => openShare(bucket, name, version)}>Share<//>
    ${canWrite() && !isCurrent && version && html`<${Button} icon="restore" onClick=${() => restore(bucket, name, version)}>Restore<//>`}
    ${mayChange && data.editable && html`<${Button} icon="edit" onClick=${edit}>Edit<//>`}
    ${mayChange && html`<span class="object-wide">${more.map(
      (action) => action && html`<${Button} key=${action.label} icon=${action.icon} onClick=${action.onSelect}>${action.label}<//>`,
    )}</span>
    <span class="object-narrow"><${Menu} label="More actions" items=${more} /></span>`}
  </div>`;
}

/** @param {ActionProps} props */
function useObjectKeys({bucket, name, version, data, edit}) {
  const mayChange = canWrite() && data !== null && (!version || data.latest);
  const group = "Object";
  const toFolder = () => navigate(paths.folder(bucket, folderOf(name)));
  useKeys([
    {keys: "Escape", label: "Back to the folder", group, run: toFolder},
    {keys: "Backspace", label: "", run: toFolder},
    {keys: "d", label: "Download", group, run: () => data !== null && downloadObject(bucket, name, version)},
    {keys: "s", label: "Share", group, run: () => data !== null && openShare(bucket, name, version)},
    {keys: "e", label: "Edit", group, run: () => mayChange && data.editable && edit()},
    {keys: "F2", label: "Rename", group, run: () => mayChange && rename(bucket, name)},
    {keys: "Delete", label: "Delete", group, run: () => mayChange && remove(bucket, name, data)},
  ]);
}

/** @param {string} bucket @param {string} name */
function rename(bucket, name) {
  openRename(bucket, name, (newName) => navigate(paths.object(bucket, newName), {replace: true}));
}

/** Make an older version the current one, and show it. @param {string} bucket @param {string} name @param {string} version */
async function restore(bucket, name, version) {
  try {
    await restoreVersion(bucket, name, version);
    toast("Restored as the current version", {kind: "ok"});
    navigate(paths.object(bucket, name));
  } catch (error) {
    toast(`The version was not restored: ${/** @type {Error} */ (error).message}`, {kind: "danger"});
  }
}

/** Delete the object, and show its folder. @param {string} bucket @param {string} name @param {ObjectData} object */
async function remove(bucket, name, object) {
  try {
    // A delete may not keep the version "null": it waits for its undo.
    const versioned = object.version !== null && object.version !== "null";
    const deleted = deleteObjects({bucket, created: object.bucket_created, revision: object.revision, versioned, names: [name], prefixes: []});
    navigate(paths.folder(bucket, folderOf(name)));
    await deleted;
  } catch (error) {
    toast(`${visible(baseName(name))} was not deleted: ${/** @type {Error} */ (error).message}`, {kind: "danger"});
  }
}
