// @ts-check
/** The settings of a bucket, its documents, and jobs on it. */
import {html, useState} from "./vendor/preact.js";
import {at, canWrite, get, session} from "./api.js";
import {contentsText} from "./bucket_contents.js";
import {Breadcrumbs} from "./folder_bar.js";
import {useKeys} from "./keys.js";
import {useLoad} from "./object_load.js";
import {navigate, paths} from "./router.js";
import {DangerZone} from "./settings_danger.js";
import {DOCUMENTS, DocumentSetting} from "./settings_documents.js";
import {GeneralForm} from "./settings_general.js";
import {JobsTab} from "./settings_jobs.js";
import {ErrorBox, Name, Spinner, Tabs, useTitle} from "./ui.js";
import {UnsavedChanges} from "./unsaved.js";

/**
 * @typedef {{name: string, owner: string|null, owned: boolean, created: string, size: number, replicas: number, storage: "file"|"memory",
 *   max_bytes: number|null, max_age: number|null, versioning: null|"enabled"|"suspended", sealed: boolean, compressed: boolean,
 *   object_lock: boolean, description: string|null, objects: number|null,
 *   versions: import("./bucket_contents.js").VersionCounts|null}} BucketData
 */

/** @param {{bucket: string}} props */
export function SettingsPage({bucket}) {
  return html`<${Settings} key=${bucket} bucket=${bucket} />`;
}

/** @param {{bucket: string}} props */
function Settings({bucket}) {
  const [tab, setTab] = useState("general");
  /** The tabs with changes that are not saved: their forms stay in the page. */
  const [unsaved, setUnsaved] = useState(/** @type {string[]} */ ([]));
  const onUnsaved = (/** @type {string} */ id) => (/** @type {boolean} */ isUnsaved) =>
    setUnsaved((now) => [...now.filter((each) => each !== id), ...(isUnsaved ? [id] : [])]);
  const loaded = useLoad((signal) => get(at`buckets/${bucket}`, {}, signal), [bucket]);
  useTitle(`Settings of ${bucket}`);
  useKeys([{keys: "Escape", label: "Back to the bucket", group: "Settings", run: () => navigate(paths.folder(bucket))}]);
  /** @type {BucketData|null} */
  const data = loaded.data;
  const mayChange = data !== null && data.owned && session.get()?.allow === "full";
  // The answer to a change has no counts.
  const onSaved = (/** @type {BucketData} */ saved) => loaded.set({...saved, objects: data?.objects ?? null, versions: data?.versions ?? null});
  const tabs = [
    {id: "general", label: "General"},
    ...DOCUMENTS.map(({id, label}) => ({id, label})),
    {id: "jobs", label: "Jobs"},
  ];
  const shown = tabs.filter(({id}) => id === tab || unsaved.includes(id));
  const panel = (/** @type {string} */ id) => {
    const document = DOCUMENTS.find((each) => each.id === id);
    if (document) return html`<${DocumentSetting} bucket=${bucket} setting=${document} mayChange=${mayChange} onUnsaved=${onUnsaved(id)} />`;
    if (id === "jobs") return html`<${JobsTab} bucket=${data} mayRepair=${mayChange && canWrite()} />`;
    return html`<${GeneralForm} key=${data?.name} bucket=${data} mayChange=${mayChange} onSaved=${onSaved} onUnsaved=${onUnsaved(id)} />
      ${mayChange && html`<${DangerZone} bucket=${data} onReload=${loaded.reload} />`}`;
  };
  return html`<div class="page settings-page">
    <${Breadcrumbs} bucket=${bucket} prefix="" leaf="Settings" />
    <div class="page-head"><h1>Settings of <${Name} value=${bucket} /></h1>
      ${data && html`<p class="muted">${contentsText(data)}</p>`}</div>
    <${ErrorBox} error=${loaded.error} onRetry=${loaded.reload} />
    ${!data && !loaded.error && html`<${Spinner} label="Loading the settings" />`}
    ${data && html`<${Tabs} tabs=${tabs} current=${tab} onChange=${setTab} label="Settings">
      ${!mayChange && tab !== "jobs" && html`<p class="notice">Only the owner of the bucket, with a key of full access, can change its settings.</p>`}
      ${shown.map(({id}) => html`<div key=${id} hidden=${id !== tab}>${panel(id)}</div>`)}
    <//>`}
    <${UnsavedChanges} places=${tabs.filter(({id}) => unsaved.includes(id)).map(({label}) => label)} />
  </div>`;
}
