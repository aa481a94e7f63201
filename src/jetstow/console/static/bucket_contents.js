// @ts-check
/** What a bucket has, in words: objects, what it keeps besides, and the bytes of all. */
import {count, size} from "./format.js";

/** @typedef {{older: number, size: number, markers: number}} VersionCounts `older` versions with their size in bytes, and delete markers */

/**
 * "12 objects, 3 older versions; 1.2 GiB with versions". The size of a bucket has what it keeps.
 * @param {{objects: number|null, versions: VersionCounts|null, versioning: string|null, size: number}} bucket
 */
export function contentsText({objects, versions, versioning, size: bytes}) {
  const parts = [objects !== null && count(objects, "object"), ...keptTexts(versions)].filter(Boolean);
  const isMore = versions ? versions.older > 0 : versioning !== null;
  const total = `${size(bytes)}${isMore ? " with versions" : ""}`;
  return parts.length ? `${parts.join(", ")}; ${total}` : total;
}

/** What is kept besides the objects. @param {VersionCounts|null} versions */
export function keptTexts(versions) {
  if (!versions) return [];
  return [versions.older && count(versions.older, "older version"), versions.markers && count(versions.markers, "delete marker")].filter(Boolean);
}
