// @ts-check
/** The dialog that creates a bucket. */
import {html, useState} from "./vendor/preact.js";
import {post} from "./api.js";
import {count, parseDuration, parseSize, size} from "./format.js";
import {ReplicasField} from "./replicas_field.js";
import {Button, Dialog, ErrorBox, Field} from "./ui.js";

const NAME_HINT = "3 to 63 lower-case letters, digits, “-” and “.”. The first and the last are a letter or a digit.";

/** What is wrong by S3's rules for the names of buckets; empty if nothing is. @param {string} name */
function nameProblem(name) {
  if (!name) return "Enter a name.";
  if (!/^[a-z0-9.-]*$/.test(name)) return "Use lower-case letters, digits, “-” and “.” only.";
  if (name.length < 3 || name.length > 63) return "Use 3 to 63 characters.";
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return "Begin and end with a letter or a digit.";
  if (/\.\.|\.-|-\./.test(name)) return "Put a letter or a digit before and after each “.”.";
  if (/^\d+(\.\d+){3}$/.test(name)) return "Use a name that is not an IP address.";
  if (/^xn--|-s3alias$/.test(name)) return "Use a name that does not begin with “xn--” or end with “-s3alias”.";
  return "";
}

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
    setError(null);
    if (problems.name || problems.size || problems.age) return;
    setBusy(true);
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
    <${Field} label="Name" value=${values.name} onInput=${set("name")} error=${shown.name} hint=${NAME_HINT} autofocus />
    <${Field} label="Description" value=${values.description} onInput=${set("description")} />
    <div class="form-row">
      <${Field} label="Storage" as="select" value=${values.storage} onInput=${set("storage")}>
        <option value="file">File</option><option value="memory">Memory</option>
      <//>
      <${ReplicasField} value=${values.replicas} onInput=${set("replicas")} />
    </div>
    <div class="form-row">
      <${Field} label="Size limit of the bucket" value=${values.size} onInput=${set("size")} error=${shown.size} placeholder="No limit"
        hint=${maxBytes && maxBytes > 0 ? `${size(maxBytes)}, ${count(maxBytes, "byte")}` : "For example 10 GiB"} />
      <${Field} label="Delete objects after" value=${values.age} onInput=${set("age")} error=${shown.age} placeholder="Never" hint="For example 30 days" />
    </div>
    <${Field} type="checkbox" label="Versioning: what is replaced or deleted is kept" value=${versioned} onInput=${set("versioned")} disabled=${values.object_lock} />
    <${Field} type="checkbox" label="Object lock: versions can be protected from deletion" value=${values.object_lock} onInput=${set("object_lock")} />
    <${ErrorBox} error=${error} />
  <//>`;
}
