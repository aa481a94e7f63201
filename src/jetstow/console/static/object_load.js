// @ts-check
/** Loading what a component shows. */
import {useCallback, useEffect, useRef, useState} from "./vendor/preact.js";
import {ApiError} from "./api.js";

/** How often to try again while the gateway or NATS is away, in seconds. */
export const RETRY = 5;

/** Whether the same request can succeed later, because the network, the gateway or NATS was away. @param {any} error */
const isOutage = (error) => error instanceof ApiError && (error.code === "NetworkError" || [502, 503, 504].includes(error.status));

/**
 * @template T
 * @typedef {{data: T|null, error: any, busy: boolean, reload: () => void, set: (data: T) => void}} Loaded
 */

/**
 * Load data when a component is shown and when `inputs` change, and again after an outage. The last data stays while
 * it is loaded again.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {any[]} inputs
 * @returns {Loaded<T>}
 */
export function useLoad(load, inputs) {
  const [state, setState] = useState(/** @type {{data: T|null, error: any, busy: boolean}} */ ({data: null, error: null, busy: true}));
  const running = useRef(/** @type {AbortController|null} */ (null));
  const reload = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState((before) => ({...before, busy: true}));
    load(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setState({data, error: null, busy: false});
      },
      (error) => {
        if (!controller.signal.aborted) setState((before) => ({...before, error, busy: false}));
      },
    );
  }, inputs);
  useEffect(() => {
    reload();
    return () => running.current?.abort();
  }, [reload]);
  useEvery(() => isOutage(state.error) && !state.busy && reload(), RETRY);
  const set = useCallback((/** @type {T} */ data) => setState({data, error: null, busy: false}), []);
  return {...state, reload, set};
}

/**
 * Call a function again and again while the page is visible.
 * @param {() => any} action
 * @param {number} seconds
 */
export function useEvery(action, seconds) {
  const ref = useRef(action);
  ref.current = action;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) ref.current();
    }, seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
}
