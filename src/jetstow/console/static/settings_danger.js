// @ts-check
/** What cannot be undone: seal a bucket, and delete it with its objects. */
import {html, useState} from "./vendor/preact.js";
import {at, del, post} from "./api.js";
import {contentsText} from "./bucket_contents.js";
import {forgetBucket} from "./deletes.js";
import {navigate, paths} from "./router.js";
import {Button, ConfirmDialog, Name, toast} from "./ui.js";

/** @param {{bucket: import("./settings_page.js").BucketData, onReload: () => void}} props */
export function DangerZone({bucket, onReload}) {
  const [asked, setAsked] = useState("");
  const {name} = bucket;
  const close = () => setAsked("");
  const seal = async () => {
    await post(at`buckets/${name}/seal`, {confirm: name});
    toast(`${name} is sealed`, {kind: "ok"});
    onReload();
  };
  const remove = async () => {
    await del(at`buckets/${name}`, {confirm: name});
    forgetBucket(name);
    toast(`${name} was deleted`, {kind: "ok"});
    navigate(paths.buckets(), {unasked: true});
  };
  const ask = (/** @type {string} */ what) => {
    setAsked(what);
    onReload(); // so that the dialog says what goes now
  };
  const content = contentsText(bucket);
  return html`<section class="danger-zone" aria-label="What cannot be undone">
    <h2>What cannot be undone</h2>
    ${!bucket.sealed && html`<div class="danger-row">
      <div><h3>Seal the bucket</h3><p class="muted">Its objects can be read, and never be changed, added to or deleted again. Only the bucket as a whole can be deleted.</p></div>
      <${Button} kind="danger" icon="lock" onClick=${() => ask("seal")}>Seal bucket<//>
    </div>`}
    <div class="danger-row">
      <div><h3>Delete the bucket</h3><p class="muted">With all that it has: ${content}.</p></div>
      <${Button} kind="danger" icon="trash" onClick=${() => ask("delete")}>Delete bucket<//>
    </div>
    ${asked === "seal" && html`<${ConfirmDialog} title="Seal bucket" action="Seal bucket" confirm=${name} onConfirm=${seal} onClose=${close}>
      <p>Nothing in <b><${Name} value=${name} /></b> can be changed afterwards, by any client. A seal cannot be removed.</p><//>`}
    ${asked === "delete" && html`<${ConfirmDialog} title="Delete bucket" action="Delete bucket" confirm=${name} onConfirm=${remove} onClose=${close}>
      <p>This deletes <b><${Name} value=${name} /></b> with all that it has: ${content}. It cannot be undone.</p><//>`}
  </section>`;
}
