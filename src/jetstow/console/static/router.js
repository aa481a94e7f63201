// @ts-check
/** Pages by path, and the links between them. Names of objects are in the query: browsers resolve `..` in paths. */
import {html, useEffect, useState} from "./vendor/preact.js";
import {createStore, useStore} from "./store.js";

/** A page gets the parameters of its path by name, and `query`. @typedef {(props: any) => any} Page */

export const ROOT = "/_console/";

/** @param {Record<string, string|number|boolean|null|undefined>} query */
export function queryString(query) {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value)).replaceAll("%2F", "/")}`);
  return parts.length ? `?${parts.join("&")}` : "";
}

export const paths = {
  buckets: () => ROOT,
  /** @param {string} bucket @param {string} [prefix] @param {Record<string, any>} [query] */
  folder: (bucket, prefix = "", query = {}) =>
    `${ROOT}b/${encodeURIComponent(bucket)}${queryString({prefix, ...query})}`,
  /** @param {string} bucket @param {string} name @param {string} [version] @param {string} [tab] */
  object: (bucket, name, version, tab) =>
    `${ROOT}o/${encodeURIComponent(bucket)}${queryString({name, version, tab})}`,
  /** @param {string} bucket */
  settings: (bucket) => `${ROOT}b/${encodeURIComponent(bucket)}/settings`,
  /** @param {string} tab */
  admin: (tab) => `${ROOT}admin/${tab}`,
};

/** @type {{parts: string[], Component: Page}[]} */
const routes = [];

/** The URL that is shown: path and query. */
const here = createStore(location.pathname + location.search);

/**
 * Whether a page with unsaved changes is kept for now. It calls `go` when the user agrees to leave it.
 * @typedef {(to: string, go: () => void) => boolean} Guard
 */

/** @type {Set<Guard>} */
const guards = new Set();

/** Add a page. `path` is below the root: "b/:bucket/settings". @param {string} path @param {Page} Component */
export function route(path, Component) {
  routes.push({parts: split(path), Component});
}

/**
 * A page whose module is loaded when it is first shown.
 * @param {() => Promise<any>} load
 * @param {string} name the exported component
 * @returns {Page}
 */
export function lazy(load, name) {
  /** @type {Page|null} */
  let Loaded = null;
  return function LazyPage(/** @type {any} */ props) {
    const [, update] = useState(/** @type {any} */ (null));
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (Loaded) return;
      load().then(
        (module) => {
          Loaded = module[name];
          update({});
        },
        () => setFailed(true),
      );
    }, []);
    if (failed) {
      return html`<div class="page"><div class="error-box" role="alert">
        <p>This page could not be loaded. Check the connection, then reload.</p>
        <button class="button" onClick=${() => location.reload()}>Reload</button>
      </div></div>`;
    }
    return Loaded ? html`<${Loaded} ...${props} />` : html`<div class="page" aria-busy="true"></div>`;
  };
}

/**
 * Show another page, unless the user wants to keep the present one.
 * @param {string} url
 * @param {{replace?: boolean, unasked?: boolean}} [options] `replace`: without an entry of its own in the history;
 *   `unasked`: unsaved changes have no use any more
 */
export function navigate(url, {replace = false, unasked = false} = {}) {
  if (url === here.get()) return;
  const go = () => {
    if (replace) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
    here.set(url);
  };
  if (unasked) go();
  else leaveFor(url, go);
}

/** Call `go`, which leaves the page, unless the user wants to keep it. @param {string} url @param {() => void} go */
export function leaveFor(url, go) {
  if (![...guards].some((guard) => guard(url, go))) go();
}

/** Ask `guard` before the page is left. Returns the function that ends that. @param {Guard} guard */
export function guardPage(guard) {
  guards.add(guard);
  return () => {
    guards.delete(guard);
  };
}

addEventListener("popstate", () => {
  const url = location.pathname + location.search;
  let isKept = false;
  leaveFor(url, () => {
    if (isKept) history.back(); // from the entry that is added below
    else here.set(url);
  });
  isKept = here.get() !== url;
  if (isKept) history.pushState(null, "", here.get()); // the browser has the other address already
});

export const usePath = () => useStore(here);

/** @param {any} props `href` and the attributes of a link */
export function Link({href, children, onClick, ...rest}) {
  /** @param {MouseEvent} event */
  const follow = (event) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
  };
  return html`<a href=${href} onClick=${follow} ...${rest}>${children}</a>`;
}

/** The page of the current path, or `NotFound`. @param {{NotFound: Page}} props */
export function Router({NotFound}) {
  const url = usePath();
  const found = match(url);
  if (!found) return html`<${NotFound} />`;
  const {Component, params, query} = found;
  return html`<${Component} key=${found.key} query=${query} ...${params} />`;
}

/** @param {string} url */
function match(url) {
  const {pathname, searchParams} = new URL(url, location.origin);
  const parts = split(pathname.slice(ROOT.length));
  const query = Object.fromEntries(searchParams);
  for (const {parts: pattern, Component} of routes) {
    if (pattern.length !== parts.length) continue;
    /** @type {Record<string, string>} */
    const params = {};
    const fits = pattern.every((part, index) => {
      if (!part.startsWith(":")) return part === parts[index];
      const value = decode(parts[index]);
      params[part.slice(1)] = value;
      return value !== "";
    });
    if (fits) return {Component, params, query, key: `${pattern.join("/")} ${Object.values(params).join("/")}`};
  }
  return null;
}

/** @param {string} path */
const split = (path) => path.split("/").filter(Boolean);

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
