// @ts-check
/** The page of a folder: filter, rows, live changes, selection and the keyboard. */
import {html, useEffect, useMemo, useRef, useState} from "./vendor/preact.js";
import {at, canWrite, get} from "./api.js";
import {deleteObjects, deleting, describe, isDeleting} from "./deletes.js";
import {count, folderOf, size, visible} from "./format.js";
import {deletedActions, selectionActions, zipUrl} from "./folder_actions.js";
import {ActionBar, Breadcrumbs, Contents, FilterBar} from "./folder_bar.js";
import {FolderEmpty} from "./folder_empty.js";
import {useFolderKeys} from "./folder_keys.js";
import {Grid} from "./grid.js";
import {LiveState, useLive} from "./live.js";
import {useLoad} from "./object_load.js";
import {Link, navigate, paths} from "./router.js";
import {keyOf, Rows} from "./rows.js";
import {useSelection} from "./selection.js";
import {useStore} from "./store.js";
import {ConfirmDialog, Empty, ErrorBox, Icon, MenuList, Spinner, useAnnouncer, useTitle} from "./ui.js";
import {undeleteObjects} from "./undelete.js";
import {useDrop} from "./uploads.js";

/** @typedef {import("./rows.js").Row} Row */

const FILTER_WAIT = 80;

/** @param {{bucket: string, query: Record<string, string>}} props */
export function FolderPage({bucket, query}) {
  const {prefix = ""} = query;
  return html`<${Folder} key=${`${bucket}/${prefix}`} bucket=${bucket} prefix=${prefix} query=${query} />`;
}

/** @param {Record<string, string>} query @returns {import("./rows.js").Query} */
function parseQuery({filter = "", deep, deleted, sort, order}) {
  return {
    filter,
    deep: deep !== undefined,
    deleted: deleted !== undefined,
    sort: sort === "size" || sort === "modified" ? sort : "name",
    order: order === "desc" ? "desc" : "asc",
  };
}

/** Rows that render the component when they change. @param {string} bucket @param {string} prefix @param {import("./rows.js").Query} query */
function useRows(bucket, prefix, query) {
  const [, render] = useState(0);
  const rows = useMemo(() => new Rows(bucket, prefix, query, () => render((number) => number + 1)), []);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) rows.refresh();
    else rows.setQuery(query);
    first.current = false;
  }, [query.filter, query.deep, query.deleted, query.sort, query.order]);
  useEffect(() => () => rows.close(), []);
  return rows;
}

