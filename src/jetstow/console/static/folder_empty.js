// @ts-check
/** What a folder without rows shows. */
import {html} from "./vendor/preact.js";
import {canWrite} from "./api.js";
import {visible} from "./format.js";
import {Link, paths} from "./router.js";
import {Button, Empty} from "./ui.js";

/**
 * @param {{bucket: string, prefix: string, query: import("./rows.js").Query, sealed: boolean, versioned: boolean, onDeep: () => void,
 *   onClear: () => void}} props
 */
export function FolderEmpty({bucket, prefix, query, sealed, versioned, onDeep, onClear}) {
  if (query.deleted && !query.filter) return html`<${NothingDeleted} bucket=${bucket} prefix=${prefix} versioned=${versioned} />`;
  if (query.filter) {
    return html`<${Empty} title="Nothing matches the filter" icon="search">
      <p>${query.deleted ? "No name of a deleted object below this folder" : query.deep ? "No name below this folder" : "No name in this folder"} contains “${visible(query.filter)}”.</p>
      <div class="empty-actions">
        ${!query.deep && !query.deleted && html`<${Button} icon="search" onClick=${onDeep}>Search all folders below<//>`}
        <${Button} onClick=${onClear}>Clear the filter<//>
      </div>
    <//>`;
  }
  const what = prefix ? "This folder is empty" : "This bucket is empty";
  if (!canWrite() || sealed) return html`<${Empty} title=${what}><p>Objects appear here as soon as they are stored.</p><//>`;
  return html`<${Empty} title=${what}>
    <p>Drop files or folders here, or choose them with the buttons above.</p>
  <//>`;
}

/** @param {{bucket: string, prefix: string, versioned: boolean}} props */
function NothingDeleted({bucket, prefix, versioned}) {
  if (!versioned) {
    return html`<${Empty} title="This bucket does not keep what is deleted" icon="trash">
      <p><${Link} href=${paths.settings(bucket)}>Switch versioning on<//> in its settings: then objects that are deleted later can be undeleted.</p>
    <//>`;
  }
  return html`<${Empty} title="There are no deleted objects" icon="trash">
    <p>Objects that are deleted in this ${prefix ? "folder" : "bucket"} appear here, and can be undeleted as long as the bucket has a version of them.</p>
    <p><${Link} href=${paths.folder(bucket, prefix)}>Show what is there<//></p>
  <//>`;
}
