// @ts-check
/** The state of the NATS server, of JetStream's limits, and of the indexes of buckets. */
import {html} from "./vendor/preact.js";
import {get} from "./api.js";
import {count, size} from "./format.js";
import {useEvery, useLoad} from "./object_load.js";
import {Link, paths} from "./router.js";
import {ScrollTable} from "./scroll_table.js";
import {Button, ErrorBox, Name, Progress, Spinner, useTitle} from "./ui.js";

/** Seconds between two refreshes, of this page and of the activity. */
export const REFRESH = 10;

/** A limit is shown as nearly reached from this share on. */
const NEAR = 0.85;

/** An index that takes longer to catch up is shown as slow, in milliseconds. */
const SLOW = 1000;

export function HealthPage() {
  useTitle("Health");
  const {data, error, busy, reload} = useLoad((signal) => get("health", {}, signal), []);
  useEvery(reload, REFRESH);
  return html`<div class="page">
    <div class="page-head"><h1>Health</h1><${Button} kind="quiet" icon="refresh" label="Refresh" disabled=${busy} onClick=${reload} /></div>
    <${ErrorBox} error=${error} title=${data ? "What you see is old: the last refresh failed" : undefined} onRetry=${reload} />
    ${!data && !error && html`<${Spinner} label="Loading" />`}
    ${data && html`<div class="cards">
      <${ServerCard} health=${data} isOld=${error !== null} />
      <${LimitsCard} jetstream=${data.jetstream} />
    </div>
    ${data.connected && html`<${IndexTable} indexes=${data.indexes} />`}`}
  </div>`;
}

/** @param {{health: any, isOld: boolean}} props */
function ServerCard({health: {server, connected, round_trip_ms: roundTrip}, isOld}) {
  const state = isOld ? "Unknown" : !connected ? "Not connected" : roundTrip === null ? "Does not answer" : "Connected";
  return html`<section class="panel" aria-label="NATS server">
    <div class="panel-head"><h2>NATS server</h2><span class="badge ${isOld ? "is-warn" : state === "Connected" ? "is-ok" : "is-danger"}">${state}</span></div>
    <dl class="facts">
      <div><dt>Name</dt><dd><${Name} value=${server.name || "–"} /></dd></div>
      <div><dt>Version</dt><dd>${server.version || "–"}</dd></div>
      <div><dt>Cluster</dt><dd>${server.cluster ? html`<${Name} value=${server.cluster} />` : "none: a single server"}</dd></div>
      <div><dt>Round trip</dt><dd class="number">${roundTrip === null ? "–" : `${roundTrip} ms`}</dd></div>
    </dl></section>`;
}

/** @param {{jetstream: any}} props */
function LimitsCard({jetstream}) {
  return html`<section class="panel" aria-label="JetStream"><h2>JetStream</h2>
    ${jetstream
      ? html`<div>
          <${Limit} label="Storage" used=${jetstream.storage} limit=${jetstream.max_storage} format=${size} />
          <${Limit} label="Memory" used=${jetstream.memory} limit=${jetstream.max_memory} format=${size} />
          <${Limit} label="Streams" used=${jetstream.streams} limit=${jetstream.max_streams} format=${count} />
        </div>`
      : html`<p class="muted">The limits are shown to administrators, when the server answers.</p>`}
  </section>`;
}

/** @param {{label: string, used: number, limit: number, format: (value: number) => string}} props */
function Limit({label, used, limit, format}) {
  const hasLimit = limit > 0;
  const share = hasLimit ? used / limit : 0;
  const isNear = share >= NEAR;
  return html`<div class="limit">
    <div class="limit-text"><span>${label}</span>
      <span class="number ${isNear ? "warn" : ""}">${format(used)}${hasLimit ? ` of ${format(limit)} (${Math.round(share * 100)} %)` : ", no limit"}</span></div>
    ${hasLimit && html`<${Progress} label=${label} value=${used} max=${limit} state=${isNear ? "is-warn" : ""} />`}
  </div>`;
}

/** @param {{indexes: {bucket: string, names: number|null, lag_ms: number|null}[]}} props */
function IndexTable({indexes}) {
  return html`<section class="block" aria-label="Indexes"><h2>Indexes</h2>
    <p class="muted">The gateway lists buckets from indexes in its memory. The lag is how long one takes to have all changes.</p>
    ${indexes.length === 0
      ? html`<p>There are none: no bucket was listed yet.</p>`
      : html`<${ScrollTable} label="Indexes">
          <thead><tr><th scope="col">Bucket</th><th scope="col" class="is-number">Names</th><th scope="col" class="is-number">Lag</th></tr></thead>
          <tbody>${indexes.map(
            ({bucket, names, lag_ms: lag}) => html`<tr key=${bucket}><td><${Link} href=${paths.folder(bucket)}><${Name} value=${bucket} /><//></td>
              <td class="is-number">${count(names)}</td>
              <td class="is-number ${lag === null || lag > SLOW ? "warn" : ""}">${lag === null ? "does not answer" : `${lag} ms`}</td></tr>`,
          )}</tbody><//>`}
  </section>`;
}