/** @param {{bucket: string, prefix: string, query: Record<string, string>}} props */
function Folder({bucket, prefix, query: given}) {
  const query = parseQuery(given);
  const rows = useRows(bucket, prefix, query);
  // Its errors are those of the rows.
  const {data: info} = useLoad((signal) => get(at`buckets/${bucket}`, {}, signal), [bucket]);
  const selection = useSelection(rows);
  const deletions = useStore(deleting);
  const {state, changed} = useLive(rows, (names) => selection.remove(new Set([...names].map((name) => `f:${name}`))));
  const [filter, setFilter] = useState(query.filter);
  const [menu, setMenu] = useState(/** @type {{x: number, y: number}|null} */ (null));
  const [confirming, setConfirming] = useState(/** @type {any} */ (null));
  const [undeleting, setUndeleting] = useState(false);
  const search = useRef(/** @type {any} */ (null));
  const grid = useRef(/** @type {any} */ ({}));
  const area = useRef(/** @type {any} */ (null));
  const timer = useRef(0);
  const place = prefix ? `${prefix} in ${bucket}` : bucket;
  const heading = query.deleted ? `Deleted objects of ${place}` : place;
  const writable = canWrite() && !info?.sealed;
  const announce = useAnnouncer();
  useTitle(heading);
  useDrop(area, {bucket, prefix, disabled: !writable || query.deleted});
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    // The buttons of the selection are gone, and with one of them the focus.
    if (document.activeElement === document.body && selection.active >= 0) grid.current.focus();
  }, [selection.selected.size === 0]);
  /** A key that waits until the list is that of the filter. */
  const pending = useRef("");
  /** The filter that was put into the URL last: more may have been typed since. */
  const sent = useRef(query.filter);
  useEffect(() => {
    if (query.filter !== sent.current) setFilter(query.filter); // the user went back
    sent.current = query.filter;
  }, [query.filter]);

  /** @param {Partial<import("./rows.js").Query>} changes */
  const update = (changes) => {
    const {filter: text, deep, deleted, sort, order} = {...query, ...changes};
    const shown = {filter: text, deep: deep ? "1" : "", deleted: deleted ? "1" : "", sort: sort === "name" ? "" : sort, order: order === "asc" ? "" : order};
    navigate(paths.folder(bucket, prefix, shown), {replace: true});
  };
  /** @param {string} text @param {boolean} [now] */
  const onFilter = (text, now = false) => {
    setFilter(text);
    announce.say("");
    pending.current = "";
    selection.clear();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = text;
      update({filter: text});
    }, now ? 0 : FILTER_WAIT);
  };
  const onDeleted = (/** @type {boolean} */ deleted) => {
    selection.clear();
    update({deleted});
  };
  /** @param {any} column @param {any} [order] without one, the other one of the column, or its first one */
  const onSort = (column, order) => {
    const next = query.sort === column ? (query.order === "asc" ? "desc" : "asc") : column === "name" ? "asc" : "desc";
    update({sort: column, order: order ?? next});
  };
  /** @param {Row} row */
  const hrefOf = (row) => (row.type === "folder" ? paths.folder(bucket, row.name) : paths.object(bucket, row.name));
  const open = (/** @type {Row} */ row) => navigate(hrefOf(row));

  const activeRow = rows.get(selection.active);
  const chosen = selection.selected.size || !activeRow ? selection.selected : new Map([[keyOf(activeRow), activeRow]]);
  const onUndeleted = () => rows.refresh(); // the feed of changes may not be connected
  const actions = query.deleted
    ? deletedActions({bucket, prefix, chosen, info, onDone: selection.clear, onUndeleted})
    : selectionActions({bucket, prefix, chosen, info, shown: rows.state, onDone: selection.clear, confirm: setConfirming});
  const up = () => navigate(prefix ? paths.folder(bucket, folderOf(prefix)) : paths.buckets());
  const openMenu = () => {
    const box = document.getElementById(`row-${selection.active}`)?.getBoundingClientRect();
    return box ? setMenu({x: box.left + 40, y: box.bottom}) : false;
  };
  useFolderKeys({rows, selection, grid, search, actions, open, up, openMenu});

  /** @param {string} key */
  const leaveFilter = (key) => {
    const first = rows.get(0);
    if (key === "Enter" && rows.counts?.total === 0) announce.say("Nothing matches the filter");
    else if (key === "Enter" && first && rows.counts?.total === 1) open(first);
    else grid.current.go(0);
  };
  const isFiltered = !rows.busy && rows.query.filter === filter;
  useEffect(() => {
    if (!pending.current || !isFiltered) return;
    leaveFilter(pending.current);
    pending.current = "";
  }, [isFiltered]);
  /** @param {KeyboardEvent} event */
  const onFilterKey = (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      if (isFiltered) leaveFilter(event.key);
      else pending.current = event.key;
    } else if (event.key === "Escape") {
      if (filter) onFilter("", true);
      else grid.current.focus();
    } else return;
    event.preventDefault();
  };

  const missing = rows.error?.status === 404 || state === "gone";
  if (missing) {
    return html`<div class="page"><${Empty} page title="There is no such bucket" icon="bucket">
      <p>${visible(bucket)} does not exist, or was deleted. <${Link} href=${paths.buckets()}>Show all buckets<//></p>
    <//></div>`;
  }
  const {counts} = rows;
  return html`<div class="folder" ref=${area}>
    <h1 class="visually-hidden">${visible(query.deleted ? heading : prefix || bucket)}</h1>
    <div class="folder-head"><${Breadcrumbs} bucket=${bucket} prefix=${prefix} />
      <div class="folder-state"><${Contents} counts=${counts} filtered=${query.filter !== ""} deleted=${query.deleted} /><${LiveState} state=${state} />
        <${Link} id="bucket-settings" class="button button-quiet" aria-label="Settings" href=${paths.settings(bucket)}><${Icon} name="settings" /><span class="action-label">Settings</span><//></div>
    </div>
    <div class="folder-bar">
      <${FilterBar} filter=${filter} deep=${query.deep} deleted=${query.deleted} versioned=${Boolean(info?.versioning)} inputRef=${search} onFilter=${onFilter}
        onDeep=${(/** @type {boolean} */ deep) => update({deep})} onDeleted=${onDeleted} onKeyDown=${onFilterKey} />
      <${ActionBar} bucket=${bucket} prefix=${prefix} selected=${selection.selected.size} actions=${actions} onClear=${selection.clear}
        deleted=${query.deleted} sealed=${Boolean(info?.sealed)} zip=${counts?.total === 0 && !query.filter ? "" : zipUrl(bucket, prefix, [], [])}
        onUndeleteAll=${writable && query.deleted && !query.filter && counts !== null && counts.total > 0 && (() => setUndeleting(true))} />
    </div>
    ${rows.error && html`<div class="folder-error"><${ErrorBox} error=${rows.error} title="The list could not be read" onRetry=${() => rows.refresh(true)} /></div>`}
    <${Grid} rows=${rows} place=${paths.folder(bucket, prefix, given)} selection=${selection} changed=${changed} isDeleting=${(/** @type {Row} */ row) => isDeleting(deletions, bucket, row)}
      hrefOf=${hrefOf} onSort=${onSort} onOpen=${open} handle=${grid}
      onMenu=${(/** @type {number} */ x, /** @type {number} */ y) => setMenu({x, y})} />
    ${!counts && !rows.error && html`<div class="folder-loading"><${Spinner} label="Loading the list" /></div>`}
    ${counts?.total === 0 &&
    html`<div class="folder-empty"><${FolderEmpty} bucket=${bucket} prefix=${prefix} query=${query} sealed=${Boolean(info?.sealed)} versioned=${info === null || Boolean(info.versioning)}
      onDeep=${() => update({deep: true})} onClear=${() => onFilter("", true)} /></div>`}
    ${menu && html`<${MenuList} ...${menu} label="Actions" onClose=${() => setMenu(null)}
      items=${actions.map(({label, icon, danger, hint, run}) => ({label, icon, danger, hint, onSelect: run}))} />`}
    ${confirming && html`<${ConfirmDialog} title="Delete" action="Delete" onClose=${() => setConfirming(null)}
      onConfirm=${() => {
        deleteObjects({...confirming, versioned: false, now: true});
        selection.clear();
      }}><p>Delete ${describe(confirming)}? So many cannot be restored.</p><//>`}
    ${undeleting && counts && html`<${UndeleteAll} bucket=${bucket} prefix=${prefix} counts=${counts} onUndeleted=${onUndeleted}
      onClose=${() => setUndeleting(false)} />`}
    <p class="visually-hidden" role="status">${selection.selected.size ? `${count(selection.selected.size)} selected` : ""}</p>
    ${announce.announcer}
  </div>`;
}

/**
 * Ask before all deleted objects below a folder come back.
 * @param {{bucket: string, prefix: string, counts: import("./rows.js").Counts, onUndeleted: () => void, onClose: () => void}} props
 */
function UndeleteAll({bucket, prefix, counts, onUndeleted, onClose}) {
  const where = prefix ? `below ${visible(prefix)}` : `of ${visible(bucket)}`;
  return html`<${ConfirmDialog} title="Undelete all" action="Undelete all" danger=${false} onClose=${onClose}
    onConfirm=${() => void undeleteObjects({bucket, prefix}).then(onUndeleted)}>
    <p>Undelete ${count(counts.objects, "object")} ${where}, ${size(counts.bytes)} in all? The newest version of each becomes the current one.</p><//>`;
}
