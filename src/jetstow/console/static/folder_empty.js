// @ts-check
/** What a folder without rows shows. */
import {html} from "./vendor/preact.js";
import {canWrite} from "./api.js";
import {visible} from "./format.js";
import {Button, Empty} from "./ui.js";

/**
 * @param {{prefix: string, query: import("./rows.js").Query, sealed: boolean, onDeep: () => void, onClear: () => void}} props
 */
export function FolderEmpty({prefix, query, sealed, onDeep, onClear}) {
  if (query.filter) {
    return html`<${Empty} title="Nothing matches the filter" icon="search">
      <p>${query.deep ? "No name below this folder" : "No name in this folder"} contains “${visible(query.filter)}”.</p>
      <div class="empty-actions">
        ${!query.deep && html`<${Button} icon="search" onClick=${onDeep}>Search all folders below<//>`}
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
