// @ts-check
/** Requests to the console's API, to S3 with the session, and the session itself. */
import {createStore} from "./store.js";

/**
 * @typedef {{access_key: string, name: string, user: string, allow: "full"|"read"|"write", admin: boolean,
 *   buckets: string[], csrf: string, expires: string, version: string, preview: string|null,
 *   features: {parquet: boolean}}} Session
 * @typedef {Record<string, string|number|boolean|string[]|null|undefined>} Params
 */

/** An error of the server, or `NetworkError` with status 0. */
export class ApiError extends Error {
  /** @param {string} code @param {string} message @param {number} status @param {number} [retryAfter] */
  constructor(code, message, status, retryAfter) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** undefined: not asked yet; null: signed out. @type {import("./store.js").Store<Session|null|undefined>} */
export const session = createStore(/** @type {Session|null|undefined} */ (undefined));

/** The token for the header `x-csrf-token` of requests that change something. */
export const csrf = () => session.get()?.csrf ?? "";

export const canWrite = () => session.get()?.allow !== "read";

/** A path with encoded values: at`buckets/${name}/rows`. @param {TemplateStringsArray} parts @param {...string} values */
export const at = (parts, ...values) =>
  parts.reduce((path, part, index) => path + encodeURIComponent(values[index - 1]) + part);

/** The URL of a path of the API. @param {string} path @param {Params} [params] */
export function apiUrl(path, params) {
  return `/_console/api/${path}${query(params)}`;
}

/** @param {Params} [params] */
function query(params = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined) continue;
    if (Array.isArray(value)) for (const each of value) search.append(name, each);
    else search.append(name, value === true ? "1" : value === false ? "0" : String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

/**
 * Send a request with the session's token. Raises `ApiError` if it fails, and the browser's `AbortError`.
 * @param {string} method @param {string} url
 * @param {{headers?: Record<string, string>, body?: any, signal?: AbortSignal, keepalive?: boolean}} [options]
 * @returns {Promise<Response>}
 */
export async function request(method, url, options = {}) {
  try {
    return await send(method, url, options);
  } catch (error) {
    if (!(await renewsToken(error))) throw error;
    return send(method, url, options);
  }
}

/**
 * @param {string} method @param {string} url
 * @param {{headers?: Record<string, string>, body?: any, signal?: AbortSignal, keepalive?: boolean}} options
 * @returns {Promise<Response>}
 */
async function send(method, url, {headers = {}, body, signal, keepalive}) {
  if (method !== "GET" && method !== "HEAD") headers = {"x-csrf-token": csrf(), ...headers};
  let response;
  try {
    response = await fetch(url, {method, headers, body, signal, keepalive, cache: "no-store"});
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("NetworkError", "The gateway cannot be reached.", 0);
  }
  if (response.ok) return response;
  const failure = await readError(response);
  if (failure.code === "SignInRequired") session.set(null);
  throw failure;
}

/**
 * Whether a request that has failed can be sent again with another token: after a sign-in in another tab, the
 * cookie of the browser has that of the new session. If that is of another access key, the present one ends.
 * @param {any} error
 */
export async function renewsToken(error) {
  const before = session.get();
  if (error.code !== "InvalidCsrfToken" || !before) return false;
  const now = await get("session");
  session.set(now.access_key === before.access_key ? now : null);
  return session.get() !== null;
}

/** The message of an error, with the limit that S3's own message leaves out. @param {string} code @param {string} message */
export const explained = (code, message) =>
  code === "KeyTooLongError" ? "The name is longer than 1,024 bytes. Letters other than a to z have 2 to 4 bytes." : message;

/** @param {Response} response */
async function readError(response) {
  const text = await response.text().catch(() => "");
  let code = `Http${response.status}`;
  let message = response.statusText || `The gateway answered with status ${response.status}.`;
  try {
    if (text.startsWith("{")) ({code, message} = JSON.parse(text).error);
    else if (text.startsWith("<")) {
      const xml = new DOMParser().parseFromString(text, "application/xml");
      code = xml.querySelector("Code")?.textContent || code;
      message = xml.querySelector("Message")?.textContent || message;
    }
  } catch {
    // A proxy in between may answer with anything: the status remains.
  }
  const retryAfter = Number(response.headers.get("retry-after")) || undefined;
  return new ApiError(code, explained(code, message), response.status, retryAfter);
}

/** @param {string} method @param {string} path @param {Params|undefined} params @param {any} body @param {AbortSignal} [signal] */
async function json(method, path, params, body, signal) {
  const headers = /** @type {Record<string, string>} */ (body === undefined ? {} : {"content-type": "application/json"});
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await request(method, apiUrl(path, params), {headers, body: text, signal});
  return response.status === 204 ? null : response.json();
}

/** @param {string} path @param {Params} [params] @param {AbortSignal} [signal] @returns {Promise<any>} */
export const get = (path, params, signal) => json("GET", path, params, undefined, signal);
/** @param {string} path @param {any} [body] @param {AbortSignal} [signal] @returns {Promise<any>} */
export const post = (path, body = {}, signal) => json("POST", path, undefined, body, signal);
/** @param {string} path @param {any} [body] @param {Params} [params] @returns {Promise<any>} */
export const patch = (path, body = {}, params) => json("PATCH", path, params, body);
/** @param {string} path @param {any} [body] @returns {Promise<any>} */
export const del = (path, body) => json("DELETE", path, undefined, body);

// Browsers resolve dot segments of a path, and some proxies also those between escaped slashes, and merge slashes.
const CHANGED_IN_PATHS = /(^|\/)\.{0,2}(\/|$)/;

/**
 * The URL of an object (or a bucket, without a key) in S3. A key that a path would not keep is in the query, so
 * that the request reaches no other object. No bucket is named "@name": without the query, it reaches nothing.
 * @param {string} bucket @param {string|null} [key] @param {Params} [params]
 */
export function s3Path(bucket, key, params) {
  const path = encodeURIComponent(bucket);
  if (!key) return `/_console/s3/${path}${query(params)}`;
  if (CHANGED_IN_PATHS.test(key)) return `/_console/s3/@name/${path}${query({...params, name: key})}`;
  return `/_console/s3/${path}/${encodeURIComponent(key)}${query(params)}`;
}

/**
 * Send a request to S3 with the session's permissions.
 * @param {string} method @param {string} bucket @param {string|null} key
 * @param {{query?: Params, headers?: Record<string, string>, body?: any, signal?: AbortSignal}} [options]
 */
export async function s3(method, bucket, key, {query: params, headers, body, signal} = {}) {
  return request(method, s3Path(bucket, key, params), {headers, body, signal});
}

/**
 * Run a job that answers with lines of JSON. Returns the last line; raises `ApiError` if that is an error
 * or the connection ends early.
 * @param {string} path @param {any} body @param {(line: any) => void} onLine @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function ndjson(path, body, onLine, signal) {
  const headers = {"content-type": "application/json"};
  const response = await request("POST", apiUrl(path), {headers, body: JSON.stringify(body ?? {}), signal});
  /** @type {any} */
  let last = null;
  for await (const line of lines(response, signal)) {
    if (!line) continue;
    last = JSON.parse(line);
    if (last.error) throw new ApiError(last.error.code, last.error.message, response.status);
    onLine(last);
  }
  return last;
}

/** The lines of a response as they arrive. @param {Response} response @param {AbortSignal} [signal] */
export async function* lines(response, signal) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const {done, value} = await reader.read();
      const parts = (rest + decoder.decode(value, {stream: !done})).split("\n");
      rest = /** @type {string} */ (parts.pop());
      yield* parts;
      if (done) break;
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("NetworkError", "The connection to the gateway ended early.", 0);
  }
  if (rest) yield rest;
}

/** Ask for the session of the cookie. */
export async function loadSession() {
  try {
    session.set(await get("session"));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    session.set(null);
  }
}

/** @param {string} accessKey @param {string} secretKey */
export async function signIn(accessKey, secretKey) {
  session.set(await post("session", {access_key: accessKey, secret_key: secretKey}));
}

export async function signOut() {
  await del("session").catch(() => null);
  session.set(null);
}

export {changes} from "./feed.js";
