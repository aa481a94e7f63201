// @ts-check
/** The page of all buckets. */
import {html, useEffect, useRef, useState} from "./vendor/preact.js";
import {at, canWrite, get} from "./api.js";
import {keptTexts} from "./bucket_contents.js";
import {CreateBucket} from "./bucket_create.js";
import {count, duration, size} from "./format.js";
import {useKeys} from "./keys.js";
import {RETRY} from "./object_load.js";
import {Link, navigate, paths} from "./router.js";
import {Button, Empty, ErrorBox, Icon, Name, Size, Spinner, Time, useAnnouncer, useTitle} from "./ui.js";

/**
 * @typedef {{name: string, owner: string, owned: boolean, created: string|null, size: number, replicas: number,
 *   storage: "file"|"memory", max_bytes: number|null, max_age: number|null, versioning: null|"enabled"|"suspended",
 *   sealed: boolean, compressed: boolean, object_lock: boolean, description: string, objects: number|null,
 *   versions: import("./bucket_contents.js").VersionCounts|null}} Bucket
 */

const REFRESH = 10; // seconds
// How many buckets are counted at the same time.
const COUNTED_AT_ONCE = 3;

/**
 * The numbers of objects and versions, with the size of the bucket that they were counted at.
 * @type {Map<string, {size: number, objects: number, versions: import("./bucket_contents.js").VersionCounts|null}>}
 */
const counted = new Map();

/** Count the objects of buckets that changed since: the list does not have the numbers. @param {Bucket[]} buckets @param {AbortSignal} signal @param {() => void} onCounted */
async function countObjects(buckets, signal, onCounted) {
  const waiting = buckets.filter(({name, size: now, objects}) => objects === null && counted.get(name)?.size !== now).reverse();
  const work = async () => {
    for (let bucket = waiting.pop(); bucket && !signal.aborted; bucket = waiting.pop()) {
      try {
        const {objects, versions} = await get(at`buckets/${bucket.name}`, {}, signal);
        counted.set(bucket.name, {size: bucket.size, objects, versions});
        onCounted();
      } catch {
        // It may be gone, or the key may not read it: the number stays unknown.
      }
    }
  };
  await Promise.all(Array.from({length: COUNTED_AT_ONCE}, work));
}

function useBuckets() {
  const [buckets, setBuckets] = useState(/** @type {Bucket[]|null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const control = useRef(/** @type {AbortController|null} */ (null));
  const timer = useRef(0);
  const load = async () => {
    control.current?.abort();
    clearTimeout(timer.current);
    const current = (control.current = new AbortController());
    let wait = REFRESH;
    try {
      /** @type {Bucket[]} */
      const found = (await get("buckets", {}, current.signal)).buckets;
      const show = () => setBuckets(found.map((each) => ({...each, objects: counted.get(each.name)?.objects ?? null, versions: counted.get(each.name)?.versions ?? null})));
      show();
      setError(null);
      countObjects(found, current.signal, show);
    } catch (failure) {
      if (current.signal.aborted) return;
      setError(failure);
      wait = RETRY;
    }
    timer.current = setTimeout(() => !document.hidden && load(), wait * 1000);
  };
  useEffect(() => {
    const onVisibility = () => document.hidden || load();
    document.addEventListener("visibilitychange", onVisibility);
    load();
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      control.current?.abort();
      clearTimeout(timer.current);
    };
  }, []);
  return {buckets, error, load};
}

/** @type {Record<string, (bucket: Bucket) => string|number>} */
const SORTS = {
  Name: (bucket) => bucket.name.toLowerCase(),
  Size: (bucket) => bucket.size,
  Objects: (bucket) => bucket.objects ?? -1,
};

