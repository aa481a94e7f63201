// @ts-check
/** The live feed of a folder: reads its rows again after changes, and shows whether it is connected. */
import {html, useEffect, useState} from "./vendor/preact.js";
import {changes} from "./api.js";
import {retryNow} from "./upload_send.js";

const HIGHLIGHT = 1500;
// Sorting and filtering a large folder takes the server some time.
const SHORTEST = 200;
const SHORTEST_SORTED = 500;

/**
 * Follow the changes below a prefix, and keep `rows` current.
 * @param {import("./rows.js").Rows} rows
 * @param {(names: Set<string>) => void} onGone names that are no rows any more
 * @returns {{state: import("./feed.js").FeedState, changed: Set<string>}} the names that changed just now
 */
export function useLive(rows, onGone) {
  const [state, setState] = useState(/** @type {import("./feed.js").FeedState} */ ("connecting"));
  const [changed, setChanged] = useState(/** @type {Set<string>} */ (new Set()));

  useEffect(() => {
    let stale = false;
    let reading = false;
    /** @type {number|undefined} */
    let timer;
    /** @type {number|undefined} */
    let fading;
    /** @type {Set<string>} */
    let names = new Set();

    // The more often a large folder changes, the longer it takes to read: wait for four times as long.
    const read = async () => {
      stale = false;
      reading = true;
      const began = performance.now();
      await rows.refresh();
      reading = false;
      timer = setTimeout(() => {
        timer = undefined;
        if (stale) read();
      }, Math.max(rows.query.sort === "name" && !rows.query.filter ? SHORTEST : SHORTEST_SORTED, 4 * (performance.now() - began)));
    };
    const touch = () => {
      stale = true;
      if (!reading && timer === undefined) read();
    };
    const stop = changes(
      rows.bucket,
      rows.prefix,
      (batch) => {
        const isRow = (/** @type {import("./feed.js").Change} */ change) => change.deleted === rows.query.deleted;
        const gone = batch.filter((change) => !isRow(change)).map((change) => change.name);
        if (gone.length) onGone(new Set(gone));
        names = new Set([...names, ...batch.filter(isRow).map((change) => change.name)]);
        setChanged(names);
        clearTimeout(fading);
        fading = setTimeout(() => {
          names = new Set();
          setChanged(names);
        }, HIGHLIGHT);
        touch();
      },
      (next) => {
        setState(next);
        if (next !== "live") return;
        touch(); // changes from before it was connected are not sent
        retryNow();
      },
    );
    return () => {
      stop();
      clearTimeout(timer);
      clearTimeout(fading);
    };
  }, [rows]);
  return {state, changed};
}

const TEXTS = {connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", paused: "Paused", gone: "Bucket deleted"};
const HINTS = {
  connecting: "Connecting to the feed of changes",
  live: "Changes of other clients appear as they happen",
  reconnecting: "The feed of changes is not connected. The list may be out of date until it is.",
  paused: "The feed of changes is paused",
  gone: "This bucket was deleted",
};

/** @param {{state: import("./feed.js").FeedState}} props */
export function LiveState({state}) {
  return html`<span class="live is-${state}" role="status" aria-label="Live updates" title=${HINTS[state]}>${TEXTS[state]}</span>`;
}
