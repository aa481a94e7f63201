// @ts-check
/** The versions of an object: download, restore and delete. */
import {html, useEffect, useRef, useState} from "./vendor/preact.js";
import {at, canWrite, get, s3} from "./api.js";
import {baseName, exactTime, middle} from "./format.js";
import {downloadObject} from "./object_actions.js";
import {useLoad} from "./object_load.js";
import {Link, paths} from "./router.js";
import {ScrollTable} from "./scroll_table.js";
import {Button, ConfirmDialog, Empty, ErrorBox, Name, Size, Spinner, Time, toast} from "./ui.js";

/** @typedef {{version: string, latest: boolean, deleted: boolean, size: number, modified: string, digest: string|null}} Version */

/** @typedef {import("./object_load.js").Loaded<Version[]>} VersionList */

/**
 * The versions of an object, the newest first. They are loaded again when `state`, of the object that is shown, changes.
 * @param {string} bucket @param {string} name @param {any} state
 * @returns {VersionList}
 */
export function useVersions(bucket, name, state) {
  const list = useLoad(
    async (signal) => /** @type {Version[]} */ ((await get(at`buckets/${bucket}/versions`, {name}, signal)).versions),
    [bucket, name],
  );
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) list.reload();
    first.current = false;
  }, [state]);
  return list;
}

/** @param {{bucket: string, object: import("./object_page.js").ObjectData, onChange: () => void}} props `object` is the one that is shown */
export function VersionsTab({bucket, object, onChange}) {
  const {name, version, revision} = object;
  const list = useVersions(bucket, name, revision);
  return html`<${VersionTable} bucket=${bucket} name=${name} shown=${version ?? "null"} list=${list} onChange=${onChange} />`;
}

/** @param {{bucket: string, name: string, shown?: string, list: VersionList, onChange: () => void}} props `shown`: the version of the page */
export function VersionTable({bucket, name, shown, list, onChange}) {
  const [asked, setAsked] = useState(/** @type {Version|null} */ (null));
  const changed = () => {
    list.reload();
    onChange();
  };
  const run = async (/** @type {Promise<any>} */ action, /** @type {string} */ done) => {
    try {
      await action;
      toast(done, {kind: "ok"});
    } catch (error) {
      toast(/** @type {Error} */ (error).message, {kind: "danger"});
    }
    changed();
  };
  const restore = (/** @type {Version} */ version) => run(restoreVersion(bucket, name, version.version), "Restored as the current version");
  const {data, error} = list;
  if (!data) return error ? html`<${ErrorBox} error=${error} onRetry=${list.reload} />` : html`<${Spinner} label="Loading the versions" />`;
  if (isUnversioned(data)) {
    return html`<${Empty} title=${data.length ? "This object has one version" : "There are no versions"}>
      <p>The bucket keeps no older versions. <${Link} href=${paths.settings(bucket)}>Switch versioning on<//> in its settings to keep what is replaced or deleted.</p>
    <//>`;
  }
  return html`<${ErrorBox} error=${error} onRetry=${list.reload} />
    <${ScrollTable} label="Versions">
      <thead><tr><th scope="col">Version</th><th scope="col" class="is-number is-wide-cell">Size</th><th scope="col"><span class="visually-hidden">Actions</span></th></tr></thead>
      <tbody>${data.map(
        (version) => html`<${Row} key=${version.version} bucket=${bucket} name=${name} version=${version} isShown=${version.version === shown}
          onRestore=${restore} onDelete=${setAsked} />`,
      )}</tbody>
    <//>
    ${asked && html`<${ConfirmDialog} title="Delete" action="Delete" onClose=${() => setAsked(null)}
      onConfirm=${async () => {
        await deleteVersion(bucket, name, asked.version);
        toast("The version was deleted", {kind: "ok"});
        changed();
      }}>
      <p>Delete this version of <b><${Name} value=${baseName(name)} /></b>, of ${exactTime(asked.modified)}? Its data is removed: this cannot be undone.</p>
    <//>`}`;
}

/** @param {{bucket: string, name: string, version: Version, isShown: boolean, onRestore: (version: Version) => void, onDelete: (version: Version) => void}} props */
function Row({bucket, name, version, isShown, onRestore, onDelete}) {
  const {version: id, latest, deleted} = version;
  const label = exactTime(version.modified);
  const when = html`<${Time} value=${version.modified} seconds />`;
  return html`<tr aria-current=${isShown ? "true" : undefined}>
    <td>${deleted ? when : html`<${Link} href=${paths.object(bucket, name, id)}>${when}<//>`}
      ${latest && html` <span class="badge is-accent">Current</span>`}
      ${isShown && !latest && html` <span class="badge">Shown here</span>`}
      ${deleted && html` <span class="badge is-warn">Delete marker</span>`}
      <span class="cell-id mono" title=${id.length > 32 ? id : undefined}>${middle(id, 32)}</span></td>
    <td class="is-number is-wide-cell">${deleted ? "–" : html`<${Size} value=${version.size} />`}</td>
    <td class="row-actions"><div class="version-actions">
      ${canWrite() && !deleted && !latest && html`<${Button} onClick=${() => onRestore(version)}>Restore<//>`}
      ${!deleted && html`<${Button} class="is-download" kind="quiet" icon="download" label=${`Download the version of ${label}`} onClick=${() => downloadObject(bucket, name, id)} />`}
      ${canWrite() && !(deleted && latest) && html`<${Button} class="is-delete" kind="quiet" icon="trash" label=${`Delete the version of ${label}`} onClick=${() => onDelete(version)} />`}
    </div></td>
  </tr>`;
}

/** @param {Version[]} versions */
const isUnversioned = (versions) => versions.length === 0 || (versions.length === 1 && versions[0].version === "null" && !versions[0].deleted);

/** Make an older version the current one, by a copy. @param {string} bucket @param {string} name @param {string} version */
export async function restoreVersion(bucket, name, version) {
  const source = `/${bucket}/${encodeURIComponent(name)}?versionId=${encodeURIComponent(version)}`;
  const response = await s3("PUT", bucket, name, {headers: {"x-amz-copy-source": source}});
  const root = new DOMParser().parseFromString(await response.text(), "application/xml").documentElement;
  // A long copy begins its response early: an error is in the document.
  if (root.localName === "Error") throw new Error(root.getElementsByTagName("Message")[0]?.textContent ?? "The version was not restored.");
}

/** Delete a version, or a delete marker: then the object is there again. @param {string} bucket @param {string} name @param {string} version */
async function deleteVersion(bucket, name, version) {
  await s3("DELETE", bucket, name, {query: {versionId: version}});
}
