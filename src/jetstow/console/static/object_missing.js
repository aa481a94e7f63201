// @ts-check
/** What the page of an object shows if there is none at its address: why, its versions, and how to get it back. */
import {html} from "./vendor/preact.js";
import {canWrite} from "./api.js";
import {time} from "./format.js";
import {useKeys} from "./keys.js";
import {useVersions, VersionTable} from "./object_versions.js";
import {Link, paths} from "./router.js";
import {undeleteObjects} from "./undelete.js";
import {Button, ErrorBox, Spinner} from "./ui.js";

/**
 * @param {{bucket: string, name: string, version?: string, state: any, onChange: () => void}} props
 *   `state` changes when the object may have changed
 */
export function MissingObject({bucket, name, version, state, onChange}) {
  const list = useVersions(bucket, name, state);
  const versions = list.data;
  const marker = versions?.find((each) => each.latest && each.deleted);
  const isRestorable = Boolean(marker && versions?.some((each) => !each.deleted));
  const isShown = isRestorable && (!version || version === marker?.version);
  const undelete = async () => {
    await undeleteObjects({bucket, prefix: name, names: [name]});
    onChange();
  };
  useKeys([{keys: "u", label: "Undelete", group: "Object", run: () => (isShown && canWrite() ? void undelete() : false)}]);
  if (!versions) {
    return list.error
      ? html`<${ErrorBox} error=${list.error} title="The object could not be loaded" onRetry=${list.reload} />`
      : html`<${Spinner} label="Loading the versions" />`;
  }
  return html`<div class="object-gone" role="alert"><p>${reason({version, versions, marker, isRestorable})}</p>
      ${isShown && canWrite() && html`<${Button} kind="primary" icon="restore" onClick=${undelete}>Undelete<//>`}
      ${version && !isShown && html`<${Link} class="button button-plain" href=${paths.object(bucket, name)}>Show the current version<//>`}
    </div>
    ${versions.length > 0 && html`<h2 class="object-gone-title">Versions</h2>
      <${VersionTable} bucket=${bucket} name=${name} list=${list} onChange=${onChange} />`}`;
}

/**
 * @param {{version?: string, versions: import("./object_versions.js").Version[], marker?: import("./object_versions.js").Version,
 *   isRestorable: boolean}} found `marker` is the delete marker that is current
 */
function reason({version, versions, marker, isRestorable}) {
  if (version && version !== marker?.version) {
    const own = versions.find((each) => each.version === version);
    return own?.deleted ? `This version is a delete marker: the object was deleted on ${time(own.modified, true)}.` : "There is no such version of this object.";
  }
  if (!marker) return "This object does not exist.";
  const end = isRestorable ? "You can undelete it: its newest version becomes the current one." : "No version of it is left.";
  return `This object was deleted on ${time(marker.modified, true)}. ${isRestorable && !canWrite() ? "A key that may write can undelete it." : end}`;
}
