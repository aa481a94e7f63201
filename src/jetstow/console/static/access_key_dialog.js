// @ts-check
/** The dialog that adds a key, and shows its secret once, or changes one. */
import {html, useState} from "./vendor/preact.js";
import {at, patch, post, session} from "./api.js";
import {CopyValue} from "./object_details.js";
import {Button, Dialog, ErrorBox, Field, toast} from "./ui.js";

/** @typedef {import("./access_keys.js").AccessKey} AccessKey */

/** @param {{existing: AccessKey|null, isOwn: boolean, onClose: () => void, onSaved: () => void}} props */
export function KeyDialog({existing, isOwn, onClose, onSaved}) {
  const [name, setName] = useState(existing?.name ?? "");
  const [user, setUser] = useState(session.get()?.user ?? "");
  const [allow, setAllow] = useState(/** @type {string} */ (existing?.allow ?? "full"));
  const [buckets, setBuckets] = useState((existing?.buckets ?? ["*"]).join("\n"));
  const [admin, setAdmin] = useState(existing?.admin ?? false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [added, setAdded] = useState(/** @type {AccessKey|null} */ (null));
  const patterns = buckets.split("\n").map((line) => line.trim()).filter(Boolean);
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      const body = {name: name.trim(), allow, buckets: patterns, admin};
      if (existing) {
        await patch(at`keys/${existing.access_key}`, body);
        toast("Saved", {kind: "ok"});
        onClose();
      } else {
        setAdded(await post("keys", {...body, user: user.trim()}));
        setBusy(false);
      }
      onSaved();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  if (added) return html`<${SecretDialog} added=${added} onClose=${onClose} />`;
  const actions = html`<${Button} onClick=${onClose} disabled=${busy}>Cancel<//>
    <${Button} type="submit" kind="primary" busy=${busy} disabled=${!patterns.length}>${existing ? "Save" : "Add key"}<//>`;
  return html`<${Dialog} title=${existing ? "Change key" : "Add key"} onClose=${onClose} onSubmit=${save} busy=${busy} actions=${actions}>
    <${Field} label="Name" value=${name} onInput=${setName} hint="For this list only, such as the name of an application." />
    ${!existing && html`<${Field} label="User" value=${user} onInput=${setUser} hint="Keys of one user share its buckets. The key of another user does not see yours. Empty: a new user." />`}
    <${Field} label="Permission" as="select" value=${allow} onInput=${setAllow}>
      <option value="full">Read, write and administer its buckets</option>
      <option value="read">Read</option>
      <option value="write">Write</option>
    <//>
    <${Field} label="Buckets" as="textarea" class="short-text" value=${buckets} onInput=${setBuckets}
      hint="A pattern in each line: * is all, photos-* those that begin with photos-." error=${patterns.length ? undefined : "A key needs a pattern"} />
    <${Field} label="Administrator: may change keys, and see the activity of the gateway" type="checkbox" value=${admin} onInput=${setAdmin} />
    ${isOwn && html`<p class="notice">You are signed in with this key.</p>`}
    <${ErrorBox} error=${error} />
  <//>`;
}

/** @param {{added: AccessKey, onClose: () => void}} props */
function SecretDialog({added, onClose}) {
  const [stored, setStored] = useState(false);
  const close = () => {
    if (stored) onClose();
  };
  const actions = html`<${Button} kind="primary" disabled=${!stored} onClick=${onClose}>Done<//>`;
  return html`<${Dialog} title="The key was added" onClose=${close} actions=${actions}>
    <p>This is the only time that the secret key is shown. Store it now.</p>
    <dl class="facts"><div><dt>Access key</dt><dd><${CopyValue} value=${added.access_key} mono /></dd></div>
      <div><dt>Secret key</dt><dd><${CopyValue} value=${added.secret_key ?? ""} mono /></dd></div></dl>
    <${Field} label="I have stored the secret key" type="checkbox" value=${stored} onInput=${setStored} />
  <//>`;
}
