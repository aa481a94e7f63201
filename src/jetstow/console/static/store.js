// @ts-check
/** A value with subscribers, and the hook that renders a component again when it changes. */
import {useEffect, useState} from "./vendor/preact.js";

/**
 * @template T
 * @typedef {{get: () => T, set: (value: T) => void, subscribe: (listener: (value: T) => void) => () => void}} Store
 */

/**
 * @template T
 * @param {T} initial
 * @returns {Store<T>}
 */
export function createStore(initial) {
  let value = initial;
  /** @type {Set<(value: T) => void>} */
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(next);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * @template T
 * @param {Store<T>} store
 * @returns {T}
 */
export function useStore(store) {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    const update = () => setValue(() => store.get());
    update(); // it may have changed between the rendering and this effect
    return store.subscribe(update);
  }, [store]);
  return value;
}
