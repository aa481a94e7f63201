// @ts-check
// The checksum of what is sent: the gateway refuses bytes that were damaged on the way.
import {Slots} from "./upload_slots.js";

/** One body at a time is in memory, and parts get their checksums in order. */
const slots = new Slots(1);

/**
 * Return the header with the SHA-256 of a body. Browsers have `crypto.subtle` with https and on localhost only:
 * without it, there is none.
 *
 * The checksum of the whole object stays the gateway's own: clients can compare it with the bytes of a download.
 * SHA-256 of parts cannot be combined to that of the object.
 * @param {Blob} body
 * @param {AbortSignal} signal
 * @returns {Promise<Record<string, string>>}
 */
export async function checksumHeader(body, signal) {
  if (!globalThis.crypto?.subtle) return {};
  return slots.use(signal, async () => {
    const digest = await crypto.subtle.digest("SHA-256", await body.arrayBuffer());
    return {"x-amz-checksum-sha256": btoa(String.fromCharCode(...new Uint8Array(digest)))};
  });
}
