// @ts-check
/** The keys of the gateway: list, add, limit, revoke. */
import {html, useState} from "./vendor/preact.js";
import {at, del, get, session} from "./api.js";
import {KeyDialog} from "./access_key_dialog.js";
import {visible} from "./format.js";
import {useLoad} from "./object_load.js";
import {ScrollTable} from "./scroll_table.js";
import {Button, ConfirmDialog, Empty, ErrorBox, Name, Spinner, toast, useTitle} from "./ui.js";

/**
 * @typedef {{access_key: string, name: string, user: string, allow: "full"|"read"|"write", buckets: string[], admin: boolean, creds: boolean,
 *   secret_key?: string}} AccessKey
 */

/** What a key may do, as people read it. */
export const ALLOW = {full: "Full access", read: "Read only", write: "Write only"};

export function KeysPage() {
  useTitle("Keys");
  const loaded = useLoad((signal) => get("keys", {}, signal), []);
  const [edited, setEdited] = useState(/** @type {AccessKey|"new"|null} */ (null));
  const [revoked, setRevoked] = useState(/** @type {AccessKey|null} */ (null));
  const own = session.get()?.access_key;
  /** @type {AccessKey[]} */
  const keys = loaded.data?.keys ?? [];
  const writable = loaded.data?.writable ?? false;
  const revoke = async () => {
    if (!revoked) return;
    await del(at`keys/${revoked.access_key}`);
    toast(`The key of ${nameOf(revoked)} was revoked`, {kind: "ok"});
    if (revoked.access_key === own) session.set(null);
    else loaded.reload();
  };
  return html`<div class="page">
    <div class="page-head"><h1>Keys</h1>
      ${writable && html`<${Button} kind="primary" icon="plus" onClick=${() => setEdited("new")}>Add key<//>`}</div>
    <${ErrorBox} error=${loaded.error} onRetry=${loaded.reload} />
    ${!loaded.data && !loaded.error && html`<${Spinner} label="Loading the keys" />`}
    ${loaded.data && !writable && html`<p class="notice">The gateway cannot change its keys: it has no key file, or cannot write it.</p>`}
    ${loaded.data && (keys.length === 0
      ? html`<${Empty} title="There are no keys" icon="key" />`
      : html`<${KeyTable} keys=${keys} own=${own} writable=${writable} onEdit=${setEdited} onRevoke=${setRevoked} />`)}
    ${edited && html`<${KeyDialog} existing=${edited === "new" ? null : edited} isOwn=${edited !== "new" && edited.access_key === own}
      onClose=${() => setEdited(null)} onSaved=${loaded.reload} />`}
    ${revoked && html`<${ConfirmDialog} title="Revoke key" action="Revoke key" onConfirm=${revoke} onClose=${() => setRevoked(null)}>
      <p>Requests and sessions of <b>${visible(nameOf(revoked))}</b> (<code>${revoked.access_key}</code>), and links that it shared, fail from now on.
        This cannot be undone.</p>
      ${revoked.access_key === own && html`<p class="notice">You are signed in with this key: you will be signed out.</p>`}
    <//>`}
  </div>`;
}

/** @param {AccessKey} key */
const nameOf = (key) => key.name || key.user || key.access_key;

/** @param {{keys: AccessKey[], own: string|undefined, writable: boolean, onEdit: (key: AccessKey) => void, onRevoke: (key: AccessKey) => void}} props */
function KeyTable({keys, own, writable, onEdit, onRevoke}) {
  return html`<${ScrollTable} label="Keys">
    <thead><tr><th scope="col">Key</th><th scope="col" class="is-wide-cell">User</th><th scope="col">Permission</th><th scope="col" class="is-wide-cell">Buckets</th>
      <th scope="col"><span class="visually-hidden">Actions</span></th></tr></thead>
    <tbody>${keys.map(
      (key) => html`<tr key=${key.access_key}>
        <td><${Name} value=${key.name || "(no name)"} />
          ${key.access_key === own && html` <span class="badge is-accent">You</span>`}
          ${key.admin && html` <span class="badge">Administrator</span>`}
          ${key.creds && html` <span class="badge" title="NATS checks the permissions of its credentials file">NATS credentials</span>`}
          <span class="cell-id mono">${key.access_key}</span></td>
        <td class="is-wide-cell"><${Name} value=${key.user} /></td>
        <td class="number">${ALLOW[key.allow]}</td>
        <td class="is-wide-cell">${key.buckets.length === 1 && key.buckets[0] === "*" ? "all" : html`<${Name} value=${key.buckets.join(", ")} />`}</td>
        <td class="row-actions">${writable && html`
          <${Button} kind="quiet" icon="edit" label=${`Change ${visible(nameOf(key))}`} onClick=${() => onEdit(key)} />
          <${Button} kind="quiet" icon="trash" label=${`Revoke ${visible(nameOf(key))}`} onClick=${() => onRevoke(key)} />`}</td>
      </tr>`,
    )}</tbody>
  <//>`;
}
