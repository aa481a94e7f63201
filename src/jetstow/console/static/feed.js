// @ts-check
/** The live feed of a bucket: server-sent events, read by fetch to see its status and its heartbeat. */
import {ApiError, apiUrl, at, lines, request} from "./api.js";

/**
 * @typedef {{name: string, deleted: boolean, size: number, modified: string, revision: number}} Change
 * @typedef {"connecting"|"live"|"reconnecting"|"paused"|"gone"} FeedState
 */

// The server sends a comment every 15 s: without a line for longer, the connection is dead.
const SILENCE = 40_000;
const LONGEST_WAIT = 5_000;

/**
 * Follow the changes of a bucket below a prefix. The feed reconnects by itself, and pauses while the page is
 * hidden: browsers allow six connections to a host. Changes in between are not sent again: when the state
 * changes to "live" again, read what you show again.
 * @param {string} bucket @param {string} prefix
 * @param {(changes: Change[], revision: number) => void} onChanges
 * @param {(state: FeedState) => void} [onState]
 * @returns {() => void} the function that ends it
 */
export function changes(bucket, prefix, onChanges, onState = () => {}) {
  let closed = false;
  let wait = 500;
  /** @type {AbortController|null} */
  let connection = null;
  /** @type {number|undefined} */
  let retry;

  /** @param {Response} response @param {AbortController} current */
  async function follow(response, current) {
    let silence = setTimeout(() => current.abort(), SILENCE);
    let event = "message";
    let data = "";
    try {
      for await (const raw of lines(response, current.signal)) {
        clearTimeout(silence);
        silence = setTimeout(() => current.abort(), SILENCE);
        const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
        if (line.startsWith("event:")) event = line.slice(6).trim();
        else if (line.startsWith("data:")) data += line.slice(5).trimStart();
        else if (line === "") {
          if (event === "gone") return end("gone");
          if (event === "open") {
            wait = 500;
            onState("live");
          } else if (event === "changes" && data) {
            const batch = JSON.parse(data);
            onChanges(batch.changes, batch.revision);
          }
          event = "message";
          data = "";
        }
      }
    } finally {
      clearTimeout(silence);
    }
  }

  async function connect() {
    clearTimeout(retry);
    const current = new AbortController();
    connection = current;
    const deadline = setTimeout(() => current.abort(), SILENCE);
    try {
      const response = await request("GET", apiUrl(at`buckets/${bucket}/changes`, {prefix}), {signal: current.signal});
      clearTimeout(deadline);
      await follow(response, current);
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      if (status === 404) end("gone");
      else if (status === 401 || status === 403) end("paused");
    } finally {
      clearTimeout(deadline);
    }
    if (closed || connection !== current) return;
    onState("reconnecting");
    retry = setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  function drop() {
    clearTimeout(retry);
    const current = connection;
    connection = null;
    current?.abort();
  }

  /** @param {FeedState} state */
  function end(state) {
    stop();
    onState(state);
  }

  function onVisibility() {
    if (document.hidden) {
      drop();
      onState("paused");
    } else if (!connection) {
      onState("connecting");
      connect();
    }
  }

  function onOffline() {
    drop();
    onState("reconnecting");
  }

  function onOnline() {
    wait = 500;
    if (!connection || retry) {
      drop();
      connect();
    }
  }

  function stop() {
    closed = true;
    drop();
    document.removeEventListener("visibilitychange", onVisibility);
    removeEventListener("offline", onOffline);
    removeEventListener("online", onOnline);
  }

  document.addEventListener("visibilitychange", onVisibility);
  addEventListener("offline", onOffline);
  addEventListener("online", onOnline);
  onState("connecting");
  if (document.hidden) onState("paused");
  else connect();
  return stop;
}
