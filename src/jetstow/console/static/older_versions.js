// @ts-check
/** What a rename or a move leaves under the old names. */
import {html} from "./vendor/preact.js";
import {at, get} from "./api.js";
import {count} from "./format.js";
import {useLoad} from "./object_load.js";

/**
 * A note if older versions stay: a rename takes the current one only.
 * @param {{bucket: string, name: string|null}} props without `name`, it is about several objects of the bucket
 */
export function OlderVersions({bucket, name}) {
  const {data: older} = useLoad((signal) => countOlder(bucket, name, signal), [bucket, name]);
  if (!older) return null;
  const stay = name === null
    ? "Older versions of these objects, if there are any, stay under the old names."
    : `${count(older, "older version")} ${older === 1 ? "stays" : "stay"} under the old name.`;
  return html`<p class="notice" role="status">${stay} “Only deleted” lists ${name === null ? "the old names" : "it"} then.</p>`;
}

/** The older versions of an object, or of a bucket. @param {string} bucket @param {string|null} name @param {AbortSignal} signal @returns {Promise<number>} */
async function countOlder(bucket, name, signal) {
  if (name === null) return (await get(at`buckets/${bucket}`, {}, signal)).versions?.older ?? 0;
  const {versions} = await get(at`buckets/${bucket}/versions`, {name}, signal);
  return versions.filter((/** @type {import("./object_versions.js").Version} */ each) => !each.latest && !each.deleted).length;
}
