// @ts-check
/** The dialog that creates a bucket. */
import {html, useState} from "./vendor/preact.js";
import {post} from "./api.js";
import {parseDuration, parseSize} from "./format.js";
import {ReplicasField} from "./replicas_field.js";
import {Button, Dialog, ErrorBox, Field} from "./ui.js";

/** @param {string} name */
const nameProblem = (name) => {
  if (!name) return "Enter a name.";
  return /^[A-Za-z0-9_-]+$/.test(name) ? "" : "Use letters, digits, “-” and “_” only.";
};

/** @param {{onClose: () => void, onCreated: (name: string) => void}} props */
export function CreateBucket({onClose, onCreated}) {
  const [values, setValues] = useState({
    name: "", description: "", storage: "file", replicas: "1", size: "", age: "", versioned: false, object_lock: false,
  });
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const set = (/** @type {string} */ name) => (/** @type {any} */ value) => setValues((all) => ({...all, [name]: value}));
  const maxBytes = parseSize(values.size);
  const maxAge = parseDuration(values.age);
  const problems = {
    name: nameProblem(values.name),
    size: maxBytes !== null && !(maxBytes > 0) ? "Enter a size such as “10 GiB”, or nothing." : "",
    age: maxAge !== null && !(maxAge > 0) ? "Enter an age such as “30 days” or “12 h”, or nothing." : "",
  };
  const shown = tried ? problems : {name: "", size: "", age: ""};

  async function create() {
    setTried(true);
    if (problems.name || problems.size || problems.age) return;
    setBusy(true);
    setError(null);
    const {name, description, storage, versioned, object_lock} = values;
    try {
      const replicas = Number(values.replicas);
      await post("buckets", {name, description, storage, replicas, max_bytes: maxBytes, max_age: maxAge, versioned: versioned || object_lock, object_lock});
      onCreated(name);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  }

  const actions = html`<${Button} onClick=${onClose} disabled=${busy}>Cancel<//>
    <${Button} type="submit" kind="primary" busy=${busy}>Create bucket<//>`;
  const versioned = values.versioned || values.object_lock;
  return html`<${Dialog} title="New bucket" onClose=${onClose} onSubmit=${create} busy=${busy} actions=${actions}>
    <${Field} label="Name" value=${values.name} onInput=${set("name")} error=${shown.name} autofocus maxlength="255" />
    <${Field} label="Description" value=${values.description} onInput=${set("description")} />
    <div class="form-row">
      <${Field} label="Storage" as="select" value=${values.storage} onInput=${set("storage")}>
        <option value="file">File</option><option value="memory">Memory</option>
      <//>
      <${ReplicasField} value=${values.replicas} onInput=${set("replicas")} />
    </div>
    <div class="form-row">
      <${Field} label="Largest size" value=${values.size} onInput=${set("size")} error=${shown.size} placeholder="No limit" hint="For example 10 GiB" />
      <${Field} label="Delete objects after" value=${values.age} onInput=${set("age")} error=${shown.age} placeholder="Never" hint="For example 30 days" />
    </div>
    <${Field} type="checkbox" label="Keep old versions of objects" value=${versioned} onInput=${set("versioned")} disabled=${values.object_lock} />
    <${Field} type="checkbox" label="Object lock: versions can be protected from deletion" value=${values.object_lock} onInput=${set("object_lock")} />
    <${ErrorBox} error=${error} />
  <//>`;
}
