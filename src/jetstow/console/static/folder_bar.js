// @ts-check
/** What is above the rows of a folder: path, counts, filter and actions. */
import {html} from "./vendor/preact.js";
import {canWrite} from "./api.js";
import {count, folderOf, baseName, middle, size, visible} from "./format.js";
import {startDownload} from "./object_actions.js";
import {Link, paths} from "./router.js";
import {Button, Icon, Menu, useMedia} from "./ui.js";
import {UploadMenu} from "./uploads.js";

/** @param {{bucket: string, prefix: string, leaf?: string}} props `leaf`: what is shown in the folder, if it is not its list */
export function Breadcrumbs({bucket, prefix, leaf}) {
  const narrow = useMedia("(max-width: 639px)");
  /** @type {string[]} */
  const folders = [];
  for (let folder = prefix; folder; folder = folderOf(folder)) folders.unshift(folder);
  const hidden = folders.length > 4 ? folders.splice(1, folders.length - 3) : [];
  const limit = narrow ? 20 : 40;
  const shown = (/** @type {string} */ text) => html`<bdi dir="ltr" title=${visible(text)}>${middle(visible(text), limit)}</bdi>`;
  const crumb = (/** @type {string} */ folder, /** @type {any} */ text, /** @type {boolean} */ last) =>
    html`<li key=${folder}>${last ? html`<span aria-current="page">${text}</span>` : html`<${Link} href=${paths.folder(bucket, folder)}>${text}<//>`}</li>`;
  return html`<nav class="crumbs" aria-label="Path"><ol>
    <li key="all"><${Link} href=${paths.buckets()}>Buckets<//></li>
    ${crumb("", shown(bucket), prefix === "" && !leaf)}
    ${folders.map(
      (folder, index) => html`${index === 1 && hidden.length ? html`<li key="more" title=${visible(hidden[hidden.length - 1])}>
        <${Link} href=${paths.folder(bucket, hidden[hidden.length - 1])} aria-label="Folders in between">…<//></li>` : null}
        ${crumb(folder, shown(baseName(folder).slice(0, -1) || "/"), index === folders.length - 1 && !leaf)}`,
    )}
    ${leaf && html`<li key="leaf"><span aria-current="page">${shown(leaf)}</span></li>`}
  </ol></nav>`;
}

/** @param {{counts: import("./rows.js").Counts|null, filtered: boolean, deleted: boolean}} props */
export function Contents({counts, filtered, deleted}) {
  const text = counts
    ? [count(counts.objects, deleted ? "deleted object" : "object"), counts.folders && count(counts.folders, "folder")].filter(Boolean).join(", ")
    : "";
  return html`<span class="contents number" role="status" aria-label="Contents">${
    counts && html`<span>${counts.partial ? "More than " : ""}${text}${filtered ? (counts.total === 1 ? " matches" : " match") : ""}</span>
      ${counts.objects > 0 && html`<span class="muted" title=${count(counts.bytes, "byte")}>${size(counts.bytes)}</span>`}`
  }</span>`;
}

/**
 * @param {{filter: string, deep: boolean, deleted: boolean, versioned: boolean, inputRef: any, onFilter: (text: string) => void,
 *   onDeep: (deep: boolean) => void, onDeleted: (deleted: boolean) => void, onKeyDown: (event: KeyboardEvent) => void}} props
 *   `deep` and `deleted` are what is shown; only buckets that are `versioned` keep what is deleted
 */
export function FilterBar({filter, deep, deleted, versioned, inputRef, onFilter, onDeep, onDeleted, onKeyDown}) {
  return html`<div class="filter-bar">
    <div class="filter-box"><${Icon} name="search" />
      <input class="input" type="search" aria-label="Filter" placeholder="Filter ( / )" value=${filter} ref=${inputRef} spellcheck=${false} autocomplete="off"
        onInput=${(/** @type {any} */ event) => onFilter(event.target.value)} onKeyDown=${onKeyDown} />
    </div>
    <label class="check" title=${deleted ? "Deleted objects are shown of all folders below this one" : "Search in all folders below this one"}>
      <input type="checkbox" checked=${deep || deleted} disabled=${deleted} aria-label="All folders"
      onChange=${(/** @type {any} */ event) => onDeep(event.target.checked)} /><span>All folders</span></label>
    ${(versioned || deleted) && html`<label class="check" title="Show only the deleted objects of this folder and those below, to undelete them">
      <input type="checkbox" checked=${deleted} aria-label="Only deleted"
      onChange=${(/** @type {any} */ event) => onDeleted(event.target.checked)} /><span class="deleted-label"><span>Only </span>deleted</span></label>`}
  </div>`;
}

/**
 * @param {{bucket: string, prefix: string, selected: number, actions: import("./folder_actions.js").Action[], onClear: () => void,
 *   deleted: boolean, sealed: boolean, zip: string, onUndeleteAll: false|(() => void)}} props
 *   `zip` is the URL of a zip of all, empty if there is nothing; `onUndeleteAll` adds a button
 */
export function ActionBar({bucket, prefix, selected, actions, onClear, deleted, sealed, zip, onUndeleteAll}) {
  const bar = actions.filter((action) => action.bar);
  if (selected) {
    return html`<div class=${`actions is-selection ${bar.length > 2 ? "is-many" : ""}`} role="toolbar" aria-label="Actions">
      <${Button} kind="quiet" icon="close" label="Clear the selection" onClick=${onClear} />
      <span class="number" role="status">${count(selected)} selected</span>
      ${bar.map(
        (action) => action.href
          ? html`<a key=${action.id} class="button button-plain" href=${action.href} download aria-label=${action.label} title=${action.label}><${Icon} name=${action.icon} /><span class="action-label">${action.label}</span></a>`
          : html`<${Button} key=${action.id} icon=${action.icon} aria-label=${action.label} title=${action.label} kind=${action.danger ? "danger" : "plain"}
          onClick=${action.run}><span class="action-label">${action.label}</span><//>`,
      )}
    </div>`;
  }
  if (deleted) {
    if (!onUndeleteAll) return null;
    return html`<div class="actions" role="toolbar" aria-label="Actions"><${Button} icon="restore" onClick=${onUndeleteAll}>Undelete all<//></div>`;
  }
  return html`<div class="actions" role="toolbar" aria-label="Actions">
    ${canWrite() && !sealed && html`<${UploadMenu} bucket=${bucket} prefix=${prefix} />`}
    <${Menu} label="More actions" items=${[
      zip !== "" && {label: "Download all as zip", icon: "archive", onSelect: () => startDownload(zip)},
      {label: "Settings of the bucket", icon: "settings", onSelect: () => document.getElementById("bucket-settings")?.click()},
    ]} />
  </div>`;
}
