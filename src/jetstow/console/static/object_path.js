// @ts-check
/** Where an object or a page of a bucket is: links to the bucket and to the folders above. */
import {html} from "./vendor/preact.js";
import {Link, paths} from "./router.js";
import {Name} from "./ui.js";

/** @param {{bucket: string, name?: string}} props */
export function ObjectPath({bucket, name = ""}) {
  const folders = [];
  for (let slash = name.indexOf("/"); slash >= 0 && slash < name.length - 1; slash = name.indexOf("/", slash + 1)) {
    folders.push(name.slice(0, slash + 1));
  }
  let start = 0;
  return html`<nav class="path" aria-label="Path">
    <${Link} href=${paths.buckets()}>Buckets<//>
    <span class="path-sep" aria-hidden="true">/</span>
    <${Link} href=${paths.folder(bucket)}><${Name} value=${bucket} limit=${40} /><//>
    ${folders.map((folder) => {
      const label = folder.slice(start, -1);
      start = folder.length;
      return html`<span class="path-sep" aria-hidden="true">/</span>
        <${Link} href=${paths.folder(bucket, folder)}><${Name} value=${label || "(empty)"} limit=${40} /><//>`;
    })}
  </nav>`;
}
