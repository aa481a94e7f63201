// @ts-check
// One request of an upload by XMLHttpRequest, which reports progress, and its retries.
import {csrf, explained, renewsToken} from "./api.js";

/** How long to wait before each retry, in seconds. After the last, the error is final. */
const DELAYS = [1, 2, 4, 8, 15, 30, 30, 30, 30, 60, 60, 60, 60, 60];

/** A request without progress for this long is repeated, in milliseconds. */
const STALLED = 60_000;

/** The response of S3 to a failed request, or the lack of one (`status` 0). */
export class UploadError extends Error {
  /**
   * @param {string} code the code of S3, or `NetworkError`
   * @param {string} message
   * @param {number} status the HTTP status; 0: there was no response
   */
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }

  /** Whether the same request can succeed later. */
  get isTransient() {
    return this.status === 0 || this.status === 429 || this.status >= 500
      || this.code === "RequestTimeout" || this.code === "BadDigest" || this.code === "ConditionalRequestConflict";
  }

  /** Whether the user has to sign in again. */
  get needsSignIn() {
    return this.status === 401;
  }
}

/**
 * @typedef {{body?: Blob | string | null, headers?: Record<string, string>, signal?: AbortSignal,
 *   onProgress?: (loaded: number) => void}} SendOptions
 *
 * @typedef {object} Sent
 * @property {number} status
 * @property {string} text
 * @property {(name: string) => string | null} header
 */

/**
 * Send one request.
 * @param {string} method
 * @param {string} url
 * @param {SendOptions} [options]
 * @returns {Promise<Sent>}
 * @throws {UploadError | DOMException} an error of S3, of the network, or `AbortError`
 */
export async function send(method, url, options = {}) {
  try {
    return await sendOnce(method, url, options);
  } catch (error) {
    const isRenewed = await renewsToken(error).catch(({code, message, status}) => {
      throw new UploadError(code, message, status);
    });
    if (!isRenewed) throw error;
    return sendOnce(method, url, options);
  }
}

/**
 * @param {string} method
 * @param {string} url
 * @param {SendOptions} options
 * @returns {Promise<Sent>}
 */
function sendOnce(method, url, {body = null, headers = {}, signal, onProgress}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    let timer = 0;
    const abort = () => request.abort();
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    const fail = () => {
      finish();
      reject(new UploadError("NetworkError", "The connection to the gateway failed.", 0));
    };
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => { request.abort(); fail(); }, STALLED);
    };
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (method !== "GET" && method !== "HEAD") {
      request.setRequestHeader("x-csrf-token", csrf());
    }
    request.upload.onprogress = (event) => { watch(); onProgress?.(event.loaded); };
    // The whole body is in the buffers of the network: the gateway may take long to store it.
    request.upload.onload = watch;
    request.onprogress = watch;
    request.onerror = fail;
    request.onabort = () => {
      finish();
      if (signal?.aborted) reject(signal.reason);
      else fail();
    };
    request.onload = () => {
      finish();
      if (request.status >= 200 && request.status < 300) {
        const header = (/** @type {string} */ name) => request.getResponseHeader(name);
        resolve({status: request.status, text: request.responseText, header});
      } else {
        reject(parseError(request));
      }
    };
    signal?.addEventListener("abort", abort);
    watch();
    request.send(body);
  });
}

/**
 * Repeat an action while its error is transient, with growing delays.
 * @template T
 * @param {() => Promise<T>} action
 * @param {{signal: AbortSignal, onWait: (error: UploadError | null, seconds: number) => void}} options
 *   `onWait` gets the error and the delay before each retry, and null before it is sent
 * @returns {Promise<T>}
 */
export async function retrying(action, {signal, onWait}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof UploadError) || !error.isTransient || attempt >= DELAYS.length) throw error;
      onWait(error, DELAYS[attempt]);
      await pause(DELAYS[attempt] * 1000, signal);
      onWait(null, 0);
    }
  }
}

/** The functions that end the present pauses. @type {Set<() => void>} */
const pauses = new Set();

/** Send what waits for its next attempt at once: the gateway and NATS are there again. */
export function retryNow() {
  for (const end of [...pauses]) end();
}

/**
 * Wait for a time, or until `retryNow`, or until the browser is online again, or until the signal.
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      pauses.delete(end);
      window.removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, milliseconds);
    pauses.add(end);
    window.addEventListener("online", end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/**
 * Return the error of a response: XML of S3, or JSON of the console.
 * @param {XMLHttpRequest} request
 * @returns {UploadError}
 */
function parseError(request) {
  const {status, responseText} = request;
  let code = status === 404 ? "NotFound" : status === 412 ? "PreconditionFailed" : `Status${status}`;
  let message = request.statusText || `The gateway answered with status ${status}.`;
  if (responseText.trimStart().startsWith("{")) {
    try {
      ({code, message} = JSON.parse(responseText).error);
    } catch { /* not an error of the console: keep the status */ }
  } else if (responseText.trimStart().startsWith("<")) {
    const root = parseXml(responseText);
    code = textOf(root, "Code") || code;
    message = textOf(root, "Message") || message;
  }
  return new UploadError(code, explained(code, message), status);
}

/**
 * Parse an XML response of S3.
 * @param {string} text
 * @returns {Document}
 */
export function parseXml(text) {
  return new DOMParser().parseFromString(text, "application/xml");
}

/**
 * Return the text of the first element with a name, or an empty string.
 * @param {Document | Element} node
 * @param {string} name
 * @returns {string}
 */
export function textOf(node, name) {
  return node.getElementsByTagName(name)[0]?.textContent ?? "";
}