export function BucketsPage() {
  const {buckets, error, load} = useBuckets();
  const [filter, setFilter] = useState("");
  const [sort, setSort] = useState({by: "Name", down: false});
  const [creating, setCreating] = useState(false);
  const search = useRef(/** @type {any} */ (null));
  const table = useRef(/** @type {any} */ (null));
  const writable = canWrite();
  const announce = useAnnouncer();
  useTitle("Buckets");

  /** Focus the link of another row. @param {number} step */
  const move = (step) => {
    const links = [...(table.current?.querySelectorAll("a.bucket-link") ?? [])];
    const index = links.indexOf(document.activeElement);
    if (index + step < 0) search.current?.focus();
    else links[Math.min(index + step, links.length - 1)]?.focus();
  };
  const open = () => {
    if (shown.length) table.current?.querySelector("a.bucket-link")?.click();
    else announce.say("No bucket matches the filter");
  };
  useKeys([
    {keys: "/", label: "Filter", group: "Buckets", run: () => search.current?.focus()},
    {keys: "ArrowDown", label: "Next bucket", group: "Buckets", run: () => move(1)},
    {keys: "ArrowUp", label: "Previous bucket", group: "Buckets", run: () => move(-1)},
    {keys: "Enter", label: "Open", group: "Buckets"},
    ...(writable ? [{keys: "n", label: "New bucket", group: "Buckets", run: () => setCreating(true)}] : []),
  ]);
  /** @param {string} text */
  const onFilter = (text) => {
    setFilter(text);
    announce.say("");
  };
  /** @param {KeyboardEvent} event */
  const onFilterKey = (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "Enter") open();
    else if (event.key === "Escape" && filter) onFilter("");
    else return;
    event.preventDefault();
  };

  const shown = (buckets ?? []).filter((bucket) => `${bucket.name} ${bucket.description}`.toLowerCase().includes(filter.toLowerCase()));
  shown.sort((one, other) => {
    const [left, right] = [SORTS[sort.by](one), SORTS[sort.by](other)];
    return (left < right ? -1 : left > right ? 1 : one.name < other.name ? -1 : 1) * (sort.down ? -1 : 1);
  });
  const create = writable && html`<${Button} kind="primary" icon="plus" onClick=${() => setCreating(true)}>New bucket<//>`;
  return html`<div class="page">
    <div class="page-head"><h1>Buckets</h1>
      ${buckets?.length
        ? html`<input class="input filter" type="search" role="searchbox" aria-label="Filter" placeholder="Filter ( / )" value=${filter} ref=${search}
            spellcheck=${false} onInput=${(/** @type {any} */ event) => onFilter(event.target.value)} onKeyDown=${onFilterKey} />${create}`
        : null}
    </div>
    <${ErrorBox} error=${error} title="The buckets could not be read" onRetry=${load} />
    ${!buckets && !error && html`<${Spinner} label="Loading the buckets" />`}
    ${buckets?.length === 0 &&
    html`<${Empty} title=${writable ? "There are no buckets yet" : "There is no bucket that this key may see"} icon="bucket">
      <p>${writable ? "A bucket holds objects of any size under a name." : "The buckets of other users are not shown. This key may not create one."}</p>${create}
    <//>`}
    ${buckets?.length && !shown.length ? html`<${Empty} title="No bucket matches the filter" icon="search" />` : null}
    ${shown.length ? html`<div ref=${table}><${BucketTable} buckets=${shown} sort=${sort} onSort=${setSort} /></div>` : null}
    ${announce.announcer}
    ${creating && html`<${CreateBucket} onClose=${() => setCreating(false)} onCreated=${(/** @type {string} */ name) => navigate(paths.folder(name))} />`}
  </div>`;
}

/** @param {{buckets: Bucket[], sort: {by: string, down: boolean}, onSort: (sort: {by: string, down: boolean}) => void}} props */
function BucketTable({buckets, sort, onSort}) {
  const head = (/** @type {string} */ name, extra = "") => html`<th scope="col" class=${extra}
    aria-sort=${sort.by === name ? (sort.down ? "descending" : "ascending") : undefined}>
    <button type="button" class="sort" onClick=${() => onSort({by: name, down: sort.by === name ? !sort.down : name !== "Name"})}>
      ${name}${sort.by === name && html`<${Icon} name=${sort.down ? "down" : "up"} size=${12} />`}
    </button></th>`;
  return html`<div class="table-wrap"><table class="table buckets" aria-label="Buckets">
    <thead><tr>${head("Name")}${head("Objects", "is-number")}${head("Size", "is-number")}
      <th scope="col" class="is-number wide-only">Replicas</th><th scope="col" class="wide-only">Storage</th>
      <th scope="col" class="wide-only">Limits</th><th scope="col" class="wide-only">Versioning</th><th scope="col" class="wide-only">Created</th>
      <th scope="col"><span class="visually-hidden">Settings</span></th></tr></thead>
    <tbody>${buckets.map((bucket) => html`<${BucketRow} key=${bucket.name} bucket=${bucket} />`)}</tbody>
  </table></div>`;
}

/** @param {Bucket} bucket */
const limits = ({max_bytes, max_age}) => [max_bytes && size(max_bytes), max_age && duration(max_age)].filter(Boolean).join(", ") || "–";

/** @param {{bucket: Bucket}} props */
function BucketRow({bucket}) {
  const {name, objects, replicas, storage, versioning} = bucket;
  const kept = keptTexts(bucket.versions).join(", ");
  const state = bucket.object_lock ? "Enabled, with locks" : versioning === "enabled" ? "Enabled" : versioning === "suspended" ? "Suspended" : "Off";
  const details = [
    count(replicas, "replica"), storage, limits(bucket) !== "–" && limits(bucket), versioning && `versioning ${state.toLowerCase()}`,
  ];
  return html`<tr>
    <td><${Link} class="bucket-link" href=${paths.folder(name)}>${name}<//>
      ${bucket.sealed && html` <span class="badge is-warn" title="Nothing can be changed any more">Sealed</span>`}
      ${bucket.description && html`<div class="muted bucket-about"><${Name} value=${bucket.description} limit=${120} /></div>`}
      <div class="muted narrow-only">${details.filter(Boolean).join(" · ")}</div></td>
    <td class="is-number">${objects === null ? html`<span class="muted" title="The objects are being counted">…</span>` : count(objects)}
      ${kept && html`<div class="muted bucket-kept" title=${`The bucket keeps ${kept} besides its objects`}>${bucket.versions?.older ? `+ ${count(bucket.versions.older)} older` : `+ ${count(bucket.versions?.markers, "marker")}`}</div>`}</td>
    <td class="is-number"><${Size} value=${bucket.size} />${bucket.versions?.older ? html`<div class="muted bucket-kept">with versions</div>` : null}</td>
    <td class="is-number wide-only">${replicas}</td>
    <td class="wide-only">${storage === "memory" ? "Memory" : "File"}${bucket.compressed ? ", compressed" : ""}</td>
    <td class="wide-only number">${limits(bucket)}</td>
    <td class="wide-only">${state}</td>
    <td class="wide-only"><${Time} value=${bucket.created} /></td>
    <td class="is-action"><${Link} class="button button-quiet button-icon" href=${paths.settings(name)} aria-label="Settings" title=${`Settings of ${name}`}><${Icon} name="settings" /><//></td>
  </tr>`;
}
